// Reductions over free dims and partitions, and batch-norm statistics.
#include <algorithm>
#include <numeric>

#include "helpers.h"

namespace trnsim::numerics::test {
namespace {

Values reduce(AluOp op, std::uint8_t dims, bool negate, const Values& x, std::uint32_t kept,
              DType dtype = DType::kFloat32) {
  Bench bench;
  const View data = bench.input("x", dtype, 2, {2, 3}, x);
  const View y = bench.tile(dtype, 2, {kept});
  Attributes attributes;
  attributes.op0 = op;
  attributes.reduce_dims = dims;
  attributes.negate = negate;
  bench.builder.emit(Opcode::kTensorReduce, Engine::kVector, {y}, {data}, attributes);
  bench.output("y", y);
  return bench.result();
}

const Values kNumbers{1, 2, 3, 4, 5, 6, -1, 7, 2, 0.5, -8, 3};

TEST(TensorReduce, FoldsTheInnermostDims) {
  expect_equal(reduce(AluOp::kAdd, 1, false, kNumbers, 2), {6, 15, 8, -4.5});
  expect_equal(reduce(AluOp::kAdd, 2, false, kNumbers, 1), {21, 3.5});
  expect_equal(reduce(AluOp::kMax, 2, false, kNumbers, 1), {6, 7});
  expect_equal(reduce(AluOp::kMin, 1, false, kNumbers, 2), {1, 4, -1, -8});
  expect_equal(reduce(AluOp::kMultiply, 1, false, kNumbers, 2), {6, 120, -14, -12});
  expect_equal(reduce(AluOp::kAbsMax, 2, false, kNumbers, 1), {6, 8});
  expect_equal(reduce(AluOp::kAverage, 1, false, kNumbers, 2), {2, 5, 8.0F / 3.0F, -1.5});
  expect_equal(reduce(AluOp::kSubtract, 1, false, kNumbers, 2), {-4, -7, -10, 5.5});
}

TEST(TensorReduce, NegatesOnRequest) {
  expect_equal(reduce(AluOp::kMax, 2, true, kNumbers, 1), {-6, -7});
}

TEST(TensorReduce, FoldsBitPatterns) {
  expect_equal(reduce(AluOp::kBitwiseOr, 2, false, {1, 2, 4, 8, 16, 32, 3, 3, 3, 3, 3, 64}, 1,
                      DType::kUInt8),
               {63, 67});
}

// fp32, left to right: 2^24 + 1 + 1 stays 2^24.
TEST(TensorReduce, AddsInFp32) {
  expect_equal(reduce(AluOp::kAdd, 2, false, {16777216, 1, 1, 0, 0, 0, 1, 1, 16777216, 0, 0, 0}, 1),
               {16777216, 16777218});
}

TEST(TensorReduce, RefusesMoreDimsThanThereAre) {
  Bench bench;
  const View data = bench.input("x", DType::kFloat32, 1, {4}, Values(4, 1));
  Attributes attributes;
  attributes.op0 = AluOp::kAdd;
  attributes.reduce_dims = 2;
  bench.builder.emit(Opcode::kTensorReduce, Engine::kVector, {bench.tile(DType::kFloat32, 1, {1})},
                     {data}, attributes);
  EXPECT_EQ(error_of(bench), "instruction 1 (tensor_reduce): reduces 2 of 1 free dims");
}

TEST(TensorPartitionReduce, FoldsPartitions) {
  for (const DType dtype : {DType::kFloat32, DType::kInt32}) {
    Bench bench;
    const View data = bench.input("x", dtype, 3, {2}, {1, 16777217, 2, 1, 3, 1});
    const View y = bench.tile(dtype, 1, {2});
    Attributes attributes;
    attributes.op0 = AluOp::kAdd;
    bench.builder.emit(Opcode::kTensorPartitionReduce, Engine::kGpSimd, {y}, {data}, attributes);
    bench.output("y", y);
    // fp32 rounds 2^24 + 1 to 2^24 and loses both ones; int32 is exact.
    expect_equal(bench.result(), {6, dtype == DType::kInt32 ? 16777219.0 : 16777216.0});
  }
}

TEST(TensorPartitionReduce, AveragesOverPartitions) {
  Bench bench;
  const View data = bench.input("x", DType::kFloat32, 4, {1}, {1, 2, 3, 8});
  const View y = bench.tile(DType::kFloat32, 1, {1});
  Attributes attributes;
  attributes.op0 = AluOp::kAverage;
  bench.builder.emit(Opcode::kTensorPartitionReduce, Engine::kGpSimd, {y}, {data}, attributes);
  bench.output("y", y);
  expect_equal(bench.result(), {3.5});
}

TEST(BatchNorm, StatisticsOfEvenAndOddElements) {
  Bench bench;
  const View data = bench.input("x", DType::kFloat32, 1, {5}, {1, 10, 2, 20, 6});
  const View y = bench.tile(DType::kFloat32, 1, {6});
  bench.builder.emit(Opcode::kBnStats, Engine::kVector, {y}, {data});
  bench.output("y", y);
  // Even: 1 2 6, mean 3, squares 4 + 1 + 9. Odd: 10 20, mean 15, squares 25 + 25.
  expect_equal(bench.result(), {3, 3, 14, 2, 15, 50});
}

TEST(BatchNorm, AggregatesToMeanAndVariance) {
  constexpr std::uint32_t kTiles = 3;
  constexpr std::uint32_t kColumns = 41;
  Numbers numbers(4);
  const Values x = rounded(DType::kFloat32, numbers.take(2 * kTiles * kColumns));
  Bench bench;
  const View data = bench.input("x", DType::kFloat32, 2, {kTiles, kColumns}, x);
  const View stats = bench.tile(DType::kFloat32, 2, {kTiles, 6});
  for (std::uint32_t t = 0; t < kTiles; ++t) {
    bench.builder.emit(Opcode::kBnStats, Engine::kVector, {stats.index(0, t)}, {data.index(0, t)});
  }
  const View y = bench.tile(DType::kFloat32, 2, {2});
  bench.builder.emit(Opcode::kBnAggr, Engine::kVector, {y}, {stats});
  bench.output("y", y);
  Values want;
  for (std::size_t row = 0; row < 2; ++row) {
    const auto first = x.begin() + static_cast<std::ptrdiff_t>(row * kTiles * kColumns);
    const auto last = first + kTiles * kColumns;
    const double mean = std::accumulate(first, last, 0.0) / (kTiles * kColumns);
    const double squares = std::accumulate(first, last, 0.0, [&](double sum, double value) {
      return sum + (value - mean) * (value - mean);
    });
    want.insert(want.end(), {mean, squares / (kTiles * kColumns)});
  }
  expect_near(bench.result(), want, 1e-6, 1e-7);
}

}  // namespace
}  // namespace trnsim::numerics::test
