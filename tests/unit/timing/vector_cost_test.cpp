// Vector instructions row by row of hardware.md 13, perf modes of section 6.
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

TEST(VectorCost, CopiesOneElementPerCycleOnTrn1) {
  check_vector({
      // w = 512
      {"fp32", trn1(), Opcode::kTensorCopy, {sbuf(kF32, 512)}, {sbuf(kF32, 512)}, kPlain, 572, 612},
      {"bf16",
       trn1(),
       Opcode::kTensorCopy,
       {sbuf(kBf16, 512)},
       {sbuf(kBf16, 512)},
       kPlain,
       572,
       612},
      {"from PSUM",
       trn1(),
       Opcode::kTensorCopy,
       {sbuf(kBf16, 512)},
       {psum(kF32, 512)},
       kPlain,
       572,
       612},
  });
}

// MIN_II 64 against w + gap: on trn1 the edge lies between 4 and 5 elements, on trn2 between 2
// and 3.
TEST(VectorCost, HasAFloorOf64Cycles) {
  const auto copy = [](const spec::CoreSpec& core, std::uint64_t n, std::uint64_t interval,
                       std::uint64_t latency) {
    return CostRow{"floor",  core,   Opcode::kTensorCopy, {psum(kF32, n)}, {psum(kF32, n)}, kPlain,
                   interval, latency};
  };
  check_vector({
      copy(trn1(), 1, 64, 101),  // 61 -> 64
      copy(trn1(), 3, 64, 103),  // 63 -> 64
      copy(trn1(), 4, 64, 104),  // 64
      copy(trn1(), 5, 65, 105),
      copy(trn2(), 1, 64, 151),  // 63 -> 64
      copy(trn2(), 2, 64, 152),  // 64
      copy(trn2(), 3, 65, 153),
      copy(trn3(), 1, 64, 151),
      copy(trn3(), 3, 65, 153),
  });
}

// Section 6, first row: both in SBUF, both 16-bit floats, contiguous: N / 4.
TEST(VectorCost, CopiesFourElementsPerCycleIn16BitSbuf) {
  check_vector({
      // 512 / 4 = 128
      {"bf16",
       trn2(),
       Opcode::kTensorCopy,
       {sbuf(kBf16, 512)},
       {sbuf(kBf16, 512)},
       kPlain,
       190,
       278,
       true},
      // the two types may differ
      {"fp16 to bf16",
       trn2(),
       Opcode::kTensorCopy,
       {sbuf(kBf16, 512)},
       {sbuf(kF16, 512)},
       kPlain,
       190,
       278,
       true},
      // ceil(513 / 4) = 129
      {"513",
       trn2(),
       Opcode::kTensorCopy,
       {sbuf(kBf16, 513)},
       {sbuf(kBf16, 513)},
       kPlain,
       191,
       279,
       true},
      // the floor is not divided: ceil(8 / 4) = 2 -> 64, ceil(9 / 4) = 3 -> 65
      {"8, at the floor",
       trn2(),
       Opcode::kTensorCopy,
       {sbuf(kBf16, 8)},
       {sbuf(kBf16, 8)},
       kPlain,
       64,
       152,
       true},
      {"9, above",
       trn2(),
       Opcode::kTensorCopy,
       {sbuf(kBf16, 9)},
       {sbuf(kBf16, 9)},
       kPlain,
       65,
       153,
       true},
      {"tensor_scalar",
       trn2(),
       Opcode::kTensorScalar,
       {sbuf(kBf16, 512)},
       {sbuf(kBf16, 512)},
       ops(AluOp::kMultiply),
       190,
       278,
       true},
      // two operators cost the same as one
      {"tensor_scalar, two ops",
       trn2(),
       Opcode::kTensorScalar,
       {sbuf(kBf16, 512)},
       {sbuf(kBf16, 512)},
       ops(AluOp::kMultiply, AluOp::kAdd),
       190,
       278,
       true},
      {"bf16",
       trn3(),
       Opcode::kTensorCopy,
       {sbuf(kBf16, 512)},
       {sbuf(kBf16, 512)},
       kPlain,
       190,
       278,
       true},
  });
}

// Section 6: fp8 gains on v4 only.
TEST(VectorCost, CopiesFp8AtTheFourfoldRateOnTrn3Only) {
  check_vector({
      {"fp8", trn2(), Opcode::kTensorCopy, {sbuf(kFp8, 512)}, {sbuf(kFp8, 512)}, kPlain, 318, 406, true},
      {"fp8",
       trn3(),
       Opcode::kTensorCopy,
       {sbuf(kFp8, 512)},
       {sbuf(kFp8, 512)},
       kPlain,
       190,
       278,
       true},
      {"fp8 to bf16",
       trn3(),
       Opcode::kTensorScalar,
       {sbuf(kBf16, 512)},
       {sbuf(kFp8, 512)},
       kAdd,
       190,
       278,
       true},
      {"bf16 to fp8",
       trn2(),
       Opcode::kTensorCopy,
       {sbuf(kFp8, 512)},
       {sbuf(kBf16, 512)},
       kPlain,
       318,
       406,
       true},
  });
}

// Section 6, 2x: (a) 16-bit SBUF, not contiguous; (b) 16-bit, contiguous, one side in PSUM; C10:
// any type from SBUF to SBUF, contiguous (data-path table; fp32 measured). w = 512 / 2 = 256.
TEST(VectorCost, CopiesTwoElementsPerCycleInTheTwoCasesAndFromSbufToSbuf) {
  check_vector({
      {"int32",
       trn2(),
       Opcode::kTensorCopy,
       {sbuf(kI32, 512)},
       {sbuf(kI32, 512)},
       kPlain,
       318,
       406,
       true},
      {"fp32 to bf16",
       trn2(),
       Opcode::kTensorCopy,
       {sbuf(kBf16, 512)},
       {sbuf(kF32, 512)},
       kPlain,
       318,
       406,
       true},
      {"source strided",
       trn2(),
       Opcode::kTensorCopy,
       {sbuf(kBf16, 512)},
       {strided(sbuf(kBf16, 512), 2)},
       kPlain,
       318,
       406,
       true},
      {"destination strided",
       trn3(),
       Opcode::kTensorCopy,
       {strided(sbuf(kBf16, 512), 2)},
       {sbuf(kBf16, 512)},
       kPlain,
       318,
       406,
       true},
      {"PSUM source",
       trn2(),
       Opcode::kTensorCopy,
       {sbuf(kBf16, 512)},
       {psum(kBf16, 512)},
       kPlain,
       318,
       406,
       true},
      {"PSUM destination",
       trn2(),
       Opcode::kTensorScalar,
       {psum(kBf16, 512)},
       {sbuf(kBf16, 512)},
       kAdd,
       318,
       406,
       true},
      {"fp32",
       trn2(),
       Opcode::kTensorCopy,
       {sbuf(kF32, 512)},
       {sbuf(kF32, 512)},
       kPlain,
       318,
       406,
       true},
      {"fp32",
       trn3(),
       Opcode::kTensorScalar,
       {sbuf(kF32, 512)},
       {sbuf(kF32, 512)},
       kAdd,
       318,
       406,
       true},
      // ceil(5 / 2) = 3 -> 65
      {"5 elements",
       trn2(),
       Opcode::kTensorCopy,
       {sbuf(kF32, 5)},
       {sbuf(kF32, 5)},
       kPlain,
       65,
       153,
       true},
  });
}

// Everything else: N. w = 512.
TEST(VectorCost, CopiesOneElementPerCycleOtherwise) {
  check_vector({
      {"both in PSUM",
       trn2(),
       Opcode::kTensorCopy,
       {psum(kBf16, 512)},
       {psum(kBf16, 512)},
       kPlain,
       574,
       662},
      {"PSUM and strided",
       trn2(),
       Opcode::kTensorCopy,
       {strided(sbuf(kBf16, 512), 2)},
       {psum(kBf16, 512)},
       kPlain,
       574,
       662},
      {"fp32 PSUM to SBUF",
       trn2(),
       Opcode::kTensorCopy,
       {sbuf(kF32, 512)},
       {psum(kF32, 512)},
       kPlain,
       574,
       662},
      {"fp32 PSUM to bf16",
       trn2(),
       Opcode::kTensorCopy,
       {sbuf(kBf16, 512)},
       {psum(kF32, 512)},
       kPlain,
       574,
       662},
      {"fp32 strided",
       trn2(),
       Opcode::kTensorCopy,
       {sbuf(kF32, 512)},
       {strided(sbuf(kF32, 512), 2)},
       kPlain,
       574,
       662},
  });
}

// Section 10: strides up to 16 B run at full rate, longer ones at half: 2 x 512 = 1024.
TEST(VectorCost, HalvesTheRateAboveAStrideOf16Bytes) {
  check_vector({
      {"fp32, 16 B",
       trn2(),
       Opcode::kTensorCopy,
       {sbuf(kF32, 512)},
       {strided(sbuf(kF32, 512), 4)},
       kPlain,
       574,
       662},
      {"fp32, 20 B",
       trn2(),
       Opcode::kTensorCopy,
       {sbuf(kF32, 512)},
       {strided(sbuf(kF32, 512), 5)},
       kPlain,
       1086,
       1174},
      {"fp32, -20 B",
       trn2(),
       Opcode::kTensorCopy,
       {sbuf(kF32, 512)},
       {strided(sbuf(kF32, 512), -5)},
       kPlain,
       1086,
       1174},
      {"bf16, 16 B",
       trn1(),
       Opcode::kTensorCopy,
       {sbuf(kBf16, 512)},
       {strided(sbuf(kBf16, 512), 8)},
       kPlain,
       572,
       612},
      {"bf16, 18 B",
       trn1(),
       Opcode::kTensorCopy,
       {sbuf(kBf16, 512)},
       {strided(sbuf(kBf16, 512), 9)},
       kPlain,
       1084,
       1124},
      {"destination, 20 B",
       trn1(),
       Opcode::kTensorCopy,
       {strided(sbuf(kF32, 512), 5)},
       {psum(kF32, 512)},
       kPlain,
       1084,
       1124},
      // second input of a two-input instruction, 2 x (2 x 512) = 2048
      {"tensor_tensor, 20 B",
       trn1(),
       Opcode::kTensorTensor,
       {sbuf(kF32, 512)},
       {sbuf(kF32, 512), strided(sbuf(kF32, 512), 5)},
       kAdd,
       2108,
       2148},
  });
}

}  // namespace
}  // namespace trnsim::timing::test
