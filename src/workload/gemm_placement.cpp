// GEMM over a grid of cores.
#include <algorithm>
#include <utility>

#include "program_cache.h"
#include "trnsim/base/error.h"
#include "trnsim/workload/placement.h"

namespace trnsim::workload {
namespace {

std::uint64_t ceil_div(std::uint64_t a, std::uint64_t b) {
  return (a + b - 1) / b;
}

// Block edge: an equal share, rounded up so that blocks are whole tiles where the share is that
// large.
std::uint32_t block_edge(std::uint32_t extent, std::uint32_t parts, std::uint32_t tile) {
  auto share = static_cast<std::uint32_t>(ceil_div(extent, parts));
  while (tile > 32 && share < tile) {
    tile /= 2;
  }
  return std::min(extent, static_cast<std::uint32_t>(ceil_div(share, tile) * tile));
}

// Rough time of one block, ns: the larger of streaming columns through the PE array and moving the
// operands once from HBM.
double block_time_ns(const spec::SystemSpec& system, const kernels::GemmOptions& options,
                     std::uint32_t block_m, std::uint32_t block_n) {
  const spec::CoreSpec& core = system.chip.core;
  const std::uint64_t k_tiles = ceil_div(options.k, core.tensor.rows);
  // Whichever operand has fewer wasted columns may be the stationary one.
  const std::uint64_t columns = std::min(ceil_div(block_m, core.tensor.columns) * block_n,
                                         ceil_div(block_n, core.tensor.columns) * block_m);
  const double compute =
      static_cast<double>(k_tiles * columns *
                          (is_fp32(options.dtype) ? core.tensor.fp32_passes : 1)) /
      core.tensor.clock_ghz;
  const double stack = system.chip.hbm.peak_GBps_per_stack * system.chip.hbm.sustained_fraction;
  const std::uint32_t sharers =
      std::min(system.chip.cores_per_hbm_stack, system.cores_per_chip_used);
  const double rate =
      std::min(core.dma.engines * core.dma.effective_GBps_per_engine, stack / sharers);
  const double bytes =
      (static_cast<double>(block_m) + block_n) * options.k * size_bytes(options.dtype) +
      static_cast<double>(block_m) * block_n * 2.0;
  return std::max(compute, bytes / rate) + 0.01 * (compute + bytes / rate);
}

std::uint32_t edge_at(std::uint32_t extent, std::uint32_t block, std::uint32_t index) {
  const std::uint64_t begin = std::uint64_t{block} * index;
  return begin >= extent
             ? 0
             : static_cast<std::uint32_t>(std::min<std::uint64_t>(block, extent - begin));
}

struct GridPosition {
  std::uint32_t row = 0;
  std::uint32_t column = 0;
};

GridPosition position_of(const GemmGrid& grid, std::uint32_t core) {
  if (!grid.pair_splits_m) {
    return {core / grid.columns, core % grid.columns};
  }
  const std::uint32_t logical = core / 2;
  return {logical / grid.columns * 2 + core % 2, logical % grid.columns};
}

}  // namespace

GemmGrid choose_gemm_grid(const spec::SystemSpec& system, const kernels::GemmOptions& options) {
  constexpr std::uint32_t kTileM = 128;
  constexpr std::uint32_t kTileN = 512;
  const std::uint32_t cores = system.cores();
  const bool by_compiler = options.variant == kernels::GemmVariant::kCompiler;
  GemmGrid best;
  double best_time = 0;
  for (std::uint32_t rows = 1; rows <= cores; ++rows) {
    if (cores % rows != 0) {
      continue;
    }
    if (by_compiler && cores == 2 &&
        kernels::compiler_splits_m(options, system.chip.core) != (rows == 2)) {
      continue;
    }
    GemmGrid grid{rows, cores / rows, 0, 0};
    grid.block_m = block_edge(options.m, grid.rows, kTileM);
    grid.block_n = block_edge(options.n, grid.columns, by_compiler ? kTileM : kTileN);
    const double time = block_time_ns(system, options, grid.block_m, grid.block_n);
    if (best.block_m == 0 || time < best_time) {
      best = grid;
      best_time = time;
    }
  }
  best.pair_splits_m = system.lnc == 2 && best.rows % 2 == 0;
  return best;
}

Placement place_gemm(const spec::SystemSpec& system, const kernels::GemmOptions& options,
                     const lower::Options& lowering) {
  // Whole-problem errors first, in the user's own numbers.
  if (options.m == 0 || options.n == 0 || options.k == 0) {
    throw Error(fmt::format("gemm sizes must be at least 1, got m={} n={} k={}", options.m,
                            options.n, options.k));
  }
  const GemmGrid grid = choose_gemm_grid(system, options);
  Placement placement;
  placement.label = fmt::format("gemm {}x{}x{} {} {}", options.m, options.n, options.k,
                                name(options.dtype), kernels::name(options.variant));
  ProgramCache<std::pair<std::uint32_t, std::uint32_t>> cache;
  std::uint32_t used = 0;
  for (std::uint32_t core = 0; core < system.cores(); ++core) {
    kernels::GemmOptions block = options;
    const GridPosition at = position_of(grid, core);
    block.m = edge_at(options.m, grid.block_m, at.row);
    block.n = edge_at(options.n, grid.block_n, at.column);
    if (block.m == 0 || block.n == 0) {
      placement.programs.push_back(nullptr);
      continue;
    }
    ++used;
    placement.programs.push_back(cache.get({block.m, block.n}, [&] {
      return lower::lower(kernels::gemm(block, system.chip.core), system.chip.core, lowering);
    }));
  }
  placement.description = {
      {"kernel", "gemm"},
      {"m", options.m},
      {"n", options.n},
      {"k", options.k},
      {"dtype", name(options.dtype)},
      {"variant", kernels::name(options.variant)},
      {"a_layout", options.a_is_km ? "km" : "mk"},
      {"b_layout", options.b_is_kn ? "kn" : "nk"},
      {"transpose", options.transpose == kernels::TransposePath::kDma      ? "dma"
                    : options.transpose == kernels::TransposePath::kTensor ? "tensor"
                                                                           : "auto"},
      {"grid",
       {{"rows", grid.rows},
        {"columns", grid.columns},
        {"block_m", grid.block_m},
        {"block_n", grid.block_n},
        {"lnc_split", system.lnc == 1 ? "none" : (grid.pair_splits_m ? "m" : "n")}}},
      {"cores_used", used},
      {"distinct_programs", cache.size()}};
  return placement;
}

}  // namespace trnsim::workload
