// The selection table, and what makes a forced algorithm impossible.
#include "trnsim/collectives/select.h"

#include "helpers.h"

namespace trnsim::collectives {
namespace {

constexpr std::uint64_t kMB = 1'000'000;

Selection selected(const Machine& machine, Op op, const std::string& text, std::uint64_t bytes,
                   Algorithm forced = Algorithm::kAuto, fabric::Space space = fabric::Space::kHbm) {
  const Group group = machine.group(text);
  const Request request{op, group, machine.topology, machine.ranks, bytes, {}};
  return select(request, machine.system.fabric, space, forced);
}

Algorithm chosen(const Machine& machine, Op op, const std::string& text, std::uint64_t bytes) {
  return selected(machine, op, text, bytes).algorithm;
}

const Machine& trn2() {
  static const Machine machine("trn2.48xlarge", 4);
  return machine;
}

// Thresholds of hardware.md 17.2: 1 MB and 56 MB.
TEST(Select, BySizeOnTheTorus) {
  EXPECT_EQ(chosen(trn2(), Op::kAllReduce, "all", 1 * kMB - 1), Algorithm::kMesh);
  EXPECT_EQ(chosen(trn2(), Op::kAllReduce, "all", 1 * kMB), Algorithm::kRdh);
  EXPECT_EQ(chosen(trn2(), Op::kAllReduce, "all", 56 * kMB - 1), Algorithm::kRdh);
  EXPECT_EQ(chosen(trn2(), Op::kAllReduce, "all", 56 * kMB), Algorithm::kKangaRing);
  EXPECT_EQ(chosen(trn2(), Op::kAllGather, "all", 100), Algorithm::kMesh);
}

// The published example: 16 ranks of an instance, mesh to 128 KiB, RDH at 2 MiB, KangaRing at 512
// MiB.
TEST(Select, AgreesWithTheNccomExample) {
  EXPECT_EQ(chosen(trn2(), Op::kAllReduce, "chips:0-3", 128 << 10), Algorithm::kMesh);
  EXPECT_EQ(chosen(trn2(), Op::kAllReduce, "chips:0-3", 2 << 20), Algorithm::kRdh);
  EXPECT_EQ(chosen(trn2(), Op::kAllReduce, "chips:0-3", 512 << 20), Algorithm::kKangaRing);
}

TEST(Select, ThresholdsComeFromTheSystem) {
  Machine machine("trn2.48xlarge", 4);
  machine.system.fabric.threshold_mesh_rdh_mb = 4;
  EXPECT_EQ(chosen(machine, Op::kAllReduce, "all", 3 * kMB), Algorithm::kMesh);
}

TEST(Select, ByGroup) {
  EXPECT_EQ(chosen(trn2(), Op::kAllReduce, "0-3", 512 * kMB), Algorithm::kMesh);  // one chip
  EXPECT_EQ(chosen(trn2(), Op::kAllReduce, "0,4,8,12", 512 * kMB),
            Algorithm::kRing);  // not whole chips
  EXPECT_EQ(chosen(trn2(), Op::kAllReduce, "chips:0-2", 8 * kMB),
            Algorithm::kKangaRing);  // 12 ranks: no RDH
  EXPECT_EQ(chosen(trn2(), Op::kAllReduce, "0,4,8", 8 * kMB), Algorithm::kRing);
  const Selection slow = selected(trn2(), Op::kAllReduce, "chips:0,5", 8 * kMB);
  EXPECT_EQ(slow.algorithm, Algorithm::kRing);
  EXPECT_EQ(slow.reason,
            "slow path: the group's 2 chips are no adjacent pair, full row or column, or "
            "rectangular block");
  EXPECT_EQ(chosen(trn2(), Op::kAllToAll, "all", 8 * kMB), Algorithm::kDirect);
  EXPECT_EQ(chosen(trn2(), Op::kPermute, "0-7", 8 * kMB), Algorithm::kDirect);
  EXPECT_EQ(chosen(trn2(), Op::kBroadcast, "all", 100), Algorithm::kMesh);
  EXPECT_EQ(chosen(trn2(), Op::kBroadcast, "all", 8 * kMB), Algorithm::kRing);
}

TEST(Select, OtherFabrics) {
  const Machine rack("trn3-ultraserver-gen1", 4);
  EXPECT_EQ(chosen(rack, Op::kAllGather, "all", 100), Algorithm::kSwitchMesh);
  const Selection racks = selected(rack, Op::kAllReduce, "all", 512 * kMB);
  EXPECT_EQ(racks.algorithm, Algorithm::kHierarchical);
  EXPECT_EQ(racks.inner, Algorithm::kSwitchMesh);
  EXPECT_EQ(chosen(rack, Op::kAllReduce, "chips:0-31", 512 * kMB), Algorithm::kSwitchMesh);
  const Machine ultra("trn2-ultraserver", 4);
  EXPECT_EQ(chosen(ultra, Op::kAllGather, "all", 100'000), Algorithm::kPodMesh);
  EXPECT_EQ(chosen(ultra, Op::kAllReduce, "all", 8 * kMB), Algorithm::kRdh);
  const Selection large = selected(ultra, Op::kAllReduce, "all", 512 * kMB);
  EXPECT_EQ(large.algorithm, Algorithm::kHierarchical);
  EXPECT_EQ(large.inner, Algorithm::kKangaRing);
  EXPECT_EQ(large.outer, Algorithm::kRing);
  EXPECT_EQ(chosen(ultra, Op::kAllReduce, "chips:0-15", 512 * kMB), Algorithm::kKangaRing);
}

TEST(Select, HierarchicalStagesBySize) {
  const Machine two("trn2.48xlarge", 4, 2);
  const Selection small = selected(two, Op::kAllReduce, "all", 100);
  EXPECT_EQ(small.algorithm, Algorithm::kHierarchical);
  EXPECT_EQ(small.inner, Algorithm::kMesh);
  EXPECT_EQ(small.outer, Algorithm::kMesh);
  const Selection medium = selected(two, Op::kAllReduce, "all", 8 * kMB);
  EXPECT_EQ(medium.inner, Algorithm::kRdh);
  EXPECT_EQ(medium.outer, Algorithm::kRdh);
  EXPECT_EQ(selected(two, Op::kAllReduce, "chips:0,1,16", 8 * kMB).reason,
            "slow path: the group takes 2 chips of one NeuronLink domain and 1 of another");
  EXPECT_EQ(chosen(two, Op::kAllReduce, "0-64", 8 * kMB), Algorithm::kRing);
  const Machine three("trn2.48xlarge", 4, 3);
  EXPECT_EQ(selected(three, Op::kAllReduce, "all", 8 * kMB).outer, Algorithm::kRing);
}

// Whatever is selected can be generated.
TEST(Select, EverySelectionGenerates) {
  const Machine ultra("trn2-ultraserver", 2);
  const Machine rack("trn3-ultraserver-gen1", 2);
  const Machine two("trn1.32xlarge", 2, 2);
  const Machine ring("inf2.48xlarge", 2);
  for (const Machine* machine : {&trn2(), &ultra, &rack, &two, &ring}) {
    for (const char* text : {"0-1", "0,2", "chips:0-3", "chips:0-11", "chips:0,5", "all"}) {
      for (int op = 0; op <= static_cast<int>(Op::kPermute); ++op) {
        for (const std::uint64_t bytes : {std::uint64_t{64}, 100'000UL, 8 * kMB, 100 * kMB}) {
          const Selection selection = selected(*machine, static_cast<Op>(op), text, bytes);
          Options options;
          options.inner = selection.inner;
          options.outer = selection.outer;
          EXPECT_NO_THROW(static_cast<void>(
              machine->dag(static_cast<Op>(op), selection.algorithm, text, bytes, options)))
              << machine->system.name << " " << text << " " << name(selection.algorithm);
        }
      }
    }
  }
}

TEST(Select, OnlySumsWorkFromSbuf) {
  EXPECT_NO_THROW(static_cast<void>(
      selected(trn2(), Op::kAllReduce, "all", 8, Algorithm::kAuto, fabric::Space::kSbuf)));
  EXPECT_EQ(error_of([] {
              static_cast<void>(selected(trn2(), Op::kAllToAll, "all", 8, Algorithm::kAuto,
                                         fabric::Space::kSbuf));
            }),
            "all_to_all works on HBM only; put its buffers in HBM");
}

TEST(Forced, IsTakenOrRefusedWithWhatToUse) {
  EXPECT_EQ(selected(trn2(), Op::kAllReduce, "all", 8, Algorithm::kRing).reason, "as asked for");
  const auto refused = [](const Machine& machine, Op op, const std::string& text,
                          Algorithm algorithm) {
    return error_of([&] { static_cast<void>(selected(machine, op, text, 8, algorithm)); });
  };
  EXPECT_EQ(
      refused(trn2(), Op::kAllReduce, "0,4,8,12", Algorithm::kKangaRing),
      "kangaring cannot do all_reduce of 4 ranks: it needs every rank of each chip; use ring");
  EXPECT_EQ(refused(trn2(), Op::kAllGather, "chips:0-2", Algorithm::kRdh),
            "rdh cannot do all_gather of 12 ranks: it needs a power of two; use kangaring or ring");
  EXPECT_EQ(refused(trn2(), Op::kAllGather, "all", Algorithm::kSingleStepMesh),
            "all_gather has no algorithm single_step_mesh; use ring, kangaring, mesh, rdh, "
            "hierarchical, pod_mesh, "
            "switch_mesh");
  EXPECT_EQ(refused(trn2(), Op::kAllReduce, "all", Algorithm::kSwitchMesh),
            "switch_mesh cannot do all_reduce of 64 ranks: it needs one switched NeuronLink "
            "domain; use mesh");
  EXPECT_EQ(refused(trn2(), Op::kAllReduce, "all", Algorithm::kPodMesh),
            "pod_mesh cannot do all_reduce of 64 ranks: it needs several instances of one "
            "UltraServer; use mesh");
  EXPECT_EQ(refused(trn2(), Op::kAllReduce, "all", Algorithm::kHierarchical),
            "hierarchical cannot do all_reduce of 64 ranks: the ranks are in one unit (NeuronLink "
            "domain or "
            "instance); use kangaring, ring or mesh");
  const Machine two("trn2.48xlarge", 4, 2);
  EXPECT_EQ(refused(two, Op::kAllReduce, "all", Algorithm::kKangaRing),
            "kangaring cannot do all_reduce of 128 ranks: the ranks are in several NeuronLink "
            "domains; use "
            "hierarchical");
  EXPECT_EQ(refused(two, Op::kAllReduce, "0-64", Algorithm::kHierarchical),
            "the group has 64 ranks in one NeuronLink domain and 1 in another; take as many ranks "
            "of each, or force "
            "the algorithm ring");
}

TEST(Forced, BytesAreWholeElements) {
  Options options;
  options.element_bytes = 4;
  EXPECT_EQ(error_of([&] {
              static_cast<void>(trn2().dag(Op::kAllReduce, Algorithm::kRing, "all", 6, options));
            }),
            "6 bytes are no whole number of elements of 4 bytes");
}

}  // namespace
}  // namespace trnsim::collectives
