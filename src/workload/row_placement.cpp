// Row-wise kernels over cores: each core has an equal part of the tokens.
#include <algorithm>

#include "program_cache.h"
#include "trnsim/base/error.h"
#include "trnsim/kernels/elementwise.h"
#include "trnsim/workload/placement.h"

namespace trnsim::workload {
namespace {

// Whole tiles of partitions per core where there are that many tokens.
std::uint32_t rows_per_core(std::uint32_t tokens, std::uint32_t cores) {
  constexpr std::uint32_t kTile = 128;
  const std::uint32_t share = (tokens + cores - 1) / cores;
  return share <= kTile ? share : (share + kTile - 1) / kTile * kTile;
}

template <typename Options, typename Build>
void place_rows(const spec::SystemSpec& system, const Options& options,
                const lower::Options& lowering, const Build& build, Placement& placement) {
  const std::uint32_t cores = system.cores();
  // The kernels' own errors first: they name the whole problem.
  if (options.tokens == 0) {
    static_cast<void>(build(options, system.chip.core));
  }
  const std::uint32_t each = rows_per_core(options.tokens, cores);
  ProgramCache<std::uint32_t> cache;
  std::uint32_t used = 0;
  for (std::uint32_t core = 0; core < cores; ++core) {
    const std::uint64_t first = std::uint64_t{each} * core;
    if (first >= options.tokens) {
      placement.programs.push_back(nullptr);
      continue;
    }
    ++used;
    Options block = options;
    block.tokens = std::min(each, options.tokens - static_cast<std::uint32_t>(first));
    placement.programs.push_back(cache.get(block.tokens, [&] {
      return lower::lower(build(block, system.chip.core), system.chip.core, lowering);
    }));
  }
  placement.description["tokens_per_core"] = each;
  placement.description["cores_used"] = used;
  placement.description["distinct_programs"] = cache.size();
}

}  // namespace

Placement place_rmsnorm(const spec::SystemSpec& system, const kernels::RmsNormOptions& options,
                        const lower::Options& lowering) {
  Placement placement;
  placement.label = fmt::format("rmsnorm {}x{} {}{}", options.tokens, options.d,
                                name(options.dtype), options.residual ? " residual" : "");
  placement.description = {{"kernel", "rmsnorm"},
                           {"tokens", options.tokens},
                           {"d", options.d},
                           {"dtype", name(options.dtype)},
                           {"residual", options.residual}};
  place_rows(system, options, lowering, kernels::rmsnorm, placement);
  return placement;
}

Placement place_swiglu(const spec::SystemSpec& system, const kernels::SwigluOptions& options,
                       const lower::Options& lowering) {
  Placement placement;
  placement.label = fmt::format("swiglu {}x{} {}", options.tokens, options.f, name(options.dtype));
  placement.description = {{"kernel", "swiglu"},
                           {"tokens", options.tokens},
                           {"f", options.f},
                           {"dtype", name(options.dtype)}};
  place_rows(system, options, lowering, kernels::swiglu, placement);
  return placement;
}

}  // namespace trnsim::workload
