// The JSON record.
#include <cmath>

#include "trnsim/base/error.h"
#include "trnsim/report/run_report.h"

namespace trnsim::report {
namespace {

using nlohmann::ordered_json;

// NaN and infinity would be written as null without a word.
double finite(double value) {
  TRNSIM_CHECK(std::isfinite(value), "a figure of the report is not finite");
  return value;
}

ordered_json engines_json(const RunEntry& entry) {
  ordered_json engines;
  for (std::size_t e = 0; e < entry.metrics.engines.size(); ++e) {
    const analysis::EngineMetrics& m = entry.metrics.engines[e];
    ordered_json idle;
    for (std::size_t cause = 0; cause < m.idle_fraction.size(); ++cause) {
      idle[sim::idle_cause_names()[cause]] = finite(m.idle_fraction[cause]);
    }
    std::string key = m.name;
    key[0] = static_cast<char>(std::tolower(key[0]));
    engines[key == "gpSimd" ? "gpsimd" : key] = {{"busy_us", finite(m.busy_us)},
                                                 {"busy_fraction", finite(m.busy_fraction)},
                                                 {"instructions", m.instructions},
                                                 {"idle_fraction", idle}};
  }
  engines["tensor"]["limited_fraction"] = finite(entry.metrics.limited_fraction);
  engines["scalar"]["table_loads"] =
      entry.record.engines[static_cast<std::size_t>(trace::Engine::kScalar)].table_loads;
  return engines;
}

ordered_json dma_json(const RunEntry& entry) {
  ordered_json queues;
  for (const sim::DmaQueueRecord& queue : entry.record.dma.queues) {
    queues[queue.name] = {{"requests", queue.requests}, {"bytes", queue.bytes}};
  }
  const analysis::DmaMetrics& m = entry.metrics.dma;
  return {{"requests", m.requests},
          {"bytes", m.bytes},
          {"bandwidth_GBps", finite(m.bandwidth_GBps)},
          {"engine_busy_fraction", finite(m.busy_fraction)},
          {"queues", queues}};
}

ordered_json lines_json(const RunEntry& entry) {
  ordered_json lines = ordered_json::array();
  for (const sim::LineRecord& line : entry.record.lines) {
    lines.push_back({{"file", line.file},
                     {"line", line.line},
                     {"engine", trace::name(line.engine)},
                     {"steps", line.steps},
                     {"busy_us", Femtos{line.busy_fs}.us()},
                     {"wait_us", Femtos{line.idle_fs}.us()},
                     {"longest_wait",
                      {{"queue", line.waited_queue},
                       {"file", line.waited_file},
                       {"line", line.waited_line},
                       {"us", Femtos{line.waited_fs}.us()}}}});
  }
  return lines;
}

// The kernel time on the other clocks that measurements use.
ordered_json launch_json(const spec::LaunchSpec& launch, double kernel_us) {
  return {{"preamble_us", finite(launch.preamble_us)},
          {"tail_us", finite(launch.tail_us)},
          {"profile_total_us", finite(kernel_us + launch.profile_total_us())},
          {"active_us", finite(kernel_us + launch.active_us())},
          {"counter_us", finite(kernel_us + launch.counter_us())},
          {"nc_latency_us", finite(kernel_us + launch.nc_latency_us())}};
}

ordered_json system_json(const spec::LoadedSystem& system) {
  const spec::SystemSpec& s = system.spec;
  return {{"name", s.name},       {"chips", s.chips()}, {"cores", s.cores()},
          {"servers", s.servers}, {"lnc", s.lnc}};
}

// Everything of one kernel but system, configuration and schema.
ordered_json entry_json(const spec::LoadedSystem& system, const RunEntry& entry) {
  const analysis::Metrics& m = entry.metrics;
  const sim::RunRecord& r = entry.record;
  ordered_json out;
  out["label"] = entry.label;
  out["workload"] = entry.workload;
  out["lowering"] = r.lowering;
  if (entry.look_ahead_us > 0) {
    out["bracket"] = {{"program_order_us", finite(m.time_us)},
                      {"look_ahead_us", finite(entry.look_ahead_us)},
                      {"look_ahead_lowering", entry.look_ahead_lowering}};
  }
  out["cores_used"] = r.cores_used;
  out["time_us"] = finite(m.time_us);
  out["launch"] = launch_json(system.spec.launch, m.time_us);
  out["flops"] = finite(m.flops);
  out["counted_flops"] = finite(r.counted_flops);
  out["dtype"] = name(r.dtype);
  out["achieved_pflops"] = finite(m.achieved_pflops);
  out["peak_pflops"] = {{"model", finite(m.peak_model_pflops)},
                        {"published", finite(m.peak_published_pflops)}};
  out["mfu"] = finite(m.mfu);
  out["bound"] = {{"resource", m.verdict.resource},
                  {"utilization", finite(m.verdict.utilization)},
                  {"text", m.verdict.text}};
  out["engines"] = engines_json(entry);
  out["hbm"] = {{"read_bytes", m.hbm.read_bytes},
                {"write_bytes", m.hbm.write_bytes},
                {"bandwidth_GBps", finite(m.hbm.bandwidth_GBps)},
                {"utilization", finite(m.hbm.utilization)},
                {"saturated_fraction", finite(m.hbm.saturated_fraction)},
                {"row_hits", r.hbm.row_hits},
                {"row_misses", r.hbm.row_misses}};
  out["dma"] = dma_json(entry);
  out["memory"] = {
      {"sbuf_peak_bytes_per_partition", r.alloc.sbuf_peak_bytes_per_partition},
      {"psum_peak_bytes_per_partition", r.alloc.psum_peak_bytes_per_partition},
      {"spills", r.alloc.spills},
      {"spill_bytes", r.alloc.spill_bytes}};
  out["instructions"] = r.instructions;
  out["trace_instructions"] = r.trace_instructions;
  out["elided_memsets"] = r.elided_memsets;
  if (!r.lines.empty()) {
    out["lines"] = lines_json(entry);
  }
  out["wakeups"] = r.wakeups;
  out["wall_seconds"] = finite(r.wall_seconds);
  return out;
}

ordered_json envelope(const spec::LoadedSystem& system) {
  ordered_json out;
  out["schema"] = kRunSchema;
  out["trnsim_version"] = TRNSIM_VERSION;
  out["system"] = system_json(system);
  out["config_hash"] = system.hash;
  out["launch_overhead_us"] = finite(system.spec.launch_overhead_us);
  return out;
}

}  // namespace

ordered_json json(const spec::LoadedSystem& system, const RunEntry& entry) {
  ordered_json out = envelope(system);
  out.update(entry_json(system, entry));
  out["config"] = spec::to_json(system);
  return out;
}

ordered_json json(const spec::LoadedSystem& system, const std::vector<RunEntry>& entries,
                  const std::string& name) {
  ordered_json out = envelope(system);
  out["workload"] = {{"name", name}, {"steps", entries.size()}};
  std::vector<std::pair<const analysis::Metrics*, std::uint32_t>> steps_run;
  std::uint64_t instructions = 0;
  double wall = 0;
  ordered_json steps = ordered_json::array();
  for (const RunEntry& entry : entries) {
    steps_run.emplace_back(&entry.metrics, entry.repeat);
    instructions += entry.record.instructions;
    wall += entry.record.wall_seconds;
    steps.push_back(entry_json(system, entry));
    steps.back()["repeat"] = entry.repeat;
  }
  const analysis::Totals totals = analysis::compute_totals(steps_run);
  out["time_us"] = finite(totals.time_us);
  out["flops"] = finite(totals.flops);
  out["achieved_pflops"] = finite(totals.achieved_pflops);
  out["mfu"] = finite(totals.mfu);
  out["instructions"] = instructions;
  out["wall_seconds"] = finite(wall);
  out["steps"] = steps;
  out["config"] = spec::to_json(system);
  return out;
}

}  // namespace trnsim::report
