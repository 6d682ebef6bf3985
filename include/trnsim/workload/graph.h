// A distributed workload as a graph: kernels, traces, collectives and transfers with their order,
// written once for all ranks. Files and keys: docs/workloads.md.
#pragma once

#include <cstdint>
#include <nlohmann/json.hpp>
#include <string>
#include <utility>
#include <vector>

#include "trnsim/base/dtype.h"
#include "trnsim/base/error.h"
#include "trnsim/collectives/dag.h"
#include "trnsim/fabric/movement.h"
#include "trnsim/lower/options.h"
#include "trnsim/spec/system_spec.h"
#include "trnsim/workload/graph_job.h"

namespace trnsim::workload {

enum class RankUnit : std::uint8_t { kChip, kLogicalCore, kCore };

// How ranks are numbered: tp innermost, then cp, dp, pp; the product is the number of ranks.
// Experts lie across: an ep group takes every etp-th of etp x ep consecutive ranks of one pipeline
// stage.
struct Parallel {
  std::uint32_t tp = 1;
  std::uint32_t cp = 1;
  std::uint32_t dp = 1;
  std::uint32_t pp = 1;
  std::uint32_t ep = 1;
  std::uint32_t etp = 1;

  [[nodiscard]] std::uint32_t stage() const { return tp * cp * dp; }  // ranks of one
  [[nodiscard]] std::uint32_t ranks() const { return stage() * pp; }
  friend bool operator==(const Parallel&, const Parallel&) = default;
};

enum class NodeKind : std::uint8_t { kKernel, kTrace, kCollective, kTransfer, kWork };

struct GraphNode {
  std::string name;
  NodeKind kind = NodeKind::kKernel;
  // Nodes that a rank finishes first; one that does not run on a rank does not hold it up.
  std::vector<std::string> after;
  std::string ranks = "all";  // kernel, trace, work: "all", "0-15", "stage:2"
  // Kernel: a name of kernel_request.h and its parameters as text.
  std::string kernel;
  std::vector<std::pair<std::string, std::string>> arguments;
  std::string trace_path;  // trace: each core (LNC=1) or each logical core of the rank runs it
  double overhead_us = 0;  // software before a kernel, trace or work starts
  // Work: no instructions, only the longer of the two at the rank's peak rates.
  double flops = 0;
  std::uint64_t hbm_bytes = 0;
  DType dtype = DType::kBFloat16;
  // Collective; a transfer is a permute of `send` to `receive`, pair by pair.
  collectives::Op op = collectives::Op::kAllReduce;
  collectives::Algorithm algorithm = collectives::Algorithm::kAuto;
  std::uint64_t bytes = 0;  // as in collectives/dag.h
  // As collectives::parse_groups, or an axis: "tp", "cp", "dp", "pp", "ep", "etp"; "tp@stage:1".
  std::string groups = "all";
  std::string send;  // ranks as above
  std::string receive;
  fabric::Space space = fabric::Space::kHbm;
  std::uint8_t priority = 0;
  std::uint32_t stream = 0;  // 0 .. 3
  Location where;
  Location groups_where;  // of `groups`, or of `send`

  [[nodiscard]] bool communicates() const {
    return kind == NodeKind::kCollective || kind == NodeKind::kTransfer;
  }
};

struct Graph {
  std::string name;
  std::string system;  // that the file is meant for; may be empty
  RankUnit rank = RankUnit::kChip;
  std::uint32_t ranks = 0;  // 0 = the product of `parallel` where there is one, else the system's
  Parallel parallel;
  bool has_parallel = false;
  std::vector<GraphNode> nodes;
  // As in GraphJob. model_flops 0: the sum over the nodes.
  double model_flops = 0;
  double tokens = 0;
  double layers_scale = 1;
  std::string rate_name;
  nlohmann::ordered_json description;  // where the nodes come from, e.g. a transformer's parameters
};

// Same nodes in the same order and the same figures; locations and description do not count.
[[nodiscard]] bool same_graph(const Graph& a, const Graph& b);

// A workload file (YAML) with 'nodes' or 'transformer', or JSON Lines. Nodes come sorted: after
// what they come after, otherwise as written. Throws Error with all findings, each with
// file:line:column: unknown, missing or wrong keys and values, unknown 'after', cycles.
[[nodiscard]] Graph load_graph(const std::string& path);
// True for *.jsonl that starts with a graph header, and for YAML with a top-level 'nodes' or
// 'transformer'. Unreadable files are none.
[[nodiscard]] bool is_graph_file(const std::string& path);
// The graph as JSON Lines: a header, then a node per line. load_graph gives the same graph again.
[[nodiscard]] std::string to_jsonl(const Graph& graph);

// Findings about `after`: unknown names, names given twice, cycles. Sorts the nodes when there are
// none.
[[nodiscard]] std::vector<Finding> check_and_sort(std::vector<GraphNode>& nodes);

// Kernels are placed on the cores of one rank, equal ones once. Throws Error with the locations of
// the nodes: ranks and groups that do not exist on this system, kernels or collectives that cannot
// be.
[[nodiscard]] GraphJob make_job(const Graph& graph, const spec::SystemSpec& system,
                                const lower::Options& lowering);

// "chip", "logical_core", "core"; nothing else is one.
[[nodiscard]] const char* name(RankUnit unit);

}  // namespace trnsim::workload
