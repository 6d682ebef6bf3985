// One transfer of a collective as the network sees it, and the resources it takes. Pure.
//
// A flow's rate x satisfies, on every resource r of capacity C: sum over flows of multiplicity x rate <= C.
// Multiplicity carries split routes (a half on each way round a ring), HBM touches (3 of a KangaRing
// all-gather step), and the DMA engines' half rate when they reduce.
//
// What one byte takes (hardware.md 17.2: ring AG 4 touches per two ranks, RS 6; KangaRing 3 and 4):
//   DMA channel of `from`    1, reducing: 1 / collective_reduce_rate
//   memory of each source    1 (read)
//   memory of each target    1 (write), reducing: 2 (read and write)
//   links                    the fraction of the transfer that crosses each
//   die to die               1 per crossing on a chip; where a link enters a chip is not modelled
//
// The memory of a rank of several HBM stacks is spread evenly over them, independently of the other
// rank's: each stack has 1 / stacks of a touch, and what crosses between dies is the fraction of pairs
// of stacks on different ones. A copy within a rank stays on its stack.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "trnsim/fabric/ranks.h"
#include "trnsim/fabric/routing.h"
#include "trnsim/fabric/topology.h"

namespace trnsim::fabric {

enum class Space : std::uint8_t { kHbm, kSbuf };

struct Movement {
  std::uint32_t from = 0;                  // rank of the RankMap
  std::uint32_t to = 0;                    // == from: on the rank's own memory
  std::uint32_t also_from = kNone;         // second source on the chip of `from`, added on the way
  std::uint32_t also_to = kNone;           // second destination on the chip of `to`, one crossing
  std::uint64_t bytes = 0;                 // that arrive at each destination
  bool reduce = false;                     // destination += source
  Space space = Space::kHbm;
  std::uint8_t priority = 0;               // 0 = highest; strict between classes
};

enum class ResourceKind : std::uint8_t { kLink, kChannel, kHbm, kSbuf, kNic, kDieToDie };

struct Resource {
  ResourceKind kind = ResourceKind::kLink;
  std::string name;                        // "link chip 3 -> chip 7 (y)", "rank 5 DMA", "chip 2 HBM 1"
  double GBps = 0;
};

struct Use {
  std::uint32_t resource = 0;
  double multiplicity = 1;
};

// A part of a movement's way with the alternatives it divides over.
struct Branch {
  double fraction = 1;                     // of the movement; those of a stage add up to 1
  std::vector<Use> uses;                   // in the order of passage; empty = nothing to pass
};
using Stage = std::vector<Branch>;

// Resources and routes of one system; immutable.
class NetworkPlan {
 public:
  // Throws Error as Topology does.
  NetworkPlan(const spec::SystemSpec& system, RankMap ranks);

  [[nodiscard]] const Topology& topology() const { return topology_; }
  [[nodiscard]] const RankMap& ranks() const { return ranks_; }
  // Links have the index of their LinkId; the others follow.
  [[nodiscard]] const std::vector<Resource>& resources() const { return resources_; }
  // The ways between two chips (routing.h).
  [[nodiscard]] std::vector<Path> paths(NodeId from, NodeId to) const;
  // Sorted by resource, each once.
  [[nodiscard]] std::vector<Use> uses(const Movement& movement) const;
  // The same in the order in which a packet meets them: channel, sources, crossing on the chip of `from`,
  // links, crossing on the chip of `to`, destinations. Throws as paths() does.
  [[nodiscard]] std::vector<Stage> stages(const Movement& movement) const;
  // Indices of resources().
  [[nodiscard]] std::uint32_t channel_of(std::uint32_t rank) const { return first_channel_ + rank; }
  [[nodiscard]] std::uint32_t hbm_of(NodeId chip, std::uint32_t stack) const {
    return first_hbm_ + chip * stacks_per_chip_ + stack;
  }
  [[nodiscard]] std::uint32_t stacks_per_chip() const { return stacks_per_chip_; }
  // Wire and switch latency of the longest way; zero on one chip.
  [[nodiscard]] Femtos latency(NodeId from, NodeId to) const;

 private:
  void add_resources(const spec::SystemSpec& system);
  void check_places(const Movement& movement) const;
  // What comes in front of the links and behind them.
  void add_sources(const Movement& movement, std::vector<Stage>& stages) const;
  void add_destinations(const Movement& movement, std::vector<Stage>& stages) const;
  [[nodiscard]] Stage memory(std::uint32_t rank, Space space, double touches) const;
  void add_crossing(std::uint32_t from, const std::vector<std::uint32_t>& to,
                    std::vector<Stage>& stages) const;
  [[nodiscard]] std::vector<double> dies_of(std::uint32_t rank) const;

  Topology topology_;
  RankMap ranks_;
  std::vector<Resource> resources_;
  std::uint32_t first_channel_ = 0;        // one per rank
  std::uint32_t first_hbm_ = 0;            // stacks of all chips
  std::uint32_t first_sbuf_ = 0;           // one per rank
  std::uint32_t first_crossing_ = 0;       // per chip: each ordered pair of dies
  std::uint32_t stacks_per_chip_ = 0;
  std::uint32_t dies_ = 1;
  double reduce_cost_ = 1;                 // DMA engine time of a reduced byte
  bool split_antipodal_ = true;
};

}  // namespace trnsim::fabric
