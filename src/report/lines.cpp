// Time by source line, for the engine that bounds the kernel.
#include <algorithm>
#include <set>

#include "trnsim/base/error.h"
#include "trnsim/report/run_report.h"

namespace trnsim::report {
namespace {

std::string file_name(const std::string& path) {
  const std::size_t slash = path.rfind('/');
  return slash == std::string::npos ? path : path.substr(slash + 1);
}

std::string place(const std::string& file, std::uint32_t line) {
  return file.empty() ? "(no source)" : fmt::format("{}:{}", file_name(file), line);
}

// The bounding engine if the verdict names one, else the one that is busiest.
trace::Engine shown_engine(const analysis::Metrics& metrics) {
  std::size_t best = 0;
  for (std::size_t e = 0; e < metrics.engines.size(); ++e) {
    if (metrics.engines[e].busy_fraction > metrics.engines[best].busy_fraction) {
      best = e;
    }
  }
  return static_cast<trace::Engine>(best);
}

}  // namespace

std::string lines_text(const RunEntry& entry) {
  constexpr std::size_t kMostRows = 20;
  const trace::Engine engine = shown_engine(entry.metrics);
  std::vector<sim::LineRecord> rows;
  for (const sim::LineRecord& line : entry.record.lines) {
    if (line.engine == engine) {
      rows.push_back(line);
    }
  }
  std::stable_sort(rows.begin(), rows.end(), [](const auto& a, const auto& b) {
    return a.busy_fs + a.idle_fs > b.busy_fs + b.idle_fs;
  });
  const auto total = static_cast<double>(entry.record.time.count);
  std::string out = fmt::format(
      "\n  {} by source line (% of the run; the busiest engine)\n"
      "  line                         steps    busy    wait  longest wait for\n",
      trace::name(engine));
  for (std::size_t i = 0; i < std::min(rows.size(), kMostRows); ++i) {
    const sim::LineRecord& row = rows[i];
    std::string wait;
    if (row.waited_fs > 0) {
      wait = fmt::format("{} {}", row.waited_queue, place(row.waited_file, row.waited_line));
    }
    out += fmt::format("  {:<25.25} {:>8} {:>5.1f} % {:>5.1f} %  {:.27}\n",
                       place(row.file, row.line), row.steps,
                       100 * static_cast<double>(row.busy_fs) / total,
                       100 * static_cast<double>(row.idle_fs) / total, wait);
  }
  if (rows.size() > kMostRows) {
    out += fmt::format("  and {} more lines; all engines and lines are in --json\n",
                       rows.size() - kMostRows);
  }
  return out;
}

}  // namespace trnsim::report
