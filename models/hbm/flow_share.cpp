// Progressive filling from the smallest demand up.
#include "flow_share.h"

#include <algorithm>
#include <numeric>

namespace trnsim::models {

void max_min_share(double capacity, std::span<const double> demands, std::vector<double>& rates) {
  rates.assign(demands.begin(), demands.end());
  const double total = std::accumulate(demands.begin(), demands.end(), 0.0);
  if (total <= capacity) {
    return;
  }
  const auto [least, most] = std::minmax_element(demands.begin(), demands.end());
  if (*least == *most) {
    std::fill(rates.begin(), rates.end(), capacity / static_cast<double>(demands.size()));
    return;
  }
  std::vector<std::size_t> order(demands.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::stable_sort(order.begin(), order.end(),
                   [&](std::size_t a, std::size_t b) { return demands[a] < demands[b]; });
  double left = capacity;
  std::size_t flows = order.size();
  for (const std::size_t flow : order) {
    const double share = left / static_cast<double>(flows);
    rates[flow] = std::min(demands[flow], share);
    left -= rates[flow];
    --flows;
  }
}

}  // namespace trnsim::models
