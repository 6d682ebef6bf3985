// A collective engine over the flow network with round numbers, and clients that write down who is done when.
#pragma once

#include <map>
#include <memory>
#include <utility>
#include <vector>

#include "network/collective_engine.h"
#include "network/flow_network.h"
#include "support/network_client.h"
#include "support/systemc_test.h"

namespace trnsim::test {

struct Step {
  std::uint32_t from = 0;
  std::uint32_t to = 0;
  std::uint64_t bytes = 0;
  std::vector<std::uint32_t> after;
  std::uint32_t also_to = collectives::kNoRank;
};

inline std::shared_ptr<const collectives::Dag> dag(std::uint32_t ranks, const std::vector<Step>& steps) {
  auto result = std::make_shared<collectives::Dag>();
  result->ranks = ranks;
  for (const Step& step : steps) {
    collectives::Transfer transfer;
    transfer.from = step.from;
    transfer.to = step.to;
    transfer.also_to = step.also_to;
    transfer.bytes = step.bytes;
    transfer.first_dependency = static_cast<std::uint32_t>(result->dependencies.size());
    transfer.dependency_count = static_cast<std::uint32_t>(step.after.size());
    result->dependencies.insert(result->dependencies.end(), step.after.begin(), step.after.end());
    result->transfers.push_back(transfer);
  }
  return result;
}

// (collective, member) -> ns.
class Done final : public models::CollectiveClient {
 public:
  void on_collective_done(Femtos now, std::uint32_t collective, std::uint32_t member) override {
    EXPECT_TRUE(at.emplace(std::pair(collective, member), now.ns()).second) << "told twice";
  }
  std::map<std::pair<std::uint32_t, std::uint32_t>, double> at;
};

// round_trn2(): four ranks on each chip; ranks 0, 4 and 16 are on neighbouring chips (4 along x, 16 along
// y). 1 MiB takes 8,192 ns on a link. Set-up 5,000 ns; hop 1,000 on a chip, 2,000 between chips, 15,000
// over EFA.
class CollectiveBench : public SystemCTest {
 protected:
  static constexpr std::uint64_t kMiB = 1 << 20;

  void SetUp() override {
    SystemCTest::SetUp();
    make(round_trn2());
  }
  void TearDown() override {
    engine.reset();
    network.reset();
    SystemCTest::TearDown();
  }
  void make(const spec::SystemSpec& spec) {
    engine.reset();
    network.reset();
    system = spec;
    plan = std::make_unique<fabric::NetworkPlan>(system, fabric::make_ranks(system, 2));
    std::vector<double> capacities;
    for (const fabric::Resource& resource : plan->resources()) {
      capacities.push_back(resource.GBps);
    }
    network = std::make_unique<models::FlowNetwork>("network", *plan, capacities, agenda, 0);
    engine = std::make_unique<models::CollectiveEngine>(
        "engine", *plan,
        models::CollectiveTimes{from_ns(5000), from_ns(1000), from_ns(2000), from_ns(15000)}, agenda, 1);
    engine->network(*network);
  }
  std::uint32_t add(std::vector<std::uint32_t> ranks, std::shared_ptr<const collectives::Dag> what,
                    std::uint32_t stream = 0) {
    models::CollectiveRequest request;
    request.dag = std::move(what);
    request.ranks = std::move(ranks);
    request.stream = stream;
    return engine->add(std::move(request));
  }

  spec::SystemSpec system;
  FakeAgenda agenda;
  std::unique_ptr<fabric::NetworkPlan> plan;
  std::unique_ptr<models::FlowNetwork> network;
  std::unique_ptr<models::CollectiveEngine> engine;
};

}  // namespace trnsim::test
