// Clocks and femtoseconds.
#include "trnsim/base/units.h"

#include <gtest/gtest.h>

namespace trnsim {
namespace {

TEST(Femtos, ConvertsFromAndToDecimalUnits) {
  EXPECT_EQ(from_ns(1).count, 1'000'000U);
  EXPECT_EQ(from_ns(0).count, 0U);
  EXPECT_EQ(from_ns(0.0000004).count, 0U);  // 0.4 fs rounds down
  EXPECT_EQ(from_ns(0.0000006).count, 1U);  // 0.6 fs rounds up
  EXPECT_DOUBLE_EQ(Femtos{1'500'000}.ns(), 1.5);
  EXPECT_DOUBLE_EQ(Femtos{1'500'000'000}.us(), 1.5);
  EXPECT_DOUBLE_EQ(Femtos{1'000'000'000'000'000}.seconds(), 1);
}

TEST(Femtos, AddsComparesAndPicks) {
  constexpr Femtos a{3};
  constexpr Femtos b{5};
  static_assert(a + b == Femtos{8} && b - a == Femtos{2} && a * 4 == Femtos{12});
  static_assert(max(a, b) == b && min(a, b) == a && a < b && b < kNever);
  Femtos sum = a;
  sum += b;
  EXPECT_EQ(sum, Femtos{8});
}

TEST(TransferTime, RoundsUpToAFemtosecond) {
  // 64 B at 64 GB/s = 1 ns.
  EXPECT_EQ(transfer_time(64, 64), from_ns(1));
  // 1 B at 3 GB/s = 333333.33 fs.
  EXPECT_EQ(transfer_time(1, 3).count, 333'334U);
  EXPECT_EQ(transfer_time(0, 3).count, 0U);
}

TEST(Clock, EdgesAreFloorsOfTheExactTime) {
  // 2.4 GHz: period 416666.66... fs.
  const Clock clock(2.4);
  EXPECT_EQ(clock.edge(0).count, 0U);
  EXPECT_EQ(clock.edge(1).count, 416'666U);
  EXPECT_EQ(clock.edge(2).count, 833'333U);
  EXPECT_EQ(clock.edge(3).count, 1'250'000U);
  EXPECT_DOUBLE_EQ(clock.ghz(), 2.4);
}

TEST(Clock, EdgesOfDifferentClocksCoincideBitForBit) {
  const Clock tensor(2.4);
  const Clock scalar(1.2);
  const Clock vector(0.96);
  // 2.4 GHz is twice 1.2 GHz; 2.4 / 0.96 = 5 / 2; 1.2 / 0.96 = 5 / 4. Far out, too (2^40 cycles).
  for (const std::uint64_t start : {std::uint64_t{0}, std::uint64_t{1} << 40}) {
    for (std::uint64_t k = start; k < start + 1000; ++k) {
      EXPECT_EQ(tensor.edge(2 * k), scalar.edge(k));
      EXPECT_EQ(tensor.edge(5 * k), vector.edge(2 * k));
      EXPECT_EQ(scalar.edge(5 * k), vector.edge(4 * k));
    }
  }
}

TEST(Clock, FindsEveryEdgeAgain) {
  for (const double ghz : {2.4, 1.2, 0.96, 1.4, 2.8, 1.0}) {
    const Clock clock(ghz);
    for (const std::uint64_t start : {std::uint64_t{0}, std::uint64_t{123'456'789'012}}) {
      for (std::uint64_t k = start; k < start + 1000; ++k) {
        const Femtos edge = clock.edge(k);
        EXPECT_EQ(clock.cycle_at_or_after(edge), k) << ghz;
        EXPECT_EQ(clock.cycle_at_or_after(edge + Femtos{1}), k + 1) << ghz;
        EXPECT_EQ(clock.align(edge), edge) << ghz;
        if (k > 0) {
          EXPECT_EQ(clock.cycle_at_or_after(edge - Femtos{1}), k) << ghz;
        }
      }
    }
  }
}

TEST(Clock, SpanIsTheEdgeFromZero) {
  const Clock clock(1.2);
  EXPECT_EQ(clock.span(6).count, 5'000'000U);    // 6 / 1.2 GHz = 5 ns
  EXPECT_EQ(Clock().span(7).count, 7'000'000U);  // default: 1 GHz
}

}  // namespace
}  // namespace trnsim
