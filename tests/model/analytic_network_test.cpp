// The analytic network: batches and their bottleneck.
#include "network/analytic_network.h"

#include <memory>

#include "support/network_client.h"
#include "support/systemc_test.h"

namespace trnsim::models {
namespace {

using Arrived = std::vector<std::pair<std::uint64_t, double>>;
constexpr std::uint64_t kMiB = 1 << 20;    // 8,192 ns on a link, 4,096 in a channel, 2,048 at a stack

class AnalyticNetworkTest : public test::SystemCTest {
 protected:
  void SetUp() override {
    SystemCTest::SetUp();
    network = std::make_unique<AnalyticNetwork>("network", plan, agenda, 0);
    sender = std::make_unique<test::Sender>(agenda, *network, arrivals);
  }
  [[nodiscard]] fabric::ResourceLoad load(const std::string& name, Femtos now) const {
    for (std::size_t i = 0; i < plan.resources().size(); ++i) {
      if (plan.resources()[i].name == name) {
        return network->loads(now)[i];
      }
    }
    ADD_FAILURE() << name;
    return {};
  }

  spec::SystemSpec system = test::round_trn2();
  fabric::NetworkPlan plan{system, fabric::make_ranks(system, 2)};
  test::FakeAgenda agenda;
  test::Arrivals arrivals;
  std::unique_ptr<AnalyticNetwork> network;
  std::unique_ptr<test::Sender> sender;
};

TEST_F(AnalyticNetworkTest, AMovementTakesAsLongAsItsMostLoadedResource) {
  // Ranks 0, 1 send to the next chip over one link: 2 x 8,192. Ranks 2 and 3 are on one die: channel.
  sender->at(Femtos{0}, {{7, {.from = 0, .to = 4, .bytes = kMiB}},
                        {8, {.from = 2, .to = 3, .bytes = kMiB}},
                        {9, {.from = 1, .to = 5, .bytes = kMiB}}});
  agenda.run();
  EXPECT_EQ(arrivals.list, (Arrived{{8, 4096}, {7, 16384}, {9, 16384}}));
}

TEST_F(AnalyticNetworkTest, AReducedByteTakesTwiceTheChannel) {
  sender->at(Femtos{0}, {{1, {.from = 2, .to = 3, .bytes = kMiB, .reduce = true}}});
  agenda.run();
  EXPECT_EQ(arrivals.list, (Arrived{{1, 8192}}));
}

TEST_F(AnalyticNetworkTest, BatchesDoNotSeeEachOther) {
  sender->at(from_ns(0), {{1, {.from = 0, .to = 4, .bytes = kMiB}}});
  sender->at(from_ns(1000), {{2, {.from = 0, .to = 4, .bytes = kMiB}}});
  sender->at(from_ns(2000), {{3, {.from = 0, .to = 4, .bytes = kMiB / 4}}});
  agenda.run();
  EXPECT_EQ(arrivals.list, (Arrived{{3, 4048}, {1, 8192}, {2, 9192}}));
}

TEST_F(AnalyticNetworkTest, ClientsMaySendWhenToldOfAnArrival) {
  arrivals.then = [&](Femtos now, std::uint64_t token) {
    if (token < 3) {
      network->send(now, {.from = 0, .to = 4, .bytes = kMiB}, token + 1, &arrivals);
    }
  };
  sender->at(Femtos{0}, {{1, {.from = 0, .to = 4, .bytes = kMiB}}});
  agenda.run();
  EXPECT_EQ(arrivals.list, (Arrived{{1, 8192}, {2, 16384}, {3, 24576}}));
}

TEST_F(AnalyticNetworkTest, CountsBytesAndBusyTimeOfResources) {
  sender->at(from_ns(1000), {{1, {.from = 0, .to = 4, .bytes = kMiB, .reduce = true}}});
  agenda.run_until(from_ns(1000 + 2048));
  // A quarter of the way: the write is a read and a write.
  EXPECT_NEAR(load("link chip 0 -> chip 1 (x)", agenda.now()).bytes, kMiB / 4, 1e-3);
  EXPECT_NEAR(load("link chip 0 -> chip 1 (x)", agenda.now()).GBps, 128, 1e-9);
  EXPECT_NEAR(load("chip 1 HBM 0", agenda.now()).bytes, kMiB / 2, 1e-3);
  agenda.run_until(from_ns(20000));
  const fabric::ResourceLoad link = load("link chip 0 -> chip 1 (x)", agenda.now());
  EXPECT_NEAR(link.bytes, kMiB, 1e-3);
  EXPECT_EQ(link.busy, from_ns(8192));
  EXPECT_EQ(link.GBps, 0);
  EXPECT_EQ(load("chip 2 HBM 0", agenda.now()).bytes, 0);
}

}  // namespace
}  // namespace trnsim::models
