// Next-fit, first-fit and unlimited allocation.
#include "allocator.h"

#include <gtest/gtest.h>

#include <map>

#include "helpers.h"

namespace trnsim::lower::test {
namespace {

constexpr std::optional<std::uint64_t> kFull;

TEST(Allocator, RotateReusesMemoryAsLateAsPossible) {
  Allocator a(256, 32, AllocPolicy::kRotate);
  EXPECT_EQ(a.allocate(64), 0U);
  EXPECT_EQ(a.allocate(64), 64U);
  a.release(0);
  EXPECT_EQ(a.allocate(64), 128U);  // not the hole at 0
  EXPECT_EQ(a.allocate(64), 192U);
  EXPECT_EQ(a.allocate(64), 0U);  // wraps
  EXPECT_EQ(a.allocate(32), kFull);
}

TEST(Allocator, RotateWrapsWhenTheTailIsTooSmall) {
  Allocator a(256, 32, AllocPolicy::kRotate);
  EXPECT_EQ(a.allocate(100), 0U);
  EXPECT_EQ(a.allocate(100), 128U);  // 100 rounded up to 128
  a.release(0);
  EXPECT_EQ(a.allocate(64), 0U);   // 228 -> 256: nothing left behind the cursor
  EXPECT_EQ(a.allocate(64), 64U);  // 64..128 is free
}

TEST(Allocator, FirstFitTakesTheLowestHole) {
  Allocator a(256, 32, AllocPolicy::kFirstFit);
  EXPECT_EQ(a.allocate(64), 0U);
  EXPECT_EQ(a.allocate(64), 64U);
  a.release(0);
  EXPECT_EQ(a.allocate(96), 128U);  // 64 at 0 is too small
  EXPECT_EQ(a.allocate(64), 0U);
  EXPECT_EQ(a.allocate(32), 224U);
  EXPECT_EQ(a.allocate(1), kFull);
}

TEST(Allocator, AlignsEveryAddress) {
  Allocator a(128, 32, AllocPolicy::kFirstFit);
  EXPECT_EQ(a.allocate(1), 0U);
  EXPECT_EQ(a.allocate(33), 32U);
  EXPECT_EQ(a.allocate(32), 96U);
  EXPECT_EQ(a.allocate(1), kFull);
  EXPECT_EQ(a.in_use(), 66U);
}

TEST(Allocator, FitsExactlyAndNotOneByteMore) {
  Allocator a(128, 32, AllocPolicy::kRotate);
  EXPECT_EQ(a.allocate(129), kFull);
  EXPECT_EQ(a.allocate(128), 0U);
}

TEST(Allocator, LeavesReservedRangesAlone) {
  Allocator a(256, 32, AllocPolicy::kFirstFit);
  a.reserve(40, 72);  // not aligned
  EXPECT_EQ(a.allocate(32), 0U);
  EXPECT_EQ(a.allocate(32), 96U);  // 72 rounded up
  EXPECT_EQ(a.allocate(160), kFull);
  EXPECT_EQ(a.allocate(128), 128U);
}

TEST(Allocator, MergesOverlappingReservations) {
  Allocator a(256, 32, AllocPolicy::kRotate);
  a.reserve(0, 64);
  a.reserve(32, 96);
  EXPECT_EQ(a.in_use(), 96U);
  a.reserve(128, 160);
  a.reserve(90, 130);  // bridges both
  EXPECT_EQ(a.in_use(), 160U);
  EXPECT_EQ(a.allocate(96), 160U);
  EXPECT_EQ(a.allocate(1), kFull);
}

TEST(Allocator, UnlimitedNeverReusesAndStartsBehindReservations) {
  Allocator a(64, 32, AllocPolicy::kUnlimited);
  EXPECT_EQ(a.allocate(200), 0U);
  a.release(0);
  EXPECT_EQ(a.allocate(10), 224U);
  Allocator b(256, 32, AllocPolicy::kUnlimited);
  b.reserve(0, 100);
  EXPECT_EQ(b.allocate(10), 128U);
  b.release(128);
  EXPECT_EQ(b.in_use(), 100U);
}

TEST(Allocator, RemembersThePeak) {
  Allocator a(256, 32, AllocPolicy::kRotate);
  EXPECT_EQ(a.allocate(64), 0U);
  EXPECT_EQ(a.allocate(64), 64U);
  a.release(0);
  a.release(64);
  EXPECT_EQ(a.allocate(32), 128U);
  EXPECT_EQ(a.peak(), 128U);
  EXPECT_EQ(a.in_use(), 32U);
}

TEST(Allocator, RefusesToReleaseWhatIsNotLive) {
  Allocator a(256, 32, AllocPolicy::kRotate);
  EXPECT_THROW(a.release(0), InternalError);
}

// Live ranges never overlap, are aligned and stay inside, whatever the sequence.
TEST(Allocator, KeepsLiveRangesApart) {
  for (const AllocPolicy policy : {AllocPolicy::kRotate, AllocPolicy::kFirstFit}) {
    Random random(7);
    Allocator a(4096, 32, policy);
    a.reserve(1000, 1100);
    std::map<std::uint64_t, std::uint64_t> live = {{1000, 1100}};
    for (int i = 0; i < 5000; ++i) {
      if (random.below(2) == 0 && live.size() > 1) {
        auto victim =
            std::next(live.begin(), random.below(static_cast<std::uint32_t>(live.size())));
        if (victim->first != 1000) {
          a.release(victim->first);
          live.erase(victim);
        }
        continue;
      }
      const std::uint64_t bytes = 1 + random.below(600);
      const std::optional<std::uint64_t> at = a.allocate(bytes);
      if (!at) {
        continue;
      }
      ASSERT_EQ(*at % 32, 0U);
      ASSERT_LE(*at + bytes, 4096U);
      const auto next = live.lower_bound(*at);
      ASSERT_TRUE(next == live.end() || next->first >= *at + bytes);
      ASSERT_TRUE(next == live.begin() || std::prev(next)->second <= *at);
      live[*at] = *at + bytes;
    }
  }
}

}  // namespace
}  // namespace trnsim::lower::test
