// Error statistics against values worked out by hand.
#include "trnsim/study/statistics.h"

#include <gtest/gtest.h>

namespace trnsim::study {
namespace {

TEST(ErrorStatistics, OfFourRatiosAreWorkedOutByHand) {
  // Errors 0.1, 0.2, 0.05, 0.4: mean 0.75 / 4; middle two 0.1 and 0.2; 0.9 x 4 = 3.6, the 4th.
  // Bias: (-0.1 + 0.2 + 0.05 - 0.4) / 4.
  const ErrorStatistics s = error_statistics({0.9, 1.2, 1.05, 0.6});
  EXPECT_EQ(s.cases, 4U);
  EXPECT_NEAR(s.mape, 0.1875, 1e-12);
  EXPECT_NEAR(s.median, 0.15, 1e-12);
  EXPECT_NEAR(s.p90, 0.4, 1e-12);
  EXPECT_NEAR(s.worst, 0.4, 1e-12);
  EXPECT_NEAR(s.bias, -0.0625, 1e-12);
}

TEST(ErrorStatistics, P90IsTheNearestRank) {
  // Ten errors 0.01 ... 0.10: rank 9. Eleven: 0.9 x 11 = 9.9, rank 10.
  std::vector<double> ratios;
  for (int i = 1; i <= 10; ++i) {
    ratios.push_back(1 + 0.01 * i);
  }
  EXPECT_NEAR(error_statistics(ratios).p90, 0.09, 1e-12);
  ratios.push_back(1.11);
  EXPECT_NEAR(error_statistics(ratios).p90, 0.10, 1e-12);
}

TEST(ErrorStatistics, TheMedianOfAnOddNumberIsTheMiddleOne) {
  EXPECT_NEAR(error_statistics({1.3, 1.1, 0.8}).median, 0.2, 1e-12);
}

TEST(ErrorStatistics, OfNothingAreZero) {
  const ErrorStatistics s = error_statistics({});
  EXPECT_EQ(s.cases, 0U);
  EXPECT_EQ(s.mape, 0);
  EXPECT_EQ(s.p90, 0);
}

TEST(Spearman, IsOneForTheSameOrderAndMinusOneForTheOther) {
  EXPECT_NEAR(spearman({1, 2, 3}, {10, 100, 1000}).value(), 1, 1e-12);
  EXPECT_NEAR(spearman({1, 2, 3}, {3, 2, 1}).value(), -1, 1e-12);
}

TEST(Spearman, EqualValuesShareTheMeanOfTheirRanks) {
  // Ranks 1, 2.5, 2.5, 4 and 1, 3, 2, 4. From the mean 2.5: products 2.25 + 0 + 0 + 2.25 = 4.5;
  // squares 4.5 and 5. 4.5 / sqrt(22.5).
  EXPECT_NEAR(spearman({1, 2, 2, 3}, {1, 3, 2, 4}).value(), 0.9486832980505138, 1e-12);
}

TEST(Spearman, NeedsThreePairsAndTwoDifferentValues) {
  EXPECT_FALSE(spearman({1, 2}, {1, 2}).has_value());
  EXPECT_FALSE(spearman({1, 1, 1}, {1, 2, 3}).has_value());
}

}  // namespace
}  // namespace trnsim::study
