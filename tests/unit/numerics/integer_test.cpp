// Integer arithmetic: exact on GpSimd, through fp32 on the Vector engine, bit patterns for bitwise
// ops.
#include "helpers.h"

namespace trnsim::numerics::test {
namespace {

constexpr double kOdd = 16777217;  // 2^24 + 1: not an fp32 number

Values add_one(Engine engine, DType dtype, const Values& values) {
  Bench bench;
  const auto count = static_cast<std::uint32_t>(values.size());
  const View a = bench.input("a", dtype, 1, {count}, values);
  const View one = bench.input("one", dtype, 1, {count}, Values(count, 1));
  const View y = bench.tile(dtype, 1, {count});
  bench.builder.tensor_tensor(y, a, AluOp::kAdd, one, engine);
  bench.output("y", y);
  return bench.result();
}

TEST(Integers, AreExactOnGpSimdAndByDefault) {
  expect_equal(add_one(Engine::kGpSimd, DType::kInt32, {kOdd}), {kOdd + 1});
  expect_equal(add_one(Engine::kUnassigned, DType::kInt32, {kOdd}), {kOdd + 1});
  expect_equal(add_one(Engine::kUnassigned, DType::kUInt32, {4294967294.0}), {4294967295.0});
}

TEST(Integers, KeepTheLowBitsOnOverflow) {
  expect_equal(add_one(Engine::kGpSimd, DType::kInt32, {2147483647}), {-2147483648.0});
  expect_equal(add_one(Engine::kGpSimd, DType::kUInt32, {4294967295.0}), {0});
}

// 2^24 + 1 becomes 2^24 as fp32 input, plus 1 rounds to 2^24 again.
TEST(Integers, GoThroughFp32OnTheVectorEngine) {
  expect_equal(add_one(Engine::kVector, DType::kInt32, {kOdd}), {kOdd - 1});
}

TEST(Integers, SmallTypesGoThroughFp32AndSaturate) {
  expect_equal(add_one(Engine::kVector, DType::kInt8, {127, -128, 5}), {127, -127, 6});
  expect_equal(add_one(Engine::kVector, DType::kUInt8, {255, 0, 5}), {255, 1, 6});
}

TEST(Integers, HaveExactRemaindersWithTheSignOfEitherSide) {
  for (const AluOp op : {AluOp::kMod, AluOp::kFmod}) {
    Bench bench;
    const View a = bench.input("a", DType::kInt32, 1, {4}, {kOdd, -7, 7, 5});
    const View b = bench.input("b", DType::kInt32, 1, {4}, {kOdd - 1, 4, -4, 0});
    const View y = bench.tile(DType::kInt32, 1, {4});
    bench.builder.tensor_tensor(y, a, op, b, Engine::kGpSimd);
    bench.output("y", y);
    expect_equal(bench.result(), op == AluOp::kMod ? Values{1, 1, -1, 0} : Values{1, -3, 3, 0});
  }
}

struct BitCase {
  AluOp op;
  DType dtype;
  double a;
  double b;
  double want;
};

class Bitwise : public testing::TestWithParam<BitCase> {};

TEST_P(Bitwise, WorksOnPatternsOfTensors) {
  const BitCase test = GetParam();
  Bench bench;
  const View a = bench.input("a", test.dtype, 1, {1}, {test.a});
  const View b = bench.input("b", test.dtype, 1, {1}, {test.b});
  const View y = bench.tile(test.dtype, 1, {1});
  bench.builder.tensor_tensor(y, a, test.op, b, Engine::kVector);
  bench.output("y", y);
  expect_equal(bench.result(), {test.want});
}

TEST_P(Bitwise, WorksOnPatternsWithImmediates) {
  const BitCase test = GetParam();
  Bench bench;
  const View a = bench.input("a", test.dtype, 1, {1}, {test.a});
  const View y = bench.tile(test.dtype, 1, {1});
  Attributes attributes;
  attributes.op0 = test.op;
  attributes.imm0 = test.b;
  bench.builder.emit(Opcode::kTensorScalar, Engine::kVector, {y}, {a}, attributes);
  bench.output("y", y);
  expect_equal(bench.result(), {test.want});
}

INSTANTIATE_TEST_SUITE_P(
    All, Bitwise,
    testing::Values(BitCase{AluOp::kInvert, DType::kUInt8, 0xF0, 0, 0x0F},
                    BitCase{AluOp::kInvert, DType::kInt32, 5, 0, -6},
                    BitCase{AluOp::kBitwiseAnd, DType::kUInt8, 0xF0, 0x3C, 0x30},
                    BitCase{AluOp::kBitwiseOr, DType::kUInt16, 0xF00, 0x3C, 0xF3C},
                    BitCase{AluOp::kBitwiseXor, DType::kInt32, 0xFF, 0x0F, 0xF0},
                    BitCase{AluOp::kShiftLeft, DType::kUInt8, 0x81, 1, 0x02},
                    BitCase{AluOp::kShiftLeft, DType::kUInt32, 1, 31, 2147483648.0},
                    BitCase{AluOp::kShiftRight, DType::kInt8, -2, 1, 127},  // logical
                    BitCase{AluOp::kShiftRight, DType::kUInt32, 4026531840.0, 28, 15}));

TEST(BitwiseOnFloats, IsRefused) {
  Bench bench;
  const View a = bench.input("a", DType::kFloat32, 1, {1}, {1});
  bench.builder.tensor_tensor(bench.tile(DType::kFloat32, 1, {1}), a, AluOp::kBitwiseAnd, a);
  EXPECT_EQ(error_of(bench),
            "instruction 1 (tensor_tensor): bitwise operators need integer operands, not float32");
}

}  // namespace
}  // namespace trnsim::numerics::test
