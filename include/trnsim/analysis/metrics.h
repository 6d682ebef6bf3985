// Figures derived from a RunRecord: utilization, rates, and which resource bounds the run.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "trnsim/sim/run_record.h"
#include "trnsim/spec/system_spec.h"

namespace trnsim::analysis {

struct EngineMetrics {
  std::string name;               // "Tensor", ...
  std::uint64_t instructions = 0;
  double busy_us = 0;             // mean over the cores that ran
  double busy_fraction = 0;       // of the run
  std::array<double, sim::kIdleCauses> idle_fraction{};
};

struct HbmMetrics {
  std::uint64_t read_bytes = 0;
  std::uint64_t write_bytes = 0;
  double bandwidth_GBps = 0;      // all stacks together
  double utilization = 0;         // of the peak of the stacks in use
  double sustained_utilization = 0;  // of what they sustain
  double saturated_fraction = 0;  // share of the run in which demand exceeded it
};

struct DmaMetrics {
  std::uint64_t bytes = 0;
  std::uint64_t requests = 0;
  double bandwidth_GBps = 0;      // all engines together
  double busy_fraction = 0;       // mean over the engines of the cores that ran
};

enum class Bound : std::uint8_t { kEngine, kHbm, kDma, kLatency };

struct Verdict {
  Bound bound = Bound::kLatency;
  std::string resource;           // "Tensor", "HBM", "DMA", "latency"
  double utilization = 0;
  std::string text;               // one sentence for people
};

struct Metrics {
  double time_us = 0;
  double flops = 0;               // of the mathematical problem
  double achieved_pflops = 0;
  double peak_model_pflops = 0;   // tensor engines of the whole system
  double peak_published_pflops = 0;  // 0 = none published for this type
  double mfu = 0;                 // achieved / peak_model
  double active_pe_fraction = 0;  // counted FLOPs / what the tensor engines could have done
  double limited_fraction = 0;    // tensor time under the activity limiter
  std::array<EngineMetrics, trace::kEngineCount> engines{};
  HbmMetrics hbm;
  DmaMetrics dma;
  Verdict verdict;
};

[[nodiscard]] Metrics compute_metrics(const sim::RunRecord& record, const spec::SystemSpec& system);

// Kernels that run one after the other, each counted `repeat` times.
struct Totals {
  double time_us = 0;
  double flops = 0;
  double achieved_pflops = 0;
  double mfu = 0;                 // of the peak for each step's type
};
[[nodiscard]] Totals compute_totals(
    const std::vector<std::pair<const Metrics*, std::uint32_t>>& steps);

}  // namespace trnsim::analysis
