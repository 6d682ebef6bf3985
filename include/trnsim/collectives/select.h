// Which algorithm a collective runs by. Sources: hardware.md 17.2, 17.5, interconnect.md 1.2; the
// rows that are reconstructions are marked in docs/collectives.md.
#pragma once

#include <string>

#include "trnsim/collectives/generate.h"
#include "trnsim/fabric/movement.h"

namespace trnsim::collectives {

struct Selection {
  Algorithm algorithm = Algorithm::kRing;
  Algorithm inner = Algorithm::kAuto;  // hierarchical: put these two in Options
  Algorithm outer = Algorithm::kAuto;
  std::string reason;  // one clause: "below 1 MB"
  Legality legality;
};

// Thresholds and hop times are those of `fabric`. `forced` other than kAuto is taken as it is.
// Throws Error for a forced algorithm that cannot do it, for a group that cannot run, and for a
// collective from SBUF that has to be in HBM (only all-reduce, all-gather and reduce-scatter may be
// in SBUF).
[[nodiscard]] Selection select(const Request& request, const spec::FabricSpec& fabric,
                               fabric::Space space, Algorithm forced = Algorithm::kAuto);

}  // namespace trnsim::collectives
