// The blocking a compiler would pick, read off the HBM traffic of compiler-made kernels
// (data/validation/trn3_gemm.yaml): operands once if both fit, else A once per resident panel of B.
#include "gemm_compiler.h"

#include <algorithm>

namespace trnsim::kernels {
namespace {

// All as shares of SBUF.
constexpr double kBothShare = 0.69;    // A and B together: 23.1 MB were read once, 25.2 MB were not
constexpr double kSmallShare = 0.15;   // an operand that stays whatever the size of the other
constexpr double kWideAShare = 0.42;   // A's block up to which panels of B are wide: 12.6 MB, not 16.8 MB
constexpr double kPanelShare = 0.38;   // a wide panel: 12.6 MB were seen, more was not

double sbuf_bytes(const spec::CoreSpec& core) {
  return core.sbuf.kib_per_partition * 1024.0 * core.tensor.rows;
}

double operand_bytes(const GemmOptions& options, std::uint32_t size) {
  return static_cast<double>(size) * options.k * size_bytes(options.dtype);
}

bool reads_once(const GemmOptions& options, const spec::CoreSpec& core) {
  const double a = operand_bytes(options, options.m);
  const double b = operand_bytes(options, options.n);
  const double sbuf = sbuf_bytes(core);
  return a <= kSmallShare * sbuf || (a <= kWideAShare * sbuf && a + b <= kBothShare * sbuf);
}

}  // namespace

bool compiler_splits_m(const GemmOptions& whole, const spec::CoreSpec& core) {
  GemmOptions half = whole;
  half.n = (whole.n + 1) / 2;
  return whole.m >= whole.n || !reads_once(half, core);
}

std::uint32_t compiler_panel_columns(const GemmOptions& options, std::uint32_t n_tile,
                                     const spec::CoreSpec& core) {
  if (reads_once(options, core)) {
    return options.n;
  }
  const double sbuf = sbuf_bytes(core);
  if (operand_bytes(options, options.m) > kWideAShare * sbuf) {
    return n_tile;
  }
  const double bank = operand_bytes(options, n_tile);
  return std::max(1U, static_cast<std::uint32_t>(kPanelShare * sbuf / bank)) * n_tile;
}

}  // namespace trnsim::kernels
