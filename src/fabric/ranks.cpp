// Places ranks on the cores of a system.
#include "trnsim/fabric/ranks.h"

#include <algorithm>

#include "trnsim/base/error.h"

namespace trnsim::fabric {

RankMap make_ranks(const spec::SystemSpec& system, std::uint32_t cores_per_rank,
                   std::uint32_t count) {
  if (cores_per_rank == 0 || system.cores_per_chip_used % cores_per_rank != 0) {
    throw Error(fmt::format("ranks of {} cores do not divide the {} cores in use of a chip",
                            cores_per_rank, system.cores_per_chip_used));
  }
  RankMap map;
  map.ranks_per_chip = system.cores_per_chip_used / cores_per_rank;
  const std::uint64_t all = std::uint64_t{system.chips()} * map.ranks_per_chip;
  if (count > all) {
    throw Error(fmt::format("{} ranks of {} cores do not fit in {}, which has {}", count,
                            cores_per_rank, system.name, all));
  }
  const std::uint32_t per_stack = std::max(system.chip.cores_per_hbm_stack, 1U);
  const auto total = static_cast<std::uint32_t>(count == 0 ? all : count);
  map.ranks.reserve(total);
  for (std::uint32_t rank = 0; rank < total; ++rank) {
    RankPlace place;
    place.chip = rank / map.ranks_per_chip;
    place.index_on_chip = rank % map.ranks_per_chip;
    place.first_core = place.index_on_chip * cores_per_rank;
    place.cores = cores_per_rank;
    place.stack = place.first_core / per_stack;
    place.stacks = (place.first_core + cores_per_rank - 1) / per_stack - place.stack + 1;
    map.ranks.push_back(place);
  }
  return map;
}

}  // namespace trnsim::fabric
