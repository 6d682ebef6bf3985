// Fair rates: cases by hand, what makes rates max-min, and a solver that bisects instead.
#include "trnsim/fabric/max_min.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <random>

namespace trnsim::fabric {
namespace {

constexpr double kNoCap = std::numeric_limits<double>::infinity();

struct Flow {
  std::vector<Use> uses;
  double weight = 1;
  double cap = kNoCap;
  std::uint8_t priority = 0;
};

std::vector<double> rates_of(const std::vector<double>& capacities,
                             const std::vector<Flow>& flows) {
  FlowTable table;
  for (const Flow& flow : flows) {
    table.uses.insert(table.uses.end(), flow.uses.begin(), flow.uses.end());
    table.first.push_back(static_cast<std::uint32_t>(table.uses.size()));
    table.weights.push_back(flow.weight);
    table.caps.push_back(flow.cap);
    table.priorities.push_back(flow.priority);
  }
  std::vector<double> rates;
  max_min(capacities, table, rates);
  return rates;
}

TEST(MaxMin, OneLongFlowAgainstShortOnes) {
  // Bertsekas and Gallager: links of 10, 10; a over both, b on the first, c and d on the second.
  // Second link: 10 / 3 each; the first leaves b 10 - 10/3.
  const auto rates = rates_of({10, 10}, {{{{0, 1}, {1, 1}}}, {{{0, 1}}}, {{{1, 1}}}, {{{1, 1}}}});
  EXPECT_NEAR(rates[0], 10.0 / 3, 1e-12);
  EXPECT_NEAR(rates[1], 20.0 / 3, 1e-12);
  EXPECT_NEAR(rates[2], 10.0 / 3, 1e-12);
  EXPECT_EQ(rates[2], rates[3]);
}

TEST(MaxMin, WeightsDivideInProportion) {
  const auto rates = rates_of({12}, {{{{0, 1}}, 1}, {{{0, 1}}, 3}});
  EXPECT_NEAR(rates[0], 3, 1e-12);
  EXPECT_NEAR(rates[1], 9, 1e-12);
}

TEST(MaxMin, MultiplicityCountsAgainstTheCapacity) {
  // x + 3x = 12: equal rates of 3, not equal shares of 6.
  const auto rates = rates_of({12}, {{{{0, 1}}}, {{{0, 3}}}});
  EXPECT_NEAR(rates[0], 3, 1e-12);
  EXPECT_NEAR(rates[1], 3, 1e-12);
}

TEST(MaxMin, WhatACappedFlowLeavesGoesToTheOthers) {
  const auto rates = rates_of({12}, {{{{0, 1}}, 1, 2}, {{{0, 1}}}, {{{0, 1}}}});
  EXPECT_EQ(rates[0], 2);
  EXPECT_NEAR(rates[1], 5, 1e-12);
  EXPECT_NEAR(rates[2], 5, 1e-12);
  EXPECT_EQ(rates_of({}, {{{}, 1, 7}})[0], 7);
}

TEST(MaxMin, HigherClassFirst) {
  // The first class takes what it can: 4 on link 1, 6 of 10 left on link 0 for the second.
  const auto rates =
      rates_of({10, 4}, {{{{0, 1}, {1, 1}}, 1, kNoCap, 0}, {{{0, 1}}, 1, kNoCap, 3}});
  EXPECT_NEAR(rates[0], 4, 1e-12);
  EXPECT_NEAR(rates[1], 6, 1e-12);
  // Nothing left is nothing, not a rounding error.
  EXPECT_EQ(rates_of({0.3}, {{{{0, 3}}}, {{{0, 1}}, 1, kNoCap, 1}})[1], 0);
}

TEST(MaxMin, OfEqualFlowsIsEqualToTheLastBit) {
  // 12 flows in a ring of 12 links, each over 5 of them.
  std::vector<Flow> flows(12);
  for (std::uint32_t f = 0; f < 12; ++f) {
    for (std::uint32_t i = 0; i < 5; ++i) {
      flows[f].uses.push_back({(f + i) % 12, 1.0 / (1 + i)});
    }
  }
  const auto rates = rates_of(std::vector<double>(12, 57.6), flows);
  EXPECT_TRUE(std::all_of(rates.begin(), rates.end(), [&](double r) { return r == rates[0]; }));
}

struct Case {
  std::vector<double> capacities;
  std::vector<Flow> flows;
};

Case random_case(std::mt19937& random, std::uint32_t resources, std::uint32_t flows) {
  std::uniform_real_distribution<double> unit(0, 1);
  Case result;
  for (std::uint32_t r = 0; r < resources; ++r) {
    result.capacities.push_back(1 + 99 * unit(random));
  }
  for (std::uint32_t f = 0; f < flows; ++f) {
    Flow flow;
    for (std::uint32_t r = 0; r < resources; ++r) {
      if (unit(random) < 4.0 / resources) {
        flow.uses.push_back({r, 0.25 * static_cast<double>(1 + random() % 8)});
      }
    }
    if (flow.uses.empty()) {
      flow.uses.push_back({static_cast<std::uint32_t>(random() % resources), 1});
    }
    flow.weight = 1 + static_cast<double>(random() % 4);
    flow.cap = random() % 4 == 0 ? 10 * unit(random) + 0.1 : kNoCap;
    flow.priority = static_cast<std::uint8_t>(random() % 3 == 0 ? random() % 4 : 0);
    result.flows.push_back(flow);
  }
  return result;
}

double load_of(const Case& test, const std::vector<double>& rates, std::uint32_t resource,
               int most_priority) {
  double load = 0;
  for (std::size_t f = 0; f < test.flows.size(); ++f) {
    for (const Use& use : test.flows[f].uses) {
      if (use.resource == resource && test.flows[f].priority <= most_priority) {
        load += use.multiplicity * rates[f];
      }
    }
  }
  return load;
}

// Rates are max-min exactly when each flow is at its cap or has a full resource on which no flow of its
// class has a higher rate by weight.
TEST(MaxMin, GivesEveryFlowABottleneck) {
  std::mt19937 random(7);
  for (std::uint32_t round = 0; round < 60; ++round) {
    const Case test = random_case(random, 5 + round, 10 + 3 * round);
    const std::vector<double> rates = rates_of(test.capacities, test.flows);
    for (std::size_t f = 0; f < test.flows.size(); ++f) {
      const Flow& flow = test.flows[f];
      bool bottleneck = rates[f] == flow.cap;
      for (const Use& use : flow.uses) {
        const double capacity = test.capacities[use.resource];
        ASSERT_LE(load_of(test, rates, use.resource, 255), capacity * (1 + 1e-9));
        if (load_of(test, rates, use.resource, flow.priority) < capacity * (1 - 1e-8)) {
          continue;
        }
        bool highest = true;
        for (std::size_t g = 0; g < test.flows.size(); ++g) {
          const Flow& other = test.flows[g];
          const bool shares =
              other.priority == flow.priority &&
              std::any_of(other.uses.begin(), other.uses.end(),
                          [&](const Use& u) { return u.resource == use.resource; });
          highest = highest && (!shares || rates[g] / other.weight <=
                                               rates[f] / flow.weight * (1 + 1e-8) + 1e-12);
        }
        bottleneck = bottleneck || highest;
      }
      ASSERT_TRUE(bottleneck) << "round " << round << " flow " << f;
    }
  }
}

// Raises one level for all flows that are not fixed by bisecting on feasibility.
std::vector<double> by_bisection(const Case& test) {
  std::vector<double> rates(test.flows.size(), 0);
  std::vector<bool> fixed(test.flows.size(), false);
  for (int priority = 0; priority < 4; ++priority) {
    const auto growing = [&](std::size_t f) {
      return !fixed[f] && test.flows[f].priority == priority;
    };
    const auto at_level = [&](double level) {
      std::vector<double> at = rates;
      for (std::size_t f = 0; f < at.size(); ++f) {
        at[f] = growing(f) ? std::min(level * test.flows[f].weight, test.flows[f].cap) : at[f];
      }
      return at;
    };
    const auto feasible = [&](const std::vector<double>& at) {
      for (std::uint32_t r = 0; r < test.capacities.size(); ++r) {
        if (load_of(test, at, r, priority) > test.capacities[r]) {
          return false;
        }
      }
      return true;
    };
    for (std::size_t left = test.flows.size(); left > 0; --left) {
      double low = 0;
      double high = 1000;
      for (int i = 0; i < 100; ++i) {
        const double middle = (low + high) / 2;
        (feasible(at_level(middle)) ? low : high) = middle;
      }
      const std::vector<double> at = at_level(low);
      for (std::size_t f = 0; f < at.size(); ++f) {
        if (!growing(f)) {
          continue;
        }
        bool full = at[f] == test.flows[f].cap;
        for (const Use& use : test.flows[f].uses) {
          full = full || load_of(test, at, use.resource, priority) >
                             test.capacities[use.resource] * (1 - 1e-9);
        }
        if (full) {
          rates[f] = at[f];
        }
        fixed[f] = full;
      }
    }
  }
  return rates;
}

TEST(MaxMin, AgreesWithBisection) {
  std::mt19937 random(11);
  for (int round = 0; round < 100; ++round) {
    const Case test = random_case(random, 6, 12);
    const std::vector<double> rates = rates_of(test.capacities, test.flows);
    const std::vector<double> expected = by_bisection(test);
    for (std::size_t f = 0; f < rates.size(); ++f) {
      ASSERT_NEAR(rates[f], expected[f], 1e-6 * std::max(1.0, expected[f])) << round << " " << f;
    }
  }
}

}  // namespace
}  // namespace trnsim::fabric
