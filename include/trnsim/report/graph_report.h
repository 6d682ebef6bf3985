// Views of a distributed run: text, JSON, timeline.
#pragma once

#include <iosfwd>
#include <string>

#include <nlohmann/json.hpp>

#include "trnsim/sim/graph.h"
#include "trnsim/spec/loader.h"

namespace trnsim::report {

inline constexpr const char* kGraphSchema = "trnsim.graph/1";

struct GraphEntry {
  const workload::GraphJob& job;
  const sim::GraphRecord& record;
};

// "analytic", "flow", "packet".
[[nodiscard]] const char* name(sim::NetworkModel network);

// What fits 80 columns: time and rates, how ranks spend it, the nodes, the busiest links.
[[nodiscard]] std::string graph_text(const spec::LoadedSystem& system, const GraphEntry& entry);
// Everything, with the resolved configuration. Only wall_seconds differs between equal runs.
[[nodiscard]] nlohmann::ordered_json graph_json(const spec::LoadedSystem& system,
                                                const GraphEntry& entry);
// For ui.perfetto.dev: one process per rank that was simulated, a track for kernels and one per stream.
void graph_perfetto(const GraphEntry& entry, std::ostream& out);

// Derived figures. Times in us, of one run of the job.
struct GraphMetrics {
  double time_us = 0;
  double scaled_us = 0;                // time x layers_scale
  double tokens_per_second = 0;        // 0 = the job names no tokens
  double pflops = 0;                   // of the mathematical problem
  double peak_pflops = 0;              // bf16, tensor engines of all ranks
  double mfu = 0;                      // pflops over peak
  double compute_share = 0;            // of the ranks' time
  double exposed_share = 0;
  double idle_share = 0;
  double hidden_share = 0;             // of the time in collectives
};
[[nodiscard]] GraphMetrics graph_metrics(const spec::SystemSpec& system, const GraphEntry& entry);

}  // namespace trnsim::report
