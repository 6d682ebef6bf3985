// Searching and gathering along the free elements.
#include <algorithm>

#include "helpers.h"

namespace trnsim::numerics::test {
namespace {

constexpr std::uint32_t kColumns = 12;
const Values kData{3, 9, 1, 9, 4, 7, 2, 8, 6, 5, 0, -1};

TEST(Max8, SortsTheEightLargestDescending) {
  Bench bench;
  const View x = bench.input("x", DType::kBFloat16, 1, {kColumns}, kData);
  const View y = bench.tile(DType::kFloat32, 1, {8});
  bench.builder.emit(Opcode::kMax8, Engine::kVector, {y}, {x});
  bench.output("y", y);
  expect_equal(bench.result(), {9, 9, 8, 7, 6, 5, 4, 3});
}

TEST(Max8, NeedsEightElements) {
  Bench bench;
  const View x = bench.input("x", DType::kFloat32, 1, {7}, Values(7, 1));
  bench.builder.emit(Opcode::kMax8, Engine::kVector, {bench.tile(DType::kFloat32, 1, {8})}, {x});
  EXPECT_EQ(error_of(bench),
            "instruction 1 (max8): needs 8 to 16384 elements per partition, not 7");
}

TEST(FindIndex8, NamesEachOccurrenceOnce) {
  Bench bench;
  const View x = bench.input("x", DType::kFloat32, 1, {kColumns}, kData);
  const View v = bench.input("v", DType::kFloat32, 1, {8}, {9, 9, 8, 7, 6, 5, 4, -1});
  const View y = bench.tile(DType::kUInt32, 1, {8});
  bench.builder.emit(Opcode::kNcFindIndex8, Engine::kVector, {y}, {x, v});
  bench.output("y", y);
  expect_equal(bench.result(), {1, 3, 7, 5, 8, 9, 4, 11});
}

TEST(MatchReplace8, ReplacesOneOccurrencePerValue) {
  Bench bench;
  const View x = bench.input("x", DType::kFloat32, 1, {kColumns}, kData);
  const View v = bench.input("v", DType::kFloat32, 1, {8}, {9, 8, 7, 6, 5, 4, 3, 2});
  const View y = bench.tile(DType::kFloat32, 1, {kColumns});
  const View at = bench.tile(DType::kUInt16, 1, {8});
  Attributes attributes;
  attributes.imm0 = -50;
  bench.builder.emit(Opcode::kNcMatchReplace8, Engine::kVector, {y, at}, {x, v}, attributes);
  bench.output("y", y);
  bench.output("at", at);
  Execution got = bench.run();
  expect_equal(got.outputs["y"], {-50, -50, 1, 9, -50, -50, -50, -50, -50, -50, 0, -1});
  expect_equal(got.outputs["at"], {1, 7, 5, 8, 9, 4, 0, 6});
}

// The example of the public API page.
TEST(NonzeroWithCount, ListsIndicesPaddingAndCount) {
  Bench bench;
  Values x(17 * 8, 0);
  const Values first{0, 1, 1, 0, 0, 1, 0, 0};
  std::copy(first.begin(), first.end(), x.begin());
  x[16 * 8 + 7] = 3;
  x[1 * 8] = 1;  // partition 1 is not looked at
  const View data = bench.input("x", DType::kFloat32, 17, {8}, x);
  const View y = bench.tile(DType::kInt32, 17, {9});
  bench.builder.memset(y, 77);
  Attributes attributes;
  attributes.affine_base = 16;
  attributes.imm0 = -1;
  bench.builder.emit(Opcode::kNonzeroWithCount, Engine::kGpSimd, {y}, {data}, attributes);
  bench.output("y", y);
  Values want(17 * 9, 77);
  const Values row0{17, 18, 21, -1, -1, -1, -1, -1, 3};
  const Values row16{23, -1, -1, -1, -1, -1, -1, -1, 1};
  std::copy(row0.begin(), row0.end(), want.begin());
  std::copy(row16.begin(), row16.end(), want.begin() + 16 * 9);
  expect_equal(bench.result(), want);
}

TEST(SequenceBounds, GivesStartAndEndOfEachSegment) {
  Bench bench;
  const View x = bench.input("x", DType::kInt32, 1, {7}, {1, 1, 4, 4, 4, 0, 0});
  const View y = bench.tile(DType::kInt32, 1, {2, 7});
  bench.builder.emit(Opcode::kSequenceBounds, Engine::kGpSimd, {y}, {x});
  bench.output("y", y);
  expect_equal(bench.result(), {0, 0, 2, 2, 2, 7, 7, 2, 2, 5, 5, 5, -1, -1});
}

// Indices of a group of 16 partitions form one list, partition first.
TEST(LocalGather, SharesTheIndexListOfSixteenPartitions) {
  constexpr std::uint32_t kSource = 10;
  Numbers numbers(8);
  const Values x = rounded(DType::kBFloat16, numbers.take(32 * kSource));
  Values index(32 * 2);
  for (std::size_t i = 0; i < index.size(); ++i) {
    index[i] = static_cast<double>((i * 7 + 3) % (kSource - 1));
  }
  Bench bench;
  const View data = bench.input("x", DType::kBFloat16, 32, {kSource}, x);
  const View indices = bench.input("i", DType::kUInt16, 32, {2}, index);
  const View y = bench.tile(DType::kBFloat16, 32, {20, 2});  // 20 of 32 indices, 2 elements each
  Attributes attributes;
  attributes.imm0 = 2;
  bench.builder.emit(Opcode::kLocalGather, Engine::kGpSimd, {y}, {data, indices}, attributes);
  bench.output("y", y);
  Values want;
  for (std::size_t p = 0; p < 32; ++p) {
    for (std::size_t n = 0; n < 20; ++n) {
      const std::size_t owner = (p < 16 ? 0 : 16) + n % 16;
      const auto start = static_cast<std::size_t>(index[owner * 2 + n / 16]);
      want.push_back(x[p * kSource + start]);
      want.push_back(x[p * kSource + start + 1]);
    }
  }
  expect_equal(bench.result(), want);
}

TEST(NGather, GathersWithinAPartition) {
  Bench bench;
  const View x = bench.input("x", DType::kFloat32, 2, {3}, {1, 2, 3, 4, 5, 6});
  const View i = bench.input("i", DType::kUInt32, 2, {4}, {2, 0, 0, 1, 1, 1, 2, 0});
  const View y = bench.tile(DType::kFloat32, 2, {4});
  bench.builder.emit(Opcode::kNcNGather, Engine::kGpSimd, {y}, {x, i});
  bench.output("y", y);
  expect_equal(bench.result(), {3, 1, 1, 2, 5, 5, 6, 4});
}

TEST(NGather, RefusesIndicesOutside) {
  Bench bench;
  const View x = bench.input("x", DType::kFloat32, 1, {3}, {1, 2, 3});
  const View i = bench.input("i", DType::kUInt32, 1, {1}, {3});
  bench.builder.emit(Opcode::kNcNGather, Engine::kGpSimd, {bench.tile(DType::kFloat32, 1, {1})},
                     {x, i});
  EXPECT_EQ(error_of(bench), "instruction 2 (nc_n_gather): index 3 is outside the 3 elements");
}

}  // namespace
}  // namespace trnsim::numerics::test
