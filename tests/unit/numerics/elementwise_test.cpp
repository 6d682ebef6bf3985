// Vector-engine arithmetic in fp32 against plain loops.
#include <algorithm>
#include <functional>

#include "helpers.h"

namespace trnsim::numerics::test {
namespace {

constexpr std::uint32_t kRows = 5;
constexpr std::uint32_t kColumns = 37;

// The reference works on fp32 values with fp32 roundings.
float f(double value) {
  return static_cast<float>(value);
}

struct BinaryCase {
  AluOp op;
  std::function<float(float, float)> reference;
};

class TensorTensor : public testing::TestWithParam<BinaryCase> {};

TEST_P(TensorTensor, AppliesTheOperatorInFp32AndRoundsOnce) {
  Numbers numbers(11);
  const Values a = rounded(DType::kBFloat16, numbers.take(kRows * kColumns, 4));
  Values b = rounded(DType::kBFloat16, numbers.take(kRows * kColumns, 4));
  b[3] = a[3];
  b[4] = 0;
  Bench bench;
  const View x = bench.input("a", DType::kBFloat16, kRows, {kColumns}, a);
  const View z = bench.input("b", DType::kBFloat16, kRows, {kColumns}, b);
  const View y = bench.tile(DType::kBFloat16, kRows, {kColumns});
  bench.builder.tensor_tensor(y, x, GetParam().op, z);
  bench.output("y", y);
  Values want(a.size());
  for (std::size_t i = 0; i < a.size(); ++i) {
    want[i] = round_to(DType::kBFloat16, GetParam().reference(f(a[i]), f(b[i])));
  }
  expect_equal(bench.result(), want);
}

INSTANTIATE_TEST_SUITE_P(
    All, TensorTensor,
    testing::Values(
        BinaryCase{AluOp::kAdd, [](float a, float b) { return a + b; }},
        BinaryCase{AluOp::kSubtract, [](float a, float b) { return a - b; }},
        BinaryCase{AluOp::kMultiply, [](float a, float b) { return a * b; }},
        BinaryCase{AluOp::kDivide, [](float a, float b) { return a / b; }},
        BinaryCase{AluOp::kMax, [](float a, float b) { return std::max(a, b); }},
        BinaryCase{AluOp::kMin, [](float a, float b) { return std::min(a, b); }},
        BinaryCase{AluOp::kAbsMax,
                   [](float a, float b) { return std::max(std::fabs(a), std::fabs(b)); }},
        BinaryCase{AluOp::kAbsMin,
                   [](float a, float b) { return std::min(std::fabs(a), std::fabs(b)); }},
        BinaryCase{
            AluOp::kPower,
            [](float a, float b) { return static_cast<float>(std::pow(double{a}, double{b})); }},
        BinaryCase{AluOp::kEqual, [](float a, float b) { return a == b ? 1.F : 0.F; }},
        BinaryCase{AluOp::kNotEqual, [](float a, float b) { return a == b ? 0.F : 1.F; }},
        BinaryCase{AluOp::kGreater, [](float a, float b) { return b < a ? 1.F : 0.F; }},
        BinaryCase{AluOp::kGreaterEqual, [](float a, float b) { return a < b ? 0.F : 1.F; }},
        BinaryCase{AluOp::kLess, [](float a, float b) { return a < b ? 1.F : 0.F; }},
        BinaryCase{AluOp::kLessEqual, [](float a, float b) { return b < a ? 0.F : 1.F; }},
        BinaryCase{AluOp::kLogicalAnd, [](float, float b) { return b != 0 ? 1.F : 0.F; }},
        BinaryCase{AluOp::kLogicalOr, [](float, float) { return 1.F; }},
        BinaryCase{AluOp::kLogicalXor, [](float, float b) { return b == 0 ? 1.F : 0.F; }}));

TEST(TensorTensorShapes, OfDifferentSizeAreRefused) {
  Bench bench;
  const View a = bench.input("a", DType::kFloat32, 2, {3}, Values(6, 1));
  const View b = bench.input("b", DType::kFloat32, 2, {4}, Values(8, 1));
  bench.builder.tensor_tensor(bench.tile(DType::kFloat32, 2, {3}), a, AluOp::kAdd, b);
  EXPECT_EQ(error_of(bench),
            "instruction 2 (tensor_tensor): operands of different shape: [2, 3] and [2, 4]");
}

TEST(TensorTensorShapes, BroadcastOverAStrideOfZero) {
  Bench bench;
  const View a = bench.input("a", DType::kFloat32, 2, {3}, {1, 2, 3, 4, 5, 6});
  const View b = bench.input("b", DType::kFloat32, 2, {1}, {10, 20});
  const View y = bench.tile(DType::kFloat32, 2, {3});
  bench.builder.tensor_tensor(y, a, AluOp::kAdd, b.index(0, 0).broadcast(3));
  bench.output("y", y);
  expect_equal(bench.result(), {11, 12, 13, 24, 25, 26});
}

TEST(TensorTensorShapes, WorkInPlaceAndThroughStridedViews) {
  Bench bench;
  const View a = bench.input("a", DType::kFloat32, 1, {2, 3}, {1, 2, 3, 4, 5, 6});
  const View turned = a.permute(0, 1);  // 1 4 2 5 3 6
  const View b = bench.input("b", DType::kFloat32, 1, {6}, {10, 20, 30, 40, 50, 60});
  bench.builder.tensor_tensor(turned, turned, AluOp::kAdd, b);
  bench.output("y", a);
  expect_equal(bench.result(), {11, 32, 53, 24, 45, 66});
}

TEST(TensorTensorNan, PropagatesThroughMaxAndMin) {
  for (const AluOp op : {AluOp::kMax, AluOp::kMin}) {
    Bench bench;
    const View a = bench.input("a", DType::kFloat32, 1, {2}, {NAN, 1});
    const View b = bench.input("b", DType::kFloat32, 1, {2}, {1, NAN});
    const View y = bench.tile(DType::kFloat32, 1, {2});
    bench.builder.tensor_tensor(y, a, op, b);
    bench.output("y", y);
    expect_equal(bench.result(), {NAN, NAN});
  }
}

struct ScalarCase {
  bool tensor0;
  bool tensor1;
  bool reverse0;
  bool reverse1;
};

class TensorScalar : public testing::TestWithParam<ScalarCase> {};

// y = (x - s0) / s1 with the sides as the flags say.
TEST_P(TensorScalar, AppliesTwoStages) {
  const ScalarCase test = GetParam();
  Numbers numbers(5);
  const Values x = rounded(DType::kFloat16, numbers.take(kRows * kColumns));
  const Values s0 = rounded(DType::kFloat32, numbers.take(kRows));
  const Values s1 = rounded(DType::kFloat32, numbers.take(kRows));
  Bench bench;
  Attributes attributes;
  attributes.op0 = AluOp::kSubtract;
  attributes.op1 = AluOp::kDivide;
  attributes.reverse0 = test.reverse0;
  attributes.reverse1 = test.reverse1;
  attributes.imm0_is_tensor = test.tensor0;
  attributes.imm1_is_tensor = test.tensor1;
  attributes.imm0 = 0.3;
  attributes.imm1 = -1.7;
  std::vector<View> inputs{bench.input("x", DType::kFloat16, kRows, {kColumns}, x)};
  if (test.tensor0) {
    inputs.push_back(bench.input("s0", DType::kFloat32, kRows, {1}, s0));
  }
  if (test.tensor1) {
    inputs.push_back(bench.input("s1", DType::kFloat32, kRows, {1}, s1));
  }
  const View y = bench.tile(DType::kFloat32, kRows, {kColumns});
  bench.builder.emit(Opcode::kTensorScalar, Engine::kVector, {y}, inputs, attributes);
  bench.output("y", y);
  Values want;
  for (std::size_t i = 0; i < x.size(); ++i) {
    const float first = test.tensor0 ? f(s0[i / kColumns]) : 0.3F;
    const float second = test.tensor1 ? f(s1[i / kColumns]) : -1.7F;
    const float difference = test.reverse0 ? first - f(x[i]) : f(x[i]) - first;
    want.push_back(test.reverse1 ? second / difference : difference / second);
  }
  expect_equal(bench.result(), want);
}

INSTANTIATE_TEST_SUITE_P(All, TensorScalar,
                         testing::Values(ScalarCase{false, false, false, false},
                                         ScalarCase{true, false, true, false},
                                         ScalarCase{false, true, false, true},
                                         ScalarCase{true, true, true, true}));

TEST(TensorScalarUnary, TakesTheDataSideWhateverTheReverseFlag) {
  Bench bench;
  const View x = bench.input("x", DType::kFloat32, 1, {3}, {4, 0.25, 1});
  const View y = bench.tile(DType::kFloat32, 1, {3});
  Attributes attributes;
  attributes.op0 = AluOp::kRsqrt;
  attributes.reverse0 = true;
  bench.builder.emit(Opcode::kTensorScalar, Engine::kGpSimd, {y}, {x}, attributes);
  bench.output("y", y);
  expect_equal(bench.result(), {0.5, 2, 1});
}

struct OperatorValue {
  AluOp op;
  double a;
  double b;
  double want;
};

class OperatorValues : public testing::TestWithParam<OperatorValue> {};

TEST_P(OperatorValues, AreThoseOfTensorScalar) {
  const OperatorValue test = GetParam();
  for (const bool reverse : {false, true}) {
    Bench bench;
    const bool swap = reverse && !trace::is_unary(test.op);
    const View x = bench.input("x", DType::kFloat32, 1, {1}, {swap ? test.b : test.a});
    const View y = bench.tile(DType::kFloat32, 1, {1});
    Attributes attributes;
    attributes.op0 = test.op;
    attributes.imm0 = swap ? test.a : test.b;
    attributes.reverse0 = reverse;
    bench.builder.emit(Opcode::kTensorScalar, Engine::kVector, {y}, {x}, attributes);
    bench.output("y", y);
    expect_equal(bench.result(), {test.want});
  }
}

INSTANTIATE_TEST_SUITE_P(
    All, OperatorValues,
    testing::Values(OperatorValue{AluOp::kMod, 7, 4, 3}, OperatorValue{AluOp::kMod, -7, 4, 1},
                    OperatorValue{AluOp::kMod, 7, -4, -1}, OperatorValue{AluOp::kMod, -7, -4, -3},
                    OperatorValue{AluOp::kMod, 8, 4, 0}, OperatorValue{AluOp::kMod, 1.75, 0.5, 0.25},
                    OperatorValue{AluOp::kFmod, -7, 4, -3}, OperatorValue{AluOp::kFmod, 7, -4, 3},
                    OperatorValue{AluOp::kLogicalNot, 0, 9, 1},
                    OperatorValue{AluOp::kLogicalNot, -2, 9, 0},
                    OperatorValue{AluOp::kAverage, 3, 5, 8}, OperatorValue{AluOp::kSquare, -3, 9, 9},
                    OperatorValue{AluOp::kRelu, -3, 9, 0}, OperatorValue{AluOp::kRelu, 3, 9, 3},
                    OperatorValue{AluOp::kReciprocal, 4, 9, 0.25},
                    OperatorValue{AluOp::kSqrt, 2.25, 9, 1.5},
                    OperatorValue{AluOp::kNegative, 3, 9, -3},
                    OperatorValue{AluOp::kSign, -3, 9, -1}, OperatorValue{AluOp::kSign, 0, 9, 0},
                    OperatorValue{AluOp::kFloor, -1.5, 9, -2},
                    OperatorValue{AluOp::kCeil, -1.5, 9, -1},
                    OperatorValue{AluOp::kTrunc, -1.5, 9, -1},
                    OperatorValue{AluOp::kExp, 0, 9, 1}));

TEST(TensorScalarReduce, AverageDividesTheSum) {
  Bench bench;
  const View x = bench.input("x", DType::kFloat32, 2, {4}, {1, 2, 3, 6, -1, -1, 0, 0});
  const View copy = bench.tile(DType::kFloat32, 2, {4});
  const View y = bench.tile(DType::kFloat32, 2, {1});
  Attributes attributes;
  attributes.op0 = AluOp::kNegative;
  attributes.reduce_op = AluOp::kAverage;
  bench.builder.emit(Opcode::kTensorScalarReduce, Engine::kVector, {copy, y}, {x}, attributes);
  bench.output("y", y);
  expect_equal(bench.result(), {-3, 0.5});
}

TEST(TensorScalarReduce, ReducesTheUnroundedResult) {
  Bench bench;
  const Values x{1, 2, 3, 4, -5, 6};
  const View data = bench.input("x", DType::kFloat32, 2, {3}, x);
  const View scale = bench.input("s", DType::kFloat32, 2, {1}, {1.001, 2});
  const View product = bench.tile(DType::kBFloat16, 2, {3});
  const View y = bench.tile(DType::kFloat32, 2, {1});
  Attributes attributes;
  attributes.op0 = AluOp::kMultiply;
  attributes.imm0_is_tensor = true;
  attributes.reduce_op = AluOp::kMax;
  bench.builder.emit(Opcode::kTensorScalarReduce, Engine::kVector, {product, y}, {data, scale},
                     attributes);
  bench.output("y", y);
  expect_equal(bench.result(), {3 * 1.001F, 12});
}

TEST(TensorScalarCumulative, AccumulatesFromTheIdentityOrFromAStart) {
  for (const bool start : {false, true}) {
    Bench bench;
    const View x = bench.input("x", DType::kFloat32, 2, {3}, {1, 2, 3, 4, 5, 6});
    const View y = bench.tile(DType::kFloat32, 2, {3});
    Attributes attributes;
    attributes.op0 = AluOp::kMultiply;
    attributes.imm0 = 2;
    attributes.op1 = AluOp::kAdd;
    attributes.accumulate = start;
    attributes.imm1 = 100;
    bench.builder.emit(Opcode::kTensorScalarCumulative, Engine::kVector, {y}, {x}, attributes);
    bench.output("y", y);
    const double base = start ? 100 : 0;
    expect_equal(bench.result(), {base + 2, base + 6, base + 12, base + 8, base + 18, base + 30});
  }
}

TEST(ScalarTensorTensor, AppliesScalarThenTensor) {
  Bench bench;
  const View x = bench.input("x", DType::kBFloat16, 2, {2}, {1, 2, 3, 4});
  const View b = bench.input("b", DType::kBFloat16, 2, {2}, {10, 20, 30, 40});
  const View s = bench.input("s", DType::kFloat32, 2, {1}, {0.5, 2});
  const View y = bench.tile(DType::kFloat32, 2, {2});
  Attributes attributes;
  attributes.op0 = AluOp::kMultiply;
  attributes.op1 = AluOp::kSubtract;
  attributes.imm0_is_tensor = true;
  attributes.reverse1 = true;
  bench.builder.emit(Opcode::kScalarTensorTensor, Engine::kVector, {y}, {x, b, s}, attributes);
  bench.output("y", y);
  expect_equal(bench.result(), {10 - 0.5, 20 - 1, 30 - 6, 40 - 8});
}

// state = a x state + b: the recurrence of Mamba.
TEST(TensorTensorScan, RunsALinearRecurrence) {
  Numbers numbers(9);
  const Values a = rounded(DType::kFloat32, numbers.take(2 * kColumns));
  const Values b = rounded(DType::kFloat32, numbers.take(2 * kColumns));
  Bench bench;
  const View x = bench.input("a", DType::kFloat32, 2, {kColumns}, a);
  const View z = bench.input("b", DType::kFloat32, 2, {kColumns}, b);
  const View initial = bench.input("i", DType::kFloat32, 2, {1}, {0.5, -2});
  const View y = bench.tile(DType::kFloat32, 2, {kColumns});
  Attributes attributes;
  attributes.op0 = AluOp::kMultiply;
  attributes.op1 = AluOp::kAdd;
  attributes.imm0_is_tensor = true;
  bench.builder.emit(Opcode::kTensorTensorScan, Engine::kVector, {y}, {x, z, initial}, attributes);
  bench.output("y", y);
  Values want;
  for (std::size_t row = 0; row < 2; ++row) {
    float state = row == 0 ? 0.5F : -2.F;
    for (std::size_t c = 0; c < kColumns; ++c) {
      state = f(a[row * kColumns + c]) * state;
      state = state + f(b[row * kColumns + c]);
      want.push_back(state);
    }
  }
  expect_equal(bench.result(), want);
}

// nki.isa: data0 is the left side of op0.
TEST(TensorTensorScan, PutsTheDataLeftOfTheState) {
  Bench bench;
  const View x = bench.input("a", DType::kFloat32, 1, {2}, {10, 20});
  const View z = bench.input("b", DType::kFloat32, 1, {2}, {0, 0});
  const View y = bench.tile(DType::kFloat32, 1, {2});
  Attributes attributes;
  attributes.op0 = AluOp::kSubtract;
  attributes.op1 = AluOp::kAdd;
  attributes.imm0 = 1;
  bench.builder.emit(Opcode::kTensorTensorScan, Engine::kVector, {y}, {x, z}, attributes);
  bench.output("y", y);
  expect_equal(bench.result(), {9, 11});
}

}  // namespace
}  // namespace trnsim::numerics::test
