// What a compiler keeps in SBUF of a GEMM it blocks by itself.
#pragma once

#include "trnsim/kernels/gemm.h"

namespace trnsim::kernels {

// Columns of B (all of K) that stay while A streams past: all of them if both operands fit.
[[nodiscard]] std::uint32_t compiler_panel_columns(const GemmOptions& options, std::uint32_t n_tile,
                                                   const spec::CoreSpec& core);

}  // namespace trnsim::kernels
