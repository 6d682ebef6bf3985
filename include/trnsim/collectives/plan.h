// One collective ready to run: chosen algorithm and its transfers.
#pragma once

#include <memory>

#include "trnsim/collectives/select.h"

namespace trnsim::collectives {

struct Planned {
  Selection selection;
  std::shared_ptr<const Dag> dag;
};

// select() and make_dag() with its choices; chunks below a packet a slice are not sliced. Same
// errors.
[[nodiscard]] Planned plan(Request request, const spec::FabricSpec& fabric, fabric::Space space,
                           Algorithm forced = Algorithm::kAuto);

}  // namespace trnsim::collectives
