// Activation functions, scale and bias, reductions; exponential and reciprocal.
#include <functional>

#include "helpers.h"

namespace trnsim::numerics::test {
namespace {

struct FunctionCase {
  ActFunc func;
  std::function<double(double)> reference;
};

class ActivationFunctions : public testing::TestWithParam<FunctionCase> {};

// One rounding to fp32: half a unit in the last place, 2^-24 relative.
TEST_P(ActivationFunctions, MatchTheMathematicalFunction) {
  Numbers numbers(2);
  Values x = rounded(DType::kFloat32, numbers.take(60, 3));
  x.insert(x.end(), {0, 1, -1, 3, 0.5});
  const auto count = static_cast<std::uint32_t>(x.size());
  Bench bench;
  const View data = bench.input("x", DType::kFloat32, 1, {count}, x);
  const View y = bench.tile(DType::kFloat32, 1, {count});
  Attributes attributes;
  attributes.func = GetParam().func;
  bench.builder.emit(Opcode::kActivation, Engine::kScalar, {y}, {data}, attributes);
  bench.output("y", y);
  const Values got = bench.result();
  for (std::size_t i = 0; i < x.size(); ++i) {
    const double want = GetParam().reference(x[i]);
    if (std::isfinite(want)) {
      EXPECT_NEAR(got[i], want, std::fabs(want) * std::ldexp(1, -23) + 1e-30) << "at " << x[i];
    } else {
      EXPECT_FALSE(std::isfinite(got[i])) << "at " << x[i];
    }
  }
}

double logistic(double x) {
  return 1 / (1 + std::exp(-x));
}

INSTANTIATE_TEST_SUITE_P(
    All, ActivationFunctions,
    testing::Values(
        FunctionCase{ActFunc::kCopy, [](double x) { return x; }},
        FunctionCase{ActFunc::kIdentity, [](double x) { return x; }},
        FunctionCase{ActFunc::kSquare, [](double x) { return x * x; }},
        FunctionCase{ActFunc::kRelu, [](double x) { return x > 0 ? x : 0; }},
        FunctionCase{ActFunc::kExp, [](double x) { return std::exp(x); }},
        FunctionCase{ActFunc::kLog, [](double x) { return std::log(x); }},
        FunctionCase{ActFunc::kSqrt, [](double x) { return std::sqrt(x); }},
        FunctionCase{ActFunc::kRsqrt, [](double x) { return 1 / std::sqrt(x); }},
        FunctionCase{ActFunc::kReciprocal, [](double x) { return 1 / x; }},
        FunctionCase{ActFunc::kSigmoid, logistic},
        FunctionCase{ActFunc::kTanh, [](double x) { return std::tanh(x); }},
        FunctionCase{ActFunc::kGelu,
                     [](double x) { return x * 0.5 * std::erfc(-x / std::sqrt(2.0)); }},
        FunctionCase{ActFunc::kGeluApproxTanh,
                     [](double x) {
                       const double inner =
                           std::sqrt(2 / std::acos(-1.0)) * (x + 0.044715 * std::pow(x, 3));
                       return 0.5 * x * (1 + std::tanh(inner));
                     }},
        FunctionCase{ActFunc::kSilu, [](double x) { return x * logistic(x); }},
        FunctionCase{ActFunc::kSoftplus, [](double x) { return std::log(1 + std::exp(x)); }},
        FunctionCase{ActFunc::kErf, [](double x) { return std::erf(x); }},
        FunctionCase{ActFunc::kSin, [](double x) { return std::sin(x); }},
        FunctionCase{ActFunc::kAbs, [](double x) { return std::fabs(x); }},
        FunctionCase{ActFunc::kSign, [](double x) { return x > 0 ? 1 : (x < 0 ? -1 : 0); }}));

struct FunctionValue {
  ActFunc func;
  double x;
  double want;
};

class FunctionValues : public testing::TestWithParam<FunctionValue> {};

// Values from tables, to the last digit of fp32.
TEST_P(FunctionValues, AreThoseOfTheTables) {
  const FunctionValue test = GetParam();
  Bench bench;
  const View x = bench.input("x", DType::kFloat32, 1, {1}, {test.x});
  const View y = bench.tile(DType::kFloat32, 1, {1});
  Attributes attributes;
  attributes.func = test.func;
  bench.builder.emit(Opcode::kActivation, Engine::kScalar, {y}, {x}, attributes);
  bench.output("y", y);
  expect_near(bench.result(), {test.want}, std::ldexp(1, -23), 1e-30);
}

INSTANTIATE_TEST_SUITE_P(
    All, FunctionValues,
    testing::Values(
        FunctionValue{ActFunc::kGeluApprxSigmoid, 1, 0.845795766},     // 1 / (1 + e^-1.702)
        FunctionValue{ActFunc::kGeluApprxSigmoidDx, 0, 0.5},
        FunctionValue{ActFunc::kGeluDx, 0, 0.5},
        FunctionValue{ActFunc::kGeluDx, 1, 0.841344746 + 0.241970725},  // Phi(1) + phi(1)
        FunctionValue{ActFunc::kSiluDx, 0, 0.5},
        FunctionValue{ActFunc::kMish, 1, 0.865098388},
        FunctionValue{ActFunc::kErfDx, 0, 1.128379167},                // 2 / sqrt(pi)
        FunctionValue{ActFunc::kErfDx, 1, 0.415107497},
        FunctionValue{ActFunc::kCos, 1, 0.540302306}, FunctionValue{ActFunc::kTan, 1, 1.557407725},
        FunctionValue{ActFunc::kArctan, 1, 0.785398163},
        FunctionValue{ActFunc::kFloor, -1.5, -2}, FunctionValue{ActFunc::kCeil, -1.5, -1},
        FunctionValue{ActFunc::kTrunc, -1.5, -1}, FunctionValue{ActFunc::kNegative, 2.5, -2.5},
        FunctionValue{ActFunc::kLogicalNot, 0, 1}, FunctionValue{ActFunc::kLogicalNot, 3, 0}));

TEST(Activation, OfPreluTakesItsSlopeFromANumberOrATensorAfterTheBias) {
  for (const bool tensor : {false, true}) {
    Bench bench;
    const View x = bench.input("x", DType::kFloat32, 2, {2}, {-2, 4, 4, -6});
    const View bias = bench.input("bias", DType::kFloat32, 2, {1}, {-2, 2});
    const View y = bench.tile(DType::kFloat32, 2, {2});
    Attributes attributes;
    attributes.func = ActFunc::kPrelu;
    attributes.bias_is_tensor = true;
    attributes.imm0 = 0.5;
    attributes.imm0_is_tensor = tensor;
    std::vector<View> inputs{x, bias};
    if (tensor) {
      inputs.push_back(bench.input("slope", DType::kFloat32, 2, {1}, {0.25, 3}));
    }
    bench.builder.emit(Opcode::kActivation, Engine::kScalar, {y}, inputs, attributes);
    bench.output("y", y);
    expect_equal(bench.result(), tensor ? Values{-1, 2, 6, -12} : Values{-2, 2, 6, -2});
  }
}

TEST(Activation, TakesScaleAndBiasAsTensorsOrNumbersAndReduces) {
  for (const bool tensors : {false, true}) {
    Bench bench;
    const View x = bench.input("x", DType::kBFloat16, 2, {2}, {1, 2, 3, 4});
    const View result = bench.tile(DType::kBFloat16, 2, {2});
    const View y = bench.tile(DType::kFloat32, 2, {1});
    Attributes attributes;
    attributes.func = ActFunc::kSquare;
    attributes.scale = 3;
    attributes.bias = -1;
    attributes.scale_is_tensor = tensors;
    attributes.bias_is_tensor = tensors;
    attributes.has_reduce_result = true;
    std::vector<View> inputs{x};
    if (tensors) {
      inputs.push_back(bench.input("scale", DType::kFloat32, 2, {1}, {3, 3}));
      inputs.push_back(bench.input("bias", DType::kFloat32, 2, {1}, {-1, -2}));
    }
    bench.builder.emit(Opcode::kActivation, Engine::kScalar, {result, y}, inputs, attributes);
    bench.output("y", y);
    expect_equal(bench.result(), tensors ? Values{4 + 25, 49 + 100} : Values{4 + 25, 64 + 121});
  }
}

TEST(Activation, RoundsTheResultToTheDestination) {
  Bench bench;
  const View x = bench.input("x", DType::kFloat32, 1, {1}, {1 + std::ldexp(1, -8)});
  const View y = bench.tile(DType::kBFloat16, 1, {1});
  bench.builder.emit(Opcode::kActivation, Engine::kScalar, {y}, {x});
  bench.output("y", y);
  expect_equal(bench.result(), {1});
}

TEST(Activate2, AppliesItsOperatorPairBeforeTheFunction) {
  Bench bench;
  const View x = bench.input("x", DType::kFloat32, 1, {3}, {1, -2, 4});
  const View y = bench.tile(DType::kFloat32, 1, {3});
  const View reduced = bench.tile(DType::kFloat32, 1, {1});
  Attributes attributes;
  attributes.op0 = AluOp::kMultiply;
  attributes.op1 = AluOp::kSubtract;
  attributes.scale = 2;
  attributes.bias = 5;
  attributes.reverse1 = true;
  attributes.func = ActFunc::kAbs;
  attributes.has_reduce_result = true;
  attributes.reduce_op = AluOp::kMax;
  bench.builder.emit(Opcode::kActivate2, Engine::kScalar, {y, reduced}, {x}, attributes);
  bench.output("y", y);
  bench.output("reduced", reduced);
  Execution got = bench.run();
  expect_equal(got.outputs["y"], {3, 9, 3});
  expect_equal(got.outputs["reduced"], {9});
}

TEST(Activate2, IsActivationWithoutOperators) {
  Bench bench;
  const View x = bench.input("x", DType::kFloat32, 1, {2}, {1, -2});
  const View y = bench.tile(DType::kFloat32, 1, {2});
  Attributes attributes;
  attributes.scale = 2;
  attributes.bias = 1;
  bench.builder.emit(Opcode::kActivate2, Engine::kScalar, {y}, {x}, attributes);
  bench.output("y", y);
  expect_equal(bench.result(), {3, -3});
}

TEST(Exponential, SubtractsTheMaximumAndSums) {
  Bench bench;
  const View x = bench.input("x", DType::kBFloat16, 2, {2}, {1, 3, -2, 0});
  const View top = bench.input("m", DType::kFloat32, 2, {1}, {3, 0});
  const View result = bench.tile(DType::kFloat32, 2, {2});
  const View y = bench.tile(DType::kFloat32, 2, {1});
  Attributes attributes;
  attributes.has_reduce_result = true;
  bench.builder.emit(Opcode::kExponential, Engine::kVector, {result, y}, {x, top}, attributes);
  bench.output("y", y);
  const Values got = bench.result();
  expect_near(got, {1 + std::exp(-2), 1 + std::exp(-2)}, 2e-7, 0);
}

TEST(Reciprocal, IsCorrectlyRounded) {
  Bench bench;
  const View x = bench.input("x", DType::kFloat32, 1, {3}, {3, -0.5, 0});
  const View y = bench.tile(DType::kFloat32, 1, {3});
  bench.builder.emit(Opcode::kReciprocal, Engine::kVector, {y}, {x});
  bench.output("y", y);
  expect_equal(bench.result(), {1.F / 3.F, -2, HUGE_VAL});
}

}  // namespace
}  // namespace trnsim::numerics::test
