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
