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

// The remainder has the sign of the divisor, as Python's.
float mod(float a, float b) {
  const float rest = std::fmod(a, b);
  if (rest == 0) {
    return std::copysign(0.0F, b);
  }
  return (rest < 0) != (b < 0) ? rest + b : rest;
}
// 0 where the divisor is 0.
std::int64_t integer_fmod(std::int64_t a, std::int64_t b) {
  return b == 0 || b == -1 ? 0 : a % b;
}
std::int64_t integer_mod(std::int64_t a, std::int64_t b) {
  const std::int64_t rest = integer_fmod(a, b);
  return rest != 0 && (rest < 0) != (b < 0) ? rest + b : rest;
}
float sign(float x) {
  return std::isnan(x) ? x : static_cast<float>((x > 0) - (x < 0));
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
    {AluOp::kMod, mod, integer_mod},
    {AluOp::kFmod, [](float a, float b) { return std::fmod(a, b); }, integer_fmod},
    {AluOp::kLogicalNot, [](float a, float) { return a == 0 ? 1.0F : 0.0F; },
     [](std::int64_t a, std::int64_t) { return std::int64_t{a == 0}; }},
    {AluOp::kInvert, nullptr, [](std::int64_t a, std::int64_t) { return ~a; }},
    {AluOp::kAverage, [](float a, float b) { return a + b; }, nullptr},
    {AluOp::kSquare, [](float a, float) { return a * a; }, nullptr},
    {AluOp::kRelu, [](float a, float) { return a < 0 ? 0.0F : a; }, nullptr},
    {AluOp::kReciprocal, [](float a, float) { return 1.0F / a; }, nullptr},
    {AluOp::kSqrt, [](float a, float) { return std::sqrt(a); }, nullptr},
    {AluOp::kNegative, [](float a, float) { return -a; }, nullptr},
    {AluOp::kSign, [](float a, float) { return sign(a); }, nullptr},
    {AluOp::kFloor, [](float a, float) { return std::floor(a); }, nullptr},
    {AluOp::kCeil, [](float a, float) { return std::ceil(a); }, nullptr},
    {AluOp::kTrunc, [](float a, float) { return std::trunc(a); }, nullptr},
    {AluOp::kExp,
     [](float a, float) { return static_cast<float>(std::exp(static_cast<double>(a))); }, nullptr},
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

bool has_identity(AluOp op) {
  switch (op) {
    case AluOp::kAdd:
    case AluOp::kSubtract:
    case AluOp::kMultiply:
    case AluOp::kMax:
    case AluOp::kMin:
    case AluOp::kAbsMax:
    case AluOp::kAbsMin:
    case AluOp::kAverage:
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
