// Every algorithm gives the right numbers on every rank, in any order that its dependencies allow.
#include "helpers.h"

namespace trnsim::collectives {
namespace {

constexpr std::array kSums{Op::kAllReduce, Op::kAllGather, Op::kReduceScatter};

// 4-byte elements: divides evenly over up to 16 ranks; leaves a remainder; less than one element
// per rank.
constexpr std::array<std::uint64_t, 3> kSizes{4 * 192, 4 * 151, 4 * 3};

void expect_sums(const Machine& machine, Algorithm algorithm,
                 const std::vector<std::string>& groups) {
  for (const std::string& group : groups) {
    for (const Op op : kSums) {
      for (const std::uint64_t bytes : kSizes) {
        expect_right(machine, op, algorithm, group, bytes);
      }
    }
  }
}

const Machine& trn2(std::uint32_t per_chip) {
  static const Machine one("trn2.48xlarge", 1);
  static const Machine two("trn2.48xlarge", 2);
  static const Machine four("trn2.48xlarge", 4);
  static const Machine eight("trn2.48xlarge", 8);
  return per_chip == 1 ? one : per_chip == 2 ? two : per_chip == 4 ? four : eight;
}

TEST(Ring, SumsOnAnyGroup) {
  expect_sums(trn2(1), Algorithm::kRing,
              {"0", "0-1", "0-3", "0,4,8,12", "0,1,5", "0-7", "all", "5,4,1,0", "0-6"});
  expect_sums(trn2(4), Algorithm::kRing,
              {"0-3", "0-2", "chips:0-1", "chips:0-3", "0,4,8,12", "0,1,5", "1-9"});
}

TEST(KangaRing, SumsOnWholeChips) {
  expect_sums(trn2(1), Algorithm::kKangaRing, {"0-1", "0-3", "all", "0-2"});
  expect_sums(trn2(2), Algorithm::kKangaRing,
              {"chips:0", "chips:0-1", "chips:0-3", "all", "chips:0,4,8,12"});
  expect_sums(trn2(4), Algorithm::kKangaRing,
              {"chips:0", "chips:0-3", "chips:0,1,4,5", "chips:0-2"});
  expect_sums(trn2(8), Algorithm::kKangaRing, {"chips:0", "chips:0-1"});
}

TEST(Mesh, SumsOnAnyGroup) {
  expect_sums(trn2(1), Algorithm::kMesh, {"0", "0-1", "all", "0,1,5"});
  expect_sums(trn2(4), Algorithm::kMesh,
              {"0-3", "chips:0-3", "all", "0,4,8,12", "1-9", "7,6,5,4,3,2,1,0"});
}

TEST(Rdh, SumsOnPowersOfTwo) {
  expect_sums(trn2(1), Algorithm::kRdh, {"0", "0-1", "0-3", "0-7", "all", "3,7,11,15", "0,1,5,10"});
  expect_sums(trn2(4), Algorithm::kRdh,
              {"0-3", "chips:0-3", "chips:1,2,5,6", "all", "0,1,2,4", "7,6,5,4,3,2,1,0"});
}

TEST(SingleStepMesh, Sums) {
  for (const std::uint64_t bytes : kSizes) {
    for (const char* group : {"0", "0-3", "0-8", "0,5,17"}) {
      expect_right(trn2(4), Op::kAllReduce, Algorithm::kSingleStepMesh, group, bytes);
    }
  }
}

TEST(SwitchMesh, Sums) {
  const Machine gen1("trn3-ultraserver-gen1", 1);
  expect_sums(gen1, Algorithm::kSwitchMesh, {"0-3", "0-15", "0-6"});
  const Machine gen2("trn3-ultraserver-gen2", 4);
  expect_sums(gen2, Algorithm::kSwitchMesh, {"chips:0-3"});
  expect_right(gen2, Op::kAllReduce, Algorithm::kMesh, "chips:0-71", 4 * 1000);
  expect_right(gen2, Op::kAllReduce, Algorithm::kRing, "chips:0-7", 4 * 1000);
}

TEST(UltraServer, SumsAcrossInstances) {
  const Machine one("trn2-ultraserver", 1);
  expect_sums(one, Algorithm::kPodMesh, {"all", "0,1,16,17", "0,16,32,48"});
  expect_sums(one, Algorithm::kHierarchical, {"all", "0-31", "0,16,32,48"});
  expect_sums(one, Algorithm::kRdh, {"all", "0,16,32,48"});
  expect_sums(one, Algorithm::kRing, {"all", "0-47"});
  const Machine two("trn2-ultraserver", 2);
  expect_sums(two, Algorithm::kKangaRing, {"chips:0-31"});
  const Machine four("trn2-ultraserver", 4);
  expect_sums(four, Algorithm::kMesh, {"chips:0,16,32,48"});
  expect_sums(four, Algorithm::kHierarchical, {"chips:0-3,16-19"});
  expect_right(four, Op::kAllReduce, Algorithm::kPodMesh, "all", 4 * 700);
}

TEST(Hierarchical, SumsAcrossDomains) {
  for (const std::uint32_t servers : {2U, 3U}) {
    const Machine machine("trn2.48xlarge", 2, servers);
    expect_sums(machine, Algorithm::kHierarchical, {"all", "0,1,32,33"});
  }
  const Machine machine("trn2.48xlarge", 1, 4);
  Options options = elements_of_4();
  for (const Algorithm inner :
       {Algorithm::kRing, Algorithm::kMesh, Algorithm::kRdh, Algorithm::kKangaRing}) {
    for (const Algorithm outer : {Algorithm::kRing, Algorithm::kMesh, Algorithm::kRdh}) {
      options.inner = inner;
      options.outer = outer;
      for (const Op op : kSums) {
        expect_right(machine, op, Algorithm::kHierarchical, "all", 4 * 151, options);
      }
    }
  }
}

TEST(Broadcast, ReachesEveryRankFromAnyPlace) {
  for (const char* group : {"0", "0-3", "5,0,7,9", "all", "1-9"}) {
    for (const Algorithm algorithm : {Algorithm::kRing, Algorithm::kMesh, Algorithm::kDirect}) {
      expect_right(trn2(4), Op::kBroadcast, algorithm, group, 4 * 151);
    }
  }
  const Machine machine("trn2.48xlarge", 2, 2);
  expect_right(machine, Op::kBroadcast, Algorithm::kHierarchical, "all", 4 * 151);
  expect_right(machine, Op::kBroadcast, Algorithm::kHierarchical, "40,41,3,2", 4 * 151);
}

TEST(Direct, AllToAllAndPermuteKeepEveryElement) {
  for (const std::uint64_t bytes : kSizes) {
    for (const char* group : {"0-3", "0-7", "3,2,9", "0-31"}) {
      expect_right(trn2(4), Op::kAllToAll, Algorithm::kDirect, group, bytes);
      expect_right(trn2(4), Op::kPermute, Algorithm::kDirect, group, bytes);
    }
  }
}

TEST(Direct, PairsSendAndReceive) {
  Options options = elements_of_4();
  options.pairs = {{0, 2}, {3, 1}};
  const Dag dag = trn2(1).dag(Op::kPermute, Algorithm::kDirect, "0-3", 400, options);
  Values values = inputs_of(dag);
  execute(dag, values);
  EXPECT_EQ(values[2].output[7], input(0, 7));
  EXPECT_EQ(values[1].output[7], input(3, 7));
  EXPECT_EQ(values[0].output[7], 0);
  options.pairs = {{0, 2}, {1, 2}};
  EXPECT_EQ(error_of([&] {
              static_cast<void>(trn2(1).dag(Op::kPermute, Algorithm::kDirect, "0-3", 400, options));
            }),
            "index 2 receives twice in one permute");
}

}  // namespace
}  // namespace trnsim::collectives
