// Vector-engine arithmetic: tensor with tensor, tensor with scalar, scans.
#include <algorithm>
#include <type_traits>
#include <vector>

#include "alu.h"
#include "ops.h"
#include "reduction.h"

namespace trnsim::numerics {
namespace {

using trace::AluOp;

// Applies op(data, operand) with the sides as the reverse flag says; unary operators take data.
struct FloatStep {
  FloatOp function;
  bool reverse;
  float operator()(float data, float operand) const {
    return reverse ? function(operand, data) : function(data, operand);
  }
};

FloatStep float_step(const Context& context, AluOp op, bool reverse) {
  const FloatOp function = float_op(op);
  context.require(function != nullptr, "no arithmetic operator: {}", trace::name(op));
  return {function, reverse && !is_unary(op)};
}

bool is_32bit_integer(DType dtype) {
  return dtype == DType::kInt32 || dtype == DType::kUInt32;
}

// GpSimd computes int32/uint32 exactly. It gets an instruction whose operands are all of these
// types and none in PSUM, unless the kernel named another engine (isa-api, tensor_tensor).
bool is_exact_integer(const Context& context) {
  const trace::Instruction& instruction = context.instruction();
  if (instruction.engine == trace::Engine::kVector ||
      instruction.engine == trace::Engine::kScalar) {
    return false;
  }
  const auto fits = [&](const trace::Operand& operand) {
    return is_32bit_integer(context.dtype(operand)) &&
           context.region(operand) != trace::Region::kPsum;
  };
  return fits(context.output(0)) && fits(context.input(0)) && fits(context.input(1));
}

// The operand of a tensor-scalar stage, one value per partition.
template <typename T>
std::vector<T> stage_operand(Context& context, bool is_tensor, double immediate, std::uint64_t rows,
                             std::size_t& next_input) {
  if (!is_tensor) {
    return std::vector<T>(rows, static_cast<T>(immediate));
  }
  const trace::Operand& source = context.input(next_input++);
  if constexpr (std::is_same_v<T, float>) {
    return context.load_vector(source, rows);
  } else {
    const Integers block = context.load_integers(source);
    context.require(block.values.size() == rows && block.columns == 1,
                    "needs a [{}, 1] operand, not [{}, {}]", rows, block.rows, block.columns);
    return block.values;
  }
}

void apply_stage(Floats& block, const FloatStep& step, const std::vector<float>& operand) {
  for (std::uint64_t r = 0; r < block.rows; ++r) {
    for (std::uint64_t c = 0; c < block.columns; ++c) {
      block.row(r)[c] = step(block.row(r)[c], operand[r]);
    }
  }
}

// Bits of an integer operand read without sign, so that shifts are logical on the element's width.
Integers load_patterns(Context& context, const trace::Operand& operand) {
  context.require(!is_float(context.dtype(operand)),
                  "bitwise operators need integer operands, not {}", name(context.dtype(operand)));
  const Bits bits = context.load_bits(operand);
  Integers block(bits.rows, bits.columns);
  std::copy(bits.values.begin(), bits.values.end(), block.values.begin());
  return block;
}

void run_bitwise_scalar(Context& context) {
  const trace::Attributes& attributes = context.attributes();
  Integers block = load_patterns(context, context.input(0));
  std::size_t next_input = 1;
  const auto stage = [&](AluOp op, bool is_tensor, double immediate, bool reverse) {
    if (op == AluOp::kNone) {
      return;
    }
    context.require(is_bitwise(op), "{} cannot follow a bitwise operator", trace::name(op));
    const IntegerOp function = integer_op(op);
    const auto operand =
        stage_operand<std::int64_t>(context, is_tensor, immediate, block.rows, next_input);
    for (std::uint64_t r = 0; r < block.rows; ++r) {
      for (std::uint64_t c = 0; c < block.columns; ++c) {
        std::int64_t& value = block.row(r)[c];
        value = reverse && !is_unary(op) ? function(operand[r], value) : function(value, operand[r]);
        value &= 0xFFFFFFFF;
      }
    }
  };
  stage(attributes.op0, attributes.imm0_is_tensor, attributes.imm0, attributes.reverse0);
  stage(attributes.op1, attributes.imm1_is_tensor, attributes.imm1, attributes.reverse1);
  context.store_integers(context.output(0), block);
}

}  // namespace

void run_tensor_tensor(Context& context) {
  const trace::Attributes& attributes = context.attributes();
  const AluOp op = attributes.op0;
  context.require_same_shape(context.input(0), context.input(1));
  const bool bitwise = is_bitwise(op);
  if (bitwise || (is_exact_integer(context) && integer_op(op) != nullptr)) {
    const auto load = [&](std::size_t i) {
      return bitwise ? load_patterns(context, context.input(i))
                     : context.load_integers(context.input(i));
    };
    Integers a = load(0);
    const Integers b = load(1);
    for (std::size_t i = 0; i < a.values.size(); ++i) {
      a.values[i] = integer_op(op)(a.values[i], b.values[i]);
    }
    context.store_integers(context.output(0), a);
    return;
  }
  const FloatStep step = float_step(context, op, attributes.reverse0);
  Floats a = context.load(context.input(0));
  const Floats b = context.load(context.input(1));
  for (std::size_t i = 0; i < a.values.size(); ++i) {
    a.values[i] = step(a.values[i], b.values[i]);
  }
  context.store(context.output(0), a);
}

void run_tensor_scalar(Context& context) {
  const trace::Attributes& attributes = context.attributes();
  if (is_bitwise(attributes.op0)) {
    run_bitwise_scalar(context);
    return;
  }
  Floats block = context.load(context.input(0));
  std::size_t next_input = 1;
  const auto operand0 = stage_operand<float>(context, attributes.imm0_is_tensor, attributes.imm0,
                                             block.rows, next_input);
  apply_stage(block, float_step(context, attributes.op0, attributes.reverse0), operand0);
  if (attributes.op1 != AluOp::kNone) {
    const auto operand1 = stage_operand<float>(context, attributes.imm1_is_tensor, attributes.imm1,
                                               block.rows, next_input);
    apply_stage(block, float_step(context, attributes.op1, attributes.reverse1), operand1);
  }
  context.store(context.output(0), block);
}

void run_tensor_scalar_reduce(Context& context) {
  const trace::Attributes& attributes = context.attributes();
  Floats block = context.load(context.input(0));
  std::size_t next_input = 1;
  const auto operand0 = stage_operand<float>(context, attributes.imm0_is_tensor, attributes.imm0,
                                             block.rows, next_input);
  apply_stage(block, float_step(context, attributes.op0, attributes.reverse0), operand0);
  context.store(context.output(0), block);
  context.store(context.output(1), reduce_rows(context, block, attributes.reduce_op));
}

void run_tensor_scalar_cumulative(Context& context) {
  const trace::Attributes& attributes = context.attributes();
  Floats block = context.load(context.input(0));
  std::size_t next_input = 1;
  const auto operand0 = stage_operand<float>(context, attributes.imm0_is_tensor, attributes.imm0,
                                             block.rows, next_input);
  const FloatStep first = float_step(context, attributes.op0, attributes.reverse0);
  context.require(has_identity(attributes.op1), "cannot accumulate by {}",
                  trace::name(attributes.op1));
  const FloatOp second = float_op(attributes.op1);
  std::vector<float> start(block.rows, identity(attributes.op1));
  if (attributes.accumulate) {
    start = stage_operand<float>(context, attributes.imm1_is_tensor, attributes.imm1, block.rows,
                                 next_input);
  }
  for (std::uint64_t r = 0; r < block.rows; ++r) {
    float sum = start[r];
    for (std::uint64_t c = 0; c < block.columns; ++c) {
      sum = second(first(block.row(r)[c], operand0[r]), sum);
      block.row(r)[c] = sum;
    }
  }
  context.store(context.output(0), block);
}

void run_scalar_tensor_tensor(Context& context) {
  const trace::Attributes& attributes = context.attributes();
  context.require_same_shape(context.input(0), context.input(1));
  Floats block = context.load(context.input(0));
  const Floats other = context.load(context.input(1));
  std::size_t next_input = 2;
  const auto operand0 = stage_operand<float>(context, attributes.imm0_is_tensor, attributes.imm0,
                                             block.rows, next_input);
  apply_stage(block, float_step(context, attributes.op0, attributes.reverse0), operand0);
  const FloatStep step = float_step(context, attributes.op1, attributes.reverse1);
  for (std::size_t i = 0; i < block.values.size(); ++i) {
    block.values[i] = step(block.values[i], other.values[i]);
  }
  context.store(context.output(0), block);
}

void run_tensor_tensor_scan(Context& context) {
  const trace::Attributes& attributes = context.attributes();
  context.require_same_shape(context.input(0), context.input(1));
  Floats a = context.load(context.input(0));
  const Floats b = context.load(context.input(1));
  std::size_t next_input = 2;
  const auto initial =
      stage_operand<float>(context, attributes.imm0_is_tensor, attributes.imm0, a.rows, next_input);
  const FloatStep first = float_step(context, attributes.op0, attributes.reverse0);
  const FloatStep second = float_step(context, attributes.op1, attributes.reverse1);
  for (std::uint64_t r = 0; r < a.rows; ++r) {
    float state = initial[r];
    for (std::uint64_t c = 0; c < a.columns; ++c) {
      state = second(first(a.row(r)[c], state), b.row(r)[c]);
      a.row(r)[c] = state;
    }
  }
  context.store(context.output(0), a);
}

}  // namespace trnsim::numerics
