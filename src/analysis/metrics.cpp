// Derived figures; numerators and denominators are named where they meet.
#include "trnsim/analysis/metrics.h"

#include <algorithm>

#include "trnsim/base/error.h"
#include "trnsim/spec/peaks.h"

namespace trnsim::analysis {
namespace {

double ratio(double part, double whole) { return whole > 0 ? part / whole : 0; }

EngineMetrics engine_metrics(const sim::EngineRecord& engine, int index, double core_time_fs,
                             double cores) {
  EngineMetrics metrics;
  metrics.name = std::string(trace::name(static_cast<trace::Engine>(index)));
  metrics.instructions = engine.instructions;
  metrics.busy_us = ratio(static_cast<double>(engine.busy_fs) * 1e-9, cores);
  metrics.busy_fraction = ratio(static_cast<double>(engine.busy_fs), core_time_fs);
  for (std::size_t cause = 0; cause < engine.idle_fs.size(); ++cause) {
    metrics.idle_fraction[cause] = ratio(static_cast<double>(engine.idle_fs[cause]), core_time_fs);
  }
  return metrics;
}

HbmMetrics hbm_metrics(const sim::HbmRecord& hbm, const spec::HbmSpec& spec, double time_fs) {
  HbmMetrics metrics;
  metrics.read_bytes = hbm.read_bytes;
  metrics.write_bytes = hbm.write_bytes;
  const auto bytes = static_cast<double>(hbm.read_bytes + hbm.write_bytes);
  const auto stacks = static_cast<double>(hbm.stacks);
  metrics.bandwidth_GBps = ratio(bytes, time_fs * 1e-6);
  metrics.utilization = ratio(metrics.bandwidth_GBps, stacks * spec.peak_GBps_per_stack);
  metrics.sustained_utilization = ratio(metrics.utilization, spec.sustained_fraction);
  metrics.saturated_fraction = ratio(static_cast<double>(hbm.saturated_fs), stacks * time_fs);
  return metrics;
}

DmaMetrics dma_metrics(const sim::DmaRecord& dma, double time_fs) {
  DmaMetrics metrics;
  metrics.bytes = dma.bytes;
  for (const sim::DmaQueueRecord& queue : dma.queues) {
    metrics.requests += queue.requests;
  }
  metrics.bandwidth_GBps = ratio(static_cast<double>(dma.bytes), time_fs * 1e-6);
  metrics.busy_fraction =
      ratio(static_cast<double>(dma.busy_fs), static_cast<double>(dma.engines) * time_fs);
  return metrics;
}

// The cause that keeps an engine waiting longest, its own end aside.
std::size_t main_idle_cause(const EngineMetrics& engine) {
  const auto last = engine.idle_fraction.end() - 1;  // kFinished
  return static_cast<std::size_t>(std::max_element(engine.idle_fraction.begin(), last) -
                                  engine.idle_fraction.begin());
}

Verdict judge(const Metrics& metrics, const spec::SystemSpec& system) {
  // Below this no resource explains the time by being full.
  constexpr double kBusyEnough = 0.6;
  const auto busiest = std::max_element(
      metrics.engines.begin(), metrics.engines.end(),
      [](const EngineMetrics& a, const EngineMetrics& b) { return a.busy_fraction < b.busy_fraction; });
  Verdict verdict;
  // Where HBM is over-asked its DMA engines look busy too: HBM is then the cause.
  const double hbm = std::max(metrics.hbm.sustained_utilization, metrics.hbm.saturated_fraction);
  const bool memory = std::max(hbm, metrics.dma.busy_fraction) >= busiest->busy_fraction;
  if (memory && hbm >= kBusyEnough) {
    verdict = {Bound::kHbm, "HBM", metrics.hbm.sustained_utilization, ""};
    verdict.text = fmt::format(
        "HBM-bound: {:.0f} GB/s, {:.0f} % of what the stacks sustain ({:.0f} GB/s each), "
        "over-asked {:.0f} % of the time",
        metrics.hbm.bandwidth_GBps, 100 * metrics.hbm.sustained_utilization,
        system.chip.hbm.peak_GBps_per_stack * system.chip.hbm.sustained_fraction,
        100 * metrics.hbm.saturated_fraction);
  } else if (memory && metrics.dma.busy_fraction >= kBusyEnough) {
    verdict = {Bound::kDma, "DMA", metrics.dma.busy_fraction, ""};
    verdict.text = fmt::format(
        "DMA-bound: engines {:.0f} % busy ({} x {:.0f} GB/s per core), HBM {:.0f} % used",
        100 * metrics.dma.busy_fraction, system.chip.core.dma.engines,
        system.chip.core.dma.effective_GBps_per_engine, 100 * metrics.hbm.utilization);
  } else if (busiest->busy_fraction >= kBusyEnough) {
    verdict = {Bound::kEngine, busiest->name, busiest->busy_fraction, ""};
    verdict.text = fmt::format("{}-bound: that engine is {:.0f} % busy", busiest->name,
                               100 * busiest->busy_fraction);
  } else {
    // The tensor engine, or in a kernel without matmuls the engine that works to the end.
    const EngineMetrics& tensor = metrics.engines[0];
    const auto last = std::min_element(
        metrics.engines.begin(), metrics.engines.end(),
        [](const EngineMetrics& a, const EngineMetrics& b) {
          return a.idle_fraction.back() < b.idle_fraction.back();
        });
    const EngineMetrics& judged = tensor.instructions > 0 ? tensor : *last;
    const std::size_t cause = main_idle_cause(judged);
    verdict = {Bound::kLatency, "latency", busiest->busy_fraction, ""};
    verdict.text = fmt::format(
        "latency-bound: no resource is full; {} waits {:.0f} % of the time for {}", judged.name,
        100 * judged.idle_fraction[cause], sim::idle_cause_names()[cause]);
  }
  return verdict;
}

}  // namespace

Metrics compute_metrics(const sim::RunRecord& record, const spec::SystemSpec& system) {
  Metrics metrics;
  const auto time_fs = static_cast<double>(record.time.count);
  const auto cores = static_cast<double>(record.cores_used);
  metrics.time_us = record.time.us();
  metrics.flops = record.model_flops;
  metrics.achieved_pflops = ratio(record.model_flops, record.time.seconds()) * 1e-15;
  metrics.peak_model_pflops = spec::system_peak_pflops(system, record.dtype);
  metrics.peak_published_pflops = spec::system_published_pflops(system, record.dtype);
  metrics.mfu = ratio(metrics.achieved_pflops, metrics.peak_model_pflops);
  metrics.active_pe_fraction =
      ratio(record.counted_flops,
            spec::core_peak_tflops(system.chip.core, record.dtype) * 1e12 * cores *
                record.time.seconds());
  for (int e = 0; e < trace::kEngineCount; ++e) {
    const auto index = static_cast<std::size_t>(e);
    metrics.engines[index] = engine_metrics(record.engines[index], e, cores * time_fs, cores);
  }
  metrics.limited_fraction =
      ratio(static_cast<double>(record.engines[0].limited_fs), cores * time_fs);
  metrics.hbm = hbm_metrics(record.hbm, system.chip.hbm, time_fs);
  metrics.dma = dma_metrics(record.dma, time_fs);
  metrics.verdict = judge(metrics, system);
  return metrics;
}

Totals compute_totals(const std::vector<std::pair<const Metrics*, std::uint32_t>>& steps) {
  Totals totals;
  double possible = 0;
  for (const auto& [metrics, repeat] : steps) {
    totals.time_us += metrics->time_us * repeat;
    totals.flops += metrics->flops * repeat;
    possible += metrics->peak_model_pflops * 1e9 * metrics->time_us * repeat;
  }
  totals.achieved_pflops = ratio(totals.flops, totals.time_us * 1e9);
  totals.mfu = ratio(totals.flops, possible);
  return totals;
}

}  // namespace trnsim::analysis
