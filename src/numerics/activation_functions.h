// The functions of the scalar engine, from fp32 to fp32.
#pragma once

#include "trnsim/trace/opcode.h"

namespace trnsim::numerics {

using Activation = float (*)(float);

// The mathematical function in double, rounded once to fp32: the hardware's table-based
// approximation is not public (docs/numerics.md).
[[nodiscard]] Activation activation(trace::ActFunc func);

}  // namespace trnsim::numerics
