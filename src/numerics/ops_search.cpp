// Searching along the free elements: largest eight, matching, nonzero positions, sequence bounds.
#include <algorithm>
#include <functional>

#include "ops.h"
#include "trnsim/numerics/dtype_convert.h"

namespace trnsim::numerics {
namespace {

constexpr std::uint64_t kEight = 8;

void store_numbers(Context& context, const trace::Operand& to, const Block<double>& block) {
  Bits bits(block.rows, block.columns);
  const DType type = context.dtype(to);
  for (std::size_t i = 0; i < bits.values.size(); ++i) {
    bits.values[i] = encode(type, block.values[i]);
  }
  context.store_bits(to, bits);
}

// A part of an operand: `count` partitions from `start` on.
trace::Operand partitions(trace::Operand operand, std::uint32_t start, std::uint32_t count) {
  operand.partition_start += start;
  operand.partition_count = count;
  return operand;
}

void require_eight_values(const Context& context, const trace::Operand& data,
                          const trace::Operand& values) {
  context.require(context.rows(data) == context.rows(values) && context.columns(values) == kEight,
                  "needs 8 values for each of {} partitions, not [{}, {}]", context.rows(data),
                  context.rows(values), context.columns(values));
}

}  // namespace

void run_max8(Context& context) {
  Floats data = context.load(context.input(0));
  context.require(data.columns >= kEight && data.columns <= 16384,
                  "needs 8 to 16384 elements per partition, not {}", data.columns);
  Floats result(data.rows, kEight);
  for (std::uint64_t r = 0; r < data.rows; ++r) {
    std::partial_sort(data.row(r), data.row(r) + kEight, data.row(r) + data.columns,
                      std::greater<>());
    std::copy_n(data.row(r), kEight, result.row(r));
  }
  context.store(context.output(0), result);
}

// Two equal values name the first and the second occurrence: the pair max8 + find_index8 of a top-k
// returns distinct elements.
void run_find_index8(Context& context) {
  require_eight_values(context, context.input(0), context.input(1));
  const Floats data = context.load(context.input(0));
  const Floats values = context.load(context.input(1));
  Block<double> result(data.rows, kEight);
  for (std::uint64_t r = 0; r < data.rows; ++r) {
    std::vector<bool> taken(data.columns, false);
    for (std::uint64_t v = 0; v < kEight; ++v) {
      std::uint64_t at = 0;
      while (at < data.columns && (taken[at] || data.row(r)[at] != values.row(r)[v])) {
        ++at;
      }
      context.require(at < data.columns, "value {} of partition {} is not in the data",
                      values.row(r)[v], r);
      taken[at] = true;
      result.row(r)[v] = static_cast<double>(at);
    }
  }
  store_numbers(context, context.output(0), result);
}

void run_match_replace8(Context& context) {
  require_eight_values(context, context.input(0), context.input(1));
  Floats data = context.load(context.input(0));
  const Floats values = context.load(context.input(1));
  Block<double> indices(data.rows, kEight);
  for (std::uint64_t r = 0; r < data.rows; ++r) {
    std::vector<bool> taken(data.columns, false);
    for (std::uint64_t v = 0; v < kEight; ++v) {
      std::uint64_t at = 0;
      while (at < data.columns && (taken[at] || data.row(r)[at] != values.row(r)[v])) {
        ++at;
      }
      if (at < data.columns) {
        taken[at] = true;
      }
      context.require(at < data.columns || !context.has_output(1),
                      "value {} of partition {} is not in the data", values.row(r)[v], r);
      indices.row(r)[v] = static_cast<double>(at);
    }
    for (std::uint64_t c = 0; c < data.columns; ++c) {
      if (taken[c]) {
        data.row(r)[c] = static_cast<float>(context.attributes().imm0);
      }
    }
  }
  context.store(context.output(0), data);
  if (context.has_output(1)) {
    store_numbers(context, context.output(1), indices);
  }
}

// Works on partitions 0, 16, 32, ... only; index_offset is affine_base, padding is imm0.
void run_nonzero_with_count(Context& context) {
  const trace::Operand& from = context.input(0);
  const trace::Operand& to = context.output(0);
  context.require(
      context.rows(from) == context.rows(to) && context.columns(to) == context.columns(from) + 1,
      "dst [{}, {}] needs one element more per partition than src [{}, {}]", context.rows(to),
      context.columns(to), context.rows(from), context.columns(from));
  for (std::uint32_t p = 0; p < context.rows(from); p += 16) {
    const Floats data = context.load(partitions(from, p, 1));
    Block<double> result(1, data.columns + 1, context.attributes().imm0);
    std::uint64_t found = 0;
    for (std::uint64_t c = 0; c < data.columns; ++c) {
      if (data.values[c] != 0) {
        result.values[found++] =
            static_cast<double>(context.attributes().affine_base) + static_cast<double>(c);
      }
    }
    result.values[data.columns] = static_cast<double>(found);
    store_numbers(context, partitions(to, p, 1), result);
  }
}

// dst [1, 2, n]: first element of the run of equal ids around each element, and one past its last
// (as [start, end) of slices); padding (id 0) gets n and -1.
void run_sequence_bounds(Context& context) {
  const Floats ids = context.load(context.input(0));
  context.require(ids.rows == 1, "needs 1 partition, not {}", ids.rows);
  const std::uint64_t n = ids.columns;
  Block<double> bounds(1, 2 * n);
  for (std::uint64_t start = 0; start < n;) {
    std::uint64_t end = start;
    while (end < n && ids.values[end] == ids.values[start]) {
      ++end;
    }
    const bool padding = ids.values[start] == 0;
    for (std::uint64_t i = start; i < end; ++i) {
      bounds.values[i] = static_cast<double>(padding ? n : start);
      bounds.values[n + i] = padding ? -1 : static_cast<double>(end);
    }
    start = end;
  }
  store_numbers(context, context.output(0), bounds);
}

}  // namespace trnsim::numerics
