// The one-forward-one-backward schedule.
#include <algorithm>

#include "trnsim/workload/transformer.h"

namespace trnsim::workload {
namespace {

// What one stage does, in order: forwards until the first micro-batch comes back, then a backward
// for each forward, then the rest.
std::vector<PipelineStep> order_of_stage(std::uint32_t stage, std::uint32_t stages,
                                         std::uint32_t micro_batches) {
  const std::uint32_t ahead = std::min(micro_batches, stages - 1 - stage);
  std::vector<PipelineStep> order;
  for (std::uint32_t i = 0; i < ahead; ++i) {
    order.push_back({stage, i, false, 0});
  }
  for (std::uint32_t i = 0; i < micro_batches; ++i) {
    if (ahead + i < micro_batches) {
      order.push_back({stage, ahead + i, false, 0});
    }
    order.push_back({stage, i, true, 0});
  }
  return order;
}

}  // namespace

std::vector<PipelineStep> pipeline_1f1b(std::uint32_t stages, std::uint32_t micro_batches) {
  constexpr std::uint32_t kNever = UINT32_MAX;
  std::vector<std::vector<PipelineStep>> orders;
  for (std::uint32_t stage = 0; stage < stages; ++stage) {
    orders.push_back(order_of_stage(stage, stages, micro_batches));
  }
  // End of each step: [backward][stage][micro-batch].
  std::vector<std::vector<std::vector<std::uint32_t>>> ends(
      2, {stages, std::vector<std::uint32_t>(micro_batches, kNever)});
  std::vector<std::uint32_t> free_at(stages);
  std::vector<std::size_t> next(stages);
  std::vector<PipelineStep> steps;
  const std::size_t all = std::size_t{2} * stages * micro_batches;
  while (steps.size() < all) {
    std::uint32_t best = kNever;
    std::uint32_t best_start = kNever;
    for (std::uint32_t stage = 0; stage < stages; ++stage) {
      if (next[stage] == orders[stage].size()) {
        continue;
      }
      const PipelineStep& step = orders[stage][next[stage]];
      std::uint32_t ready = 0;
      if (!step.backward && stage > 0) {
        ready = ends[0][stage - 1][step.micro_batch];
      } else if (step.backward) {
        ready = stage + 1 < stages ? ends[1][stage + 1][step.micro_batch]
                                   : ends[0][stage][step.micro_batch];
      }
      if (ready != kNever && std::max(ready, free_at[stage]) < best_start) {
        best = stage;
        best_start = std::max(ready, free_at[stage]);
      }
    }
    TRNSIM_CHECK(best != kNever, "pipeline of {} stages stands still", stages);
    PipelineStep step = orders[best][next[best]++];
    step.start = best_start;
    free_at[best] = best_start + (step.backward ? 2 : 1);
    ends[step.backward ? 1 : 0][best][step.micro_batch] = free_at[best];
    steps.push_back(step);
  }
  std::stable_sort(steps.begin(), steps.end(), [](const PipelineStep& a, const PipelineStep& b) {
    return a.start != b.start ? a.start < b.start : a.stage < b.stage;
  });
  return steps;
}

}  // namespace trnsim::workload
