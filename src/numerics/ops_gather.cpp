// On-chip gathers of the GpSimd engine.
#include "ops.h"

namespace trnsim::numerics {
namespace {

std::uint64_t checked_index(const Context& context, std::int64_t index, std::uint64_t limit) {
  context.require(index >= 0 && index < static_cast<std::int64_t>(limit),
                  "index {} is outside the {} elements", index, limit);
  return static_cast<std::uint64_t>(index);
}

}  // namespace

// Each group of 16 partitions has one list of indices, flattened along partitions first; every
// partition of the group gathers `imm0` (num_elem_per_idx, 0 = 1) elements per index.
void run_local_gather(Context& context) {
  constexpr std::uint64_t kGroup = 16;
  const trace::Operand& to = context.output(0);
  const trace::Operand& from = context.input(0);
  context.require(context.dtype(to) == context.dtype(from), "src and dst differ in dtype");
  const Bits data = context.load_bits(from);
  const Integers index = context.load_integers(context.input(1));
  context.require(data.rows == index.rows && data.rows % kGroup == 0,
                  "needs equal partitions in multiples of 16, not {} and {}", data.rows,
                  index.rows);
  const std::uint64_t width =
      context.attributes().imm0 > 0 ? static_cast<std::uint64_t>(context.attributes().imm0) : 1;
  Bits result(context.rows(to), context.columns(to));
  const std::uint64_t indices = result.columns / width;
  context.require(result.rows == data.rows && indices * width == result.columns &&
                      indices <= index.columns * kGroup,
                  "dst [{}, {}] takes {} indices of {} elements, {} are there", result.rows,
                  result.columns, indices, width, index.columns * kGroup);
  for (std::uint64_t p = 0; p < result.rows; ++p) {
    const std::uint64_t group = p / kGroup * kGroup;
    for (std::uint64_t i = 0; i < indices; ++i) {
      const std::int64_t start = index.row(group + i % kGroup)[i / kGroup];
      for (std::uint64_t e = 0; e < width; ++e) {
        result.row(p)[i * width + e] =
            data.row(p)[checked_index(context, start + static_cast<std::int64_t>(e), data.columns)];
      }
    }
  }
  context.store_bits(to, result);
}

void run_n_gather(Context& context) {
  const trace::Operand& to = context.output(0);
  const trace::Operand& from = context.input(0);
  context.require(context.dtype(to) == context.dtype(from), "src and dst differ in dtype");
  const Bits data = context.load_bits(from);
  const Integers index = context.load_integers(context.input(1));
  context.require(index.rows == data.rows, "indices for {} of {} partitions", index.rows,
                  data.rows);
  Bits result(index.rows, index.columns);
  for (std::uint64_t p = 0; p < index.rows; ++p) {
    for (std::uint64_t i = 0; i < index.columns; ++i) {
      result.row(p)[i] = data.row(p)[checked_index(context, index.row(p)[i], data.columns)];
    }
  }
  context.store_bits(to, result);
}

}  // namespace trnsim::numerics
