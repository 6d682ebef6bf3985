// Max-min fair shares worked out by hand.
#include "hbm/flow_share.h"

#include <gtest/gtest.h>

#include <numeric>

namespace trnsim::models {
namespace {

std::vector<double> share(double capacity, const std::vector<double>& demands) {
  std::vector<double> rates;
  max_min_share(capacity, demands, rates);
  return rates;
}

TEST(MaxMinShare, GivesEveryDemandWhileThereIsEnough) {
  EXPECT_EQ(share(100, {10, 20, 70}), (std::vector<double>{10, 20, 70}));  // exactly full
  EXPECT_EQ(share(100, {1}), (std::vector<double>{1}));
  EXPECT_TRUE(share(100, {}).empty());
}

TEST(MaxMinShare, DividesEqualDemandsEqually) {
  EXPECT_EQ(share(60, {40, 40, 40}), (std::vector<double>{20, 20, 20}));
}

// 30 / 3 = 10 each; the first takes only 4, the others share the remaining 26.
TEST(MaxMinShare, LeavesWhatASmallFlowDoesNotTakeToTheOthers) {
  EXPECT_EQ(share(30, {4, 50, 50}), (std::vector<double>{4, 13, 13}));
  EXPECT_EQ(share(30, {50, 4, 50}), (std::vector<double>{13, 4, 13}));
}

// Fill level rises: 2, then 5, then (20 - 7) / 2 = 6.5 for the two that want more.
TEST(MaxMinShare, FillsFromTheSmallestUp) {
  EXPECT_EQ(share(20, {100, 2, 7, 5}), (std::vector<double>{6.5, 2, 6.5, 5}));
}

TEST(MaxMinShare, NeverExceedsCapacityOrDemand) {
  std::uint32_t state = 1;
  for (int round = 0; round < 1000; ++round) {
    std::vector<double> demands;
    for (int i = 0; i < 1 + round % 40; ++i) {
      state = state * 1664525U + 1013904223U;
      demands.push_back(0.1 + (state >> 16) % 1000);
    }
    const double capacity = 1 + round;
    const std::vector<double> rates = share(capacity, demands);
    const double sum = std::accumulate(rates.begin(), rates.end(), 0.0);
    const double asked = std::accumulate(demands.begin(), demands.end(), 0.0);
    EXPECT_NEAR(sum, std::min(capacity, asked), 1e-9 * capacity);  // nothing lost either
    for (std::size_t i = 0; i < rates.size(); ++i) {
      EXPECT_LE(rates[i], demands[i]);
      EXPECT_GT(rates[i], 0);
    }
  }
}

}  // namespace
}  // namespace trnsim::models
