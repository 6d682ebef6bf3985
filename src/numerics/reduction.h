// Reductions along the free elements, shared by several instruction families.
#pragma once

#include "alu.h"
#include "context.h"

namespace trnsim::numerics {

// The sum that kAverage made of `count` elements becomes their mean; other operators are done.
inline void finish_reduction(Floats& result, trace::AluOp op, std::uint64_t count) {
  if (op == trace::AluOp::kAverage) {
    for (float& value : result.values) {
      value /= static_cast<float>(count);
    }
  }
}

// Reduces each row to one value in fp32, left to right; kNone means add.
[[nodiscard]] inline Floats reduce_rows(const Context& context, const Floats& block,
                                        trace::AluOp op) {
  const trace::AluOp reduce = op == trace::AluOp::kNone ? trace::AluOp::kAdd : op;
  context.require(has_identity(reduce) && reduce != trace::AluOp::kSubtract, "cannot reduce by {}",
                  trace::name(reduce));
  const FloatOp apply = float_op(reduce);
  Floats result(block.rows, 1, identity(reduce));
  for (std::uint64_t r = 0; r < block.rows; ++r) {
    for (std::uint64_t c = 0; c < block.columns; ++c) {
      result.values[r] = apply(result.values[r], block.row(r)[c]);
    }
  }
  finish_reduction(result, reduce, block.columns);
  return result;
}

}  // namespace trnsim::numerics
