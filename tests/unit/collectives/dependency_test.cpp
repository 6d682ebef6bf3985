// Dependencies of the transfers: enough, and the checks that say so find what is missing.
#include "helpers.h"

namespace trnsim::collectives {
namespace {

void add(Dag& dag, Transfer transfer, std::vector<std::uint32_t> dependencies = {}) {
  transfer.first_dependency = static_cast<std::uint32_t>(dag.dependencies.size());
  transfer.dependency_count = static_cast<std::uint32_t>(dependencies.size());
  dag.dependencies.insert(dag.dependencies.end(), dependencies.begin(), dependencies.end());
  dag.transfers.push_back(transfer);
}

Dag empty_dag(std::uint32_t ranks) {
  Dag dag;
  dag.ranks = ranks;
  dag.bytes = 16;
  dag.steps = 1;
  return dag;
}

TEST(FindRace, ReadAfterWriteNeedsAnOrder) {
  Dag dag = empty_dag(3);
  add(dag, {.from = 0, .to = 1, .bytes = 8});
  add(dag, {.from = 1, .to = 2, .source_offset = 4, .bytes = 8});
  EXPECT_EQ(find_race(dag), (std::pair<std::uint32_t, std::uint32_t>(0, 1)));
  Dag ordered = empty_dag(3);
  add(ordered, {.from = 0, .to = 1, .bytes = 8});
  add(ordered, {.from = 1, .to = 2, .source_offset = 4, .bytes = 8}, {0});
  EXPECT_EQ(find_race(ordered), std::nullopt);
}

TEST(FindRace, WriteAfterReadNeedsAnOrder) {
  Dag dag = empty_dag(3);
  add(dag, {.from = 1, .to = 2, .bytes = 8});
  add(dag, {.from = 0, .to = 1, .bytes = 8});
  EXPECT_TRUE(find_race(dag).has_value());
}

TEST(FindRace, ReadersAndReductionsMayOverlapAmongThemselves) {
  Dag dag = empty_dag(4);
  add(dag, {.from = 0, .to = 2, .bytes = 8, .reduce = true});
  add(dag, {.from = 0, .to = 3, .bytes = 8});
  add(dag, {.from = 1, .to = 2, .bytes = 8, .reduce = true});
  EXPECT_EQ(find_race(dag), std::nullopt);
  add(dag, {.from = 3, .to = 2, .bytes = 8}, {1});
  EXPECT_TRUE(find_race(dag).has_value());  // a plain write among the reductions
}

TEST(FindRace, SeesSecondSourcesAndDestinations) {
  Dag dag = empty_dag(4);
  add(dag, {.from = 0, .to = 1, .also_to = 2, .bytes = 8});
  add(dag, {.from = 2, .to = 3, .bytes = 8});
  EXPECT_TRUE(find_race(dag).has_value());
  Dag sums = empty_dag(4);
  add(sums, {.from = 0, .to = 2, .bytes = 8});
  add(sums, {.from = 1, .to = 3, .also_from = 2, .bytes = 8, .reduce = true});
  EXPECT_TRUE(find_race(sums).has_value());
}

// Takes away one dependency at a time. Where that leaves no other way round, the bytes race; what
// is left over is a dependency that others imply.
void expect_most_needed(const Dag& dag, double share) {
  std::size_t needed = 0;
  for (std::size_t gone = 0; gone < dag.dependencies.size(); ++gone) {
    Dag without = dag;
    for (Transfer& transfer : without.transfers) {
      const std::size_t first = transfer.first_dependency;
      if (gone >= first && gone < first + transfer.dependency_count) {
        std::swap(without.dependencies[gone],
                  without.dependencies[first + transfer.dependency_count - 1]);
        --transfer.dependency_count;
      }
    }
    needed += find_race(without).has_value() ? 1U : 0U;
  }
  EXPECT_GE(static_cast<double>(needed), share * static_cast<double>(dag.dependencies.size()));
}

TEST(Dependencies, AreNeeded) {
  const Machine machine("trn2.48xlarge", 2);
  Options options = elements_of_4();
  options.slices = 1;
  // An all-gather's first read of a part waits for its write only, everything else follows from
  // that.
  expect_most_needed(machine.dag(Op::kAllGather, Algorithm::kRing, "chips:0-1", 64, options), 1);
  expect_most_needed(
      machine.dag(Op::kReduceScatter, Algorithm::kKangaRing, "chips:0-3", 64, options), 1);
  expect_most_needed(machine.dag(Op::kAllGather, Algorithm::kMesh, "chips:0-3", 64, options), 1);
  // In place: a rank's part is overwritten after it was sent on, which the way of the sum implies
  // already.
  expect_most_needed(machine.dag(Op::kAllReduce, Algorithm::kRing, "chips:0-1", 64, options), 0.5);
}

TEST(Dependencies, WithoutThemTheResultIsWrong) {
  const Machine machine("trn2.48xlarge", 2);
  for (const Algorithm algorithm : {Algorithm::kRing, Algorithm::kKangaRing, Algorithm::kMesh,
                                    Algorithm::kRdh, Algorithm::kSingleStepMesh}) {
    Dag dag = machine.dag(Op::kAllReduce, algorithm, "chips:0-3", 640, elements_of_4());
    for (Transfer& transfer : dag.transfers) {
      transfer.dependency_count = 0;
    }
    Values values = inputs_of(dag);
    execute(dag, values, 7);
    EXPECT_NE(wrong_after(dag, values), "") << name(algorithm);
    EXPECT_TRUE(find_race(dag).has_value()) << name(algorithm);
  }
}

// Every rank sends the sum of 16 contributions to 15 others: a join collects them once.
TEST(Dependencies, JoinsKeepTheirNumberDown) {
  const Machine machine("trn3-ultraserver-gen1", 4);
  const Dag dag = machine.dag(Op::kAllReduce, Algorithm::kSwitchMesh, "chips:0-3", 640);
  std::size_t joins = 0;
  for (const Transfer& transfer : dag.transfers) {
    joins += transfer.bytes == 0 ? 1 : 0;
    EXPECT_LE(transfer.dependency_count, 15U);
  }
  EXPECT_EQ(joins, 16U);
  // 15 into each join, one for each of the 240 copies from it, and the copy's own place: the send
  // before it.
  EXPECT_EQ(dag.dependencies.size(), 16U * 15 + 2 * 240);
}

TEST(Order, IsTheSameForTheSameSeed) {
  const Machine machine("trn2.48xlarge", 2);
  const Dag dag = machine.dag(Op::kAllReduce, Algorithm::kRing, "chips:0-3", 640);
  EXPECT_EQ(order_of(dag, 5), order_of(dag, 5));
  EXPECT_NE(order_of(dag, 5), order_of(dag, 6));
}

}  // namespace
}  // namespace trnsim::collectives
