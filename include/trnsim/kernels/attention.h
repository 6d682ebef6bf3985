// Attention forward for one core: out = softmax(scale x Q K^T) V as a Trace, in several variants.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "trnsim/base/dtype.h"
#include "trnsim/spec/core_spec.h"
#include "trnsim/trace/ir.h"

namespace trnsim::kernels {

enum class AttentionVariant : std::uint8_t {
  kNaive,      // one buffer of everything, 512 columns at a time, K and V loaded for every tile
  kUnfused,    // three phases; scores and probabilities go through HBM
  kFlash,      // fused online softmax, one section after the other
  kPipelined,  // flash with the sections software-pipelined over the engines
  kBest,       // pipelined, the work of the busiest engines shared with DMA and GpSimd
};

// Who transposes how many of a section's blocks of 128 columns of P.
struct TransposeSplit {
  std::uint32_t dma = 0;     // dma_transpose, SBUF to SBUF
  std::uint32_t vector = 0;  // tensor engine, copied out of PSUM by Vector
  std::uint32_t scalar = 0;  // tensor engine, copied out of PSUM by Scalar
  friend bool operator==(const TransposeSplit&, const TransposeSplit&) = default;
};

// The knobs of the fused variants; zero or nothing = chosen by variant and type.
struct AttentionTuning {
  std::uint32_t section = 0;        // kv columns per softmax step; a multiple of 128, at most 1024
  std::uint32_t score_buffers = 0;  // sections of scores in PSUM at once
  std::uint32_t group_tiles = 8;    // q tiles that share one pass over K and V
  std::uint32_t value_lag = 0;      // steps between the scores of a section and its P x V
  std::optional<TransposeSplit> transposes;  // sums to section / 128
  std::optional<bool> gpsimd_updates;        // the output is rescaled on GpSimd
};

struct AttentionOptions {
  std::uint32_t batch = 1;
  std::uint32_t q_heads = 1;
  std::uint32_t kv_heads = 1;  // divides q_heads; fewer = grouped-query attention
  std::uint32_t q_len = 0;     // query rows of this core
  std::uint32_t kv_len = 0;
  std::uint32_t head_dim = 128;  // 1 to 128
  bool causal = false;
  DType dtype = DType::kBFloat16;  // bfloat16, float16 or float32
  // Causal rule with K and V aligned at the end: query row i of this core sees kv j where
  // j <= q_start + i + kv_len - q_total.
  std::uint32_t q_start = 0;    // index of this core's first row within the whole query
  std::uint32_t q_total = 0;    // rows of the whole query; 0 = q_start + q_len
  std::optional<double> scale;  // default 1 / sqrt(head_dim)
  AttentionVariant variant = AttentionVariant::kBest;
  AttentionTuning tuning;
};

// Emits the kernel. HBM tensors: "q" [batch x q_heads, d, q_len], "k" [batch x kv_heads, d,
// kv_len], "v" [batch x kv_heads, kv_len, d], "out" [batch x q_heads, q_len, d]; q head h uses kv
// head h / (q_heads / kv_heads). Throws Error for sizes of zero, head_dim above 128, a causal mask
// that hides everything from some row, types the kernel does not take, or tuning out of range.
[[nodiscard]] trace::Trace attention(const AttentionOptions& options, const spec::CoreSpec& core);

// Pairs (query row, kv row) that the mask leaves, over all heads and batches.
[[nodiscard]] std::uint64_t attention_pairs(const AttentionOptions& options);

[[nodiscard]] std::string_view name(AttentionVariant variant);
[[nodiscard]] std::optional<AttentionVariant> parse_attention_variant(std::string_view text);
// "naive", "unfused", "flash", "pipelined", "best".
[[nodiscard]] std::vector<std::string> attention_variant_names();

}  // namespace trnsim::kernels
