// Flows in time: completions by hand, conservation, and rates that do not depend on history.
#include "trnsim/fabric/flow_set.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <random>

#include "trnsim/base/error.h"

namespace trnsim::fabric {
namespace {

using Uses = std::vector<Use>;
using Ids = std::vector<FlowId>;

TEST(FlowSet, TwoFlowsShareUntilTheFirstIsDone) {
  // 10 GB/s: 5 each; 100 bytes are done at 20 ns, then the 300 bytes have 200 left at 10: 40 ns.
  FlowSet flows({10});
  flows.add(Femtos{0}, Uses{{0, 1}}, 100);
  flows.add(Femtos{0}, Uses{{0, 1}}, 300);
  flows.settle(Femtos{0});
  EXPECT_EQ(flows.next_completion(), from_ns(20));
  EXPECT_TRUE(flows.take_completed(from_ns(19)).empty());
  EXPECT_EQ(flows.take_completed(from_ns(20)), Ids{0});
  flows.settle(from_ns(20));
  EXPECT_EQ(flows.next_completion(), from_ns(40));
  EXPECT_EQ(flows.take_completed(from_ns(40)), Ids{1});
  flows.settle(from_ns(40));
  EXPECT_EQ(flows.next_completion(), kNever);
  EXPECT_EQ(flows.active(), 0U);
  EXPECT_NEAR(flows.load(0, from_ns(50)).bytes, 400, 1e-9);
  EXPECT_EQ(flows.load(0, from_ns(50)).busy, from_ns(40));
  EXPECT_EQ(flows.load(0, from_ns(50)).GBps, 0);
}

TEST(FlowSet, ALaterFlowSlowsARunningOne) {
  // 60 of 100 bytes by 6 ns; then 5 GB/s: 8 ns more. The other: 40 by 14 ns, 60 more at 10.
  FlowSet flows({10});
  const RouteId route = flows.route(Uses{{0, 1}});
  EXPECT_EQ(flows.add(Femtos{0}, route, 100), 0U);
  flows.settle(Femtos{0});
  EXPECT_EQ(flows.add(from_ns(6), route, 100), 1U);
  flows.settle(from_ns(6));
  EXPECT_NEAR(flows.rate(route), 5, 1e-12);
  EXPECT_EQ(flows.next_completion(), from_ns(14));
  EXPECT_EQ(flows.take_completed(from_ns(14)), Ids{0});
  flows.settle(from_ns(14));
  EXPECT_EQ(flows.next_completion(), from_ns(20));
}

TEST(FlowSet, RoundsACompletionUpToAPicosecond) {
  // 1 byte at 3 GB/s: 333.33 ps.
  FlowSet flows({3});
  flows.add(Femtos{0}, Uses{{0, 1}}, 1);
  flows.settle(Femtos{0});
  EXPECT_EQ(flows.next_completion(), (Femtos{334'000}));
}

TEST(FlowSet, CompletesEqualFlowsTogetherInTheOrderOfTheirIds) {
  // Six flows on links of 0.7: none of the times is exact in binary.
  FlowSet flows({0.7, 0.7, 0.7});
  for (std::uint32_t i = 0; i < 6; ++i) {
    flows.add(Femtos{0}, Uses{{(i + 2) % 3, 1}, {i % 3, 1}}, 7);
  }
  flows.settle(Femtos{0});
  EXPECT_EQ(flows.take_completed(flows.next_completion()), (Ids{0, 1, 2, 3, 4, 5}));
}

TEST(FlowSet, StarvesALowerClassUntilTheHigherIsDone) {
  FlowSet flows({10});
  flows.add(Femtos{0}, Uses{{0, 1}}, 100, 1, 2);
  flows.settle(Femtos{0});
  flows.add(from_ns(4), Uses{{0, 1}}, 100, 1, 0);
  flows.settle(from_ns(4));
  EXPECT_EQ(flows.next_completion(), from_ns(14));
  EXPECT_EQ(flows.take_completed(from_ns(14)), Ids{1});
  flows.settle(from_ns(14));
  EXPECT_EQ(flows.next_completion(), from_ns(20));
}

TEST(FlowSet, NothingToSendIsDoneAtOnce) {
  FlowSet flows({10});
  flows.add(from_ns(3), Uses{{0, 1}}, 0);
  flows.settle(from_ns(3));
  EXPECT_EQ(flows.next_completion(), from_ns(3));
  EXPECT_EQ(flows.take_completed(from_ns(3)), Ids{0});
}

TEST(FlowSet, AWeightCountsPerFlow) {
  // Two of weight 1 and one of weight 2: 3, 3, 6 of 12.
  FlowSet flows({12});
  const RouteId light = flows.route(Uses{{0, 1}}, 1);
  const RouteId heavy = flows.route(Uses{{0, 1}}, 2);
  EXPECT_NE(light, heavy);
  EXPECT_EQ(flows.route(Uses{{0, 1}}, 1), light);
  flows.add(Femtos{0}, light, 1000);
  flows.add(Femtos{0}, light, 1000);
  flows.add(Femtos{0}, heavy, 1000);
  flows.settle(Femtos{0});
  EXPECT_NEAR(flows.rate(light), 3, 1e-12);
  EXPECT_NEAR(flows.rate(heavy), 6, 1e-12);
}

TEST(FlowSet, RefusesToSkipAnEvent) {
  FlowSet flows({10});
  flows.add(Femtos{0}, Uses{{0, 1}}, 100);
  EXPECT_THROW(flows.settle(from_ns(1)), InternalError);
  flows.settle(Femtos{0});
  EXPECT_THROW(static_cast<void>(flows.take_completed(from_ns(11))), InternalError);
  EXPECT_THROW(static_cast<void>(flows.route(Uses{{1, 1}})), InternalError);
}

// Random traffic with starts, priorities and weights.
struct Traffic {
  struct Start {
    Femtos time;
    Uses uses;
    std::uint64_t bytes = 0;
    double weight = 1;
    std::uint8_t priority = 0;
  };
  std::vector<double> capacities;
  std::vector<Start> starts;
};

Traffic random_traffic(std::uint32_t seed, bool two_classes) {
  std::mt19937 random(seed);
  Traffic traffic;
  for (int r = 0; r < 24; ++r) {
    traffic.capacities.push_back(10 + static_cast<double>(random() % 90));
  }
  Femtos now{0};
  for (std::uint32_t f = 0; f < 300; ++f) {
    Traffic::Start start;
    now += Femtos{random() % 3 == 0 ? 0 : random() % 5'000'000};
    start.time = now;
    const auto first = static_cast<std::uint32_t>(random() % 24);
    for (std::uint32_t i = 0; i < 1 + f % 4; ++i) {
      start.uses.push_back({(first + 5 * i) % 24, 0.5 * static_cast<double>(1 + random() % 3)});
    }
    std::sort(start.uses.begin(), start.uses.end(),
              [](const Use& a, const Use& b) { return a.resource < b.resource; });
    start.bytes = 1 + random() % 2000;
    start.weight = 1 + static_cast<double>(random() % 2);
    start.priority = static_cast<std::uint8_t>(two_classes && random() % 8 == 0);
    traffic.starts.push_back(start);
  }
  return traffic;
}

struct Outcome {
  std::vector<Femtos> done;
  std::vector<ResourceLoad> loads;
};

// `check` is called after every settle with the ids of the flows that run.
template <typename Check>
Outcome run(const Traffic& traffic, Check check) {
  FlowSet flows(traffic.capacities);
  Outcome outcome;
  outcome.done.resize(traffic.starts.size());
  std::map<FlowId, RouteId> running;
  std::size_t next = 0;
  Femtos now{0};
  while (next < traffic.starts.size() || flows.active() > 0) {
    now = flows.next_completion();
    if (next < traffic.starts.size()) {
      now = min(now, traffic.starts[next].time);
    }
    for (const FlowId id : flows.take_completed(now)) {
      outcome.done[id] = now;
      running.erase(id);
    }
    for (; next < traffic.starts.size() && traffic.starts[next].time == now; ++next) {
      const Traffic::Start& start = traffic.starts[next];
      const RouteId route = flows.route(start.uses, start.weight, start.priority);
      running[flows.add(now, route, start.bytes)] = route;
    }
    flows.settle(now);
    check(flows, running);
  }
  for (std::uint32_t r = 0; r < traffic.capacities.size(); ++r) {
    outcome.loads.push_back(flows.load(r, now));
  }
  return outcome;
}

// Rates after every change against those of all flows solved at once.
void expect_rates_of_all(const Traffic& traffic) {
  run(traffic, [&](const FlowSet& flows, const std::map<FlowId, RouteId>& running) {
    FlowTable table;
    std::vector<RouteId> routes;
    for (const auto& [id, route] : running) {
      const Traffic::Start& start = traffic.starts[id];
      table.uses.insert(table.uses.end(), start.uses.begin(), start.uses.end());
      table.first.push_back(static_cast<std::uint32_t>(table.uses.size()));
      table.weights.push_back(start.weight);
      table.priorities.push_back(start.priority);
      routes.push_back(route);
    }
    std::vector<double> rates;
    max_min(traffic.capacities, table, rates);
    std::vector<double> loads(traffic.capacities.size());
    for (std::size_t f = 0; f < rates.size(); ++f) {
      ASSERT_NEAR(flows.rate(routes[f]), rates[f], 1e-9 * (1 + rates[f]));
      for (std::uint32_t u = table.first[f]; u < table.first[f + 1]; ++u) {
        loads[table.uses[u].resource] += table.uses[u].multiplicity * rates[f];
      }
    }
    for (std::uint32_t r = 0; r < loads.size(); ++r) {
      ASSERT_NEAR(flows.load(r, Femtos{UINT64_MAX / 2}).GBps, loads[r], 1e-9 * (1 + loads[r]));
    }
  });
}

TEST(FlowSet, RatesAreThoseOfAllFlowsSolvedAtOnce) {
  for (std::uint32_t seed = 0; seed < 20; ++seed) {
    expect_rates_of_all(random_traffic(seed, false));
  }
}

TEST(FlowSet, RatesOfTwoClassesAreThoseOfAllFlowsSolvedAtOnce) {
  for (std::uint32_t seed = 0; seed < 5; ++seed) {
    expect_rates_of_all(random_traffic(seed, true));
  }
}

TEST(FlowSet, MovesEveryByteOnce) {
  const Traffic traffic = random_traffic(4, true);
  const Outcome outcome = run(traffic, [](const FlowSet&, const auto&) {});
  std::vector<double> bytes(traffic.capacities.size());
  for (const Traffic::Start& start : traffic.starts) {
    for (const Use& use : start.uses) {
      bytes[use.resource] += use.multiplicity * static_cast<double>(start.bytes);
    }
  }
  for (std::size_t r = 0; r < bytes.size(); ++r) {
    EXPECT_NEAR(outcome.loads[r].bytes, bytes[r], 1e-6 * bytes[r]);
    // Not faster than the capacity while busy.
    EXPECT_LE(bytes[r], outcome.loads[r].busy.ns() * traffic.capacities[r] * (1 + 1e-9) + 1);
  }
}

TEST(FlowSet, IsTheSameEveryTime) {
  const auto nothing = [](const FlowSet&, const auto&) {};
  const Outcome first = run(random_traffic(5, false), nothing);
  const Outcome second = run(random_traffic(5, false), nothing);
  EXPECT_EQ(first.done, second.done);
  for (std::size_t r = 0; r < first.loads.size(); ++r) {
    EXPECT_EQ(first.loads[r].bytes, second.loads[r].bytes);
  }
}

TEST(FlowSet, DoesNotTouchWhatAChangeCannotReach) {
  // Links of 10 joined by a memory that both together cannot fill: a second flow on one link leaves the
  // time of the other's completion alone, to the bit.
  FlowSet flows({10, 10, 100});
  flows.add(Femtos{0}, Uses{{0, 1}, {2, 1}}, 70);
  flows.add(Femtos{0}, Uses{{1, 1}, {2, 1}}, 100);
  flows.settle(Femtos{0});
  flows.add(from_ns(3), Uses{{1, 1}, {2, 1}}, 100);
  flows.settle(from_ns(3));
  EXPECT_EQ(flows.next_completion(), from_ns(7));
  // Full memory does reach: 100 = 3 x rate, of which the first link had 10.
  FlowSet tight({10, 10, 15});
  const RouteId a = tight.route(Uses{{0, 1}, {2, 1}});
  const RouteId b = tight.route(Uses{{1, 1}, {2, 1}});
  tight.add(Femtos{0}, a, 100);
  tight.settle(Femtos{0});
  EXPECT_NEAR(tight.rate(a), 10, 1e-12);
  tight.add(from_ns(1), b, 15);
  tight.settle(from_ns(1));
  EXPECT_NEAR(tight.rate(a), 7.5, 1e-12);
  // 15 bytes at 7.5: done at 3 ns, and the memory, slack again, gives the link back.
  EXPECT_EQ(tight.take_completed(from_ns(3)), Ids{1});
  tight.settle(from_ns(3));
  EXPECT_NEAR(tight.rate(a), 10, 1e-12);
}

}  // namespace
}  // namespace trnsim::fabric
