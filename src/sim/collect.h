// Reads the counters of a finished machine into a RunRecord.
#pragma once

#include "system/machine.h"
#include "trnsim/sim/simulate.h"

namespace trnsim::sim {

// Adds an engine whose books are closed at `end`; throws InternalError if busy + idle is not that.
void add_engine(EngineRecord& sum, const models::EngineCounters& counters, Femtos end);

// Closes the books of every engine at the end of the run and checks the conservation laws: busy + idle =
// run time on each engine, bytes moved = bytes asked for. Throws InternalError if one is broken.
[[nodiscard]] RunRecord collect(models::Machine& machine, const Job& job);

}  // namespace trnsim::sim
