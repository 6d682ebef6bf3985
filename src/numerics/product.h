// Matrix product shared by the plain and the MX matmul.
#pragma once

#include "context.h"

namespace trnsim::numerics {

// stationary^T x moving of [depth, M] and [depth, N]: exact products, summed in double, rounded
// once to fp32.
[[nodiscard]] Floats product(const Floats& stationary, const Floats& moving);

// Overwrites output 0, or adds onto it in fp32 (attribute accumulate).
void write_product(Context& context, Floats result);

}  // namespace trnsim::numerics
