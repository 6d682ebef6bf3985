// Runs a distributed workload: kernels on cores, collectives over the network, both under one clock.
#pragma once

#include <csignal>
#include <string>
#include <vector>

#include "trnsim/sim/run_record.h"
#include "trnsim/spec/system_spec.h"
#include "trnsim/workload/graph_job.h"

namespace trnsim::sim {

enum class NetworkModel : std::uint8_t { kAnalytic, kFlow, kPacket };

struct GraphOptions {
  NetworkModel network = NetworkModel::kFlow;
  // Chips whose ranks run the same are simulated once. Exact, or an Error: the run checks that the ranks
  // that are left out would have started everything at the same time (to a nanosecond: rounding).
  bool folded = true;
  const volatile std::sig_atomic_t* stop_flag = nullptr;
};

// One node of the graph over all its ranks.
struct NodeRecord {
  // Kernel: launch. Collective: all ranks of the group have triggered it.
  Femtos first_start = kNever;
  Femtos last_start{0};
  Femtos first_end = kNever;
  Femtos last_end{0};
  std::uint64_t busy_fs = 0;         // sum over ranks of end - start
  std::uint64_t wait_fs = 0;         // collective: sum over ranks from trigger to start
  std::uint32_t ranks = 0;
};

// One slice of the timeline of one rank.
struct RankSlice {
  std::uint32_t rank = 0;
  std::uint32_t node = 0;
  Femtos ready{0};
  Femtos start{0};
  Femtos end{0};
};

struct ResourceRecord {
  std::string name;
  fabric::ResourceKind kind = fabric::ResourceKind::kLink;
  double capacity_GBps = 0;
  double bytes = 0;                  // multiplicities counted
  std::uint64_t busy_fs = 0;
};

// Sums over ranks; each rank's time is divided exactly: compute + exposed + idle = time.
struct RankTimeRecord {
  std::uint64_t compute_fs = 0;      // a kernel runs
  std::uint64_t hidden_fs = 0;       // ... and a collective as well
  std::uint64_t exposed_fs = 0;      // a collective that all ranks have reached, and no kernel
  std::uint64_t idle_fs = 0;         // neither: waits for other ranks
};

struct GraphRecord {
  Femtos time{0};
  std::uint32_t ranks = 0;
  std::uint32_t simulated_chips = 0;
  std::uint32_t chips = 0;
  NetworkModel network = NetworkModel::kFlow;
  bool folded = false;
  RankTimeRecord rank_time;
  std::vector<NodeRecord> nodes;     // as in the job
  std::vector<ResourceRecord> resources;
  std::vector<RankSlice> timeline;   // of the ranks of the first chip of each class
  std::array<EngineRecord, trace::kEngineCount> engines{};  // all cores of all ranks
  std::uint64_t hbm_bytes = 0;       // by kernels, all chips
  double counted_flops = 0;          // of the tensor engines
  double model_flops = 0;
  std::uint64_t instructions = 0;    // hardware instructions that were simulated
  std::uint64_t transfers = 0;       // of collectives
  std::uint64_t wakeups = 0;
  double wall_seconds = 0;
};

// Deterministic, wall_seconds aside. Throws Error (a workload that deadlocks names what waits; folding
// that does not hold), Interrupted, InternalError.
[[nodiscard]] GraphRecord simulate_graph(const spec::SystemSpec& system,
                                         const workload::GraphJob& job,
                                         const GraphOptions& options = {});

}  // namespace trnsim::sim
