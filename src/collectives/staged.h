// Collectives in two levels: within units of the group and between the ranks of equal place in
// each.
#pragma once

#include "phase.h"

namespace trnsim::collectives {

struct Levels {
  Algorithm inner = Algorithm::kRing;
  Algorithm outer = Algorithm::kRing;
};

// All-reduce, all-gather or reduce-scatter in `pipeline` pieces that overlap in different stages.
[[nodiscard]] Dag make_staged(const Request& request, Algorithm algorithm, const Levels& levels,
                              std::uint32_t pipeline);

}  // namespace trnsim::collectives
