// Kernels between the matrix products of a transformer layer, for one core: RMSNorm (with the
// residual sum before it) and the SwiGLU product, as Traces.
//
// Rows of tokens lie on the partitions; few tokens (decode) are laid across them instead, so that
// all lanes work on one token.
#pragma once

#include <cstdint>

#include "trnsim/base/dtype.h"
#include "trnsim/spec/core_spec.h"
#include "trnsim/trace/ir.h"

namespace trnsim::kernels {

struct RmsNormOptions {
  std::uint32_t tokens = 0;
  std::uint32_t d = 0;             // elements of a token
  DType dtype = DType::kBFloat16;  // float32, bfloat16 or float16; sums are fp32
  bool residual = false;           // x + residual is normed, and stored as "sum"
  double epsilon = 1e-5;
};

// out = x / sqrt(mean(x^2) + epsilon) x weight. HBM tensors: "x" [tokens, d], "weight" [1, d],
// "out" [tokens, d]; with `residual` also "residual" and "sum". Throws Error for sizes of zero and
// other types.
[[nodiscard]] trace::Trace rmsnorm(const RmsNormOptions& options, const spec::CoreSpec& core);

struct SwigluOptions {
  std::uint32_t tokens = 0;
  std::uint32_t f = 0;  // elements of a result row
  DType dtype = DType::kBFloat16;
};

// out = silu(gate) x up. HBM tensors: "gate_up" [tokens, 2 f] (gate first), "out" [tokens, f]. Same
// errors.
[[nodiscard]] trace::Trace swiglu(const SwigluOptions& options, const spec::CoreSpec& core);

}  // namespace trnsim::kernels
