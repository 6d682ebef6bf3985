// Collectives of a kernel, for whoever has no interconnect to run them on.
#pragma once

#include "trnsim/trace/ir.h"

namespace trnsim::trace {

[[nodiscard]] bool has_collectives(const Trace& trace);

// The trace with each collective replaced by a dma_copy per destination, as long as the smaller side of
// the pair: what the rank's own DMA engines move at least.
[[nodiscard]] Trace collectives_as_copies(const Trace& trace);

}  // namespace trnsim::trace
