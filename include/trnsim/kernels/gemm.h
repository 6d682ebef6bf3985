// GEMM for one core: C[M, N] = A x B as a Trace, in a ladder of variants from naive to best.
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

// Each step removes one bottleneck of the step before (docs/kernels.md has the bound of each).
enum class GemmVariant : std::uint8_t {
  kNaive,        // both tiles loaded for every matmul, one PSUM tile
  kHoisted,      // a row of A tiles stays while all of B streams past it
  kOneBank,      // operands blocked as in kBlocked, but a single PSUM tile: PE waits for each copy
  kBlockedFree,  // M and N blocked to fill PSUM, K streamed one tile at a time, Vector evacuates
  kBlocked,      // M, N and K blocked, operands kept in SBUF, Vector and Scalar evacuate
  kBest,         // loop order and blocking from a traffic and capacity model, small first loads
  kCompiler,     // as kBest, with the HBM traffic of compiler-made kernels
};

// Which operand stays in SBUF while the other one passes.
enum class GemmKeep : std::uint8_t { kNone, kA, kB };

// The knobs of the blocked variants. Tiles are 128 rows of M and one PSUM bank (512 columns) of N.
struct GemmBlocking {
  GemmKeep keep = GemmKeep::kA;
  std::uint32_t m_tiles = 4;  // tiles of one PSUM block; m_tiles x n_tiles <= PSUM banks
  std::uint32_t n_tiles = 2;
  std::uint32_t panel_blocks = 1;         // PSUM blocks of the kept operand that stay at once
  std::uint32_t load_bytes = 512 * 1024;  // size of one load to aim at
  std::uint32_t compute_steps = 4;        // K steps on one tile before the next tile's turn
  friend bool operator==(const GemmBlocking&, const GemmBlocking&) = default;
};

// How an operand whose K is innermost in HBM gets K onto the partitions.
enum class TransposePath : std::uint8_t {
  kAuto,    // kDma where the types and the generation allow it, else kTensor
  kDma,     // dma_transpose; 2-byte types
  kTensor,  // loaded as stored, transposed on the tensor engine, copied back to SBUF
};

struct GemmOptions {
  std::uint32_t m = 0;
  std::uint32_t n = 0;
  std::uint32_t k = 0;
  DType dtype = DType::kBFloat16;  // of A and B: float32, bfloat16, float16 or an fp8 type
  std::optional<DType>
      out_dtype;        // float32, bfloat16 or float16; default: as input, bfloat16 for fp8
  bool a_is_km = true;  // "a" stored [K, M], else [M, K]
  bool b_is_kn = true;  // "b" stored [K, N], else [N, K]
  GemmVariant variant = GemmVariant::kBest;
  TransposePath transpose = TransposePath::kAuto;
  std::optional<GemmBlocking> blocking;  // for kBlocked and kBest; default: fixed, or chosen
};

// HBM bytes the chosen blocking moves; equal to what the DMAs of the Trace move.
struct GemmTraffic {
  std::uint64_t a_read_bytes = 0;
  std::uint64_t b_read_bytes = 0;
  std::uint64_t write_bytes = 0;

  [[nodiscard]] std::uint64_t read_bytes() const { return a_read_bytes + b_read_bytes; }
};

// Emits the kernel. HBM tensors: "a", "b" (inputs), "c" (output, [M, N]). Throws Error for sizes of
// zero, types the kernel does not take, or a blocking that does not fit the core's memories.
[[nodiscard]] trace::Trace gemm(const GemmOptions& options, const spec::CoreSpec& core);

// What gemm() with the same arguments will move. Same errors.
[[nodiscard]] GemmTraffic gemm_traffic(const GemmOptions& options, const spec::CoreSpec& core);

// The blocking gemm() will use; nothing for kNaive and kHoisted.
[[nodiscard]] std::optional<GemmBlocking> gemm_blocking(const GemmOptions& options,
                                                        const spec::CoreSpec& core);

// Which way a compiler divides the problem over the two cores of a logical NeuronCore: along M (both
// read B), else along N, which is for a smaller A that then fits SBUF beside B's half.
[[nodiscard]] bool compiler_splits_m(const GemmOptions& whole, const spec::CoreSpec& core);

[[nodiscard]] std::string_view name(GemmVariant variant);
[[nodiscard]] std::optional<GemmVariant> parse_gemm_variant(std::string_view text);
// "naive", "hoisted", ... in ladder order.
[[nodiscard]] std::vector<std::string> gemm_variant_names();

}  // namespace trnsim::kernels
