// Bytes, steps and link loads of the algorithms against formulas and hand counts.
#include "helpers.h"
#include "trnsim/collectives/closed_form.h"

namespace trnsim::collectives {
namespace {

constexpr std::uint64_t kBytes = std::uint64_t{1}
                                 << 20U;  // divides by ranks, rings and slices alike
constexpr std::array kSums{Op::kAllReduce, Op::kAllGather, Op::kReduceScatter};

Grid grid_of(const Machine& machine, const Group& group) {
  const Layout where = layout(machine.topology, machine.ranks, group);
  return {static_cast<std::uint32_t>(where.chips.size()), where.per_chip};
}

TEST(ClosedForm, StepsAndBytesOfEachChipMatchTheTransfers) {
  const Machine one("trn2.48xlarge", 1);
  const Machine two("trn2.48xlarge", 2);
  const Machine four("trn2.48xlarge", 4);
  for (const Machine* machine : {&one, &two, &four}) {
    for (const char* text : {"chips:0-3", "chips:0,1,4,5", "all"}) {
      for (const Algorithm algorithm : {Algorithm::kRing, Algorithm::kKangaRing, Algorithm::kMesh,
                                        Algorithm::kRdh, Algorithm::kSingleStepMesh}) {
        for (const Op op : kSums) {
          const Group group = machine->group(text);
          const Grid grid = grid_of(*machine, group);
          if (!closed_form_steps(op, algorithm, grid)) {
            continue;
          }
          SCOPED_TRACE(fmt::format("{} by {} of {}, {} per chip", name(op), name(algorithm), text,
                                   grid.per_chip));
          const Dag dag = machine->dag(op, algorithm, text, kBytes);
          EXPECT_EQ(dag.steps, *closed_form_steps(op, algorithm, grid));
          const Traffic traffic = traffic_of(dag, group, machine->ranks);
          double left = 0;
          for (const std::uint64_t bytes : traffic.left_chip) {
            left += static_cast<double>(bytes);
          }
          EXPECT_DOUBLE_EQ(left / grid.chips, *closed_form_chip_bytes(op, algorithm, grid, kBytes));
        }
      }
    }
  }
}

// Every rank sends (r - 1) / r of the buffer per phase: the bus factor.
TEST(ClosedForm, RingMeshAndRdhSendTheBusFactorFromEveryRank) {
  const Machine machine("trn2.48xlarge", 4);
  for (const Algorithm algorithm : {Algorithm::kRing, Algorithm::kMesh, Algorithm::kRdh}) {
    for (const Op op : kSums) {
      const Dag dag = machine.dag(op, algorithm, "chips:0-3", kBytes);
      for (const std::uint64_t sent :
           traffic_of(dag, machine.group("chips:0-3"), machine.ranks).sent) {
        EXPECT_EQ(static_cast<double>(sent), bus_factor(op, 16) * static_cast<double>(kBytes));
      }
    }
  }
}

TEST(ClosedForm, PublishedStepCounts) {
  // Hardware.md 17.2 for the 16 chips of an instance with two ranks each.
  const Grid grid{16, 2};
  EXPECT_EQ(closed_form_steps(Op::kAllGather, Algorithm::kRing, grid), 31U);
  EXPECT_EQ(closed_form_steps(Op::kAllGather, Algorithm::kKangaRing, grid), 16U);  // N / 2
  EXPECT_EQ(closed_form_steps(Op::kAllGather, Algorithm::kMesh, grid), 2U);
  EXPECT_EQ(closed_form_steps(Op::kReduceScatter, Algorithm::kMesh, grid), 2U);
  EXPECT_EQ(closed_form_steps(Op::kAllReduce, Algorithm::kMesh, grid), 4U);
  EXPECT_EQ(closed_form_steps(Op::kAllReduce, Algorithm::kSingleStepMesh, grid), 1U);
  EXPECT_EQ(closed_form_steps(Op::kAllGather, Algorithm::kRdh, grid),
            5U);  // on the chip, then 4 axes
  EXPECT_EQ(closed_form_steps(Op::kAllToAll, Algorithm::kDirect, grid), std::nullopt);
}

TEST(ClosedForm, BusFactors) {
  EXPECT_DOUBLE_EQ(bus_factor(Op::kAllReduce, 16),
                   1.875);  // 55.4 GB/s x 1.875 = 103.9 in the nccom sample
  EXPECT_DOUBLE_EQ(bus_factor(Op::kAllGather, 16), 0.9375);
  EXPECT_DOUBLE_EQ(bus_factor(Op::kAllToAll, 4), 0.75);
  EXPECT_DOUBLE_EQ(bus_factor(Op::kPermute, 4), 1);
  EXPECT_DOUBLE_EQ(bus_factor(Op::kAllReduce, 1), 0);
}

TEST(Steps, SwitchPodAndHierarchy) {
  const Machine rack("trn3-ultraserver-gen1", 4);
  EXPECT_EQ(rack.dag(Op::kAllGather, Algorithm::kSwitchMesh, "chips:0-7", kBytes).steps, 1U);
  EXPECT_EQ(rack.dag(Op::kAllReduce, Algorithm::kSwitchMesh, "chips:0-7", kBytes).steps, 2U);
  const Machine ultra("trn2-ultraserver", 1);
  EXPECT_EQ(ultra.dag(Op::kReduceScatter, Algorithm::kPodMesh, "all", kBytes).steps, 2U);
  // Within 16 chips by KangaRing 15, between 4 instances by RDH 2; both twice.
  EXPECT_EQ(ultra.dag(Op::kAllReduce, Algorithm::kHierarchical, "all", kBytes).steps, 34U);
}

// 32 KiB of each of 16 chips' own part go over 15 of the 16 hops of four rings: 15/16 of a quarter
// of the buffer on every link, twice for an all-reduce.
TEST(LinkLoad, KangaRingLoadsAllLinksOfTheTorusAlike) {
  for (const std::uint32_t per_chip : {1U, 2U, 4U}) {
    const Machine machine("trn2.48xlarge", per_chip);
    const Dag dag = machine.dag(Op::kAllReduce, Algorithm::kKangaRing, "all", kBytes);
    const LinkLoad load = link_load(dag, machine.group("all"), machine.topology, machine.ranks);
    int loaded = 0;
    for (std::size_t link = 0; link < load.bytes.size(); ++link) {
      if (machine.topology.links()[link].link_class != fabric::kNone) {
        EXPECT_DOUBLE_EQ(load.bytes[link], 2 * 15.0 / 16 * kBytes / 4);
        ++loaded;
      }
    }
    EXPECT_EQ(loaded, 64);
    EXPECT_DOUBLE_EQ(load.max, load.mean);
  }
}

// A mesh all-gather of one rank per chip sends every part to 15 chips, 32 hops in all:
// over-subscribed. 16 parts x 32 hops / 64 links = 8 parts on each link when antipodal routes are
// split.
TEST(LinkLoad, MeshCrossesLinksSeveralTimes) {
  const Machine machine("trn2.48xlarge", 1);
  const Dag dag = machine.dag(Op::kAllGather, Algorithm::kMesh, "all", kBytes);
  const LinkLoad load = link_load(dag, machine.group("all"), machine.topology, machine.ranks);
  EXPECT_DOUBLE_EQ(load.max, 8.0 * kBytes / 16);
  EXPECT_DOUBLE_EQ(load.mean, 8.0 * kBytes / 16);
}

// Uniform all-to-all of 16 chips (interconnect.md 1.4): 15/16 of the bytes leave at 240 GB/s per
// chip when the links are at their raw 128 GB/s, 160 when antipodal traffic goes one way only.
TEST(LinkLoad, AllToAllReachesThePublishedBound) {
  const Machine machine("trn2.48xlarge", 1);
  const Dag dag = machine.dag(Op::kAllToAll, Algorithm::kDirect, "all", kBytes);
  const double sent = 15.0 / 16 * kBytes;
  const LinkLoad both = link_load(dag, machine.group("all"), machine.topology, machine.ranks, true);
  EXPECT_NEAR(sent / both.max * 128, 240, 1e-9);
  const LinkLoad one_way =
      link_load(dag, machine.group("all"), machine.topology, machine.ranks, false);
  EXPECT_NEAR(sent / one_way.max * 128, 160, 1e-9);
}

// Along an axis of four, neighbours in the hypercube are neighbours on the ring: no link is crossed
// twice for one transfer, and a chip's exchanges carry 15/16 of the buffer per phase.
TEST(LinkLoad, RdhExchangesWithNeighboursOnly) {
  const Machine machine("trn2.48xlarge", 1);
  const Group group = machine.group("all");
  const Dag dag = machine.dag(Op::kAllReduce, Algorithm::kRdh, "all", kBytes);
  for (const Transfer& transfer : dag.transfers) {
    EXPECT_TRUE(transfer.bytes == 0 || machine.topology.link_between(transfer.from, transfer.to));
  }
}

// Halving goes x, y, z: what crosses instances is the last two exchanges, 1/32 and 1/64 of the
// buffer, and the first two of the doubling.
TEST(LinkLoad, RdhCrossesInstancesWithTheFewestBytes) {
  const Machine machine("trn2-ultraserver", 1);
  const Dag dag = machine.dag(Op::kAllReduce, Algorithm::kRdh, "all", kBytes);
  std::uint64_t across = 0;
  for (const Transfer& transfer : dag.transfers) {
    across += transfer.from / 16 != transfer.to / 16 ? transfer.bytes : 0;
  }
  EXPECT_EQ(across, 64 * 2 * (kBytes / 32 + kBytes / 64));
}

// Why large all-reduces of an UltraServer are hierarchical: rings through all chips are held up by
// the z wires of half the bandwidth. 63/64 of the data at 64 GB/s against 15/16 at 128.
TEST(LinkLoad, StagesBeatRingsThroughAllInstances) {
  const Machine machine("trn2-ultraserver", 2);
  const auto slowest = [&](Algorithm algorithm) {
    return link_load(machine.dag(Op::kAllReduce, algorithm, "all", kBytes), machine.group("all"),
                     machine.topology, machine.ranks)
        .slowest_us;
  };
  EXPECT_NEAR(slowest(Algorithm::kKangaRing) / slowest(Algorithm::kHierarchical), 2.1, 1e-9);
}

// Hardware.md 17.2: per chip hop and pair of ranks, AG takes 3 touches instead of 4, RS 4 instead
// of 6.
TEST(Touches, KangaRingSavesAQuarterAndAThird) {
  const Machine machine("trn2.48xlarge", 2);
  const auto crossing = [&](Op op) {
    const Dag dag = machine.dag(op, Algorithm::kKangaRing, "all", kBytes);
    std::uint64_t touches = 0;
    std::uint64_t bytes = 0;
    for (const Transfer& transfer : dag.transfers) {
      if (machine.ranks.ranks[transfer.from].chip != machine.ranks.ranks[transfer.to].chip) {
        touches += transfer.bytes *
                   (2U + (transfer.reduce ? 1U : 0U) + (transfer.also_to != kNoRank ? 1U : 0U) +
                    (transfer.also_from != kNoRank ? 1U : 0U));
        bytes += transfer.bytes;
      }
    }
    return static_cast<double>(touches) / static_cast<double>(bytes);
  };
  EXPECT_EQ(crossing(Op::kAllGather), 3);
  EXPECT_EQ(crossing(Op::kReduceScatter), 4);
  // Ring, two hops for two ranks: 2 touches per byte copied, 3 per byte reduced.
  const Traffic gather = traffic_of(machine.dag(Op::kAllGather, Algorithm::kRing, "all", kBytes),
                                    machine.group("all"), machine.ranks);
  EXPECT_EQ(gather.touched, 2 * std::uint64_t{31} * kBytes);
  const Traffic scatter =
      traffic_of(machine.dag(Op::kReduceScatter, Algorithm::kRing, "all", kBytes),
                 machine.group("all"), machine.ranks);
  EXPECT_EQ(scatter.touched, 3 * std::uint64_t{31} * kBytes);
}

// (N - 1) x N x C per rank: everyone gets everything.
TEST(ClosedForm, SingleStepMeshSendsTheWholeBufferToAll) {
  const Machine machine("trn2.48xlarge", 4);
  const Dag dag = machine.dag(Op::kAllReduce, Algorithm::kSingleStepMesh, "chips:0-3", 4096);
  EXPECT_EQ(traffic_of(dag, machine.group("chips:0-3"), machine.ranks).sent[5], 15U * 4096);
  EXPECT_EQ(dag.scratch_bytes, 15U * 4096);
}

// Between domains only 1 / (ranks of a domain) of the buffer per rank is all-reduced.
TEST(Hierarchical, SlowWiresCarryEachRanksShareOnly) {
  const Machine machine("trn2.48xlarge", 2, 2);
  const Group group = machine.group("all");
  const Dag dag = machine.dag(Op::kAllReduce, Algorithm::kHierarchical, "all", kBytes);
  std::vector<std::uint64_t> outside(group.size());
  for (const Transfer& transfer : dag.transfers) {
    outside[transfer.from] += (transfer.from < 32) != (transfer.to < 32) ? transfer.bytes : 0;
  }
  for (const std::uint64_t bytes : outside) {
    EXPECT_EQ(bytes, kBytes / 32);  // 2 (r - 1) / r of 1/32 with r = 2
  }
}

}  // namespace
}  // namespace trnsim::collectives
