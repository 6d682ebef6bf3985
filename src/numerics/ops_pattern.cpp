// Index patterns and selection by index: iota, affine_select, range_select, select_reduce.
#include "alu.h"
#include "ops.h"
#include "reduction.h"
#include "trnsim/numerics/dtype_convert.h"

namespace trnsim::numerics {
namespace {

// base + channel * p + sum(stride_k * i_k) for each element, in 32-bit integer arithmetic.
Integers affine_values(const Context& context, const trace::Operand& like) {
  const trace::Attributes& attributes = context.attributes();
  Integers block(context.rows(like), context.columns(like));
  std::vector<std::int64_t> row{0};
  if (attributes.affine_pattern != trace::kNone) {
    for (const trace::Dim& dim : context.trace().patterns[attributes.affine_pattern].span()) {
      std::vector<std::int64_t> wider;
      wider.reserve(row.size() * dim.count);
      for (const std::int64_t value : row) {
        for (std::uint32_t i = 0; i < dim.count; ++i) {
          wider.push_back(value + dim.stride * static_cast<std::int64_t>(i));
        }
      }
      row = std::move(wider);
    }
  }
  context.require(row.size() == block.columns, "the affine pattern has {} values for {} elements",
                  row.size(), block.columns);
  for (std::uint64_t p = 0; p < block.rows; ++p) {
    const std::int64_t start =
        attributes.affine_base + attributes.affine_channel * static_cast<std::int64_t>(p);
    for (std::uint64_t c = 0; c < block.columns; ++c) {
      block.row(p)[c] = static_cast<std::int32_t>(start + row[c]);
    }
  }
  return block;
}

FloatOp comparison(const Context& context, trace::AluOp op) {
  context.require(op >= trace::AluOp::kEqual && op <= trace::AluOp::kLessEqual, "no comparison: {}",
                  trace::name(op));
  return float_op(op);
}

void store_selected(Context& context, const Floats& result) {
  context.store(context.output(0), result);
  if (context.has_output(1)) {
    const trace::AluOp op = context.attributes().reduce_op;
    context.store(
        context.output(1),
        reduce_rows(context, result, op == trace::AluOp::kNone ? trace::AluOp::kMax : op));
  }
}

}  // namespace

void run_iota(Context& context) {
  const trace::Operand& to = context.output(0);
  const Integers values = affine_values(context, to);
  const DType type = context.dtype(to);
  Bits bits(values.rows, values.columns);
  for (std::size_t i = 0; i < bits.values.size(); ++i) {
    bits.values[i] = encode(type, static_cast<double>(values.values[i]));
  }
  context.store_bits(to, bits);
}

void run_affine_select(Context& context) {
  const trace::Attributes& attributes = context.attributes();
  const Integers values = affine_values(context, context.input(0));
  context.require(
      attributes.compare >= trace::AluOp::kEqual && attributes.compare <= trace::AluOp::kLessEqual,
      "no comparison: {}", trace::name(attributes.compare));
  const IntegerOp compare = integer_op(attributes.compare);
  Floats data = context.load(context.input(0));
  for (std::size_t i = 0; i < data.values.size(); ++i) {
    if (compare(values.values[i], 0) == 0) {
      data.values[i] = static_cast<float>(attributes.imm0);
    }
  }
  context.store(context.output(0), data);
}

void run_range_select(Context& context) {
  const trace::Attributes& attributes = context.attributes();
  Floats data = context.load(context.input(0));
  const std::vector<float> bound0 = context.load_vector(context.input(1), data.rows);
  const std::vector<float> bound1 = context.load_vector(context.input(2), data.rows);
  const FloatOp compare0 = comparison(context, attributes.compare);
  const FloatOp compare1 = comparison(context, attributes.compare1);
  for (std::uint64_t r = 0; r < data.rows; ++r) {
    for (std::uint64_t c = 0; c < data.columns; ++c) {
      const auto index = static_cast<float>(attributes.affine_base + static_cast<std::int64_t>(c));
      if (compare0(index, bound0[r]) == 0 || compare1(index, bound1[r]) == 0) {
        data.row(r)[c] = static_cast<float>(attributes.imm0);
      }
    }
  }
  store_selected(context, data);
}

void run_select_reduce(Context& context) {
  const trace::Attributes& attributes = context.attributes();
  context.require_same_shape(context.input(0), context.input(1));
  const Bits predicate = context.load_bits(context.input(0));
  Floats data = context.load(context.input(1));
  std::vector<float> on_false(data.rows, static_cast<float>(attributes.imm0));
  if (attributes.imm0_is_tensor) {
    on_false = context.load_vector(context.input(2), data.rows);
  }
  for (std::uint64_t r = 0; r < data.rows; ++r) {
    for (std::uint64_t c = 0; c < data.columns; ++c) {
      if ((predicate.row(r)[c] != 0) == attributes.reverse0) {
        data.row(r)[c] = on_false[r];
      }
    }
  }
  store_selected(context, data);
}

}  // namespace trnsim::numerics
