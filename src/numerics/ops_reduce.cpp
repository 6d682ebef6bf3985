// Reductions over free dims and over partitions.
#include <vector>

#include "ops.h"
#include "reduction.h"

namespace trnsim::numerics {
namespace {

using trace::AluOp;

// Elements that fold into one result: the innermost reduce_dims dims.
std::uint64_t reduced_elements(const Context& context) {
  const auto dims = context.trace().pattern(context.input(0)).span();
  const std::size_t count = context.attributes().reduce_dims;
  context.require(count >= 1 && count <= dims.size(), "reduces {} of {} free dims", count,
                  dims.size());
  std::uint64_t elements = 1;
  for (std::size_t d = dims.size() - count; d < dims.size(); ++d) {
    elements *= dims[d].count;
  }
  return elements;
}

void reduce_integers(Context& context, std::uint64_t inner, IntegerOp op) {
  const Integers data = context.load_integers(context.input(0));
  Integers result(data.rows, data.columns / inner);
  for (std::size_t i = 0; i < result.values.size(); ++i) {
    const std::int64_t* from = data.values.data() + i * inner;
    std::int64_t folded = from[0];
    for (std::uint64_t k = 1; k < inner; ++k) {
      folded = op(folded, from[k]);
    }
    result.values[i] = folded;
  }
  context.store_integers(context.output(0), result);
}

template <typename BlockType, typename Op>
BlockType fold_partitions(const BlockType& data, Op op) {
  BlockType result(1, data.columns);
  for (std::uint64_t c = 0; c < data.columns; ++c) {
    result.values[c] = data.row(0)[c];
    for (std::uint64_t r = 1; r < data.rows; ++r) {
      result.values[c] = op(result.values[c], data.row(r)[c]);
    }
  }
  return result;
}

}  // namespace

void run_tensor_reduce(Context& context) {
  const AluOp op = context.attributes().op0;
  const std::uint64_t inner = reduced_elements(context);
  if (is_bitwise(op)) {
    reduce_integers(context, inner, integer_op(op));
    return;
  }
  Floats folded = context.load(context.input(0));
  const std::uint64_t rows = folded.rows;
  const std::uint64_t outer = folded.columns / inner;
  folded.rows = rows * outer;
  folded.columns = inner;
  Floats result;
  if (has_identity(op) && op != AluOp::kSubtract) {
    result = reduce_rows(context, folded, op);
  } else {
    // Subtract and logic: left to right from the first element.
    const FloatOp apply = float_op(op);
    context.require(apply != nullptr && !is_unary(op), "cannot reduce by {}", trace::name(op));
    result = Floats(folded.rows, 1);
    for (std::uint64_t r = 0; r < folded.rows; ++r) {
      float value = folded.row(r)[0];
      for (std::uint64_t c = 1; c < inner; ++c) {
        value = apply(value, folded.row(r)[c]);
      }
      result.values[r] = value;
    }
  }
  if (context.attributes().negate) {
    for (float& value : result.values) {
      value = -value;
    }
  }
  result.rows = rows;
  result.columns = outer;
  context.store(context.output(0), result);
}

void run_tensor_partition_reduce(Context& context) {
  const AluOp op = context.attributes().op0;
  const trace::Operand& from = context.input(0);
  const trace::Operand& to = context.output(0);
  const auto exact = [&](const trace::Operand& operand) {
    return context.dtype(operand) == DType::kInt32 || context.dtype(operand) == DType::kUInt32;
  };
  if (is_bitwise(op) || (exact(from) && exact(to) && integer_op(op) != nullptr)) {
    context.store_integers(to, fold_partitions(context.load_integers(from), integer_op(op)));
    return;
  }
  const FloatOp apply = float_op(op);
  context.require(apply != nullptr && !is_unary(op), "cannot reduce by {}", trace::name(op));
  const Floats data = context.load(from);
  Floats result = fold_partitions(data, apply);
  finish_reduction(result, op, data.rows);
  context.store(to, result);
}

}  // namespace trnsim::numerics
