// Expands rolled loops: a loop recorded once with its trip count (data-dependent loops of NKI).
#pragma once

#include <cstdint>
#include <vector>

#include "trnsim/trace/ir.h"

namespace trnsim::lower {

// A loop whose body stands once in the trace and runs imm0 times.
[[nodiscard]] bool is_rolled(const trace::Trace& trace, const trace::Instruction& instruction);

// Instruction indices in program order, rolled bodies repeated. Loop markers stay, once per iteration for
// the end. Throws Error above 2^31 instructions.
[[nodiscard]] std::vector<std::uint32_t> unrolled(const trace::Trace& trace);

}  // namespace trnsim::lower
