// Error statistics of simulated against measured values.
#pragma once

#include <cstddef>
#include <optional>
#include <vector>

namespace trnsim::study {

// Of ratios simulated / measured. An error is |ratio - 1|; shares, not percent.
struct ErrorStatistics {
  std::size_t cases = 0;
  double mape = 0;    // mean error
  double median = 0;  // of the errors; mean of the middle two for an even number
  double p90 = 0;     // nearest rank: the least error that 90 % of the cases do not exceed
  double worst = 0;
  double bias = 0;    // mean of ratio - 1; above zero = simulated too slow
};

// All zero for no ratios.
[[nodiscard]] ErrorStatistics error_statistics(const std::vector<double>& ratios);

// Rank correlation; equal values share the mean of their ranks. Nothing for fewer than three pairs or
// where one side is all equal. Both of the same length.
[[nodiscard]] std::optional<double> spearman(const std::vector<double>& left,
                                             const std::vector<double>& right);

}  // namespace trnsim::study
