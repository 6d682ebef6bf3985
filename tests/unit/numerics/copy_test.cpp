// Copies, memsets and predicated copies.
#include "helpers.h"

namespace trnsim::numerics::test {
namespace {

TEST(TensorCopy, KeepsEveryBitBetweenEqualTypes) {
  Bench bench;
  const View x = bench.input("x", DType::kInt32, 1, {2}, {16777217, -2147483647});
  const View y = bench.tile(DType::kInt32, 1, {2});
  bench.builder.copy(y, x);
  bench.output("y", y);
  expect_equal(bench.result(), {16777217, -2147483647});
}

TEST(TensorCopy, ConvertsThroughFp32) {
  Bench bench;
  const View x = bench.input("x", DType::kInt32, 1, {2}, {16777217, -3});
  const View y = bench.tile(DType::kUInt32, 1, {2});
  bench.builder.copy(y, x);
  bench.output("y", y);
  expect_equal(bench.result(), {16777216, 0});
}

TEST(TensorCopy, ReadsViewsOfAnotherType) {
  Bench bench;
  View x = bench.input("x", DType::kFloat32, 1, {1}, {1.0});  // bytes 00 00 80 3F
  x.dtype = DType::kUInt16;
  x.dims = {{1, 2}};
  const View y = bench.tile(DType::kUInt16, 1, {2});
  bench.builder.copy(y, x);
  bench.output("y", y);
  expect_equal(bench.result(), {0, 0x3F80});
}

TEST(Memset, EncodesTheValueInTheTypeOfTheDestination) {
  Bench bench;
  const View y = bench.tile(DType::kInt32, 2, {2});
  bench.builder.memset(y, 16777217);
  bench.output("y", y);
  expect_equal(bench.result(), Values(4, 16777217));
}

TEST(Memset, OfPackedTypesTakesOnlyZero) {
  Bench bench;
  bench.builder.memset(bench.tile(DType::kFloat8E4FnX4, 32, {2}), 1);
  EXPECT_EQ(error_of(bench), "instruction 0 (memset): float8_e4m3fn_x4 can only be set to 0");
}

TEST(TensorCopyPredicated, LeavesTheOtherElementsAlone) {
  for (const bool reverse : {false, true}) {
    Bench bench;
    const View y = bench.input("x", DType::kBFloat16, 2, {2}, {1, 2, 3, 4});
    const View predicate = bench.input("p", DType::kUInt8, 2, {2}, {1, 0, 0, 255});
    const View source = bench.input("s", DType::kBFloat16, 2, {2}, {10, 20, 30, 40});
    Attributes attributes;
    attributes.reverse0 = reverse;
    bench.builder.emit(Opcode::kTensorCopyPredicated, Engine::kVector, {y}, {predicate, source},
                       attributes);
    bench.output("y", y);
    expect_equal(bench.result(), reverse ? Values{1, 20, 30, 4} : Values{10, 2, 3, 40});
  }
}

TEST(TensorCopyPredicated, DoesNotInitialiseWhatItDoesNotCopy) {
  Bench bench;
  const View y = bench.tile(DType::kFloat32, 1, {2});
  const View predicate = bench.input("p", DType::kUInt8, 1, {2}, {0, 1});
  const View source = bench.input("s", DType::kFloat32, 1, {2}, {5, 6});
  bench.builder.emit(Opcode::kTensorCopyPredicated, Engine::kVector, {y}, {predicate, source});
  bench.output("y", y);
  const Execution got = bench.run();
  expect_equal(got.outputs.at("y"), {NAN, 6});
  ASSERT_EQ(got.uninitialised_reads.size(), 1U);
  EXPECT_EQ(got.uninitialised_reads[0].elements, 1U);
}

}  // namespace
}  // namespace trnsim::numerics::test
