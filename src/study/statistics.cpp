// MAPE, median, p90, bias and Spearman's rank correlation.
#include "trnsim/study/statistics.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "trnsim/base/error.h"

namespace trnsim::study {
namespace {

double mean(const std::vector<double>& values) {
  return std::accumulate(values.begin(), values.end(), 0.0) / static_cast<double>(values.size());
}

// Ranks from 1; equal values share the mean of theirs.
std::vector<double> ranks(const std::vector<double>& values) {
  std::vector<std::size_t> order(values.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::sort(order.begin(), order.end(),
            [&](std::size_t a, std::size_t b) { return values[a] < values[b]; });
  std::vector<double> result(values.size());
  for (std::size_t first = 0; first < order.size();) {
    std::size_t end = first + 1;
    while (end < order.size() && values[order[end]] == values[order[first]]) {
      ++end;
    }
    const double rank = static_cast<double>(first + 1 + end) / 2;
    for (; first < end; ++first) {
      result[order[first]] = rank;
    }
  }
  return result;
}

}  // namespace

ErrorStatistics error_statistics(const std::vector<double>& ratios) {
  ErrorStatistics result;
  result.cases = ratios.size();
  if (ratios.empty()) {
    return result;
  }
  std::vector<double> errors;
  for (const double ratio : ratios) {
    errors.push_back(std::abs(ratio - 1));
  }
  std::sort(errors.begin(), errors.end());
  const std::size_t count = errors.size();
  result.mape = mean(errors);
  result.median = (errors[(count - 1) / 2] + errors[count / 2]) / 2;
  result.p90 = errors[(9 * count + 9) / 10 - 1];
  result.worst = errors.back();
  result.bias = mean(ratios) - 1;
  return result;
}

std::optional<double> spearman(const std::vector<double>& left, const std::vector<double>& right) {
  TRNSIM_CHECK(left.size() == right.size(), "{} and {} values", left.size(), right.size());
  constexpr std::size_t kLeast = 3;
  if (left.size() < kLeast) {
    return std::nullopt;
  }
  const std::vector<double> a = ranks(left);
  const std::vector<double> b = ranks(right);
  const double middle = static_cast<double>(left.size() + 1) / 2;
  double product = 0;
  double square_a = 0;
  double square_b = 0;
  for (std::size_t i = 0; i < a.size(); ++i) {
    product += (a[i] - middle) * (b[i] - middle);
    square_a += (a[i] - middle) * (a[i] - middle);
    square_b += (b[i] - middle) * (b[i] - middle);
  }
  if (square_a == 0 || square_b == 0) {
    return std::nullopt;
  }
  return product / std::sqrt(square_a * square_b);
}

}  // namespace trnsim::study
