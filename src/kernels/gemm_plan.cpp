// Turns GemmOptions into a plan: checks them, splits K, and picks the blocking.
#include "gemm_plan.h"

#include <fmt/format.h>

#include <algorithm>

#include "gemm_compiler.h"
#include "trnsim/base/error.h"

namespace trnsim::kernels {
namespace {

constexpr std::uint32_t kTransposeBanks = 2;  // PSUM banks left to tensor-engine transposes

std::uint32_t rows_per_partition(const GemmPlan& plan) {
  std::uint32_t rows = 0;
  for (const KGroup& group : plan.k.groups) {
    rows += group.rows;
  }
  return rows;
}

std::uint32_t block_banks(const GemmOptions& options, const GemmPlan& plan,
                          const spec::CoreSpec& core) {
  return core.psum.banks - (transposes_on_tensor(options, plan) ? kTransposeBanks : 0);
}

void check_options(const GemmOptions& options) {
  if (options.m == 0 || options.n == 0 || options.k == 0) {
    throw Error(fmt::format("gemm of {} x {} x {}: M, N and K must be at least 1", options.m,
                            options.n, options.k));
  }
  const bool known =
      is_16bit_float(options.dtype) || is_fp8(options.dtype) || options.dtype == DType::kFloat32;
  if (!known) {
    throw Error(fmt::format("gemm does not take {} operands", name(options.dtype)), {},
                "use float32, bfloat16, float16 or an fp8 type");
  }
  if (options.out_dtype && !is_16bit_float(*options.out_dtype) &&
      *options.out_dtype != DType::kFloat32) {
    throw Error(fmt::format("gemm cannot write {}", name(*options.out_dtype)), {},
                "use float32, bfloat16 or float16");
  }
  if (options.transpose == TransposePath::kDma && size_bytes(options.dtype) != 2 &&
      (!options.a_is_km || !options.b_is_kn)) {
    throw Error(fmt::format("dma_transpose does not take {}", name(options.dtype)), {},
                "let the tensor engine transpose");
  }
}

void check_blocking(const GemmOptions& options, const GemmPlan& plan, const spec::CoreSpec& core) {
  const GemmBlocking& blocking = plan.blocking;
  const std::uint32_t banks = block_banks(options, plan, core);
  if (blocking.m_tiles == 0 || blocking.n_tiles == 0 || blocking.panel_blocks == 0 ||
      blocking.compute_steps == 0 || blocking.m_tiles * blocking.n_tiles > banks) {
    throw Error(fmt::format("gemm blocking of {} x {} tiles: 1 to {} tiles fit PSUM",
                            blocking.m_tiles, blocking.n_tiles, banks));
  }
  const std::uint64_t live = gemm_live_bytes(options, plan, blocking);
  if (live > gemm_sbuf_budget(core)) {
    throw Error(fmt::format("gemm blocking keeps {} bytes per partition, {} fit SBUF", live,
                            gemm_sbuf_budget(core)),
                {}, "keep fewer blocks or none");
  }
}

// Best blocking by estimated time; equal times keep the earlier candidate, so the choice is stable.
// a_passes: how often A is read while B is read once; 0 = as it comes.
std::optional<GemmBlocking> choose_blocking(const GemmOptions& options, const GemmPlan& base,
                                            const spec::CoreSpec& core,
                                            std::uint64_t a_passes = 0) {
  const std::uint32_t banks = block_banks(options, base, core);
  const std::uint32_t m_tiles = ceil_div(options.m, base.m_tile);
  const std::uint32_t n_tiles = ceil_div(options.n, base.n_tile);
  constexpr std::uint32_t kMaxPanelBlocks = 32;
  double best_ns = 0;
  GemmPlan candidate = base;
  GemmBlocking best;
  for (std::uint32_t nt = std::min(n_tiles, banks); nt >= 1; --nt) {
    for (std::uint32_t mt = std::min(m_tiles, banks / nt); mt >= 1; --mt) {
      for (const GemmKeep keep : {GemmKeep::kA, GemmKeep::kB, GemmKeep::kNone}) {
        const std::uint32_t blocks =
            keep == GemmKeep::kA ? ceil_div(m_tiles, mt) : ceil_div(n_tiles, nt);
        const std::uint32_t panels =
            keep == GemmKeep::kNone ? 1 : std::min(blocks, kMaxPanelBlocks);
        for (std::uint32_t panel = 1; panel <= panels; ++panel) {
          candidate.blocking = {keep, mt, nt, panel, 512 * 1024, 4};
          if (gemm_live_bytes(options, candidate, candidate.blocking) > gemm_sbuf_budget(core)) {
            continue;
          }
          const GemmPasses passes = gemm_passes(options, candidate);
          if (a_passes != 0 && (passes.a != a_passes || passes.b != 1)) {
            continue;
          }
          const double ns = gemm_estimate_ns(options, candidate, core);
          if (best_ns == 0 || ns < best_ns) {
            best_ns = ns;
            best = candidate.blocking;
          }
        }
      }
    }
  }
  return best_ns > 0 ? std::optional(best) : std::nullopt;
}

GemmBlocking best_blocking(const GemmOptions& options, const GemmPlan& plan,
                           const spec::CoreSpec& core) {
  const std::optional<GemmBlocking> best = choose_blocking(options, plan, core);
  TRNSIM_CHECK(best, "no gemm blocking fits {} x {} x {}", options.m, options.n, options.k);
  return *best;
}

// Among the blockings with a compiler's traffic the one that is best in time.
GemmBlocking compiler_blocking(const GemmOptions& options, const GemmPlan& plan,
                               const spec::CoreSpec& core) {
  const std::uint32_t columns = compiler_panel_columns(options, plan.n_tile, core);
  const std::uint32_t panels = ceil_div(options.n, columns);
  const std::optional<GemmBlocking> found = choose_blocking(options, plan, core, panels);
  return found ? *found : best_blocking(options, plan, core);
}

// The fixed blocking of the ladder: 512 x 1024 blocks, A kept while B streams, if that fits.
GemmBlocking ladder_blocking(const GemmOptions& options, const GemmPlan& plan,
                             const spec::CoreSpec& core, GemmKeep keep) {
  GemmBlocking blocking;
  blocking.keep = keep;
  blocking.m_tiles = std::min(4U, ceil_div(options.m, plan.m_tile));
  blocking.n_tiles =
      std::min(block_banks(options, plan, core) < 8 ? 1U : 2U, ceil_div(options.n, plan.n_tile));
  blocking.load_bytes = 1024 * 1024;
  blocking.compute_steps = 8;
  if (gemm_live_bytes(options, plan, blocking) > gemm_sbuf_budget(core)) {
    blocking.keep = GemmKeep::kNone;
  }
  return blocking;
}

void plan_one_bank(GemmPlan& plan, const GemmOptions& options, const spec::CoreSpec& core) {
  plan.single_bank = true;
  plan.copies = CopyEngines::kVectorOnly;
  plan.blocking = ladder_blocking(options, plan, core, GemmKeep::kA);
  // A single PSUM tile works through all of K of one tile at a time: the block's operands must be
  // kept, or the block be one tile.
  if (plan.blocking.keep == GemmKeep::kNone) {
    plan.blocking.n_tiles = 1;
    plan.blocking.keep = GemmKeep::kA;
  }
  if (gemm_live_bytes(options, plan, plan.blocking) > gemm_sbuf_budget(core)) {
    plan.blocking.keep = GemmKeep::kNone;
    plan.blocking.m_tiles = 1;
  } else {
    plan.blocking.compute_steps = static_cast<std::uint32_t>(plan.k.steps.size());
  }
}

void plan_variant(GemmPlan& plan, const GemmOptions& options, const spec::CoreSpec& core) {
  switch (options.variant) {
    case GemmVariant::kNaive:
      plan.scheme = GemmScheme::kNaive;
      plan.copies = CopyEngines::kVectorOnly;
      break;
    case GemmVariant::kHoisted:
      plan.scheme = GemmScheme::kHoisted;
      plan.copies = CopyEngines::kVectorOnly;
      break;
    case GemmVariant::kOneBank:
      plan_one_bank(plan, options, core);
      break;
    case GemmVariant::kBlockedFree:
      plan.copies = CopyEngines::kVectorOnly;
      plan.late_evacuation = true;
      plan.blocking = ladder_blocking(options, plan, core, GemmKeep::kNone);
      plan.blocking.load_bytes = 1;  // one K step per load
      plan.blocking.compute_steps = 1;
      break;
    case GemmVariant::kBlocked:
      plan.blocking =
          options.blocking ? *options.blocking : ladder_blocking(options, plan, core, GemmKeep::kA);
      check_blocking(options, plan, core);
      break;
    case GemmVariant::kBest:
      plan.small_first_loads = true;
      plan.blocking = options.blocking ? *options.blocking : best_blocking(options, plan, core);
      check_blocking(options, plan, core);
      break;
    case GemmVariant::kCompiler:
      plan.by_compiler = true;
      plan.blocking = compiler_blocking(options, plan, core);
      break;
  }
}

}  // namespace

bool transposes_on_tensor(const GemmOptions& options, const GemmPlan& plan) {
  return (!options.a_is_km && !plan.a_by_dma) || (!options.b_is_kn && !plan.b_by_dma);
}

bool stores_transposed_a(const GemmOptions& options, const GemmPlan& plan) {
  return plan.by_compiler && !options.a_is_km && !plan.a_by_dma && gemm_passes(options, plan).a > 1;
}

GemmPlan make_gemm_plan(const GemmOptions& options, const spec::CoreSpec& core) {
  check_options(options);
  GemmPlan plan;
  const bool double_row = core.tensor.fp8_rows_per_pe >= 2 && is_fp8(options.dtype) &&
                          options.dtype != DType::kFloat8E3;
  plan.pair = double_row ? 2 : 1;
  plan.m_tile = core.tensor.columns;
  plan.n_tile = std::min(core.tensor.moving_free_max, core.psum.bank_bytes_per_partition / 4);
  plan.out_dtype =
      options.out_dtype.value_or(is_fp8(options.dtype) ? DType::kBFloat16 : options.dtype);
  const bool dma_can = size_bytes(options.dtype) == 2 && core.generation != spec::Generation::kTrn1;
  plan.a_by_dma = options.transpose == TransposePath::kDma ||
                  (options.transpose == TransposePath::kAuto && dma_can);
  plan.b_by_dma = plan.a_by_dma;
  plan.k = make_k_plan(options.k, core.tensor.rows, plan.pair, options.a_is_km && options.b_is_kn);
  plan_variant(plan, options, core);
  return plan;
}

std::uint64_t gemm_sbuf_budget(const spec::CoreSpec& core) {
  const std::uint64_t usable =
      core.sbuf.kib_per_partition * 1024ULL - core.sbuf.reserved_bytes_per_partition;
  return usable / 10 * 9;
}

std::uint32_t steps_per_load(const GemmPlan& plan, DType dtype, std::uint32_t width) {
  const std::uint64_t step_bytes =
      std::uint64_t{width} * plan.pair * size_bytes(dtype) * plan.k.groups.front().partitions;
  const std::uint64_t steps = (plan.blocking.load_bytes + step_bytes - 1) / step_bytes;
  constexpr std::uint64_t kMostSteps = 16;
  return static_cast<std::uint32_t>(std::clamp<std::uint64_t>(steps, 1, kMostSteps));
}

std::uint64_t gemm_live_bytes(const GemmOptions& options, const GemmPlan& plan,
                              const GemmBlocking& blocking) {
  GemmPlan sized = plan;
  sized.blocking = blocking;
  const std::uint64_t bytes = size_bytes(options.dtype);
  const std::uint64_t rows = rows_per_partition(plan);
  const std::uint64_t m_block = std::min(options.m, blocking.m_tiles * plan.m_tile);
  const std::uint64_t n_block = std::min(options.n, blocking.n_tiles * plan.n_tile);
  const auto streamed = [&](std::uint64_t width) {
    const auto steps = steps_per_load(sized, options.dtype, static_cast<std::uint32_t>(width));
    return std::min<std::uint64_t>(rows, 4ULL * steps * plan.pair) * width * bytes;
  };
  // The kept operand, and the other one while several blocks of the panel read it. A quarter more
  // lets the next piece arrive while this one is in use.
  const auto kept = [&](std::uint64_t width, std::uint64_t all) {
    return rows * std::min(width * blocking.panel_blocks, all) * bytes;
  };
  const auto shared = [&](std::uint64_t width) {
    if (plan.single_bank) {  // tile by tile: all of K at once, and the next block's on its way
      return 2 * rows * width * bytes;
    }
    return blocking.panel_blocks > 1 ? rows * width * bytes * 5 / 4 : streamed(width);
  };
  std::uint64_t live = 4 * n_block * size_bytes(plan.out_dtype);
  switch (blocking.keep) {
    case GemmKeep::kA:
      live +=
          (n_block < options.n ? kept(m_block, options.m) : streamed(m_block)) + shared(n_block);
      break;
    case GemmKeep::kB:
      live +=
          (m_block < options.m ? kept(n_block, options.n) : streamed(n_block)) + shared(m_block);
      break;
    case GemmKeep::kNone:
      live += streamed(m_block) + streamed(n_block);
      break;
  }
  if (transposes_on_tensor(options, plan)) {
    const std::uint64_t steps =
        plan.by_compiler
            ? kTransposedSteps
            : steps_per_load(sized, options.dtype,
                             static_cast<std::uint32_t>(std::max(m_block, n_block)));
    live += 12 * std::min<std::uint64_t>(rows, steps * plan.pair) * plan.m_tile * bytes;
  }
  return live;
}

}  // namespace trnsim::kernels
