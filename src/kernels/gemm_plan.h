// Everything gemm() decides before it emits: K split, tile sizes, loop order and blocking.
#pragma once

#include <cstdint>
#include <string>

#include "gemm_operand.h"
#include "trnsim/kernels/gemm.h"

namespace trnsim::kernels {

// K steps of one load that the tensor engine turns, in a compiler's kernel: rows of 4 KiB in HBM.
inline constexpr std::uint32_t kTransposedSteps = 16;

enum class GemmScheme : std::uint8_t { kNaive, kHoisted, kBlocked };

struct GemmPlan {
  GemmScheme scheme = GemmScheme::kBlocked;
  GemmBlocking blocking;         // of kBlocked
  bool single_bank = false;      // one PSUM tile for everything
  bool late_evacuation = false;  // copies after the whole block, not tile by tile
  bool small_first_loads = false;
  bool by_compiler = false;      // DMAs name no engine; a transposed operand comes in whole rows
  CopyEngines copies = CopyEngines::kVectorAndScalar;
  DType out_dtype = DType::kBFloat16;
  std::uint32_t pair = 1;  // rows of K per PE row
  std::uint32_t m_tile = 0;
  std::uint32_t n_tile = 0;
  bool a_by_dma = true;  // how a transposed operand is turned
  bool b_by_dma = true;
  KPlan k;
};

// Throws Error for options that no variant can run.
[[nodiscard]] GemmPlan make_gemm_plan(const GemmOptions& options, const spec::CoreSpec& core);

// SBUF bytes per partition that a blocking keeps alive at once, prefetched loads included.
[[nodiscard]] std::uint64_t gemm_live_bytes(const GemmOptions& options, const GemmPlan& plan,
                                            const GemmBlocking& blocking);
// Share of the SBUF that plans may fill; the rest is room for the allocator's rotation.
[[nodiscard]] std::uint64_t gemm_sbuf_budget(const spec::CoreSpec& core);

// Some operand goes through the tensor engine before its matmuls.
[[nodiscard]] bool transposes_on_tensor(const GemmOptions& options, const GemmPlan& plan);

// A compiler turns an A that it reads more than once only once: it stores the result and reads that.
[[nodiscard]] bool stores_transposed_a(const GemmOptions& options, const GemmPlan& plan);

// How often each operand is read from HBM.
struct GemmPasses {
  std::uint64_t a = 1;
  std::uint64_t b = 1;
};
[[nodiscard]] GemmPasses gemm_passes(const GemmOptions& options, const GemmPlan& plan);

// Time of a plan by the slowest of tensor engine, DMA and PSUM copies; see docs/kernels.md.
[[nodiscard]] double gemm_estimate_ns(const GemmOptions& options, const GemmPlan& plan,
                                      const spec::CoreSpec& core);

// K steps that one load of an operand `width` elements wide covers, at least one.
[[nodiscard]] std::uint32_t steps_per_load(const GemmPlan& plan, DType dtype, std::uint32_t width);

[[nodiscard]] constexpr std::uint32_t ceil_div(std::uint32_t a, std::uint32_t b) {
  return (a + b - 1) / b;
}

}  // namespace trnsim::kernels
