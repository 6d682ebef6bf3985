// One collective ready to run: chosen algorithm and its transfers.
#pragma once

#include <memory>

#include "trnsim/collectives/select.h"

namespace trnsim::collectives {

// DMA packet of a collective, default and most (hardware.md 17.1).
inline constexpr std::uint64_t kPacketBytes = 64 * 1024;

struct Planned {
  Selection selection;
  std::shared_ptr<const Dag> dag;
};

// select() and make_dag() with its choices; chunks below a packet a slice are not sliced. Same
// errors.
[[nodiscard]] Planned plan(Request request, const spec::FabricSpec& fabric, fabric::Space space,
                           Algorithm forced = Algorithm::kAuto);

}  // namespace trnsim::collectives
