// Publish and subscribe on completion counts.
#include "engine/counters.h"

#include <vector>

#include "support/systemc_test.h"

namespace trnsim::models {
namespace {

class Waiter final : public CounterWaiter {
 public:
  void on_published(Femtos now) override { calls.push_back(now); }
  std::vector<Femtos> calls;
};

class CountersTest : public test::SystemCTest {};

TEST_F(CountersTest, KnowsTheTimeOfEachCompletion) {
  CompletionCounters counters("counters");
  counters.reset(2);
  EXPECT_EQ(counters.visible_at({0, 1}), kNever);
  counters.publish(Femtos{10}, 0, Femtos{100});
  counters.publish(Femtos{20}, 0, Femtos{150});
  EXPECT_EQ(counters.visible_at({0, 1}), Femtos{100});
  EXPECT_EQ(counters.visible_at({0, 2}), Femtos{150});
  EXPECT_EQ(counters.visible_at({0, 3}), kNever);
  EXPECT_EQ(counters.visible_at({1, 1}), kNever);  // the other queue
  EXPECT_EQ(counters.count(0), 2U);
  EXPECT_EQ(counters.last_visible(), Femtos{150});
}

TEST_F(CountersTest, AQueueCompletesInOrder) {
  CompletionCounters counters("counters");
  counters.reset(1);
  counters.publish(Femtos{10}, 0, Femtos{100});
  counters.publish(Femtos{20}, 0, Femtos{60});  // ready before its predecessor: visible with it
  EXPECT_EQ(counters.visible_at({0, 2}), Femtos{100});
}

TEST_F(CountersTest, CallsASubscriberOnceWhenItsCountArrives) {
  CompletionCounters counters("counters");
  counters.reset(2);
  Waiter waiter;
  counters.subscribe({0, 2}, &waiter);
  counters.publish(Femtos{10}, 0, Femtos{11});
  counters.publish(Femtos{15}, 1, Femtos{16});
  EXPECT_TRUE(waiter.calls.empty());
  counters.publish(Femtos{20}, 0, Femtos{21});
  counters.publish(Femtos{30}, 0, Femtos{31});
  EXPECT_EQ(waiter.calls, std::vector<Femtos>{Femtos{20}});
}

TEST_F(CountersTest, ForgetsLongPastCompletionsButNotTheirCount) {
  CompletionCounters counters("counters");
  counters.reset(1);
  for (std::uint64_t i = 1; i <= 1000; ++i) {
    counters.publish(Femtos{10 * i}, 0, Femtos{10 * i + 5});
  }
  EXPECT_LE(counters.visible_at({0, 1}), Femtos{10 * 1000});  // any past time
  EXPECT_EQ(counters.visible_at({0, 1000}), Femtos{10005});
  EXPECT_EQ(counters.visible_at({0, 1001}), kNever);
}

// A slow DMA holds back the completions behind it, which then appear all at once: however many.
TEST_F(CountersTest, ManyCompletionsMayBecomeVisibleTogether) {
  CompletionCounters counters("counters");
  counters.reset(1);
  for (std::uint64_t i = 1; i <= 300; ++i) {
    counters.publish(Femtos{1000}, 0, Femtos{2000 + i});
  }
  for (std::uint32_t i = 1; i <= 300; ++i) {
    EXPECT_EQ(counters.visible_at({0, i}), Femtos{2000 + i});
  }
}

TEST_F(CountersTest, ResetForgets) {
  CompletionCounters counters("counters");
  counters.reset(1);
  counters.publish(Femtos{10}, 0, Femtos{20});
  counters.reset(3);
  EXPECT_EQ(counters.count(0), 0U);
  EXPECT_EQ(counters.visible_at({2, 1}), kNever);
}

}  // namespace
}  // namespace trnsim::models
