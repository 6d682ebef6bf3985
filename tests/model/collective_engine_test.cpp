// Triggers, streams and the walk through a DAG, every time by hand.
#include "network/collective_engine.h"

#include "support/collective_bench.h"

namespace trnsim::models {
namespace {

using At = std::map<std::pair<std::uint32_t, std::uint32_t>, double>;

class CollectiveEngineTest : public test::CollectiveBench {
 protected:
  void trigger(std::uint32_t collective, std::uint32_t member, double ns = 0) {
    agenda.run_until(from_ns(ns));
    engine->trigger(agenda.now(), collective, member, &done);
  }
  // The whole group at once.
  void trigger_all(std::uint32_t collective, std::uint32_t members) {
    for (std::uint32_t member = 0; member < members; ++member) {
      trigger(collective, member, agenda.now().ns());
    }
  }
  const std::shared_ptr<const collectives::Dag> one_copy = test::dag(2, {{0, 1, kMiB, {}}});
  test::Done done;
};

TEST_F(CollectiveEngineTest, StartsWithTheLastRankOfItsGroup) {
  const std::uint32_t copy = add({0, 4}, one_copy);
  trigger(copy, 0, 100);
  trigger(copy, 1, 700);
  agenda.run();
  constexpr double kEnd = 700 + 5000 + 2000 + 8192;
  EXPECT_EQ(done.at, (At{{{copy, 0}, kEnd}, {{copy, 1}, kEnd}}));
  EXPECT_EQ(engine->record(copy).first_trigger, from_ns(100));
  EXPECT_EQ(engine->record(copy).last_trigger, from_ns(700));
  EXPECT_EQ(engine->record(copy).start, from_ns(700));
  EXPECT_EQ(engine->record(copy).end, from_ns(kEnd));
  EXPECT_EQ(engine->transfers(), 1U);
  EXPECT_TRUE(engine->unfinished().empty());
}

TEST_F(CollectiveEngineTest, EveryDependentTransferWaitsForAHop) {
  const std::uint32_t there_and_back =
      add({0, 4}, test::dag(2, {{0, 1, kMiB, {}}, {1, 0, kMiB / 2, {0}}}));
  trigger_all(there_and_back, 2);
  agenda.run();
  EXPECT_EQ(done.at.at({there_and_back, 0}), 5000 + 2000 + 8192 + 2000 + 4096);
}

// Ranks 2 and 3 are on one die: the channel of 256 GB/s sets the rate.
TEST_F(CollectiveEngineTest, TheHopOnAChipIsItsOwn) {
  const std::uint32_t copy = add({2, 3}, one_copy);
  trigger_all(copy, 2);
  agenda.run();
  EXPECT_EQ(done.at.at({copy, 1}), 5000 + 1000 + 4096);
}

// 200 Gb/s of EFA are 25 GB/s: 41,943.04 ns for 1 MiB.
TEST_F(CollectiveEngineTest, TheHopBetweenDomainsIsTheLongest) {
  spec::SystemSpec two = test::round_trn2();
  two.servers = 2;
  two.fabric.efa_Gbps_per_chip = 200;
  two.fabric.efa_efficiency = 1;
  make(two);
  const std::uint32_t copy = add({0, 64}, one_copy);
  trigger_all(copy, 2);
  agenda.run();
  EXPECT_NEAR(done.at.at({copy, 1}), 5000 + 15000 + 41943.04, 2e-3);
}

TEST_F(CollectiveEngineTest, ARankIsDoneWithItsOwnLastTransfer) {
  const std::uint32_t chain = add({4, 0, 16}, test::dag(3, {{0, 1, kMiB, {}}, {1, 2, kMiB, {0}}}));
  trigger_all(chain, 3);
  agenda.run();
  EXPECT_EQ(done.at, (At{{{chain, 0}, 15192}, {{chain, 1}, 25384}, {{chain, 2}, 25384}}));
}

// One crossing of the link for both.
TEST_F(CollectiveEngineTest, ASecondDestinationIsDoneWithTheTransferToo) {
  const std::uint32_t both = add({0, 4, 5}, test::dag(3, {{0, 1, kMiB, {}, 2}}));
  trigger_all(both, 3);
  agenda.run();
  EXPECT_EQ(done.at, (At{{{both, 0}, 15192}, {{both, 1}, 15192}, {{both, 2}, 15192}}));
}

TEST_F(CollectiveEngineTest, JoinsCostNothing) {
  // Both copies, then a join, then the last one: one hop behind the later of the two.
  const std::uint32_t joined = add(
      {0, 4, 16},
      test::dag(3, {{0, 1, kMiB, {}}, {0, 2, kMiB / 4, {}}, {1, 1, 0, {0, 1}}, {1, 0, kMiB, {2}}}));
  trigger_all(joined, 3);
  agenda.run();
  EXPECT_EQ(done.at, (At{{{joined, 0}, 25384}, {{joined, 1}, 25384}, {{joined, 2}, 7000 + 2048}}));
  EXPECT_EQ(engine->transfers(), 3U);
}

TEST_F(CollectiveEngineTest, JoinsAloneTakeSetUpOnly) {
  const std::uint32_t joins = add({0, 4}, test::dag(2, {{0, 0, 0, {}}, {1, 1, 0, {0}}}));
  trigger_all(joins, 2);
  agenda.run();
  EXPECT_EQ(done.at, (At{{{joins, 0}, 5000}, {{joins, 1}, 5000}}));
}

TEST_F(CollectiveEngineTest, AGroupOfOneTakesSetUpOnly) {
  const std::uint32_t alone = add({9}, test::dag(1, {}));
  trigger(alone, 0, 250);
  agenda.run();
  EXPECT_EQ(done.at, (At{{{alone, 0}, 5250}}));
  EXPECT_EQ(engine->transfers(), 0U);
}

TEST_F(CollectiveEngineTest, OneStreamIsFirstComeFirstServed) {
  const std::uint32_t first = add({0, 4}, one_copy);
  const std::uint32_t second = add({0, 4}, one_copy);
  trigger_all(first, 2);
  trigger_all(second, 2);
  agenda.run();
  EXPECT_EQ(done.at.at({first, 1}), 15192);
  EXPECT_EQ(engine->record(second).start, from_ns(15192));
  EXPECT_EQ(done.at.at({second, 1}), 2 * 15192);
}

TEST_F(CollectiveEngineTest, TwoStreamsShareTheLink) {
  const std::uint32_t first = add({0, 4}, one_copy, 0);
  const std::uint32_t second = add({0, 4}, one_copy, 1);
  trigger_all(first, 2);
  trigger_all(second, 2);
  agenda.run();
  EXPECT_EQ(done.at.at({first, 1}), 7000 + 2 * 8192);
  EXPECT_EQ(done.at.at({second, 1}), 7000 + 2 * 8192);
}

// Rank 0 waits in `first` for rank 4, so rank 16 waits in `second` for rank 0, over another link.
TEST_F(CollectiveEngineTest, ALateRankHoldsWhatStandsBehindItInAStream) {
  const std::uint32_t first = add({0, 4}, one_copy);
  const std::uint32_t second = add({0, 16}, one_copy);
  trigger(first, 0);
  trigger_all(second, 2);
  EXPECT_EQ(engine->unfinished().size(), 2U);
  trigger(first, 1, 50000);
  agenda.run();
  EXPECT_EQ(done.at.at({first, 0}), 65192);
  EXPECT_EQ(done.at.at({second, 1}), 65192 + 15192);
}

// The first rank of a chain is free for its next collective while the chain goes on.
TEST_F(CollectiveEngineTest, ARankThatIsDoneLeavesTheFrontOfItsStream) {
  const std::uint32_t chain = add({0, 4, 16}, test::dag(3, {{0, 1, kMiB, {}}, {1, 2, kMiB, {0}}}));
  const std::uint32_t next = add({0}, test::dag(1, {}));
  trigger_all(chain, 3);
  trigger(next, 0);
  agenda.run();
  EXPECT_EQ(done.at.at({next, 0}), 15192 + 5000);
  EXPECT_GT(done.at.at({chain, 2}), 15192 + 5000);
}

TEST_F(CollectiveEngineTest, SaysWhichCollectivesAreStuckAndWhy) {
  const std::uint32_t copy = add({0, 4}, one_copy);
  trigger(copy, 0);
  agenda.run();
  EXPECT_TRUE(done.at.empty());
  EXPECT_EQ(engine->unfinished(),
            (std::vector<std::string>{
                "all_reduce of 2 ranks: 1 have not triggered it, 1 have it at the front"}));
}

TEST_F(CollectiveEngineTest, ChecksItsCallers) {
  EXPECT_THROW((void)add({0, 4, 8}, one_copy), InternalError);
  const std::uint32_t copy = add({0, 4}, one_copy);
  trigger(copy, 0);
  EXPECT_THROW(engine->trigger(agenda.now(), copy, 0, &done), InternalError);
}

}  // namespace
}  // namespace trnsim::models
