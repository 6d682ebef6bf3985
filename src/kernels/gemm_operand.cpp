// K plans and the three ways of loading a GEMM operand.
#include "gemm_operand.h"

#include <algorithm>
#include <utility>

namespace trnsim::kernels {

using trace::Engine;
using trace::View;

namespace {

constexpr std::uint32_t kPartitions = 128;
constexpr std::uint32_t kTransposesPerBank = 4;
constexpr std::uint64_t kNaturalLoadBytes = 512 * 1024;

}  // namespace

KPlan make_k_plan(std::uint32_t k, std::uint32_t array_rows, std::uint32_t pair, bool interleaved) {
  KPlan plan;
  const std::uint32_t rows = k / array_rows / pair * pair;
  if (rows > 0) {
    plan.groups.push_back(
        {0, array_rows, rows, pair, interleaved ? rows : 1, interleaved ? 1 : array_rows});
  }
  std::uint32_t first = rows * array_rows;
  if (k - first > array_rows) {  // only with pairs: too much for a single-row step
    const std::uint32_t half = (k - first) / 2;
    plan.groups.push_back({first, half, 2, 2, interleaved ? 2U : 1U, interleaved ? 1U : half});
    first += 2 * half;
  }
  if (k > first) {
    plan.groups.push_back({first, k - first, 1, 1, 1, 1});
  }
  for (std::uint32_t g = 0; g < plan.groups.size(); ++g) {
    for (std::uint32_t row = 0; row < plan.groups[g].rows; row += plan.groups[g].pair) {
      plan.steps.push_back({g, row});
    }
  }
  return plan;
}

GemmOperand::GemmOperand(trace::TraceBuilder& builder, Evacuator& evacuator, View source,
                         std::string name, bool k_is_outer, bool by_dma)
    : builder_(builder),
      evacuator_(evacuator),
      source_(std::move(source)),
      name_(std::move(name)),
      k_is_outer_(k_is_outer),
      by_dma_(by_dma),
      pitch_(source_.dims[0].stride) {}

View GemmOperand::load(const KGroup& group, std::uint32_t row, std::uint32_t rows,
                       std::uint32_t start, std::uint32_t count, Engine trigger) {
  const View tile = builder_.sbuf(name_, source_.dtype, group.partitions, {rows, count});
  load_into(tile, group, row, start, trigger);
  return tile;
}

void GemmOperand::load_into(const View& dst, const KGroup& group, std::uint32_t row,
                            std::uint32_t start, Engine trigger) {
  if (k_is_outer_) {
    builder_.dma(dst, k_outer_part(source_, dst, group, row, start), trigger);
  } else if (by_dma_) {
    transpose_by_dma(dst, group, row, start, trigger);
  } else {
    transpose_on_tensor(dst, group, row, start, trigger);
    if (scratch_) {
      builder_.dma(k_outer_part(*scratch_, dst, group, row, start), dst);
    }
  }
}

View GemmOperand::load_again(const KGroup& group, std::uint32_t row, std::uint32_t rows,
                             std::uint32_t start, std::uint32_t count, Engine trigger) {
  if (!scratch_) {
    return load(group, row, rows, start, count, trigger);
  }
  const View tile = builder_.sbuf(name_, source_.dtype, group.partitions, {rows, count});
  builder_.dma(tile, k_outer_part(*scratch_, tile, group, row, start), trigger);
  return tile;
}

View GemmOperand::k_outer_part(const View& hbm, const View& tile, const KGroup& group,
                               std::uint32_t row, std::uint32_t start) {
  const std::int64_t pitch = hbm.dims[0].stride;
  View part = hbm;
  part.dims = {{group.partition_stride * pitch, group.partitions},
               {group.row_stride * pitch, tile.dims[0].count},
               {1, tile.dims[1].count}};
  part.offset = (group.first + static_cast<std::int64_t>(row) * group.row_stride) * pitch + start;
  return part;
}

// dma_transpose turns [free, rows, K on partitions] into [K on partitions, rows, free].
void GemmOperand::transpose_by_dma(const View& dst, const KGroup& group, std::uint32_t row,
                                   std::uint32_t start, Engine trigger) {
  View src = source_;
  src.dims = {
      {pitch_, dst.dims[1].count}, {group.row_stride, dst.dims[0].count}, {1, group.partitions}};
  src.offset = start * pitch_ + group.first + static_cast<std::int64_t>(row) * group.row_stride;
  builder_.dma_transpose(dst, src, trigger);
}

// Loads [free on partitions, K] for one bank of transposes, transposes tile by tile into PSUM and copies
// the bank at once.
void GemmOperand::transpose_on_tensor(const View& dst, const KGroup& group, std::uint32_t row,
                                      std::uint32_t start, Engine trigger) {
  const std::uint32_t rows = dst.dims[0].count;
  const std::uint32_t count = dst.dims[1].count;
  const DType psum_dtype = size_bytes(source_.dtype) == 1 ? DType::kBFloat16 : source_.dtype;
  const std::int64_t first_k = group.first + static_cast<std::int64_t>(row) * group.row_stride;
  for (std::uint32_t f = 0; f < count; f += kTransposesPerBank * kPartitions) {
    const std::uint32_t width = std::min(count - f, kTransposesPerBank * kPartitions);
    const std::vector<View> natural =
        load_natural(start + f, width, first_k, rows * group.partitions, trigger);
    for (std::uint32_t q = 0; q < rows; ++q) {
      const View bank = builder_.psum(name_ + "_transposed", psum_dtype, group.partitions, {width});
      for (std::uint32_t i = 0; i < natural.size(); ++i) {
        const View data = natural[i].slice(0, q * group.partitions, group.partitions);
        builder_.transpose(bank.slice(0, i * kPartitions, data.partitions), data);
      }
      evacuator_.copy(dst.index(0, q).slice(0, f, width), bank);
    }
  }
}

// `width` rows of the free axis in tiles of 128 partitions, `columns` of K each: the whole tiles in one
// DMA as long as it is no larger than kNaturalLoadBytes.
std::vector<View> GemmOperand::load_natural(std::uint32_t start, std::uint32_t width,
                                            std::int64_t first_k, std::uint32_t columns,
                                            Engine trigger) {
  const std::uint64_t tile_bytes = std::uint64_t{kPartitions} * columns * size_bytes(source_.dtype);
  const auto tiles_per_load =
      static_cast<std::uint32_t>(std::max<std::uint64_t>(1, kNaturalLoadBytes / tile_bytes));
  std::vector<View> tiles;
  for (std::uint32_t at = 0; at < width;) {
    const std::uint32_t partitions = std::min(width - at, kPartitions);
    const std::uint32_t count = std::clamp((width - at) / kPartitions, 1U, tiles_per_load);
    const View tile = builder_.sbuf(name_ + "_natural", source_.dtype, partitions, {count, columns});
    View src = source_;
    src.dims = {{pitch_, partitions}, {kPartitions * pitch_, count}, {1, columns}};
    src.offset = (start + at) * pitch_ + first_k;
    builder_.dma(tile, src, trigger);
    for (std::uint32_t i = 0; i < count; ++i) {
      tiles.push_back(tile.index(0, i));
    }
    at += count * partitions;
  }
  return tiles;
}

View step_view(const View& tile, std::uint32_t row, std::uint32_t pair, std::uint32_t start,
               std::uint32_t count) {
  return pair == 1 ? tile.index(0, row).slice(0, start, count)
                   : tile.slice(0, row, pair).slice(1, start, count);
}

}  // namespace trnsim::kernels
