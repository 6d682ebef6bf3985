// Weighted max-min fair rates of flows over shared resources. Pure.
//
// Progressive filling: the rates of all flows grow in proportion to their weights until a resource is
// full, which fixes the flows on it; the others grow on. A flow takes its multiplicity times its rate
// of each resource. Classes of higher priority (lower number) are served before lower ones get anything.
// Source: Bertsekas and Gallager, Data Networks, 6.5.2; multiplicities as in interconnect.md 1.4.
#pragma once

#include <cstdint>
#include <span>
#include <utility>
#include <vector>

#include "trnsim/fabric/movement.h"

namespace trnsim::fabric {

// Uses of flow f: uses[first[f]] .. uses[first[f + 1] - 1]; multiplicities > 0.
struct FlowTable {
  std::vector<std::uint32_t> first{0};
  std::vector<Use> uses;
  std::vector<double> weights;             // > 0
  std::vector<double> caps;                // own upper rate, infinity = none; empty = none at all
  std::vector<std::uint8_t> priorities;    // empty = one class

  [[nodiscard]] std::size_t size() const { return weights.size(); }
};

// Keeps its working memory from one call to the next.
class MaxMinSolver {
 public:
  // `rates` becomes as long as the table; a flow without uses gets its cap. Levels within 1e-12 of each
  // other count as one, so flows in equal positions get equal rates to the last bit. Sums of rates stay
  // below the capacities up to the same relative error. O(uses x log resources) at worst, near linear.
  void solve(std::span<const double> capacities, const FlowTable& flows,
             std::vector<double>& rates);
  // Of the last solve(): the resource that fixed each flow, kNone = its cap.
  [[nodiscard]] const std::vector<std::uint32_t>& bottlenecks() const { return bottlenecks_; }

 private:
  void solve_class(const FlowTable& flows, std::uint8_t priority, std::vector<double>& rates);
  void freeze(const FlowTable& flows, std::uint32_t flow, double rate, std::vector<double>& rates);

  std::vector<std::uint32_t> bottlenecks_;

  std::vector<double> residual_;           // of each resource
  std::vector<double> weight_;             // of its flows that still grow, times multiplicity
  std::vector<std::uint32_t> growing_;     // number of those
  std::vector<std::uint32_t> first_;       // flows on a resource: CSR of the class
  std::vector<std::uint32_t> on_;
  std::vector<std::uint8_t> frozen_;       // of each flow
  std::vector<std::pair<double, std::uint32_t>> heap_;
  std::vector<std::pair<double, std::uint32_t>> capped_;
};

// One call with memory of its own.
void max_min(std::span<const double> capacities, const FlowTable& flows,
             std::vector<double>& rates);

}  // namespace trnsim::fabric
