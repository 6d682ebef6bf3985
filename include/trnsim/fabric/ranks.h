// Where the ranks of a run sit: a rank is a run of consecutive physical cores of one chip.
#pragma once

#include <cstdint>
#include <vector>

#include "trnsim/fabric/topology.h"

namespace trnsim::fabric {

struct RankPlace {
  NodeId chip = 0;
  std::uint32_t first_core = 0;            // of the chip
  std::uint32_t cores = 1;
  std::uint32_t stack = 0;                 // of the chip: HBM next to its first core
  std::uint32_t stacks = 1;                // from there on: those next to its cores
  std::uint32_t index_on_chip = 0;         // 0 .. ranks_per_chip - 1
};

struct RankMap {
  std::vector<RankPlace> ranks;            // chip by chip
  std::uint32_t ranks_per_chip = 1;        // of a chip whose cores all run
};

// One rank per `cores_per_rank` cores of each chip, first `count` of them (0 = all). Throws Error when
// the cores of a chip do not divide or there are fewer ranks.
[[nodiscard]] RankMap make_ranks(const spec::SystemSpec& system, std::uint32_t cores_per_rank,
                                 std::uint32_t count = 0);

}  // namespace trnsim::fabric
