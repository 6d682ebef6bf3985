// The traffic and time model behind the choice of a GEMM blocking.
#include <algorithm>

#include "gemm_plan.h"

namespace trnsim::kernels {
namespace {

// Overlap is never perfect: what the slowest resource hides still costs this share.
constexpr double kHiddenShare = 0.05;
// What the start of a contiguous run costs a DMA, in bytes (hardware.md 12.5, fit).
constexpr double kRunOverheadBytes = 140;

std::uint32_t blocks_of(std::uint32_t size, std::uint32_t tile, std::uint32_t tiles) {
  return ceil_div(size, tile * tiles);
}

double tensor_ns(const GemmOptions& options, const GemmPlan& plan, const spec::CoreSpec& core) {
  const std::uint64_t full = options.n / plan.n_tile;
  const std::uint32_t rest = options.n % plan.n_tile;
  const std::uint64_t least = core.tensor.mm_init_latency_cycles;
  std::uint64_t columns = full * (plan.n_tile + core.tensor.issue_gap_cycles);
  if (rest > 0) {
    columns += std::max<std::uint64_t>(rest, least) + core.tensor.issue_gap_cycles;
  }
  const std::uint64_t passes = is_fp32(options.dtype) ? core.tensor.fp32_passes : 1;
  std::uint64_t cycles = columns * passes * plan.k.steps.size() * ceil_div(options.m, plan.m_tile);
  const GemmPasses reads = gemm_passes(options, plan);
  const std::uint64_t turn = is_fp32(options.dtype) ? core.tensor.fp32_transpose_passes : 1;
  const std::uint64_t k_tiles = ceil_div(options.k, core.tensor.rows);
  if (!options.a_is_km && !plan.a_by_dma) {
    cycles += reads.a * k_tiles * ceil_div(options.m, core.tensor.rows) * core.tensor.rows * turn;
  }
  if (!options.b_is_kn && !plan.b_by_dma) {
    cycles += reads.b * k_tiles * ceil_div(options.n, core.tensor.rows) * core.tensor.rows * turn;
  }
  return static_cast<double>(cycles) / core.tensor.clock_ghz;
}

// DMAs one pass over an operand takes, in blocks of `width`.
std::uint64_t loads_of(const GemmPlan& plan, DType dtype, std::uint32_t size, std::uint32_t width) {
  const std::uint64_t steps = steps_per_load(plan, dtype, width);
  return ceil_div(size, width) * ((plan.k.steps.size() + steps - 1) / steps);
}

// Bytes of the operand as the DMA engines feel them, for one pass in blocks of `width`.
double felt_bytes(const GemmOptions& options, std::uint32_t size, std::uint32_t width,
                  bool k_is_outer) {
  const double bytes = static_cast<double>(size) * options.k * size_bytes(options.dtype);
  const double run =
      static_cast<double>(k_is_outer ? width : options.k) * size_bytes(options.dtype);
  return bytes * (1 + kRunOverheadBytes / run);
}

double dma_ns(const GemmOptions& options, const GemmPlan& plan, const spec::CoreSpec& core) {
  const GemmPasses reads = gemm_passes(options, plan);
  const std::uint32_t m_block = std::min(options.m, plan.blocking.m_tiles * plan.m_tile);
  const std::uint32_t n_block = std::min(options.n, plan.blocking.n_tiles * plan.n_tile);
  const double rate = core.dma.engines * core.dma.effective_GBps_per_engine;
  const double a_bytes =
      static_cast<double>(reads.a) * felt_bytes(options, options.m, m_block, options.a_is_km);
  const double b_bytes =
      static_cast<double>(reads.b) * felt_bytes(options, options.n, n_block, options.b_is_kn);
  const double c_run = static_cast<double>(n_block) * size_bytes(plan.out_dtype);
  const double c_bytes = static_cast<double>(options.m) * options.n * size_bytes(plan.out_dtype) *
                         (1 + kRunOverheadBytes / c_run);
  const std::uint64_t loads = reads.a * loads_of(plan, options.dtype, options.m, m_block) +
                              reads.b * loads_of(plan, options.dtype, options.n, n_block);
  const std::uint64_t stores =
      std::uint64_t{ceil_div(options.m, plan.m_tile)} * ceil_div(options.n, n_block);
  const double queues = static_cast<double>(std::max(loads, stores)) * core.dma.issue_floor_ns;
  return std::max(queues, (a_bytes + b_bytes + c_bytes) / rate);
}

double copy_ns(const GemmOptions& options, const GemmPlan& plan, const spec::CoreSpec& core) {
  const double tiles =
      static_cast<double>(ceil_div(options.m, plan.m_tile)) * ceil_div(options.n, plan.n_tile);
  const double vector = (plan.n_tile + core.vector.issue_gap_cycles) / core.vector.clock_ghz;
  const double scalar = (plan.n_tile + core.scalar.issue_gap_cycles) / core.scalar.clock_ghz;
  return tiles / (1 / vector + 1 / scalar);
}

// Time to load the first PSUM block's operands.
double first_block_ns(const GemmOptions& options, const GemmPlan& plan,
                      const spec::CoreSpec& core) {
  const std::uint32_t m_block = std::min(options.m, plan.blocking.m_tiles * plan.m_tile);
  const std::uint32_t n_block = std::min(options.n, plan.blocking.n_tiles * plan.n_tile);
  const double rate = core.dma.engines * core.dma.effective_GBps_per_engine;
  return (felt_bytes(options, m_block, m_block, options.a_is_km) +
          felt_bytes(options, n_block, n_block, options.b_is_kn)) /
         rate;
}

}  // namespace

GemmPasses gemm_passes(const GemmOptions& options, const GemmPlan& plan) {
  const std::uint32_t m_tiles = ceil_div(options.m, plan.m_tile);
  const std::uint32_t n_tiles = ceil_div(options.n, plan.n_tile);
  const GemmBlocking& blocking = plan.blocking;
  switch (plan.scheme) {
    case GemmScheme::kNaive:
      return {n_tiles, m_tiles};
    case GemmScheme::kHoisted:
      return {1, m_tiles};
    case GemmScheme::kBlocked:
      break;
  }
  const std::uint32_t m_blocks = blocks_of(options.m, plan.m_tile, blocking.m_tiles);
  const std::uint32_t n_blocks = blocks_of(options.n, plan.n_tile, blocking.n_tiles);
  switch (blocking.keep) {
    case GemmKeep::kA:
      return {1, ceil_div(m_blocks, blocking.panel_blocks)};
    case GemmKeep::kB:
      return {ceil_div(n_blocks, blocking.panel_blocks), 1};
    case GemmKeep::kNone:
      break;
  }
  return {n_blocks, m_blocks};
}

double gemm_estimate_ns(const GemmOptions& options, const GemmPlan& plan,
                        const spec::CoreSpec& core) {
  const double blocks =
      static_cast<double>(ceil_div(options.m, plan.blocking.m_tiles * plan.m_tile)) *
      ceil_div(options.n, plan.blocking.n_tiles * plan.n_tile);
  const double first_block = first_block_ns(options, plan, core);
  // The tensor engine starts with the first K step and waits again if the first block arrives more
  // slowly than it is used; a DMA-bound kernel waits for all loads anyway.
  double tensor = tensor_ns(options, plan, core);
  tensor += std::max(0.0, first_block - tensor / blocks);
  const double dma = dma_ns(options, plan, core);
  const double copies = copy_ns(options, plan, core);
  const double slowest = std::max({tensor, dma, copies});
  return slowest + kHiddenShare * (tensor + dma + copies - slowest) +
         first_block / static_cast<double>(plan.k.steps.size());
}

}  // namespace trnsim::kernels
