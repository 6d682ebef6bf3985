// One row per activation function.
#include "activation_functions.h"

#include <array>
#include <cmath>
#include <cstddef>

namespace trnsim::numerics {
namespace {

using trace::ActFunc;

struct Row {
  ActFunc func;
  Activation evaluate;
};

// Rounds a function of double to one of float.
template <double (*kFunction)(double)>
float rounded(float x) {
  return static_cast<float>(kFunction(static_cast<double>(x)));
}

double exp_of(double x) {
  return std::exp(x);
}
double log_of(double x) {
  return std::log(x);
}
double sqrt_of(double x) {
  return std::sqrt(x);
}
double rsqrt_of(double x) {
  return 1 / std::sqrt(x);
}
double sigmoid(double x) {
  return 1 / (1 + std::exp(-x));
}
double tanh_of(double x) {
  return std::tanh(x);
}
double gelu(double x) {
  return 0.5 * x * (1 + std::erf(x * 0.70710678118654752440));
}
double gelu_tanh(double x) {
  constexpr double kSqrt2OverPi = 0.79788456080286535588;
  return 0.5 * x * (1 + std::tanh(kSqrt2OverPi * (x + 0.044715 * x * x * x)));
}
// -0 at minus infinity, where x * sigmoid(x) would be NaN.
double silu(double x) {
  return x == -HUGE_VAL ? -0.0 : x * sigmoid(x);
}
double softplus(double x) {
  return std::fmax(x, 0.0) + std::log1p(std::exp(-std::fabs(x)));
}
double erf_of(double x) {
  return std::erf(x);
}
double sin_of(double x) {
  return std::sin(x);
}
double gelu_sigmoid(double x) {
  return x * sigmoid(1.702 * x);
}
double gelu_sigmoid_dx(double x) {
  const double s = sigmoid(1.702 * x);
  return s + 1.702 * x * s * (1 - s);
}
double gelu_dx(double x) {
  constexpr double kInverseSqrt2Pi = 0.39894228040143267794;
  return 0.5 * (1 + std::erf(x * 0.70710678118654752440)) +
         x * kInverseSqrt2Pi * std::exp(-x * x / 2);
}
double silu_dx(double x) {
  const double s = sigmoid(x);
  return s * (1 + x * (1 - s));
}
double mish(double x) {
  return x * std::tanh(softplus(x));
}
double erf_dx(double x) {
  constexpr double kTwoOverSqrtPi = 1.12837916709551257390;
  return kTwoOverSqrtPi * std::exp(-x * x);
}
double cos_of(double x) {
  return std::cos(x);
}
double tan_of(double x) {
  return std::tan(x);
}
double arctan(double x) {
  return std::atan(x);
}

constexpr std::array<Row, trace::kActFuncCount> kTable{{
    {ActFunc::kCopy, [](float x) { return x; }},
    {ActFunc::kIdentity, [](float x) { return x; }},
    {ActFunc::kSquare, [](float x) { return x * x; }},
    {ActFunc::kRelu, [](float x) { return x < 0 ? 0.0F : x; }},
    {ActFunc::kExp, rounded<exp_of>},
    {ActFunc::kLog, rounded<log_of>},
    {ActFunc::kSqrt, rounded<sqrt_of>},
    {ActFunc::kRsqrt, rounded<rsqrt_of>},
    {ActFunc::kReciprocal, [](float x) { return 1.0F / x; }},
    {ActFunc::kSigmoid, rounded<sigmoid>},
    {ActFunc::kTanh, rounded<tanh_of>},
    {ActFunc::kGelu, rounded<gelu>},
    {ActFunc::kGeluApproxTanh, rounded<gelu_tanh>},
    {ActFunc::kSilu, rounded<silu>},
    {ActFunc::kSoftplus, rounded<softplus>},
    {ActFunc::kErf, rounded<erf_of>},
    {ActFunc::kSin, rounded<sin_of>},
    {ActFunc::kAbs, [](float x) { return std::fabs(x); }},
    {ActFunc::kSign,
     [](float x) { return std::isnan(x) ? x : static_cast<float>((x > 0) - (x < 0)); }},
    {ActFunc::kGeluApprxSigmoid, rounded<gelu_sigmoid>},
    {ActFunc::kGeluApprxSigmoidDx, rounded<gelu_sigmoid_dx>},
    {ActFunc::kGeluDx, rounded<gelu_dx>},
    {ActFunc::kSiluDx, rounded<silu_dx>},
    {ActFunc::kMish, rounded<mish>},
    {ActFunc::kErfDx, rounded<erf_dx>},
    {ActFunc::kCos, rounded<cos_of>},
    {ActFunc::kTan, rounded<tan_of>},
    {ActFunc::kArctan, rounded<arctan>},
    {ActFunc::kFloor, [](float x) { return std::floor(x); }},
    {ActFunc::kCeil, [](float x) { return std::ceil(x); }},
    {ActFunc::kTrunc, [](float x) { return std::trunc(x); }},
    {ActFunc::kNegative, [](float x) { return -x; }},
    {ActFunc::kLogicalNot, [](float x) { return x == 0 ? 1.0F : 0.0F; }},
    {ActFunc::kPrelu, [](float x) { return x; }},  // the caller has the slope
}};

constexpr bool in_enum_order() {
  for (std::size_t i = 0; i < kTable.size(); ++i) {
    if (static_cast<std::size_t>(kTable[i].func) != i) {
      return false;
    }
  }
  return true;
}
static_assert(in_enum_order());

}  // namespace

Activation activation(ActFunc func) {
  return kTable[static_cast<std::size_t>(func)].evaluate;
}

}  // namespace trnsim::numerics
