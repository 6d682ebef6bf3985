// nccom-test on the model: one collective over sizes, timed alone on an idle system.
#pragma once

#include <csignal>
#include <optional>
#include <ostream>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "trnsim/collectives/plan.h"
#include "trnsim/sim/graph.h"
#include "trnsim/spec/loader.h"

namespace trnsim::study {

struct CollectiveRequest {
  collectives::Op op = collectives::Op::kAllReduce;
  std::vector<std::uint64_t> sizes;          // bytes, as nccom-test counts them (collectives/dag.h)
  std::uint32_t cores_per_rank = 0;          // 0 = a logical NeuronCore
  std::uint32_t ranks = 0;                   // first ones of the system; 0 = all
  std::string groups = "all";                // collectives::parse_groups; all run at the same time
  collectives::Algorithm algorithm = collectives::Algorithm::kAuto;
  fabric::Space space = fabric::Space::kHbm;
  sim::NetworkModel network = sim::NetworkModel::kFlow;
  const volatile std::sig_atomic_t* stop_flag = nullptr;
};

struct CollectivePoint {
  std::uint64_t bytes = 0;
  double time_us = 0;
  double algbw_GBps = 0;                     // decimal
  double busbw_GBps = 0;
  collectives::Selection selection;
  std::uint32_t steps = 0;
  std::uint64_t transfers = 0;
  std::string bottleneck;                    // resource that is busiest for its rate
  double bottleneck_utilization = 0;         // bytes over rate x time
};

struct CollectiveSweep {
  std::uint32_t ranks = 0;                   // of the system
  std::uint32_t group_size = 0;
  std::uint32_t groups = 0;
  std::string shape;                         // of the first group
  std::vector<CollectivePoint> points;
};

// Throws Error for groups that cannot be, an algorithm that does not suit, sizes too small to divide.
[[nodiscard]] CollectiveSweep sweep_collective(const spec::LoadedSystem& system,
                                               const CollectiveRequest& request);

// A measured point of a user's nccom-test output: columns or a table with size and time.
struct MeasuredCollective {
  std::uint64_t bytes = 0;
  double time_us = 0;
};
// Reads the text table nccom-test prints or a CSV with columns for size and time (bytes and us; names
// such as size(B), bytes, time(us), time_us, time). Throws Error with file:line for anything else.
[[nodiscard]] std::vector<MeasuredCollective> read_nccom(const std::string& path);

[[nodiscard]] std::string collective_text(const spec::LoadedSystem& system,
                                          const CollectiveRequest& request,
                                          const CollectiveSweep& sweep,
                                          const std::vector<MeasuredCollective>& measured);
[[nodiscard]] nlohmann::ordered_json collective_json(const spec::LoadedSystem& system,
                                                     const CollectiveRequest& request,
                                                     const CollectiveSweep& sweep,
                                                     const std::vector<MeasuredCollective>& measured);
void collective_csv(const CollectiveRequest& request, const CollectiveSweep& sweep,
                    std::ostream& out);

}  // namespace trnsim::study
