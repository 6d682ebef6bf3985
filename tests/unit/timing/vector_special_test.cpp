// Vector instructions with one row per opcode of hardware.md 13: selection, slow and trn3 rows.
//
// With work w from the formula of the row, configs/parts give
//   trn1: interval = max(64, w + 60), latency = w + 100
//   trn2: interval = max(64, w + 62), latency = w + 150
//   trn3: as trn2
// and 64 more on both where the accumulator is read out. The comment on each row derives w.
#include <gtest/gtest.h>

#include "helpers.h"

namespace trnsim::timing::test {
namespace {

void check_vector(const std::vector<CostRow>& rows) {
  check(Engine::kVector, rows);
}

const Attributes kPlain;
const Attributes kAdd = ops(AluOp::kAdd);

TEST(VectorCost, SelectsByPredicate) {
  check_vector({
      // both in SBUF: 2 x 512; different memories: 512
      {"both SBUF",
       trn1(),
       Opcode::kTensorCopyPredicated,
       {sbuf(kF32, 512)},
       {sbuf(DType::kUInt8, 512), sbuf(kF32, 512)},
       kPlain,
       1084,
       1124},
      {"source in PSUM",
       trn2(),
       Opcode::kTensorCopyPredicated,
       {sbuf(kF32, 512)},
       {sbuf(DType::kUInt8, 512), psum(kF32, 512)},
       kPlain,
       574,
       662},
      {"both SBUF",
       trn3(),
       Opcode::kTensorCopyPredicated,
       {sbuf(kF32, 512)},
       {sbuf(DType::kUInt8, 512), sbuf(kF32, 512)},
       kPlain,
       1086,
       1174},
      {"select_reduce",
       trn2(),
       Opcode::kSelectReduce,
       {sbuf(kF32, 512)},
       {sbuf(DType::kUInt8, 512), sbuf(kF32, 512)},
       kPlain,
       1086,
       1174},
      // + 64
      {"select_reduce, read",
       trn2(),
       Opcode::kSelectReduce,
       {sbuf(kF32, 512), sbuf(kF32, 1)},
       {sbuf(DType::kUInt8, 512), psum(kF32, 512)},
       with_reduce(),
       638,
       726},
      {"range_select",
       trn2(),
       Opcode::kRangeSelect,
       {sbuf(kF32, 512)},
       {sbuf(kF32, 512), sbuf(kF32, 1), sbuf(kF32, 1)},
       kPlain,
       574,
       662},
      {"range_select, read",
       trn3(),
       Opcode::kRangeSelect,
       {sbuf(kF32, 512), sbuf(kF32, 1)},
       {sbuf(kF32, 512), sbuf(kF32, 1), sbuf(kF32, 1)},
       with_reduce(),
       638,
       726},
  });
}

// The rows whose work is N in every generation, N = 512 (max8 and its relatives too).
TEST(VectorCost, TakesOneCyclePerElementForTheOtherRows) {
  for (const Opcode opcode :
       {Opcode::kBnStats, Opcode::kDropout, Opcode::kNcStreamShuffle, Opcode::kMax8}) {
    check_vector({
        {"N", trn1(), opcode, {sbuf(kF32, 512)}, {sbuf(kF32, 512)}, kPlain, 572, 612},
        {"N", trn2(), opcode, {sbuf(kBf16, 512)}, {sbuf(kBf16, 512)}, kPlain, 574, 662},
        {"N", trn3(), opcode, {sbuf(kF32, 512)}, {sbuf(kF32, 512)}, kPlain, 574, 662},
    });
  }
  // data + 8 values
  for (const Opcode opcode : {Opcode::kNcFindIndex8, Opcode::kNcMatchReplace8}) {
    check_vector({{"N",
                   trn2(),
                   opcode,
                   {sbuf(kF32, 8)},
                   {sbuf(kF32, 16384), sbuf(kF32, 8)},
                   kPlain,
                   16446,
                   16534}});
  }
  // a 32 x 32 transpose on the vector engine: w = 32
  check_vector({{"transpose",
                 trn2(),
                 Opcode::kNcTranspose,
                 {sbuf(kBf16, 32, 32)},
                 {sbuf(kBf16, 32, 32)},
                 kPlain,
                 94,
                 182}});
}

TEST(VectorCost, TakesSeveralCyclesPerElementForSlowRows) {
  check_vector({
      // 8 x 512 = 4096
      {"reciprocal",
       trn1(),
       Opcode::kReciprocal,
       {sbuf(kF32, 512)},
       {sbuf(kF32, 512)},
       kPlain,
       4156,
       4196},
      {"reciprocal",
       trn2(),
       Opcode::kReciprocal,
       {sbuf(kF32, 512)},
       {sbuf(kF32, 512)},
       kPlain,
       4158,
       4246},
      // 13 x 6 / 3 = 26; 13 x 512 / 3 = 2218.7 -> 2219
      {"bn_aggr 6", trn1(), Opcode::kBnAggr, {sbuf(kF32, 2)}, {sbuf(kF32, 6)}, kPlain, 86, 126},
      {"bn_aggr 512",
       trn2(),
       Opcode::kBnAggr,
       {sbuf(kF32, 2)},
       {sbuf(kF32, 512)},
       kPlain,
       2281,
       2369},
  });
}

TEST(VectorCost, TakesAQuarterCyclePerElementForTheTrn3Rows) {
  check_vector({
      // 512 / 4 = 128
      {"exponential",
       trn3(),
       Opcode::kExponential,
       {sbuf(kBf16, 512)},
       {sbuf(kF32, 512), sbuf(kF32, 1)},
       kPlain,
       190,
       278},
      {"exponential, read",
       trn3(),
       Opcode::kExponential,
       {sbuf(kBf16, 512), sbuf(kF32, 1)},
       {sbuf(kF32, 512), sbuf(kF32, 1)},
       with_reduce(),
       254,
       342},
      // source elements: 1024 / 4 = 256
      {"quantize_mx",
       trn3(),
       Opcode::kQuantizeMx,
       {sbuf(DType::kFloat8E4FnX4, 256), sbuf(DType::kUInt8, 256)},
       {sbuf(kBf16, 1024)},
       kPlain,
       318,
       406},
      {"rand2", trn3(), Opcode::kRand2, {sbuf(kF32, 512)}, {}, kPlain, 190, 278},
      {"rng", trn3(), Opcode::kRng, {sbuf(DType::kUInt32, 512)}, {}, kPlain, 190, 278},
      // one value per cycle before
      {"rng", trn2(), Opcode::kRng, {sbuf(DType::kUInt32, 512)}, {}, kPlain, 574, 662},
      {"rng", trn1(), Opcode::kRng, {sbuf(DType::kUInt32, 512)}, {}, kPlain, 572, 612},
      // ceil(9 / 4) = 3 -> 65; 8 / 4 = 2 -> 64
      {"exponential of 9",
       trn3(),
       Opcode::kExponential,
       {sbuf(kBf16, 9)},
       {sbuf(kF32, 9), sbuf(kF32, 1)},
       kPlain,
       65,
       153},
      {"exponential of 8",
       trn3(),
       Opcode::kExponential,
       {sbuf(kBf16, 8)},
       {sbuf(kF32, 8), sbuf(kF32, 1)},
       kPlain,
       64,
       152},
  });
}

// One element of work: MIN_II.
TEST(VectorCost, SetsRandomStateInOneInterval) {
  check_vector({
      {"seed", trn1(), Opcode::kSetRngSeed, {}, {sbuf(DType::kUInt32, 1, 1)}, kPlain, 64, 101},
      {"seed", trn2(), Opcode::kSetRngSeed, {}, {sbuf(DType::kUInt32, 1, 1)}, kPlain, 64, 151},
      {"state", trn3(), Opcode::kRandSetState, {}, {sbuf(DType::kUInt32, 24)}, kPlain, 64, 151},
  });
}

// max(600, N): MIN_II_DYNAMIC of 14.1. trn2: 538 + 62 = 600 is the edge.
TEST(VectorCost, HasAFloorOf600CyclesWithADynamicOffset) {
  const auto copy = [](const spec::CoreSpec& core, std::uint64_t n, std::uint64_t interval,
                       std::uint64_t latency) {
    return CostRow{
        "dynamic", core,   Opcode::kTensorCopyDynamic, {sbuf(kBf16, n)}, {sbuf(kBf16, n)}, kPlain,
        interval,  latency};
  };
  check_vector({
      copy(trn2(), 128, 600, 278),
      copy(trn2(), 538, 600, 688),
      copy(trn2(), 539, 601, 689),
      copy(trn1(), 540, 600, 640),
      copy(trn1(), 541, 601, 641),
      copy(trn3(), 1000, 1062, 1150),
  });
}

TEST(VectorCost, RefusesWhatTheVectorEngineNeverRuns) {
  const InstructionShape shape = instruction(Opcode::kIota, {sbuf(kI32, 8)}, {}, kPlain);
  EXPECT_THROW((void)vector_cost(trn2(), shape), InternalError);
}

}  // namespace
}  // namespace trnsim::timing::test
