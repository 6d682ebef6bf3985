// K plans and the three ways of loading a GEMM operand.
#include "gemm_operand.h"

#include <algorithm>
#include <utility>

namespace trnsim::kernels {

using trace::Engine;
using trace::View;

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
    View src = source_;
    src.dims = {{group.partition_stride * pitch_, group.partitions},
                {group.row_stride * pitch_, dst.dims[0].count},
                {1, dst.dims[1].count}};
    src.offset = (group.first + static_cast<std::int64_t>(row) * group.row_stride) * pitch_ + start;
    builder_.dma(dst, src, trigger);
  } else if (by_dma_) {
    transpose_by_dma(dst, group, row, start, trigger);
  } else {
    transpose_on_tensor(dst, group, row, start, trigger);
  }
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

// Loads [free on partitions, K], transposes tile by tile into PSUM and copies up to a bank at a
// time.
void GemmOperand::transpose_on_tensor(const View& dst, const KGroup& group, std::uint32_t row,
                                      std::uint32_t start, Engine trigger) {
  constexpr std::uint32_t kPartitions = 128;
  constexpr std::uint32_t kTransposesPerBank = 4;
  const std::uint32_t rows = dst.dims[0].count;
  const std::uint32_t count = dst.dims[1].count;
  const std::uint32_t columns = rows * group.partitions;  // contiguous: row_stride = partitions
  const DType psum_dtype = size_bytes(source_.dtype) == 1 ? DType::kBFloat16 : source_.dtype;
  for (std::uint32_t f = 0; f < count; f += kTransposesPerBank * kPartitions) {
    const std::uint32_t width = std::min(count - f, kTransposesPerBank * kPartitions);
    std::vector<View> natural;
    for (std::uint32_t at = 0; at < width; at += kPartitions) {
      const std::uint32_t part = std::min(width - at, kPartitions);
      natural.push_back(builder_.sbuf(name_ + "_natural", source_.dtype, part, {columns}));
      View src = source_;
      src.dims = {{pitch_, part}, {1, columns}};
      src.offset = (start + f + at) * pitch_ + group.first +
                   static_cast<std::int64_t>(row) * group.row_stride;
      builder_.dma(natural.back(), src, trigger);
    }
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

View step_view(const View& tile, std::uint32_t row, std::uint32_t pair, std::uint32_t start,
               std::uint32_t count) {
  return pair == 1 ? tile.index(0, row).slice(0, start, count)
                   : tile.slice(0, row, pair).slice(1, start, count);
}

}  // namespace trnsim::kernels
