// The packet network: times of single packets added up by hand, turns, credits, priorities.
#include "network/packet_network.h"

#include <memory>

#include "support/network_client.h"
#include "support/systemc_test.h"

namespace trnsim::models {
namespace {

using Arrived = std::vector<std::pair<std::uint64_t, double>>;
constexpr std::uint64_t kPacket = 4096;    // channel 16 ns, stack 8 ns, link 32 ns
constexpr std::uint64_t kMiB = 256 * kPacket;

// Rank 0 is the first of chip 0, rank 4 of chip 1 (x), rank 8 of chip 2, rank 20 of chip 5.
class PacketNetworkTest : public test::SystemCTest {
 protected:
  Arrived run(std::vector<std::pair<std::uint64_t, fabric::Movement>> movements,
              bool link_latency = false) {
    build(link_latency);
    sender->at(Femtos{0}, std::move(movements));
    agenda.run();
    return arrivals.list;
  }
  void build(bool link_latency = false) {
    plan = std::make_unique<fabric::NetworkPlan>(
        system, fabric::make_ranks(system, cores_per_rank));
    network = std::make_unique<PacketNetwork>("network", *plan, system.fabric, agenda, 0,
                                              link_latency);
    sender = std::make_unique<test::Sender>(agenda, *network, arrivals);
  }
  [[nodiscard]] fabric::ResourceLoad load(const std::string& name) const {
    for (std::size_t i = 0; i < plan->resources().size(); ++i) {
      if (plan->resources()[i].name == name) {
        return network->loads(agenda.now())[i];
      }
    }
    ADD_FAILURE() << name;
    return {};
  }

  spec::SystemSpec system = test::round_trn2();
  std::uint32_t cores_per_rank = 2;
  test::FakeAgenda agenda;
  test::Arrivals arrivals;
  std::unique_ptr<fabric::NetworkPlan> plan;
  std::unique_ptr<PacketNetwork> network;
  std::unique_ptr<test::Sender> sender;
};

TEST_F(PacketNetworkTest, OnePacketPassesOneStationAfterTheOther) {
  // Channel 16, stack 8, link 32, stack 8; the second over two links.
  EXPECT_EQ(run({{1, {.from = 0, .to = 4, .bytes = kPacket}},
                 {2, {.from = 33, .to = 53, .bytes = kPacket}}}),
            (Arrived{{1, 64}, {2, 96}}));
}

TEST_F(PacketNetworkTest, APartialPacketTakesItsBytes) {
  // 1.5 packets: the half one leaves the link 16 ns behind the whole one and is written in 4.
  EXPECT_EQ(run({{1, {.from = 0, .to = 4, .bytes = kPacket + kPacket / 2}}}), (Arrived{{1, 76}}));
}

TEST_F(PacketNetworkTest, OneFlowTakesItsBottleneckAndTheLastPacketsOtherHops) {
  // 24 ns to the link, 256 packets of 32 ns, 8 ns to write; a second link is 32 ns more.
  EXPECT_EQ(run({{1, {.from = 0, .to = 4, .bytes = kMiB}},
                 {2, {.from = 33, .to = 53, .bytes = kMiB}}}),
            (Arrived{{1, 24 + 8192 + 8}, {2, 24 + 8192 + 32 + 8}}));
}

TEST_F(PacketNetworkTest, TwoFlowsTakeTurnsOnALink) {
  // Both reach the link at 24 ns; from then on it is never idle: the last two of 512 packets of 32 ns.
  EXPECT_EQ(run({{1, {.from = 0, .to = 4, .bytes = kMiB}},
                 {2, {.from = 1, .to = 5, .bytes = kMiB}}}),
            (Arrived{{1, 24 + 511 * 32 + 8}, {2, 24 + 512 * 32 + 8}}));
}

TEST_F(PacketNetworkTest, AShortFlowIsNotHeldUpByALongOne) {
  // 16 packets against 256: done after every second turn, 31 packets.
  const Arrived list = run({{1, {.from = 0, .to = 4, .bytes = kMiB}},
                            {2, {.from = 1, .to = 5, .bytes = 16 * kPacket}}});
  EXPECT_EQ(list, (Arrived{{2, 24 + 32 * 32 + 8}, {1, 24 + 272 * 32 + 8}}));
}

TEST_F(PacketNetworkTest, ReducingTakesTheChannelTwiceAndWritesTwice) {
  EXPECT_EQ(run({{1, {.from = 0, .to = 4, .bytes = kPacket, .reduce = true}}}),
            (Arrived{{1, 32 + 8 + 32 + 16}}));
}

TEST_F(PacketNetworkTest, PairedRanksAreReadAndWrittenInTurn) {
  // KangaRing: both sources, then the link, then both destinations.
  EXPECT_EQ(run({{1, {.from = 0, .to = 4, .also_from = 1, .also_to = 5, .bytes = kPacket}}}),
            (Arrived{{1, 32 + 8 + 8 + 32 + 8 + 8}}));
}

TEST_F(PacketNetworkTest, PacketsAlternateBetweenTheWays) {
  // 0 to 2 of a row of four: each link gets a packet every 32 ns, so the channel is the bottleneck.
  EXPECT_EQ(run({{1, {.from = 0, .to = 8, .bytes = kMiB}}}), (Arrived{{1, 256 * 16 + 8 + 64 + 8}}));
  EXPECT_EQ(load("link chip 0 -> chip 1 (x)").bytes, kMiB / 2);
  EXPECT_EQ(load("link chip 3 -> chip 2 (x)").bytes, kMiB / 2);
  EXPECT_EQ(load("link chip 3 -> chip 2 (x)").busy, from_ns(4096));
  EXPECT_EQ(load("chip 2 HBM 0").bytes, kMiB);
  EXPECT_EQ(load("chip 2 HBM 0").GBps, 0);
}

TEST_F(PacketNetworkTest, SinglePacketMovementsDivideOverTheWaysToo) {
  EXPECT_EQ(run({{1, {.from = 0, .to = 8, .bytes = kPacket}},
                 {2, {.from = 1, .to = 9, .bytes = kPacket}}}),
            (Arrived{{1, 96}, {2, 96}}));
}

TEST_F(PacketNetworkTest, ARankOfAWholeChipAlternatesOverItsStacks) {
  // Channel 8 x 8 x 16 = 1,024 GB/s: 4 ns. Behind it the link: 256 x 32.
  cores_per_rank = 8;
  EXPECT_EQ(run({{1, {.from = 0, .to = 1, .bytes = kMiB}}}), (Arrived{{1, 4 + 8 + 8192 + 8}}));
  for (const char* stack : {"chip 0 HBM 0", "chip 0 HBM 3", "chip 1 HBM 1"}) {
    EXPECT_EQ(load(stack).bytes, kMiB / 4) << stack;
  }
}

TEST_F(PacketNetworkTest, CreditsOfOnePacketSendOneAtATime) {
  system.fabric.credit_bytes = kPacket;
  EXPECT_EQ(run({{1, {.from = 0, .to = 4, .bytes = 10 * kPacket}}}), (Arrived{{1, 640}}));
}

TEST_F(PacketNetworkTest, LinkLatencyIsAddedPerHopIfAskedFor) {
  EXPECT_EQ(run({{1, {.from = 33, .to = 53, .bytes = kPacket}}}, true),
            (Arrived{{1, 16 + 8 + 32 + 500 + 32 + 500 + 8}}));
}

TEST_F(PacketNetworkTest, CreditsAndLatencyBoundARate) {
  // A packet is 564 ns on its way. 17 packets, 16 credits: the last waits for the first to be written.
  EXPECT_EQ(run({{1, {.from = 0, .to = 4, .bytes = 17 * kPacket}}}, true),
            (Arrived{{1, 564 + 564}}));
}

TEST_F(PacketNetworkTest, PriorityGoesFirstWithoutPreemption) {
  // The high one reaches the link at 34 ns, amid a packet of the low one that ends at 56; then it has the
  // link for 16 packets.
  build();
  sender->at(Femtos{0}, {{1, {.from = 0, .to = 4, .bytes = kMiB, .priority = 1}}});
  sender->at(from_ns(10), {{2, {.from = 1, .to = 5, .bytes = 16 * kPacket, .priority = 0}}});
  agenda.run();
  EXPECT_EQ(arrivals.list, (Arrived{{2, 56 + 16 * 32 + 8}, {1, 24 + 272 * 32 + 8}}));
}

TEST_F(PacketNetworkTest, MovementsOfLaterInstantsJoinAndClientsMaySend) {
  build();
  arrivals.then = [&](Femtos now, std::uint64_t token) {
    if (token == 1) {
      network->send(now, {.from = 0, .to = 4, .bytes = kPacket}, 3, &arrivals);
    }
  };
  sender->at(Femtos{0}, {{1, {.from = 0, .to = 4, .bytes = kPacket}}});
  sender->at(from_ns(10), {{2, {.from = 1, .to = 5, .bytes = kPacket}}});
  agenda.run();
  // Packet 2 reaches the link at 34, which is busy until 56; packet 3 starts at 64.
  EXPECT_EQ(arrivals.list, (Arrived{{1, 64}, {2, 56 + 32 + 8}, {3, 128}}));
}

TEST_F(PacketNetworkTest, OrderIsTheSameInEveryRun) {
  std::vector<std::pair<std::uint64_t, fabric::Movement>> movements;
  for (std::uint32_t from = 0; from < 64; ++from) {
    for (std::uint32_t to = 0; to < 64; to += 5) {
      movements.push_back({movements.size(), {.from = from, .to = to, .bytes = 3 * kPacket + to}});
    }
  }
  const Arrived first = run(movements);
  ASSERT_EQ(first.size(), movements.size());
  arrivals.list.clear();
  agenda = {};
  sender.reset();
  network.reset();
  EXPECT_EQ(run(movements), first);
}

}  // namespace
}  // namespace trnsim::models
