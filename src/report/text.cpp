// The terminal report, at most 80 columns.
#include <algorithm>
#include <array>

#include "trnsim/base/error.h"
#include "trnsim/report/run_report.h"

namespace trnsim::report {
namespace {

std::string bytes_text(double bytes) {
  constexpr std::array<const char*, 6> kUnits{"B", "KiB", "MiB", "GiB", "TiB", "PiB"};
  std::size_t unit = 0;
  while (bytes >= 1024 && unit + 1 < kUnits.size()) {
    bytes /= 1024;
    ++unit;
  }
  return unit == 0 ? fmt::format("{:.0f} B", bytes) : fmt::format("{:.2f} {}", bytes, kUnits[unit]);
}

std::string time_text(double us) {
  if (us >= 1e6) {
    return fmt::format("{:.4f} s", us * 1e-6);
  }
  return us >= 1000 ? fmt::format("{:.4f} ms", us * 1e-3) : fmt::format("{:.3f} us", us);
}

std::string flops_text(double pflops) {
  return pflops >= 1 ? fmt::format("{:.2f} PFLOPS", pflops)
                     : fmt::format("{:.2f} TFLOPS", pflops * 1000);
}

std::string count_text(std::uint64_t count) {
  std::string digits = fmt::format("{}", count);
  for (int at = static_cast<int>(digits.size()) - 3; at > 0; at -= 3) {
    digits.insert(static_cast<std::size_t>(at), ",");
  }
  return digits;
}

std::string counted(std::uint64_t count, const char* what) {
  return fmt::format("{} {}{}", count, what, count == 1 ? "" : "s");
}

std::string cut(const std::string& text, std::size_t width) {
  return text.size() <= width ? text : text.substr(0, width - 3) + "...";
}

// `text` behind `label`, broken between words before column 80 and continued below its start.
std::string indented(const std::string& label, std::string text) {
  std::string out;
  std::string margin = label;
  while (margin.size() + text.size() > 80) {
    const std::size_t space = text.rfind(' ', 80 - margin.size());
    if (space == std::string::npos || space == 0) {
      break;
    }
    out += margin + text.substr(0, space) + "\n";
    text.erase(0, space + 1);
    margin = std::string(label.size(), ' ');
  }
  return out + margin + text + "\n";
}

// The three largest idle causes of an engine.
std::string idle_text(const analysis::EngineMetrics& engine) {
  std::vector<std::pair<double, std::string>> causes;
  for (std::size_t cause = 0; cause < engine.idle_fraction.size(); ++cause) {
    if (engine.idle_fraction[cause] >= 0.0005) {
      causes.emplace_back(engine.idle_fraction[cause], sim::idle_cause_names()[cause]);
    }
  }
  std::stable_sort(causes.begin(), causes.end(),
                   [](const auto& a, const auto& b) { return a.first > b.first; });
  std::string text;
  for (std::size_t i = 0; i < std::min<std::size_t>(3, causes.size()); ++i) {
    text += fmt::format("{}{} {:.1f}%", i == 0 ? "" : ", ", causes[i].second, 100 * causes[i].first);
  }
  return text;
}

void headline(std::string& out, const spec::LoadedSystem& system, const RunEntry& entry) {
  const analysis::Metrics& m = entry.metrics;
  const spec::SystemSpec& s = system.spec;
  out += fmt::format("{}\n", cut(entry.label, 80));
  out += fmt::format("on {}: {}, {} ({} used), LNC={}\n\n", s.name, counted(s.chips(), "chip"),
                     counted(s.cores(), "core"), entry.record.cores_used, s.lnc);
  out += fmt::format("  time        {:<22} {}\n", time_text(m.time_us),
                     fmt::format("+ {:.0f} us launch, not included", s.launch_overhead_us));
  out += fmt::format("  profile     {:<22} with pre-amble and tail (profiler total)\n",
                     time_text(m.time_us + s.launch.profile_total_us()));
  if (entry.look_ahead_us > 0) {
    out += fmt::format("  bracket     {:<22} with a look-ahead; a compiler comes out between\n",
                       time_text(entry.look_ahead_us));
  }
  if (m.flops > 0) {
    out += fmt::format("  achieved    {:<22} {} on {}\n", flops_text(m.achieved_pflops),
                       fmt::format("{:.4g} FLOPs", m.flops), name(entry.record.dtype));
    out += fmt::format("  MFU         {:<22} of {} model peak\n",
                       fmt::format("{:.1f} %", 100 * m.mfu), flops_text(m.peak_model_pflops));
    if (m.peak_published_pflops > 0) {
      out += fmt::format("              {:<22} of {} published peak\n",
                         fmt::format("{:.1f} %", 100 * m.achieved_pflops / m.peak_published_pflops),
                         flops_text(m.peak_published_pflops));
    }
  }
  out += indented("  bound       ", m.verdict.text) + "\n";
}

void memory_lines(std::string& out, const RunEntry& entry) {
  const analysis::Metrics& m = entry.metrics;
  out += fmt::format("  HBM         read {}, write {}\n",
                     bytes_text(static_cast<double>(m.hbm.read_bytes)),
                     bytes_text(static_cast<double>(m.hbm.write_bytes)));
  out += fmt::format("              {:.1f} GB/s, {:.1f} % of peak, saturated {:.1f} % of the time\n",
                     m.hbm.bandwidth_GBps, 100 * m.hbm.utilization, 100 * m.hbm.saturated_fraction);
  out += fmt::format("  DMA         {} requests, {}, {:.1f} GB/s, engines {:.1f} % busy\n",
                     count_text(m.dma.requests), bytes_text(static_cast<double>(m.dma.bytes)),
                     m.dma.bandwidth_GBps, 100 * m.dma.busy_fraction);
  const lower::AllocReport& alloc = entry.record.alloc;
  out += fmt::format("  SBUF/PSUM   peak {} / {} per partition",
                     bytes_text(static_cast<double>(alloc.sbuf_peak_bytes_per_partition)),
                     bytes_text(static_cast<double>(alloc.psum_peak_bytes_per_partition)));
  out += alloc.spills == 0 ? ", no spills\n"
                           : fmt::format(", {} spills ({})\n", alloc.spills,
                                         bytes_text(static_cast<double>(alloc.spill_bytes)));
}

void detail_lines(std::string& out, const RunEntry& entry) {
  out += "\n  DMA queue               requests         bytes\n";
  for (const sim::DmaQueueRecord& queue : entry.record.dma.queues) {
    if (queue.requests > 0) {
      out += fmt::format("  {:<20} {:>11} {:>13}\n", queue.name, count_text(queue.requests),
                         bytes_text(static_cast<double>(queue.bytes)));
    }
  }
  out += fmt::format("\n  {} trace instructions; {} PSUM memsets elided; {} table loads; {} wake-ups\n",
                     count_text(entry.record.trace_instructions), entry.record.elided_memsets,
                     entry.record.engines[static_cast<std::size_t>(trace::Engine::kScalar)].table_loads,
                     count_text(entry.record.wakeups));
}

analysis::Totals sum(const std::vector<RunEntry>& entries) {
  std::vector<std::pair<const analysis::Metrics*, std::uint32_t>> steps;
  for (const RunEntry& entry : entries) {
    steps.emplace_back(&entry.metrics, entry.repeat);
  }
  return analysis::compute_totals(steps);
}

}  // namespace

std::string text(const spec::LoadedSystem& system, const RunEntry& entry, bool verbose) {
  const analysis::Metrics& m = entry.metrics;
  const sim::RunRecord& r = entry.record;
  std::string out;
  headline(out, system, entry);
  out += "  engine      busy     instructions  idle, by what it waited for last\n";
  for (const analysis::EngineMetrics& engine : m.engines) {
    out += fmt::format("  {:<8} {:>6.1f} % {:>15}  {}\n", engine.name, 100 * engine.busy_fraction,
                       count_text(engine.instructions), cut(idle_text(engine), 42));
  }
  if (m.limited_fraction > 0) {
    out += fmt::format("  Tensor ran {:.1f} % of the time at the start-up limiter's half rate\n",
                       100 * m.limited_fraction);
  }
  out += "\n";
  memory_lines(out, entry);
  if (verbose) {
    detail_lines(out, entry);
  }
  const double rate = r.wall_seconds > 0 ? static_cast<double>(r.instructions) / r.wall_seconds : 0;
  out += fmt::format("\n  simulated   {} instructions in {:.2f} s wall ({:.2f} M/s)\n",
                     count_text(r.instructions), r.wall_seconds, rate * 1e-6);
  out += fmt::format("  config      {}, HBM model {}\n", system.hash.substr(0, 12),
                     system.spec.chip.hbm.model == spec::HbmModel::kBanked ? "banked" : "bandwidth");
  out += indented("  lowering    ", r.lowering);
  return out;
}

std::string totals_text(const spec::LoadedSystem& system, const std::vector<RunEntry>& entries,
                        const std::string& name) {
  const analysis::Totals totals = sum(entries);
  std::string out = fmt::format("{} on {}, {} steps\n\n", cut(name, 40), system.spec.name,
                                entries.size());
  out += "  step                                          x     time each    share\n";
  for (const RunEntry& entry : entries) {
    out += fmt::format("  {:<42} {:>4} {:>13} {:>6.1f} %\n", cut(entry.label, 42), entry.repeat,
                       time_text(entry.metrics.time_us),
                       100 * entry.metrics.time_us * entry.repeat / totals.time_us);
  }
  out += fmt::format("\n  total {}, {}, MFU {:.1f} %\n", time_text(totals.time_us),
                     flops_text(totals.achieved_pflops), 100 * totals.mfu);
  return out;
}

}  // namespace trnsim::report
