// Time per source line from the step accounts of the core that kept them.
#pragma once

#include "system/machine.h"
#include "trnsim/sim/run_record.h"

namespace trnsim::sim {

// Fills record.lines; does nothing if no core kept accounts.
void collect_lines(RunRecord& record, const models::Machine& machine);

}  // namespace trnsim::sim
