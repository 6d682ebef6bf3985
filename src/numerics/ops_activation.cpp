// Scalar-engine activation and the vector engine's exponential and reciprocal.
#include <cmath>

#include "activation_functions.h"
#include "ops.h"
#include "reduction.h"

namespace trnsim::numerics {
namespace {

// Stores the result, and its reduction over the free elements when asked for.
void finish(Context& context, const Floats& result) {
  context.store(context.output(0), result);
  if (context.has_output(1)) {
    context.store(context.output(1), reduce_rows(context, result, context.attributes().reduce_op));
  }
}

// Next [P, 1] operand, or the immediate for every partition.
std::vector<float> scalar_or_vector(Context& context, bool is_tensor, double immediate,
                                    std::uint64_t rows, std::size_t& next_input) {
  if (is_tensor) {
    return context.load_vector(context.input(next_input++), rows);
  }
  return std::vector<float>(rows, static_cast<float>(immediate));
}

void apply(Floats& block, Activation function) {
  for (float& value : block.values) {
    value = function(value);
  }
}

// The instruction's function; prelu alone has a parameter, the operand after scale and bias.
void apply_function(Context& context, Floats& block, std::size_t next_input) {
  const trace::Attributes& attributes = context.attributes();
  apply(block, activation(attributes.func));
  if (attributes.func != trace::ActFunc::kPrelu) {
    return;
  }
  const std::vector<float> slope = scalar_or_vector(context, attributes.imm0_is_tensor,
                                                    attributes.imm0, block.rows, next_input);
  for (std::uint64_t r = 0; r < block.rows; ++r) {
    for (std::uint64_t c = 0; c < block.columns; ++c) {
      float& value = block.row(r)[c];
      value = value < 0 ? value * slope[r] : value;
    }
  }
}

}  // namespace

void run_activation(Context& context) {
  const trace::Attributes& attributes = context.attributes();
  Floats block = context.load(context.input(0));
  std::size_t next_input = 1;
  const std::vector<float> scale = scalar_or_vector(context, attributes.scale_is_tensor,
                                                    attributes.scale, block.rows, next_input);
  const std::vector<float> bias =
      scalar_or_vector(context, attributes.bias_is_tensor, attributes.bias, block.rows, next_input);
  const bool plain = !attributes.scale_is_tensor && !attributes.bias_is_tensor &&
                     attributes.scale == 1 && attributes.bias == 0;
  for (std::uint64_t r = 0; r < block.rows && !plain; ++r) {
    for (std::uint64_t c = 0; c < block.columns; ++c) {
      block.row(r)[c] = block.row(r)[c] * scale[r] + bias[r];
    }
  }
  apply_function(context, block, next_input);
  finish(context, block);
}

// (data op0 scale) op1 bias; without op0 as activation.
void run_activate2(Context& context) {
  const trace::Attributes& attributes = context.attributes();
  if (attributes.op0 == trace::AluOp::kNone) {
    run_activation(context);
    return;
  }
  Floats block = context.load(context.input(0));
  std::size_t next_input = 1;
  const auto stage = [&](trace::AluOp op, bool is_tensor, double immediate, bool reverse) {
    const std::vector<float> operand =
        scalar_or_vector(context, is_tensor, immediate, block.rows, next_input);
    if (op == trace::AluOp::kNone || op == trace::AluOp::kBypass) {
      return;
    }
    const FloatOp function = float_op(op);
    context.require(function != nullptr, "no arithmetic operator: {}", trace::name(op));
    for (std::uint64_t r = 0; r < block.rows; ++r) {
      for (std::uint64_t c = 0; c < block.columns; ++c) {
        float& value = block.row(r)[c];
        value = reverse && !is_unary(op) ? function(operand[r], value) : function(value, operand[r]);
      }
    }
  };
  stage(attributes.op0, attributes.scale_is_tensor, attributes.scale, attributes.reverse0);
  stage(attributes.op1, attributes.bias_is_tensor, attributes.bias, attributes.reverse1);
  apply_function(context, block, next_input);
  finish(context, block);
}

void run_exponential(Context& context) {
  Floats block = context.load(context.input(0));
  const bool has_max = context.has_input(1);
  std::size_t next_input = 1;
  const std::vector<float> subtract =
      scalar_or_vector(context, has_max, context.attributes().imm0, block.rows, next_input);
  const Activation exponential = activation(trace::ActFunc::kExp);
  for (std::uint64_t r = 0; r < block.rows; ++r) {
    for (std::uint64_t c = 0; c < block.columns; ++c) {
      block.row(r)[c] = exponential(block.row(r)[c] - subtract[r]);
    }
  }
  finish(context, block);
}

void run_reciprocal(Context& context) {
  Floats block = context.load(context.input(0));
  apply(block, activation(trace::ActFunc::kReciprocal));
  context.store(context.output(0), block);
}

}  // namespace trnsim::numerics
