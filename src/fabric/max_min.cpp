// Progressive filling with a heap of the levels at which resources fill up.
#include "trnsim/fabric/max_min.h"

#include <algorithm>
#include <functional>
#include <limits>

namespace trnsim::fabric {
namespace {

constexpr double kSameLevel = 1e-12;
// What higher classes leave of a resource by rounding is not a rate.
constexpr double kNothingLeft = 1e-9;

}  // namespace

void MaxMinSolver::solve(std::span<const double> capacities, const FlowTable& flows,
                         std::vector<double>& rates) {
  residual_.assign(capacities.begin(), capacities.end());
  rates.assign(flows.size(), 0);
  bottlenecks_.assign(flows.size(), kNone);
  if (flows.priorities.empty()) {
    solve_class(flows, 0, rates);
    return;
  }
  int done = -1;
  while (true) {
    int next = std::numeric_limits<int>::max();
    for (const std::uint8_t priority : flows.priorities) {
      if (priority > done && priority < next) {
        next = priority;
      }
    }
    if (next == std::numeric_limits<int>::max()) {
      return;
    }
    solve_class(flows, static_cast<std::uint8_t>(next), rates);
    for (std::size_t r = 0; r < residual_.size(); ++r) {
      if (residual_[r] < kNothingLeft * capacities[r]) {
        residual_[r] = 0;
      }
    }
    done = next;
  }
}

void MaxMinSolver::freeze(const FlowTable& flows, std::uint32_t flow, double rate,
                          std::vector<double>& rates) {
  rates[flow] = rate;
  frozen_[flow] = 1;
  for (std::uint32_t u = flows.first[flow]; u < flows.first[flow + 1]; ++u) {
    const Use& use = flows.uses[u];
    residual_[use.resource] -= use.multiplicity * rate;
    weight_[use.resource] -= use.multiplicity * flows.weights[flow];
    --growing_[use.resource];
  }
}

void MaxMinSolver::solve_class(const FlowTable& flows, std::uint8_t priority,
                               std::vector<double>& rates) {
  const std::size_t resources = residual_.size();
  const auto count = static_cast<std::uint32_t>(flows.size());
  frozen_.assign(count, 0);
  weight_.assign(resources, 0);
  growing_.assign(resources, 0);
  capped_.clear();
  for (std::uint32_t f = 0; f < count; ++f) {
    if (!flows.priorities.empty() && flows.priorities[f] != priority) {
      frozen_[f] = 1;
      continue;
    }
    for (std::uint32_t u = flows.first[f]; u < flows.first[f + 1]; ++u) {
      weight_[flows.uses[u].resource] += flows.uses[u].multiplicity * flows.weights[f];
      ++growing_[flows.uses[u].resource];
    }
    const double cap = flows.caps.empty() ? std::numeric_limits<double>::infinity() : flows.caps[f];
    if (cap < std::numeric_limits<double>::infinity()) {
      capped_.emplace_back(cap / flows.weights[f], f);
    } else if (flows.first[f] == flows.first[f + 1]) {
      rates[f] = cap;
      frozen_[f] = 1;
    }
  }
  first_.assign(resources + 1, 0);
  for (std::size_t r = 0; r < resources; ++r) {
    first_[r + 1] = first_[r] + growing_[r];
  }
  on_.resize(first_[resources]);
  for (std::uint32_t f = count; f-- > 0;) {
    for (std::uint32_t u = flows.first[f]; frozen_[f] == 0 && u < flows.first[f + 1]; ++u) {
      // Filled from the back of each row, so that first_ ends at its begin.
      on_[--first_[flows.uses[u].resource + 1]] = f;
    }
  }
  // first_[r + 1] is now the begin of row r.
  heap_.clear();
  for (std::uint32_t r = 0; r < resources; ++r) {
    if (growing_[r] > 0) {
      heap_.emplace_back(std::max(residual_[r], 0.0) / weight_[r], r);
    }
  }
  const auto later = std::greater<>();
  std::make_heap(heap_.begin(), heap_.end(), later);
  std::sort(capped_.begin(), capped_.end());

  double level = 0;
  const auto raise = [&level](double to) {
    if (to > level * (1 + kSameLevel)) {
      level = to;
    }
  };
  auto cap = capped_.begin();
  while (true) {
    while (cap != capped_.end() && frozen_[cap->second] != 0) {
      ++cap;
    }
    if (cap != capped_.end() && (heap_.empty() || cap->first <= heap_.front().first)) {
      raise(cap->first);
      freeze(flows, cap->second, flows.caps[cap->second], rates);
      continue;
    }
    if (heap_.empty()) {
      return;
    }
    std::pop_heap(heap_.begin(), heap_.end(), later);
    const auto [key, resource] = heap_.back();
    if (growing_[resource] == 0) {
      heap_.pop_back();
      continue;
    }
    // Flows fixed since the key was computed grew less than this resource allows: it fills up later.
    const double now = std::max(residual_[resource], 0.0) / weight_[resource];
    if (now > std::max(key, level) * (1 + kSameLevel)) {
      heap_.back().first = now;
      std::push_heap(heap_.begin(), heap_.end(), later);
      continue;
    }
    heap_.pop_back();
    raise(now);
    const std::uint32_t end =
        resource + 2 < first_.size() ? first_[resource + 2] : static_cast<std::uint32_t>(on_.size());
    for (std::uint32_t i = first_[resource + 1]; i < end; ++i) {
      if (frozen_[on_[i]] == 0) {
        bottlenecks_[on_[i]] = resource;
        freeze(flows, on_[i], level * flows.weights[on_[i]], rates);
      }
    }
  }
}

void max_min(std::span<const double> capacities, const FlowTable& flows,
             std::vector<double>& rates) {
  MaxMinSolver().solve(capacities, flows, rates);
}

}  // namespace trnsim::fabric
