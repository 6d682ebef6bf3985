// A distributed workload made concrete for one system: what every rank runs, in which order, and what the
// ranks exchange. Made from a graph (graph.h), run by sim.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "trnsim/collectives/generate.h"
#include "trnsim/collectives/select.h"
#include "trnsim/fabric/movement.h"
#include "trnsim/lower/program.h"

namespace trnsim::workload {

enum class JobKind : std::uint8_t { kKernel, kCollective };

// One replica group of a collective.
struct GroupRun {
  collectives::Group group;
  std::shared_ptr<const collectives::Dag> dag;
};

struct JobNode {
  std::string name;                          // "layer.qkv"
  JobKind kind = JobKind::kKernel;
  std::vector<std::uint32_t> after;          // nodes before this one in the list; of the same rank
  std::vector<std::uint32_t> ranks;          // ascending; empty = all. Collective: those of its groups
  // Kernel: program of each core of the rank, null = idle. Kernels of a rank run one after the other, in
  // list order, each on all its cores.
  std::vector<std::shared_ptr<const lower::Program>> programs;
  double flops = 0;                          // of the mathematical problem, one rank
  double overhead_us = 0;                    // before the kernel starts: software, not the kernel
  // Collective: a rank joins when what it comes after is done; it starts when the whole group has
  // joined. Collectives of one stream of a rank run one after the other, in list order.
  std::vector<GroupRun> groups;
  collectives::Op op = collectives::Op::kAllReduce;
  collectives::Selection selection;
  std::uint64_t bytes = 0;                   // as in collectives/dag.h
  fabric::Space space = fabric::Space::kHbm;
  std::uint8_t priority = 0;
  std::uint32_t stream = 0;                  // 0 .. 3
};

struct GraphJob {
  std::string label;                         // "llama-3.1-405b layer TP64"
  nlohmann::ordered_json description;        // parameters, for the record
  std::uint32_t cores_per_rank = 1;
  fabric::RankMap ranks;
  std::vector<JobNode> nodes;
  // Figures that turn a time into rates; 0 = does not apply.
  double model_flops = 0;                    // of all ranks together
  double tokens = 0;                         // processed (prefill, training) or made (decode) by one run
  double layers_scale = 1;                   // the run stands for this many times its own length
  std::string rate_name;                     // "TTFT", "TPOT", "step"; of time x layers_scale
};

}  // namespace trnsim::workload
