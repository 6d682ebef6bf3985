// One row per operator.
#include "alu.h"

#include <array>
#include <cmath>
#include <limits>

namespace trnsim::numerics {
namespace {

using trace::AluOp;

struct Row {
  AluOp op;
  FloatOp on_floats;
  IntegerOp on_integers;
};

float maximum(float a, float b) {
  return std::isnan(a) || a > b ? a : b;
}
float minimum(float a, float b) {
  return std::isnan(a) || a < b ? a : b;
}

std::int64_t shift_left(std::int64_t a, std::int64_t b) {
  return b < 0 || b > 31 ? 0 : static_cast<std::int64_t>(static_cast<std::uint64_t>(a) << b);
}
std::int64_t shift_right(std::int64_t a, std::int64_t b) {
  return b < 0 || b > 31 ? 0 : a >> b;
}

constexpr std::array<Row, trace::kAluOpCount> kTable{{
    {AluOp::kNone, nullptr, nullptr},
    {AluOp::kAdd, [](float a, float b) { return a + b; },
     [](std::int64_t a, std::int64_t b) { return a + b; }},
    {AluOp::kSubtract, [](float a, float b) { return a - b; },
     [](std::int64_t a, std::int64_t b) { return a - b; }},
    {AluOp::kMultiply, [](float a, float b) { return a * b; },
     [](std::int64_t a, std::int64_t b) {
       return static_cast<std::int64_t>(static_cast<std::uint64_t>(a) *
                                        static_cast<std::uint64_t>(b));
     }},
    {AluOp::kDivide, [](float a, float b) { return a / b; }, nullptr},
    {AluOp::kMax, maximum, [](std::int64_t a, std::int64_t b) { return a > b ? a : b; }},
    {AluOp::kMin, minimum, [](std::int64_t a, std::int64_t b) { return a < b ? a : b; }},
    {AluOp::kAbsMax, [](float a, float b) { return maximum(std::fabs(a), std::fabs(b)); }, nullptr},
    {AluOp::kAbsMin, [](float a, float b) { return minimum(std::fabs(a), std::fabs(b)); }, nullptr},
    {AluOp::kPower,
     [](float a, float b) {
       return static_cast<float>(std::pow(static_cast<double>(a), static_cast<double>(b)));
     },
     nullptr},
    {AluOp::kRsqrt,
     [](float a, float) { return static_cast<float>(1.0 / std::sqrt(static_cast<double>(a))); },
     nullptr},
    {AluOp::kAbs, [](float a, float) { return std::fabs(a); },
     [](std::int64_t a, std::int64_t) { return a < 0 ? -a : a; }},
    {AluOp::kBypass, [](float a, float) { return a; },
     [](std::int64_t a, std::int64_t) { return a; }},
    {AluOp::kEqual, [](float a, float b) { return a == b ? 1.0F : 0.0F; },
     [](std::int64_t a, std::int64_t b) { return std::int64_t{a == b}; }},
    {AluOp::kNotEqual, [](float a, float b) { return a != b ? 1.0F : 0.0F; },
     [](std::int64_t a, std::int64_t b) { return std::int64_t{a != b}; }},
    {AluOp::kGreater, [](float a, float b) { return a > b ? 1.0F : 0.0F; },
     [](std::int64_t a, std::int64_t b) { return std::int64_t{a > b}; }},
    {AluOp::kGreaterEqual, [](float a, float b) { return a >= b ? 1.0F : 0.0F; },
     [](std::int64_t a, std::int64_t b) { return std::int64_t{a >= b}; }},
    {AluOp::kLess, [](float a, float b) { return a < b ? 1.0F : 0.0F; },
     [](std::int64_t a, std::int64_t b) { return std::int64_t{a < b}; }},
    {AluOp::kLessEqual, [](float a, float b) { return a <= b ? 1.0F : 0.0F; },
     [](std::int64_t a, std::int64_t b) { return std::int64_t{a <= b}; }},
    {AluOp::kLogicalAnd, [](float a, float b) { return a != 0 && b != 0 ? 1.0F : 0.0F; },
     [](std::int64_t a, std::int64_t b) { return std::int64_t{a != 0 && b != 0}; }},
    {AluOp::kLogicalOr, [](float a, float b) { return a != 0 || b != 0 ? 1.0F : 0.0F; },
     [](std::int64_t a, std::int64_t b) { return std::int64_t{a != 0 || b != 0}; }},
    {AluOp::kLogicalXor, [](float a, float b) { return (a != 0) != (b != 0) ? 1.0F : 0.0F; },
     [](std::int64_t a, std::int64_t b) { return std::int64_t{(a != 0) != (b != 0)}; }},
    {AluOp::kBitwiseAnd, nullptr, [](std::int64_t a, std::int64_t b) { return a & b; }},
    {AluOp::kBitwiseOr, nullptr, [](std::int64_t a, std::int64_t b) { return a | b; }},
    {AluOp::kBitwiseXor, nullptr, [](std::int64_t a, std::int64_t b) { return a ^ b; }},
    {AluOp::kShiftLeft, nullptr, shift_left},
    {AluOp::kShiftRight, nullptr, shift_right},
}};

constexpr bool in_enum_order() {
  for (std::size_t i = 0; i < kTable.size(); ++i) {
    if (static_cast<std::size_t>(kTable[i].op) != i) {
      return false;
    }
  }
  return true;
}
static_assert(in_enum_order());

const Row& row(AluOp op) {
  return kTable[static_cast<std::size_t>(op)];
}

}  // namespace

FloatOp float_op(AluOp op) {
  return row(op).on_floats;
}
IntegerOp integer_op(AluOp op) {
  return row(op).on_integers;
}

bool is_bitwise(AluOp op) {
  return op >= AluOp::kBitwiseAnd && op <= AluOp::kShiftRight;
}

bool is_unary(AluOp op) {
  return op == AluOp::kRsqrt || op == AluOp::kAbs || op == AluOp::kBypass;
}

bool has_identity(AluOp op) {
  switch (op) {
    case AluOp::kAdd:
    case AluOp::kSubtract:
    case AluOp::kMultiply:
    case AluOp::kMax:
    case AluOp::kMin:
    case AluOp::kAbsMax:
    case AluOp::kAbsMin:
      return true;
    default:
      return false;
  }
}

float identity(AluOp op) {
  constexpr float kInfinity = std::numeric_limits<float>::infinity();
  switch (op) {
    case AluOp::kMultiply:
      return 1;
    case AluOp::kMax:
      return -kInfinity;
    case AluOp::kMin:
    case AluOp::kAbsMin:
      return kInfinity;
    default:
      return 0;
  }
}

}  // namespace trnsim::numerics
