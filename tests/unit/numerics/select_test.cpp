// Index patterns and selections.
#include <algorithm>

#include "helpers.h"

namespace trnsim::numerics::test {
namespace {

// Adds a pattern to the trace: strides are the coefficients of the affine value.
std::uint32_t affine_pattern(Bench& bench, const std::vector<trace::Dim>& dims) {
  trace::Pattern pattern;
  pattern.num_dims = static_cast<std::uint8_t>(dims.size());
  std::copy(dims.begin(), dims.end(), pattern.dims.begin());
  auto& patterns = bench.builder.trace().patterns;
  patterns.push_back(pattern);
  return static_cast<std::uint32_t>(patterns.size() - 1);
}

TEST(Iota, CountsAlongPartitionsAndDims) {
  Bench bench;
  Attributes attributes;
  attributes.affine_base = 7;
  attributes.affine_channel = 100;
  attributes.affine_pattern = affine_pattern(bench, {{10, 2}, {-1, 4}});
  const View y = bench.tile(DType::kInt32, 3, {8});
  bench.builder.emit(Opcode::kIota, Engine::kGpSimd, {y}, {}, attributes);
  bench.output("y", y);
  Values want;
  for (int p = 0; p < 3; ++p) {
    for (int i = 0; i < 2; ++i) {
      for (int j = 0; j < 4; ++j) {
        want.push_back(7 + 100 * p + 10 * i - j);
      }
    }
  }
  expect_equal(bench.result(), want);
}

TEST(Iota, NeedsAsManyValuesAsElements) {
  Bench bench;
  Attributes attributes;
  attributes.affine_pattern = affine_pattern(bench, {{1, 3}});
  bench.builder.emit(Opcode::kIota, Engine::kGpSimd, {bench.tile(DType::kInt32, 1, {4})}, {},
                     attributes);
  EXPECT_EQ(error_of(bench),
            "instruction 0 (iota): the affine pattern has 3 values for 4 elements");
}

TEST(AffineSelect, KeepsTheCausalTriangle) {
  Bench bench;
  Attributes attributes;
  attributes.affine_channel = 1;
  attributes.affine_pattern = affine_pattern(bench, {{-1, 4}});  // p - i >= 0
  attributes.compare = AluOp::kGreaterEqual;
  attributes.imm0 = -9;
  const View x = bench.input("x", DType::kFloat32, 3, {4}, {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12});
  const View y = bench.tile(DType::kBFloat16, 3, {4});
  bench.builder.emit(Opcode::kAffineSelect, Engine::kGpSimd, {y}, {x}, attributes);
  bench.output("y", y);
  expect_equal(bench.result(), {1, -9, -9, -9, 5, 6, -9, -9, 9, 10, 11, -9});
}

TEST(RangeSelect, ComparesTheElementIndexWithBothBounds) {
  Bench bench;
  const View x = bench.input("x", DType::kFloat32, 2, {4}, {1, 2, 3, 4, 8, 7, 6, 5});
  const View low = bench.input("low", DType::kFloat32, 2, {1}, {11, 10});
  const View high = bench.input("high", DType::kFloat32, 2, {1}, {13, 11});
  const View y = bench.tile(DType::kFloat32, 2, {4});
  const View top = bench.tile(DType::kFloat32, 2, {1});
  Attributes attributes;
  attributes.affine_base = 10;
  attributes.compare = AluOp::kGreaterEqual;
  attributes.compare1 = AluOp::kLess;
  attributes.imm0 = -100;
  attributes.has_reduce_result = true;
  bench.builder.emit(Opcode::kRangeSelect, Engine::kVector, {y, top}, {x, low, high}, attributes);
  bench.output("y", y);
  bench.output("top", top);
  Execution got = bench.run();
  expect_equal(got.outputs["y"], {-100, 2, 3, -100, 8, -100, -100, -100});
  expect_equal(got.outputs["top"], {3, 8});
}

TEST(SelectReduce, ChoosesByPredicateAndTakesTheMaximum) {
  Bench bench;
  const View p = bench.input("p", DType::kUInt8, 2, {2}, {1, 0, 0, 1});
  const View x = bench.input("x", DType::kBFloat16, 2, {2}, {1, 2, 3, 4});
  const View y = bench.tile(DType::kBFloat16, 2, {2});
  const View top = bench.tile(DType::kFloat32, 2, {1});
  Attributes attributes;
  attributes.imm0 = -5;
  attributes.has_reduce_result = true;
  bench.builder.emit(Opcode::kSelectReduce, Engine::kVector, {y, top}, {p, x}, attributes);
  bench.output("y", y);
  bench.output("top", top);
  Execution got = bench.run();
  expect_equal(got.outputs["y"], {1, -5, -5, 4});
  expect_equal(got.outputs["top"], {1, 4});
}

}  // namespace
}  // namespace trnsim::numerics::test
