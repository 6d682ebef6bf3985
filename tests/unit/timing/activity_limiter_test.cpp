// Hand-traced runs of the limiter (hardware.md 18.1).
//
// Unless a test says otherwise: windows of 100 cycles, half rate while limited, released after a
// window with at least 95 busy cycles, limited again after one with fewer than 37.
#include "trnsim/timing/activity_limiter.h"

#include <gtest/gtest.h>

#include "helpers.h"

namespace trnsim::timing::test {
namespace {

spec::ActivityLimiterSpec rules() {
  spec::ActivityLimiterSpec spec;
  spec.enable = true;
  spec.window_cycles = 100;
  spec.floor_fraction = 0.5;
  spec.release_busy_fraction = 0.95;
  spec.rearm_busy_fraction = 0.37;
  return spec;
}

ActivityLimiter limiter() {
  return {rules(), 100};
}

// After this, cycle 100: released, window 1 empty.
ActivityLimiter released() {
  ActivityLimiter l = limiter();
  EXPECT_EQ(l.run(0, 50), 100U);  // 50 cycles of work fill window 0 at half rate
  return l;
}

TEST(ActivityLimiter, StartsAtHalfRate) {
  ActivityLimiter l = limiter();
  EXPECT_EQ(l.run(0, 10), 20U);  // 10 / 0.5
  EXPECT_TRUE(l.limited());
  EXPECT_EQ(l.limited_cycles(), 20U);
}

TEST(ActivityLimiter, IsReleasedAtTheGridPointAfterOneBusyWindow) {
  ActivityLimiter l = released();
  EXPECT_EQ(l.run(100, 10), 110U);
  EXPECT_FALSE(l.limited());
  EXPECT_EQ(l.limited_cycles(), 100U);
}

TEST(ActivityLimiter, ChangesRateInsideAnInstructionThatSpansTheBorder) {
  ActivityLimiter l = limiter();
  // Cycles 0..100 do 50 of the 60, the other 10 run at full rate.
  EXPECT_EQ(l.run(0, 60), 110U);
  EXPECT_EQ(l.limited_cycles(), 100U);
}

// The first border lies at cycle 40: that piece of a window is too short to release, the next one ends at
// 140 after 70 cycles of work.
TEST(ActivityLimiter, WindowsLieOnTheGridsOffset) {
  ActivityLimiter l(rules(), 100, 40);
  EXPECT_EQ(l.run(0, 80), 150U);
  EXPECT_EQ(l.limited_cycles(), 140U);
}

TEST(ActivityLimiter, NeedsTheFullReleaseShare) {
  // From cycle 5: 95 busy cycles do floor(47.5) = 47; released; the other 13 at full rate.
  ActivityLimiter at = limiter();
  EXPECT_EQ(at.run(5, 60), 113U);
  // From cycle 6: 94 busy cycles do 47; still limited; the other 13 take 26.
  ActivityLimiter below = limiter();
  EXPECT_EQ(below.run(6, 60), 126U);
  EXPECT_TRUE(below.limited());
}

TEST(ActivityLimiter, CountsTheBusyCyclesOfSeveralInstructions) {
  ActivityLimiter l = limiter();
  EXPECT_EQ(l.run(0, 20), 40U);
  EXPECT_EQ(l.run(45, 27), 99U);  // 40 + 54 = 94 busy: not enough
  EXPECT_EQ(l.run(100, 10), 120U);
  ActivityLimiter m = limiter();
  EXPECT_EQ(m.run(0, 20), 40U);
  EXPECT_EQ(m.run(44, 28), 100U);  // 40 + 56 = 96
  EXPECT_EQ(m.run(100, 10), 110U);
}

TEST(ActivityLimiter, ComesBackAfterAWindowWithLittleWork) {
  ActivityLimiter little = released();
  EXPECT_EQ(little.run(100, 36), 136U);
  EXPECT_EQ(little.run(200, 10), 220U);  // 36 < 37: limited
  ActivityLimiter enough = released();
  EXPECT_EQ(enough.run(100, 37), 137U);
  EXPECT_EQ(enough.run(200, 10), 210U);  // 37 kept
}

TEST(ActivityLimiter, ComesBackAfterAnEmptyWindow) {
  ActivityLimiter l = released();
  EXPECT_EQ(l.run(100, 100), 200U);
  EXPECT_EQ(l.run(300, 10), 320U);  // window 2 was empty
  ActivityLimiter m = released();
  EXPECT_EQ(m.run(100, 100), 200U);
  EXPECT_EQ(m.run(299, 1), 300U);  // window 2 is not over yet
}

TEST(ActivityLimiter, IsStillLimitedWhenItStartsLate) {
  ActivityLimiter l = limiter();
  EXPECT_EQ(l.run(1000, 10), 1020U);
}

TEST(ActivityLimiter, ReleasesAgainAfterComingBack) {
  ActivityLimiter l = released();
  EXPECT_EQ(l.run(250, 10), 270U);  // windows 1 empty: limited
  EXPECT_EQ(l.run(300, 60), 410U);  // window 3 busy: released at 400
  EXPECT_EQ(l.limited_cycles(), 100U + 20U + 100U);
}

TEST(ActivityLimiter, NeverLimitsWhenDisabledOrWithoutAFloor) {
  spec::ActivityLimiterSpec off = rules();
  off.enable = false;
  ActivityLimiter disabled(off, 100);
  EXPECT_FALSE(disabled.limited());
  EXPECT_EQ(disabled.run(7, 1000), 1007U);
  spec::ActivityLimiterSpec full = rules();
  full.floor_fraction = 1.0;
  ActivityLimiter unlimited(full, 100);
  EXPECT_EQ(unlimited.run(7, 1000), 1007U);
  EXPECT_EQ(unlimited.limited_cycles(), 0U);
  EXPECT_FALSE(trn1().tensor.activity_limiter.enable);
}

// The shipped trn2 window: 4,096 cycles of 1.2 GHz = 8,192 tensor cycles = 3,413.3 ns. Eight
// MATMULs of 512 columns take 1,024 each and fill it exactly; the ninth runs at full rate.
TEST(ActivityLimiter, ReleasesTrn2AfterEightFullMatmuls) {
  ActivityLimiter l(trn2().tensor.activity_limiter, 8192);
  std::uint64_t cycle = 0;
  for (int i = 0; i < 8; ++i) {
    EXPECT_EQ(l.run(cycle, 512), cycle + 1024);
    cycle += 1024;
  }
  EXPECT_EQ(l.run(cycle, 512), 8192U + 512U);
  // 26 % busy drops it, 47 % keeps it (18.1): 0.26 x 8192 = 2130, 0.47 x 8192 = 3850 of one window.
  ActivityLimiter dropped(trn2().tensor.activity_limiter, 8192);
  EXPECT_EQ(dropped.run(0, 4096), 8192U);
  EXPECT_EQ(dropped.run(8192, 2130), 8192U + 2130U);
  EXPECT_EQ(dropped.run(16384, 100), 16384U + 200U);
  ActivityLimiter kept(trn2().tensor.activity_limiter, 8192);
  EXPECT_EQ(kept.run(0, 4096), 8192U);
  EXPECT_EQ(kept.run(8192, 3850), 8192U + 3850U);
  EXPECT_EQ(kept.run(16384, 100), 16384U + 100U);
}

}  // namespace
}  // namespace trnsim::timing::test
