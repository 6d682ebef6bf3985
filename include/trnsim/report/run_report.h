// Views of one or several runs on one system: text, JSON, CSV.
#pragma once

#include <iosfwd>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "trnsim/analysis/metrics.h"
#include "trnsim/sim/run_record.h"
#include "trnsim/spec/loader.h"

namespace trnsim::report {

inline constexpr const char* kRunSchema = "trnsim.run/1";

// One simulated kernel.
struct RunEntry {
  std::string label;
  nlohmann::ordered_json workload;
  sim::RunRecord record;
  analysis::Metrics metrics;
  double look_ahead_us = 0;       // time with a look-ahead, the other end of the bracket; 0 = none
  std::string look_ahead_lowering;
  std::uint32_t repeat = 1;       // of a workload step: counted that often in totals
};

// What fits 80 columns, for one entry.
// verbose: also DMA queues and what lowering did.
[[nodiscard]] std::string text(const spec::LoadedSystem& system, const RunEntry& entry,
                               bool verbose = false);

// The lines of the kernel's source by time on the busiest engine; needs sim::Options::by_line.
[[nodiscard]] std::string lines_text(const RunEntry& entry);

// Totals of a workload of several kernels that ran one after the other.
[[nodiscard]] std::string totals_text(const spec::LoadedSystem& system,
                                      const std::vector<RunEntry>& entries,
                                      const std::string& name);

// The whole record with resolved configuration. wall_seconds and what follows from it are the only
// fields that differ between two runs of the same input.
[[nodiscard]] nlohmann::ordered_json json(const spec::LoadedSystem& system, const RunEntry& entry);
// {"schema", ..., "steps": [...]} for a workload of several kernels that ran one after the other.
[[nodiscard]] nlohmann::ordered_json json(const spec::LoadedSystem& system,
                                          const std::vector<RunEntry>& entries,
                                          const std::string& name);
// Header line and one row per entry.
void csv(const spec::LoadedSystem& system, const std::vector<RunEntry>& entries, std::ostream& out);

// Trace-event JSON that ui.perfetto.dev and chrome://tracing read: one process per core, one track per
// engine and DMA queue; times in microseconds.
void perfetto(const spec::LoadedSystem& system, const std::vector<RunEntry>& entries,
              std::ostream& out);

}  // namespace trnsim::report
