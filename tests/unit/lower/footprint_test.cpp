// Exact byte intervals of access patterns.
#include "footprint.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>

#include "helpers.h"

namespace trnsim::lower::test {
namespace {

std::vector<std::pair<std::uint64_t, std::uint64_t>> bytes_of(DType dtype, std::int64_t offset,
                                                              const std::vector<trace::Dim>& dims) {
  trace::Pattern pattern;
  pattern.dtype = dtype;
  pattern.num_dims = static_cast<std::uint8_t>(dims.size());
  std::copy(dims.begin(), dims.end(), pattern.dims.begin());
  std::vector<Interval> intervals;
  footprint(pattern, offset, intervals);
  std::vector<std::pair<std::uint64_t, std::uint64_t>> result;
  for (const Interval& interval : intervals) {
    result.emplace_back(interval.begin, interval.end);
  }
  std::sort(result.begin(), result.end());
  return result;
}

using Bytes = std::vector<std::pair<std::uint64_t, std::uint64_t>>;

TEST(Footprint, OfOneElement) {
  EXPECT_EQ(bytes_of(kF32, 3, {}), (Bytes{{12, 16}}));       // 3 x 4
  EXPECT_EQ(bytes_of(kBf16, 3, {{7, 1}}), (Bytes{{6, 8}}));  // a dim of one element
}

TEST(Footprint, MergesContiguousDims) {
  EXPECT_EQ(bytes_of(kF32, 0, {{8, 2}, {1, 8}}), (Bytes{{0, 64}}));
  EXPECT_EQ(bytes_of(kF32, 0, {{1, 4}, {4, 2}}), (Bytes{{0, 32}}));  // permuted: same bytes
}

TEST(Footprint, KeepsTheGapsOfStrides) {
  // elements 1, 5, 9
  EXPECT_EQ(bytes_of(kF32, 1, {{4, 3}}), (Bytes{{4, 8}, {20, 24}, {36, 40}}));
  // two rows of 4 elements, 16 apart
  EXPECT_EQ(bytes_of(kF32, 0, {{16, 2}, {1, 4}}), (Bytes{{0, 16}, {64, 80}}));
  // stride 2 inside rows of 8: elements 0, 2 and 8, 10 of 2 B
  EXPECT_EQ(bytes_of(kBf16, 0, {{8, 2}, {2, 2}}), (Bytes{{0, 2}, {4, 6}, {16, 18}, {20, 22}}));
}

TEST(Footprint, WalksNegativeStridesBackwards) {
  // elements 4, 2, 0
  EXPECT_EQ(bytes_of(kF32, 4, {{-2, 3}}), (Bytes{{0, 4}, {8, 12}, {16, 20}}));
  EXPECT_EQ(bytes_of(kF32, 3, {{-1, 4}}), (Bytes{{0, 16}}));
  // rows 1, 0 of 4 elements, 8 apart
  EXPECT_EQ(bytes_of(kF32, 8, {{-8, 2}, {1, 4}}), (Bytes{{0, 16}, {32, 48}}));
}

TEST(Footprint, IgnoresBroadcasts) {
  EXPECT_EQ(bytes_of(kF32, 2, {{0, 100}}), (Bytes{{8, 12}}));
  EXPECT_EQ(bytes_of(kF32, 0, {{1, 4}, {0, 64}}), (Bytes{{0, 16}}));
}

TEST(Footprint, MergesOverlappingWindows) {
  // windows of 3 at 0, 1, 2, 3: elements 0..5
  EXPECT_EQ(bytes_of(kF32, 0, {{1, 4}, {1, 3}}), (Bytes{{0, 24}}));
}

TEST(Footprint, IsExactUpTo1024PiecesAndBoundingBeyond) {
  EXPECT_EQ(bytes_of(kF32, 0, {{2, 1024}}).size(), 1024U);
  // last element 2 x 1024 = 2048: bytes up to 8196
  EXPECT_EQ(bytes_of(kF32, 0, {{2, 1025}}), (Bytes{{0, 8196}}));
  EXPECT_EQ(bytes_of(kF32, 10, {{100, 33}, {2, 32}}), (Bytes{{40, 40 + 4 * (3200 + 62 + 1)}}));
}

TEST(Footprint, AgreesWithWalkingEveryElement) {
  Random random(1);
  for (int round = 0; round < 2000; ++round) {
    std::vector<trace::Dim> dims(1 + random.below(3));
    std::int64_t lowest = 0;
    for (trace::Dim& dim : dims) {
      dim = {static_cast<std::int64_t>(random.below(13)) - 6, 1 + random.below(5)};
      lowest += std::min<std::int64_t>(0, dim.stride * (static_cast<std::int64_t>(dim.count) - 1));
    }
    std::set<std::int64_t> expected;
    std::vector<std::int64_t> elements = {-lowest};
    for (const trace::Dim& dim : dims) {
      std::vector<std::int64_t> next;
      for (const std::int64_t at : elements) {
        for (std::int64_t i = 0; i < static_cast<std::int64_t>(dim.count); ++i) {
          next.push_back(at + i * dim.stride);
        }
      }
      elements = next;
    }
    for (const std::int64_t at : elements) {
      expected.insert({2 * at, 2 * at + 1});
    }
    std::set<std::int64_t> actual;
    for (const auto& [begin, end] : bytes_of(kBf16, -lowest, dims)) {
      for (std::uint64_t byte = begin; byte < end; ++byte) {
        actual.insert(static_cast<std::int64_t>(byte));
      }
    }
    ASSERT_EQ(actual, expected) << "round " << round;
  }
}

}  // namespace
}  // namespace trnsim::lower::test
