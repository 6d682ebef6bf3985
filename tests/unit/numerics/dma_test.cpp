// DMA copies, conversions, indirect rows, transposes and sums.
#include "helpers.h"

namespace trnsim::numerics::test {
namespace {

TEST(Dma, ConvertsThroughFp32) {
  Bench bench;
  const View x = bench.input("x", DType::kFloat32, 1, {3}, {1.00390625, 300, -2});
  const View memory = bench.builder.hbm("y", DType::kFloat8E4, {3}, Role::kOutput);
  bench.builder.dma(memory, x);
  expect_equal(bench.result(), {1, HUGE_VAL, -2});
}

TEST(Dma, PermutesByViewOrder) {
  Bench bench;
  const View x = bench.builder.hbm("x", DType::kInt16, {2, 3}, Role::kInput);
  bench.inputs["x"] = {1, 2, 3, 4, 5, 6};
  const View tile = bench.tile(DType::kInt16, 3, {2});
  bench.builder.dma(tile, x.permute(0, 1));
  bench.output("y", tile);
  expect_equal(bench.result(), {1, 4, 2, 5, 3, 6});
}

TEST(Dma, AccumulatesOntoTheDestination) {
  Bench bench;
  const View y = bench.input("x", DType::kBFloat16, 1, {2}, {1, 256});
  const View other = bench.input("o", DType::kFloat32, 1, {2}, {2, 1});
  Attributes attributes;
  attributes.accumulate = true;
  bench.builder.emit(Opcode::kDmaCopy, Engine::kUnassigned, {y}, {other}, attributes);
  bench.output("y", y);
  expect_equal(bench.result(), {3, 256});  // 257 is not a bfloat16
}

TEST(Dma, RefusesDifferentElementCounts) {
  Bench bench;
  const View x = bench.builder.hbm("x", DType::kInt16, {2, 3}, Role::kInput);
  bench.inputs["x"] = Values(6, 0);
  bench.builder.dma(bench.tile(DType::kInt16, 1, {5}), x);
  EXPECT_EQ(error_of(bench), "instruction 0 (dma_copy): 6 elements to 5");
}

struct Table {
  Bench bench;
  View table;
  View index;

  explicit Table(const Values& indices)
      : table(bench.builder.hbm("t", DType::kFloat32, {5, 2}, Role::kInput)) {
    bench.inputs["t"] = {0, 1, 10, 11, 20, 21, 30, 31, 40, 41};
    index =
        bench.input("i", DType::kUInt32, static_cast<std::uint32_t>(indices.size()), {1}, indices);
  }
  static Attributes indirect() {
    Attributes attributes;
    attributes.indirect = true;
    return attributes;
  }
};

TEST(Dma, GathersRowsByIndex) {
  Table t({4, 0, 4});
  const View y = t.bench.tile(DType::kFloat32, 3, {2});
  t.bench.builder.emit(Opcode::kDmaCopy, Engine::kGpSimd, {y}, {t.table.slice(0, 0, 3), t.index},
                       Table::indirect());
  t.bench.output("y", y);
  expect_equal(t.bench.result(), {40, 41, 0, 1, 40, 41});
}

TEST(Dma, RefusesAnIndexOutsideTheTable) {
  Table t({4, 5, 0});
  const View y = t.bench.tile(DType::kFloat32, 3, {2});
  t.bench.builder.emit(Opcode::kDmaCopy, Engine::kGpSimd, {y}, {t.table.slice(0, 0, 3), t.index},
                       Table::indirect());
  EXPECT_EQ(error_of(t.bench), "instruction 1 (dma_copy): index 5 is outside tensor 't'");
}

TEST(Dma, ScattersRowsByIndexAndAccumulates) {
  for (const bool accumulate : {false, true}) {
    Table t({3, 1});
    const View memory = t.bench.builder.hbm("y", DType::kFloat32, {4, 2}, Role::kOutput);
    t.bench.builder.dma(memory, t.table.slice(0, 0, 4));
    const View x = t.bench.input("x", DType::kFloat32, 2, {2}, {1, 2, 3, 4});
    Attributes attributes = Table::indirect();
    attributes.accumulate = accumulate;
    t.bench.builder.emit(Opcode::kDmaCopy, Engine::kGpSimd, {memory.slice(0, 0, 2)}, {x, t.index},
                         attributes);
    expect_equal(t.bench.result(), accumulate ? Values{0, 1, 13, 15, 20, 21, 31, 33}
                                              : Values{0, 1, 3, 4, 20, 21, 1, 2});
  }
}

TEST(DmaTranspose, ReversesTwoAndThreeDims) {
  const Values x{0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11};
  {
    Bench bench;
    const View source = bench.builder.hbm("x", DType::kInt16, {3, 4}, Role::kInput);
    bench.inputs["x"] = x;
    const View y = bench.tile(DType::kInt16, 4, {3});
    bench.builder.dma_transpose(y, source);
    bench.output("y", y);
    expect_equal(bench.result(), {0, 4, 8, 1, 5, 9, 2, 6, 10, 3, 7, 11});
  }
  Bench bench;
  const View source = bench.builder.hbm("x", DType::kInt16, {2, 3, 2}, Role::kInput);
  bench.inputs["x"] = x;
  const View y = bench.tile(DType::kInt16, 2, {3, 2});
  bench.builder.dma_transpose(y, source);
  bench.output("y", y);
  Values want;
  for (int k = 0; k < 2; ++k) {
    for (int j = 0; j < 3; ++j) {
      for (int i = 0; i < 2; ++i) {
        want.push_back(i * 6 + j * 2 + k);
      }
    }
  }
  expect_equal(bench.result(), want);
}

TEST(DmaTranspose, KeepsTheMiddleDimsOfFourInOrder) {
  Bench bench;
  const View source = bench.builder.hbm("x", DType::kInt16, {2, 2, 3, 2}, Role::kInput);
  Values x(24);
  for (std::size_t i = 0; i < x.size(); ++i) {
    x[i] = static_cast<double>(i);
  }
  bench.inputs["x"] = x;
  const View y = bench.tile(DType::kInt16, 2, {2, 3, 2});
  bench.builder.dma_transpose(y, source);
  bench.output("y", y);
  Values want;
  for (int l = 0; l < 2; ++l) {
    for (int j = 0; j < 2; ++j) {
      for (int k = 0; k < 3; ++k) {
        for (int i = 0; i < 2; ++i) {
          want.push_back(i * 12 + j * 6 + k * 2 + l);
        }
      }
    }
  }
  expect_equal(bench.result(), want);
}

TEST(DmaTranspose, ReadsATileWithItsPartitionsAsFirstDim) {
  Bench bench;
  const View x = bench.input("x", DType::kBFloat16, 2, {3}, {1, 2, 3, 4, 5, 6});
  const View y = bench.tile(DType::kBFloat16, 3, {2});
  bench.builder.dma_transpose(y, x);
  bench.output("y", y);
  expect_equal(bench.result(), {1, 4, 2, 5, 3, 6});
}

TEST(DmaCompute, SumsItsSourcesInFp32) {
  Bench bench;
  const View a = bench.input("a", DType::kBFloat16, 1, {2}, {1, 256});
  const View b = bench.input("b", DType::kFloat32, 1, {2}, {2, 1});
  const View c = bench.input("c", DType::kBFloat16, 1, {2}, {4, 1});
  const View y = bench.tile(DType::kBFloat16, 1, {2});
  bench.builder.emit(Opcode::kDmaCompute, Engine::kUnassigned, {y}, {a, b, c});
  bench.output("y", y);
  expect_equal(bench.result(), {7, 258});
}

// The data of the other ranks is not known: this rank's stands for theirs.
TEST(Collective, HasTheDataOfThisRankOnly) {
  struct Case {
    trace::CollectiveKind kind;
    std::uint32_t rows;
    Values want;
  };
  for (const Case& test : {Case{trace::CollectiveKind::kAllReduce, 2, {1, 2}},
                           Case{trace::CollectiveKind::kAllGather, 4, {1, 2, 1, 2}},
                           Case{trace::CollectiveKind::kReduceScatter, 1, {1}}}) {
    Bench bench;
    const View x = bench.input("x", DType::kBFloat16, 2, {1}, {1, 2});
    const View y = bench.tile(DType::kBFloat16, test.rows, {1});
    Attributes attributes;
    attributes.collective = test.kind;
    bench.builder.emit(Opcode::kCollective, Engine::kUnassigned, {y}, {x}, attributes);
    bench.output("y", y);
    expect_equal(bench.result(), test.want);
  }
}

TEST(Collective, OfOneRankIsAnExactCopyOfEveryTensor) {
  Bench bench;
  const View a = bench.input("a", DType::kInt32, 1, {2}, {16777217, -5});
  const View b = bench.input("b", DType::kFloat32, 1, {1}, {0.1F});
  const View c = bench.tile(DType::kInt32, 1, {2});
  const View d = bench.tile(DType::kFloat32, 1, {1});
  Attributes attributes;
  attributes.collective = trace::CollectiveKind::kAllToAll;
  bench.builder.emit(Opcode::kCollective, Engine::kUnassigned, {c, d}, {a, b}, attributes);
  bench.output("c", c);
  bench.output("d", d);
  Execution got = bench.run();
  expect_equal(got.outputs["c"], {16777217, -5});
  expect_equal(got.outputs["d"], {0.1F});
}

TEST(Collective, PermuteWithReductionTakesASecondSource) {
  Bench bench;
  const View a = bench.input("a", DType::kFloat32, 1, {2}, {1, 2});
  const View b = bench.input("b", DType::kFloat32, 1, {2}, {10, 20});
  const View y = bench.tile(DType::kFloat32, 1, {2});
  Attributes attributes;
  attributes.collective = trace::CollectiveKind::kPermuteImplicitReduce;
  attributes.op0 = AluOp::kAdd;
  bench.builder.emit(Opcode::kCollective, Engine::kUnassigned, {y}, {a, b}, attributes);
  bench.output("y", y);
  expect_equal(bench.result(), {11, 22});
}

}  // namespace
}  // namespace trnsim::numerics::test
