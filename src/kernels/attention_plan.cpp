// Checks AttentionOptions and cuts the problem into row tiles and sections.
#include "attention_plan.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "evacuate.h"
#include "trnsim/base/error.h"

namespace trnsim::kernels {
namespace {

std::uint32_t q_total(const AttentionOptions& options) {
  return options.q_total == 0 ? options.q_start + options.q_len : options.q_total;
}

void check_options(const AttentionOptions& options, const spec::CoreSpec& core) {
  if (options.batch == 0 || options.q_heads == 0 || options.kv_heads == 0 || options.q_len == 0 ||
      options.kv_len == 0) {
    throw Error("attention: batch, heads and lengths must be at least 1");
  }
  if (options.q_heads % options.kv_heads != 0) {
    throw Error(fmt::format("attention: {} q heads cannot share {} kv heads evenly",
                            options.q_heads, options.kv_heads));
  }
  if (options.head_dim == 0 || options.head_dim > core.tensor.rows) {
    throw Error(
        fmt::format("attention: head_dim {} is not in 1..{}", options.head_dim, core.tensor.rows));
  }
  if (!is_16bit_float(options.dtype) && options.dtype != DType::kFloat32) {
    throw Error(fmt::format("attention does not take {}", name(options.dtype)), {},
                "use bfloat16, float16 or float32");
  }
  if (q_total(options) < options.q_start + options.q_len) {
    throw Error(fmt::format("attention: rows {}..{} are outside a query of {} rows",
                            options.q_start, options.q_start + options.q_len - 1,
                            q_total(options)));
  }
  if (options.causal && options.kv_len < q_total(options)) {
    throw Error(
        fmt::format("attention: causal with kv_len {} below the {} query rows leaves rows "
                    "that see nothing",
                    options.kv_len, q_total(options)));
  }
}

void check_tuning(const AttentionPlan& plan, const AttentionTuning& tuning,
                  const spec::CoreSpec& core, std::uint32_t section_limit) {
  if (plan.section % plan.array != 0 || plan.section > section_limit) {
    throw Error(fmt::format("attention: section {} is not a multiple of {} up to {}", plan.section,
                            plan.array, section_limit));
  }
  const TransposeSplit& split = plan.transposes;
  if (split.dma + split.vector + split.scalar != plan.section / plan.array) {
    throw Error(fmt::format("attention: {} + {} + {} transposes for a section of {} blocks",
                            split.dma, split.vector, split.scalar, plan.section / plan.array));
  }
  const std::uint32_t banks_per_buffer = (plan.section + plan.bank_columns - 1) / plan.bank_columns;
  if (plan.score_buffers * banks_per_buffer + 2 > core.psum.banks || tuning.group_tiles == 0) {
    throw Error(
        fmt::format("attention: {} score buffers of {} columns and 2 banks do not fit {} "
                    "PSUM banks",
                    plan.score_buffers, plan.section, core.psum.banks));
  }
}

// Sequential variants leave all copies to Vector; the others take the split whose busiest engine
// has least to do, DMA only for best. Among equals the one with the least DMA.
TransposeSplit choose_split(const AttentionOptions& options, const AttentionPlan& plan,
                            const spec::CoreSpec& core) {
  const std::uint32_t blocks = plan.section / plan.array;
  if (options.variant != AttentionVariant::kPipelined &&
      options.variant != AttentionVariant::kBest) {
    return {0, blocks, 0};
  }
  const std::uint32_t score_banks =
      plan.score_buffers * ((plan.section + plan.bank_columns - 1) / plan.bank_columns);
  const bool shares_bank = core.psum.banks - score_banks - 1 < 2;
  const bool by_dma = options.variant == AttentionVariant::kBest &&
                      size_bytes(options.dtype) == 2 && core.generation != spec::Generation::kTrn1;
  TransposeSplit best{0, blocks, 0};  // legal everywhere
  for (std::uint32_t dma = 0; dma <= (by_dma ? blocks : 0); ++dma) {
    for (std::uint32_t vector = 0; vector + dma <= blocks; ++vector) {
      const TransposeSplit split{dma, vector, blocks - dma - vector};
      if (shares_bank && split.vector > 0 && split.scalar > 0) {
        continue;  // the two engines would take turns
      }
      if (section_ns(options, plan, split, core) < section_ns(options, plan, best, core)) {
        best = split;
      }
    }
  }
  return best;
}

void choose_buffers(AttentionPlan& plan, const AttentionOptions& options,
                    const spec::CoreSpec& core) {
  const AttentionTuning& tuning = options.tuning;
  const bool pipelined =
      options.variant == AttentionVariant::kPipelined || options.variant == AttentionVariant::kBest;
  const bool naive = options.variant == AttentionVariant::kNaive;
  const bool best = options.variant == AttentionVariant::kBest;
  // A transposed section of P must fit one PSUM bank in its own type.
  const std::uint32_t limit = core.psum.bank_bytes_per_partition / size_bytes(options.dtype);
  const std::uint32_t widest = naive ? std::min(plan.bank_columns, limit) : limit;
  plan.section = tuning.section == 0 ? widest : tuning.section;
  plan.single_buffers = naive;
  const std::uint32_t banks = (plan.section + plan.bank_columns - 1) / plan.bank_columns;
  const std::uint32_t most = std::max(1U, (core.psum.banks - 2) / banks);
  plan.score_buffers = tuning.score_buffers != 0 ? tuning.score_buffers
                       : naive                   ? 1
                                                 : std::min(most, best ? 3U : 2U);
  plan.gpsimd_updates = tuning.gpsimd_updates.value_or(best);
  plan.transposes = tuning.transposes.value_or(choose_split(options, plan, core));
  const std::uint32_t lag = plan.transposes.dma > 0 ? 6 : 3;
  plan.value_lag = pipelined ? (tuning.value_lag == 0 ? lag : std::max(3U, tuning.value_lag)) : 0;
  check_tuning(plan, tuning, core, limit);
}

void choose_residency(AttentionPlan& plan, const AttentionOptions& options,
                      const spec::CoreSpec& core) {
  const std::uint64_t usable =
      core.sbuf.kib_per_partition * 1024ULL - core.sbuf.reserved_bytes_per_partition;
  const std::uint64_t v_rows = (options.kv_len + plan.array - 1) / plan.array;
  const std::uint64_t bytes =
      size_bytes(options.dtype) * (options.kv_len + v_rows * (options.head_dim + 1ULL));
  // Twice, so that the next head's K and V arrive while this one's are in use.
  plan.keep_kv = !plan.single_buffers && 2 * bytes <= usable * 8 / 10;
}

void make_streams(AttentionPlan& plan, const AttentionOptions& options) {
  const std::uint32_t group = options.q_heads / options.kv_heads;
  const bool masked = options.causal && q_total(options) > 1;
  const bool together = !masked && group > 1 && options.q_len < plan.array;
  for (std::uint32_t head = 0; head < options.batch * options.q_heads;
       head += together ? group : 1) {
    const std::uint32_t heads = together ? group : 1;
    plan.streams.push_back({head, heads, head / group, heads * options.q_len});
  }
}

void make_tiles(AttentionPlan& plan, const AttentionOptions& options) {
  for (std::uint32_t s = 0; s < plan.streams.size(); ++s) {
    const RowStream& stream = plan.streams[s];
    for (std::uint32_t row = 0; row < stream.rows; row += plan.array) {
      RowTile tile;
      tile.stream = s;
      tile.first_row = row;
      tile.rows = std::min(plan.array, stream.rows - row);
      const bool one_head = stream.heads == 1;
      tile.first_limit = one_head ? visible_rows(options, row) : options.kv_len;
      tile.visible = one_head ? visible_rows(options, row + tile.rows - 1) : options.kv_len;
      plan.tiles.push_back(tile);
    }
  }
}

void make_units(AttentionPlan& plan, const AttentionOptions& options) {
  const auto tiles = static_cast<std::uint32_t>(plan.tiles.size());
  const std::uint32_t most = plan.single_buffers ? 1 : options.tuning.group_tiles;
  for (std::uint32_t first = 0; first < tiles;) {
    const auto group = static_cast<std::uint32_t>(plan.groups.size());
    const std::uint32_t stream = plan.tiles[first].stream;
    std::uint32_t end = first + 1;
    std::uint32_t longest = plan.tiles[first].visible;
    while (end < tiles && end - first < most && plan.tiles[end].stream == stream) {
      longest = std::max(longest, plan.tiles[end].visible);
      ++end;
    }
    for (std::uint32_t start = 0; start < longest; start += plan.section) {
      for (std::uint32_t t = first; t < end; ++t) {
        const std::uint32_t visible = plan.tiles[t].visible;
        if (start < visible) {
          plan.units.push_back({t, group, start / plan.section,
                                std::min(plan.section, visible - start), start == 0,
                                start + plan.section >= visible});
        }
      }
    }
    plan.groups.push_back({first, end});
    first = end;
  }
}

}  // namespace

double section_ns(const AttentionOptions& options, const AttentionPlan& plan,
                  const TransposeSplit& split, const spec::CoreSpec& core) {
  const std::uint64_t columns = options.head_dim + 1;
  double vector = vector_ns(core, plan.section) + vector_ns(core, 1);
  double scalar = scalar_ns(core, plan.section) + scalar_ns(core, 1);
  if (split.vector > 0) {
    vector += vector_copy_ns(core, std::uint64_t{split.vector} * plan.array, options.dtype);
  }
  if (split.scalar > 0) {
    scalar += scalar_ns(core, std::uint64_t{split.scalar} * plan.array);
  }
  (plan.gpsimd_updates ? scalar : vector) +=
      plan.gpsimd_updates ? scalar_ns(core, columns) : vector_ns(core, columns);
  if (plan.gpsimd_updates && split.vector == 0) {
    // Nothing stands between the maximum and the bound that waits for it.
    vector += core.vector.fixed_latency_cycles / core.vector.clock_ghz;
  }
  const double rate =
      core.dma.engines * core.dma.effective_GBps_per_engine * core.dma.transpose_rate_sbuf;
  const double bytes =
      static_cast<double>(split.dma) * plan.array * plan.array * size_bytes(options.dtype);
  constexpr double kDmaShare = 0.95;  // the rest loads K, V and Q
  const double dma =
      split.dma == 0 ? 0 : std::max(core.dma.issue_floor_ns, bytes / rate) / kDmaShare;
  return std::max({vector, scalar, dma});
}

std::uint32_t visible_rows(const AttentionOptions& options, std::uint32_t row) {
  return options.causal ? options.q_start + row + 1 + options.kv_len - q_total(options)
                        : options.kv_len;
}

AttentionPlan make_attention_plan(const AttentionOptions& options, const spec::CoreSpec& core) {
  check_options(options, core);
  AttentionPlan plan;
  plan.scale = options.scale.value_or(1.0 / std::sqrt(static_cast<double>(options.head_dim)));
  plan.array = core.tensor.rows;
  plan.bank_columns = std::min(core.tensor.moving_free_max, core.psum.bank_bytes_per_partition / 4);
  choose_buffers(plan, options, core);
  choose_residency(plan, options, core);
  make_streams(plan, options);
  make_tiles(plan, options);
  make_units(plan, options);
  return plan;
}

}  // namespace trnsim::kernels
