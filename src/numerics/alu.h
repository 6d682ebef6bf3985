// The scalar operators of the vector, scalar and GpSimd engines.
#pragma once

#include <cstdint>

#include "trnsim/trace/opcode.h"

namespace trnsim::numerics {

using FloatOp = float (*)(float, float);
using IntegerOp = std::int64_t (*)(std::int64_t, std::int64_t);

// fp32 operator: one rounding per operation; comparisons and logic give 1 or 0; NaN propagates
// through max and min. Null for kNone and bitwise operators.
[[nodiscard]] FloatOp float_op(trace::AluOp op);
// Exact integer operator (the caller keeps the low bits). Null where none exists (power, rsqrt).
[[nodiscard]] IntegerOp integer_op(trace::AluOp op);

// Value that `op` starts a reduction from. False if `op` is no reduction.
[[nodiscard]] bool has_identity(trace::AluOp op);
[[nodiscard]] float identity(trace::AluOp op);

}  // namespace trnsim::numerics
