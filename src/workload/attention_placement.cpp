// Attention over heads and query blocks.
#include <algorithm>
#include <cmath>
#include <tuple>

#include "program_cache.h"
#include "trnsim/base/error.h"
#include "trnsim/workload/placement.h"

namespace trnsim::workload {
namespace {

constexpr std::uint32_t kRowTile = 128;

// Heads per core: as equal as possible while each core has whole key/value groups, or an equal part of
// one, so that what is shared in HBM is shared on the core.
std::uint32_t heads_per_core(std::uint32_t heads, std::uint32_t group, std::uint32_t cores) {
  std::uint32_t share = (heads + cores - 1) / cores;
  if (share >= group) {
    return (share + group - 1) / group * group;
  }
  while (group % share != 0) {
    ++share;
  }
  return share;
}

// First row of each of `pieces` query blocks with about equal unmasked scores, in whole row tiles.
std::vector<std::uint32_t> row_cuts(const kernels::AttentionOptions& options,
                                    std::uint32_t pieces) {
  std::vector<std::uint32_t> cuts{0};
  const auto rows = static_cast<double>(options.q_len);
  // Row r sees offset + r + 1 keys; area(r) = offset r + r^2 / 2.
  const double offset = options.causal ? static_cast<double>(options.kv_len) - rows : 0;
  const auto at_share = [&](double share) {
    if (!options.causal) {
      return rows * share;
    }
    const double area = share * (offset * rows + rows * rows / 2);
    return std::sqrt(offset * offset + 2 * area) - offset;
  };
  for (std::uint32_t piece = 1; piece < pieces; ++piece) {
    const double row = at_share(static_cast<double>(piece) / pieces);
    const auto tile = static_cast<std::uint32_t>(std::llround(row / kRowTile));
    cuts.push_back(std::min(options.q_len, std::max(cuts.back(), tile * kRowTile)));
  }
  cuts.push_back(options.q_len);
  return cuts;
}

nlohmann::ordered_json describe(const kernels::AttentionOptions& options) {
  return {{"kernel", "attention"},
          {"batch", options.batch},
          {"heads", options.q_heads},
          {"kv_heads", options.kv_heads},
          {"seq", options.q_len},
          {"kv_seq", options.kv_len},
          {"head_dim", options.head_dim},
          {"causal", options.causal},
          {"dtype", name(options.dtype)},
          {"variant", kernels::name(options.variant)}};
}

void check(const kernels::AttentionOptions& options) {
  if (options.batch == 0 || options.q_heads == 0 || options.q_len == 0 || options.head_dim == 0) {
    throw Error("attention: batch, heads, seq and head-dim must be at least 1");
  }
  if (options.q_heads % options.kv_heads != 0) {
    throw Error(fmt::format("attention: {} heads cannot share {} key/value heads evenly",
                            options.q_heads, options.kv_heads));
  }
  if (options.causal && options.kv_len < options.q_len) {
    throw Error(fmt::format(
        "attention: with a causal mask and {} queries on {} keys some queries see nothing",
        options.q_len, options.kv_len));
  }
}

}  // namespace

Placement place_attention(const spec::SystemSpec& system,
                          const kernels::AttentionOptions& options,
                          const lower::Options& lowering) {
  check(options);
  const std::uint32_t cores = system.cores();
  const std::uint32_t heads = options.batch * options.q_heads;
  const std::uint32_t group = options.q_heads / options.kv_heads;
  const bool split_rows = heads < cores;
  const std::uint32_t pieces =
      split_rows ? std::min(cores / heads, (options.q_len + kRowTile - 1) / kRowTile) : 1;
  const std::uint32_t per_core = split_rows ? 1 : heads_per_core(heads, group, cores);
  const std::vector<std::uint32_t> cuts = row_cuts(options, pieces);

  Placement placement;
  placement.label = fmt::format("attention b{} h{}/{} s{}x{} d{} {}{} {}", options.batch,
                                options.q_heads, options.kv_heads, options.q_len, options.kv_len,
                                options.head_dim, options.causal ? "causal " : "",
                                name(options.dtype), kernels::name(options.variant));
  ProgramCache<std::tuple<std::uint32_t, std::uint32_t, std::uint32_t>> cache;
  placement.programs.assign(cores, nullptr);
  std::uint32_t core = 0;
  std::uint32_t used = 0;
  for (std::uint32_t first = 0; first < heads; first += per_core) {
    for (std::uint32_t piece = 0; piece < pieces; ++piece, ++core) {
      kernels::AttentionOptions block = options;
      block.batch = 1;
      block.q_heads = std::min(per_core, heads - first);
      block.kv_heads = std::max(1U, block.q_heads / group);
      block.q_start = cuts[piece];
      block.q_len = cuts[piece + 1] - cuts[piece];
      block.q_total = options.q_len;
      if (block.q_len == 0) {
        continue;
      }
      ++used;
      placement.programs[core] = cache.get({block.q_heads, block.q_start, block.q_len}, [&] {
        return lower::lower(kernels::attention(block, system.chip.core), system.chip.core, lowering);
      });
    }
  }
  placement.description = describe(options);
  placement.description["split"] = {{"heads_per_core", per_core}, {"query_blocks", pieces}};
  placement.description["cores_used"] = used;
  placement.description["distinct_programs"] = cache.size();
  return placement;
}

}  // namespace trnsim::workload
