// Figures derived from a GraphRecord.
#include "trnsim/report/graph_report.h"
#include "trnsim/spec/peaks.h"

namespace trnsim::report {

const char* name(sim::NetworkModel network) {
  constexpr const char* kNames[] = {"analytic", "flow", "packet"};
  return kNames[static_cast<std::size_t>(network)];
}

GraphMetrics graph_metrics(const spec::SystemSpec& system, const GraphEntry& entry) {
  const sim::GraphRecord& record = entry.record;
  GraphMetrics metrics;
  metrics.time_us = record.time.us();
  metrics.scaled_us = metrics.time_us * entry.job.layers_scale;
  if (metrics.time_us <= 0) {
    return metrics;
  }
  metrics.tokens_per_second = entry.job.tokens / (metrics.scaled_us * 1e-6);
  metrics.pflops = record.model_flops / record.time.seconds() * 1e-15;
  metrics.peak_pflops = spec::core_peak_tflops(system.chip.core, DType::kBFloat16) * 1e-3 *
                        record.ranks * entry.job.cores_per_rank;
  metrics.mfu = metrics.pflops / metrics.peak_pflops;
  const auto share = [&](std::uint64_t fs) {
    return static_cast<double>(fs) / (static_cast<double>(record.time.count) * record.ranks);
  };
  metrics.compute_share = share(record.rank_time.compute_fs);
  metrics.exposed_share = share(record.rank_time.exposed_fs);
  metrics.idle_share = share(record.rank_time.idle_fs);
  const double communication =
      static_cast<double>(record.rank_time.hidden_fs + record.rank_time.exposed_fs);
  metrics.hidden_share =
      communication > 0 ? static_cast<double>(record.rank_time.hidden_fs) / communication : 0;
  return metrics;
}

}  // namespace trnsim::report
