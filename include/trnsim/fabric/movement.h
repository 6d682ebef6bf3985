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
  // Wire and switch latency of the longest way; zero on one chip.
  [[nodiscard]] Femtos latency(NodeId from, NodeId to) const;

 private:
  void add_resources(const spec::SystemSpec& system);
  [[nodiscard]] std::uint32_t memory_of(std::uint32_t rank, Space space) const;
  [[nodiscard]] std::uint32_t die_of(std::uint32_t rank) const;

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
