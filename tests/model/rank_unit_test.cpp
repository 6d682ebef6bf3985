// Order of kernels and collectives of ranks; kernels are software alone, so times are by hand.
#include "system/rank_unit.h"

#include "support/collective_bench.h"

namespace trnsim::models {
namespace {

// A kernel without instructions takes its overhead and a femtosecond.
RankTask kernel(const std::string& name, double us, std::vector<std::uint32_t> after = {}) {
  RankTask task;
  task.name = name;
  task.overhead = from_ns(us * 1e3);
  task.after = std::move(after);
  return task;
}

RankTask join(const std::string& name, std::uint32_t collective, std::uint32_t member,
              std::vector<std::uint32_t> after = {}, std::uint32_t stream = 0) {
  RankTask task;
  task.name = name;
  task.is_collective = true;
  task.collective = collective;
  task.member = member;
  task.stream = stream;
  task.after = std::move(after);
  return task;
}

class RankUnitTest : public test::CollectiveBench {
 protected:
  void SetUp() override {
    CollectiveBench::SetUp();
    for (std::uint32_t r = 0; r < 2; ++r) {
      const std::string name = "rank" + std::to_string(r);
      ranks.push_back(std::make_unique<RankUnit>(name.c_str(), agenda, 2 + r, *engine));
    }
  }
  void TearDown() override {
    ranks.clear();
    CollectiveBench::TearDown();
  }
  void run(std::vector<RankTask> first, std::vector<RankTask> second = {}) {
    ranks[0]->load(std::move(first));
    ranks[1]->load(std::move(second));
    ranks[0]->begin(Femtos{0});
    ranks[1]->begin(Femtos{0});
    agenda.run();
  }
  void expect(std::uint32_t rank, std::uint32_t task, double ready_ns, double start_ns, double end_ns) {
    const TaskTimes& times = ranks[rank]->times()[task];
    EXPECT_NEAR(times.ready.ns(), ready_ns, 1e-3) << ranks[rank]->tasks()[task].name;
    EXPECT_NEAR(times.start.ns(), start_ns, 1e-3) << ranks[rank]->tasks()[task].name;
    EXPECT_NEAR(times.end.ns(), end_ns, 1e-3) << ranks[rank]->tasks()[task].name;
  }

  std::vector<std::unique_ptr<RankUnit>> ranks;
  const std::shared_ptr<const collectives::Dag> one_copy = test::dag(2, {{0, 1, kMiB, {}}});  // 15,192 ns
  // The first rank is done after 15,192 ns, the last after 25,384.
  const std::shared_ptr<const collectives::Dag> chain =
      test::dag(3, {{0, 1, kMiB, {}}, {1, 2, kMiB, {0}}});
};

TEST_F(RankUnitTest, KernelsRunInListOrderThoughALaterOneIsReadyBefore) {
  add({0}, test::dag(1, {}));
  run({join("gather", 0, 0), kernel("first", 3, {0}), kernel("second", 2)});
  expect(0, 0, 0, 0, 5000);
  expect(0, 1, 5000, 5000, 8000);
  expect(0, 2, 0, 8000, 10000);
  EXPECT_TRUE(ranks[0]->finished());
  EXPECT_TRUE(ranks[0]->unfinished().empty());
}

TEST_F(RankUnitTest, CollectivesRunBesideKernels) {
  add({0, 4}, one_copy);
  run({kernel("a", 3), join("copy", 0, 0, {0}), kernel("b", 40)}, {join("copy", 0, 1)});
  expect(0, 1, 3000, 3000, 18192);
  expect(0, 2, 0, 3000, 43000);
  expect(1, 0, 0, 0, 18192);
}

TEST_F(RankUnitTest, ALateRankHoldsTheOthers) {
  add({0, 4}, one_copy);
  run({join("copy", 0, 0), kernel("after", 1, {0})}, {kernel("long", 20), join("copy", 0, 1, {0})});
  expect(0, 0, 0, 0, 35192);
  expect(0, 1, 35192, 35192, 36192);
  expect(1, 1, 20000, 20000, 35192);
}

TEST_F(RankUnitTest, OneStreamIsTriggeredInListOrder) {
  add({0}, test::dag(1, {}));
  add({0}, test::dag(1, {}));
  run({kernel("long", 10), join("after_it", 0, 0, {0}), join("free", 1, 0)});
  expect(0, 1, 10000, 10000, 15000);
  expect(0, 2, 0, 10000, 20000);
}

TEST_F(RankUnitTest, AnotherStreamIsNotHeldUp) {
  add({0}, test::dag(1, {}), 0);
  add({0}, test::dag(1, {}), 3);
  run({kernel("long", 10), join("after_it", 0, 0, {0}), join("free", 1, 0, {}, 3)});
  expect(0, 1, 10000, 10000, 15000);
  expect(0, 2, 0, 0, 5000);
}

TEST_F(RankUnitTest, AFollowerTakesTheTimesOfItsLeader) {
  add({0, 4}, one_copy);
  ranks[1]->follow(*ranks[0]);
  run({kernel("a", 3), join("copy", 0, 0, {0}), kernel("b", 1, {1})},
      {kernel("a", 3), join("copy", 0, 1, {0}), kernel("b", 1, {1})});
  for (std::uint32_t rank = 0; rank < 2; ++rank) {
    expect(rank, 0, 0, 0, 3000);
    expect(rank, 1, 3000, 3000, 18192);
    expect(rank, 2, 18192, 18192, 19192);
    EXPECT_TRUE(ranks[rank]->finished());
  }
}

class Unlike : public RankUnitTest {
 protected:
  // Rank 0 leads, rank 1 follows; they have the two ends of the chain.
  void expect_refusal(std::uint32_t leader_member, double kernel_us) {
    add({0, 4, 16}, chain);
    ranks[1]->follow(*ranks[0]);
    test::Done other;
    engine->trigger(Femtos{0}, 0, 1, &other);
    try {
      run({join("chain", 0, leader_member), kernel("after", kernel_us, {0})},
          {join("chain", 0, 2 - leader_member), kernel("after", kernel_us, {0})});
      ADD_FAILURE() << "folded silently";
    } catch (const Error& error) {
      const std::string text = error.what();
      for (const char* part : {"cores: folded", "rank1", "after", "rank0", "--cores all"}) {
        EXPECT_NE(text.find(part), std::string::npos) << part << " is not in: " << text;
      }
    }
  }
};

TEST_F(Unlike, AFollowerThatIsReadyBehindTheEndOfTheLeadersKernelIsRefused) { expect_refusal(0, 1); }
TEST_F(Unlike, AFollowerThatIsReadyDuringTheLeadersKernelIsRefused) { expect_refusal(0, 100); }
TEST_F(Unlike, AFollowerThatIsReadyBeforeItsLeaderIsRefused) { expect_refusal(2, 1); }

TEST_F(RankUnitTest, SaysWhatItWaitsFor) {
  add({0, 4}, one_copy);
  run({join("gather", 0, 0), kernel("after", 1, {0})}, {});
  EXPECT_FALSE(ranks[0]->finished());
  EXPECT_TRUE(ranks[1]->finished());
  EXPECT_EQ(ranks[0]->unfinished(), (std::vector<std::string>{"rank0 is in gather"}));
}

TEST_F(RankUnitTest, SaysWhatIsReadyAndNotStarted) {
  add({0, 4}, one_copy);
  run({join("gather", 0, 0), kernel("after", 1, {0}), kernel("free", 1)}, {});
  EXPECT_EQ(ranks[0]->unfinished(),
            (std::vector<std::string>{"rank0 is in gather", "rank0 has not started free"}));
}

}  // namespace
}  // namespace trnsim::models
