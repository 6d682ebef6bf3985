// The two cores of a logical NeuronCore meet at barriers and hand-shakes.
#include "system/pair_sync.h"

#include "support/systemc_test.h"

namespace trnsim::models {
namespace {

struct Waiter final : PairWaiter {
  void on_released(Femtos /*now*/, Femtos release) override { released = release; }
  Femtos released = kNever;
};

class PairSyncTest : public test::SystemCTest {};

// Core 0 arrives at 100, core 1 at 250; the barrier takes 40 from then: both go on at 290.
TEST_F(PairSyncTest, ReleasesBothAfterTheLater) {
  PairSync pair("pair");
  Waiter first;
  Waiter second;
  EXPECT_EQ(pair.arrive(Femtos{100}, 0, 0, Femtos{40}, &first), kNever);
  EXPECT_EQ(pair.arrive(Femtos{250}, 1, 0, Femtos{40}, &second), Femtos{290});
  EXPECT_EQ(first.released, Femtos{290});
  EXPECT_EQ(second.released, kNever);  // it got the answer at once
}

// Meetings are matched by number, not by order of arrival.
TEST_F(PairSyncTest, KeepsMeetingsApart) {
  PairSync pair("pair");
  Waiter a;
  Waiter b;
  Waiter c;
  EXPECT_EQ(pair.arrive(Femtos{10}, 0, 0, Femtos{1}, &a), kNever);
  EXPECT_EQ(pair.arrive(Femtos{20}, 0, 1, Femtos{1}, &b), kNever);
  EXPECT_EQ(pair.arrive(Femtos{30}, 1, 1, Femtos{1}, &c), Femtos{31});
  EXPECT_EQ(a.released, kNever);
  EXPECT_EQ(b.released, Femtos{31});
}

}  // namespace
}  // namespace trnsim::models
