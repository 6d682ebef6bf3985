// Times of completion of random traffic against SimGrid's network model as an oracle.
//
// SimGrid runs all cases in one simulation: each is a network zone of its own with the same links, routes
// and bytes. Its model is set to pure max-min sharing: no latency, no TCP window, no cross traffic.
#include <gtest/gtest.h>

#include <random>
#include <simgrid/s4u.hpp>

#include "trnsim/fabric/flow_set.h"

namespace trnsim::fabric {
namespace {

namespace sg = simgrid::s4u;

struct Flow {
  std::vector<std::uint32_t> links;
  std::uint64_t bytes = 0;
};

struct Case {
  std::vector<double> GBps;
  std::vector<Flow> flows;
};

constexpr int kCases = 1000;

std::vector<Case> random_cases() {
  std::mt19937 random(20);
  std::vector<Case> cases(kCases);
  for (Case& one : cases) {
    const std::uint32_t links = 2 + static_cast<std::uint32_t>(random() % 9);
    for (std::uint32_t link = 0; link < links; ++link) {
      one.GBps.push_back(1 + static_cast<double>(random() % 1000) / 8);
    }
    one.flows.resize(1 + random() % 12);
    for (Flow& flow : one.flows) {
      for (std::uint32_t link = 0; link < links; ++link) {
        if (random() % 3 == 0) {
          flow.links.push_back(link);
        }
      }
      if (flow.links.empty()) {
        flow.links.push_back(static_cast<std::uint32_t>(random() % links));
      }
      flow.bytes = 1'000'000 + random() % 1'000'000'000;
    }
  }
  return cases;
}

// Seconds at which each flow is done.
std::vector<double> by_flow_set(const Case& one) {
  FlowSet flows(one.GBps);
  for (const Flow& flow : one.flows) {
    std::vector<Use> uses;
    for (const std::uint32_t link : flow.links) {
      uses.push_back({link, 1});
    }
    flows.add(Femtos{0}, uses, flow.bytes);
  }
  std::vector<double> done(one.flows.size());
  Femtos now{0};
  for (flows.settle(now); flows.active() > 0; flows.settle(now)) {
    now = flows.next_completion();
    for (const FlowId id : flows.take_completed(now)) {
      done[id] = now.seconds();
    }
  }
  return done;
}

struct Sent {
  sg::Host* from = nullptr;
  sg::Host* to = nullptr;
  std::uint64_t bytes = 0;
  double done = 0;
};

TEST(SimGrid, FinishesRandomTrafficAtTheSameTimes) {
  int argc = 1;
  std::string program = "fabric_simgrid_tests";
  char* argv[] = {program.data(), nullptr};
  sg::Engine engine(&argc, argv);
  for (const char* setting :
       {"network/model:CM02", "network/TCP-gamma:0", "network/crosstraffic:0",
        "network/bandwidth-factor:1", "network/latency-factor:1", "network/weight-S:0",
        "surf/precision:1e-12", "maxmin/precision:1e-9", "contexts/factory:thread"}) {
    sg::Engine::set_config(setting);
  }
  const std::vector<Case> cases = random_cases();
  sg::NetZone* root = sg::create_full_zone("root");
  sg::Host* starter = root->create_host("starter", 1e9);
  std::vector<std::vector<Sent>> sent(cases.size());
  for (std::size_t c = 0; c < cases.size(); ++c) {
    const std::string name = "case" + std::to_string(c);
    sg::NetZone* zone = sg::create_full_zone(name);
    zone->set_parent(root);
    std::vector<const sg::Link*> links;
    for (std::size_t link = 0; link < cases[c].GBps.size(); ++link) {
      links.push_back(zone->create_link(name + "link" + std::to_string(link),
                                        cases[c].GBps[link] * 1e9)
                          ->set_latency(0)
                          ->seal());
    }
    for (std::size_t f = 0; f < cases[c].flows.size(); ++f) {
      const std::string host = name + "flow" + std::to_string(f);
      Sent& one = sent[c].emplace_back();
      one.from = zone->create_host(host + "from", 1e9)->seal();
      one.to = zone->create_host(host + "to", 1e9)->seal();
      one.bytes = cases[c].flows[f].bytes;
      std::vector<sg::LinkInRoute> route;
      for (const std::uint32_t link : cases[c].flows[f].links) {
        route.emplace_back(links[link]);
      }
      zone->add_route(one.from->get_netpoint(), one.to->get_netpoint(), nullptr, nullptr, route,
                      false);
    }
    zone->seal();
  }
  root->seal();
  sg::Actor::create("starter", starter, [&sent] {
    std::vector<std::pair<sg::CommPtr, double*>> running;
    for (std::vector<Sent>& flows : sent) {
      for (Sent& flow : flows) {
        running.emplace_back(sg::Comm::sendto_async(flow.from, flow.to, flow.bytes), &flow.done);
      }
    }
    for (auto& [comm, done] : running) {
      comm->wait();
      *done = comm->get_finish_time();
    }
  });
  engine.run();

  std::size_t compared = 0;
  for (std::size_t c = 0; c < cases.size(); ++c) {
    const std::vector<double> done = by_flow_set(cases[c]);
    for (std::size_t f = 0; f < done.size(); ++f, ++compared) {
      ASSERT_NEAR(done[f], sent[c][f].done, 1e-6 * sent[c][f].done) << "case " << c << " flow " << f;
    }
  }
  EXPECT_GT(compared, 5000U);
}

}  // namespace
}  // namespace trnsim::fabric
