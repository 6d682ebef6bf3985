// LDWEIGHTS + MATMUL pairs against hardware.md 5.2, in tensor cycles.
//
// Constants of configs/parts: fast load 4 columns per cycle (fp32: 2 cycles per column), least
// MATMUL interval 64, pipeline latency 400 (trn1) or 395 (trn2, trn3), LDWEIGHTS latency 200.
#include "trnsim/timing/matmul_cost.h"

#include <gtest/gtest.h>

#include "helpers.h"

namespace trnsim::timing::test {
namespace {

struct Pair {
  std::uint64_t load;
  std::uint64_t stream;
  std::uint64_t latency;
  std::uint32_t pairs = 1;
};

struct MatmulRow {
  const char* what;
  const spec::CoreSpec& core;
  InstructionShape shape;
  Pair expected;
};

const Attributes kPlain;

Attributes flag(bool Attributes::*which) {
  Attributes attributes;
  attributes.*which = true;
  return attributes;
}
const Attributes kTranspose = flag(&Attributes::is_transpose);
const Attributes kDoubleRow = flag(&Attributes::double_row);
const Attributes kOneZero = flag(&Attributes::onezero);

// [K, M]^T x [K, N] of one type.
InstructionShape matmul(DType dtype, std::uint32_t k, std::uint64_t m, std::uint64_t n,
                        const Attributes& attributes = kPlain) {
  return instruction(Opcode::kNcMatmul, {psum(kF32, n, static_cast<std::uint32_t>(m))},
                     {sbuf(dtype, m, k), sbuf(dtype, n, k)}, attributes);
}

InstructionShape transpose(DType dtype, std::uint32_t p, std::uint64_t f) {
  return instruction(Opcode::kNcTranspose, {psum(dtype, p, static_cast<std::uint32_t>(f))},
                     {sbuf(dtype, f, p)}, kTranspose);
}

void check(const std::vector<MatmulRow>& rows) {
  for (const MatmulRow& row : rows) {
    const MatmulCost cost = matmul_cost(row.core, row.shape);
    EXPECT_EQ(cost.load_cycles, row.expected.load) << row.core.name << ": " << row.what;
    EXPECT_EQ(cost.stream_cycles, row.expected.stream) << row.core.name << ": " << row.what;
    EXPECT_EQ(cost.latency_cycles, row.expected.latency) << row.core.name << ": " << row.what;
    EXPECT_EQ(cost.pairs, row.expected.pairs) << row.core.name << ": " << row.what;
  }
}

// 8- and 16-bit types and tf32: one pass. load = ceil(M / 4), stream = max(N, 64), latency = N +
// pipeline.
TEST(MatmulCost, StreamsOneColumnPerCycleInOnePass) {
  check({
      // 128/4 = 32; 512; 512 + 400 | 395
      {"bf16 512", trn1(), matmul(kBf16, 128, 128, 512), {32, 512, 912}},
      {"bf16 512", trn2(), matmul(kBf16, 128, 128, 512), {32, 512, 907}},
      {"bf16 512", trn3(), matmul(kBf16, 128, 128, 512), {32, 512, 907}},
      // fp16, tf32 and single-row fp8 cost what bf16 costs (5.2, moving instruction II)
      {"fp16 512", trn2(), matmul(kF16, 128, 128, 512), {32, 512, 907}},
      {"tf32 512", trn1(), matmul(DType::kTFloat32, 128, 128, 512), {32, 512, 912}},
      {"tf32 512", trn2(), matmul(DType::kTFloat32, 128, 128, 512), {32, 512, 907}},
      {"fp8 512", trn1(), matmul(kFp8, 128, 128, 512), {32, 512, 912}},
      {"fp8 512", trn2(), matmul(kFp8, 128, 128, 512), {32, 512, 907}},
      {"cFP8 512", trn2(), matmul(DType::kFloat8E3, 128, 128, 512), {32, 512, 907}},
      // trn3 streams up to 4,096 columns in one instruction (5.1)
      {"bf16 4096", trn3(), matmul(kBf16, 128, 128, 4096), {32, 4096, 4491}},
  });
}

// The interval of a MATMUL is never below MM_INIT_LATENCY = 64 (14.1); its latency is not rounded
// up.
TEST(MatmulCost, HasAFloorOf64Columns) {
  check({
      {"1", trn1(), matmul(kBf16, 128, 128, 1), {32, 64, 401}},
      {"63, one below", trn2(), matmul(kBf16, 128, 128, 63), {32, 64, 458}},
      {"64, at", trn2(), matmul(kBf16, 128, 128, 64), {32, 64, 459}},
      {"65, one above", trn2(), matmul(kBf16, 128, 128, 65), {32, 65, 460}},
      {"63, one below", trn3(), matmul(kBf16, 128, 128, 63), {32, 64, 458}},
      {"65, one above", trn1(), matmul(kBf16, 128, 128, 65), {32, 65, 465}},
  });
}

// ceil(M / 4): 1 -> 1, 3 -> 1, 4 -> 1, 5 -> 2, 64 -> 16, 127 -> 32, 128 -> 32.
TEST(MatmulCost, LoadsFourStationaryColumnsPerCycle) {
  check({
      {"M 1", trn2(), matmul(kBf16, 128, 1, 128), {1, 128, 523}},
      {"M 3", trn2(), matmul(kBf16, 128, 3, 128), {1, 128, 523}},
      {"M 4", trn2(), matmul(kBf16, 128, 4, 128), {1, 128, 523}},
      {"M 5", trn2(), matmul(kBf16, 128, 5, 128), {2, 128, 523}},
      {"M 64", trn2(), matmul(kBf16, 128, 64, 128), {16, 128, 523}},
      {"M 127", trn1(), matmul(kBf16, 128, 127, 128), {32, 128, 528}},
      {"M 128", trn1(), matmul(kBf16, 128, 128, 128), {32, 128, 528}},
  });
}

// Strided weights lose the fast load (22): 4 x 32 = 128, 4 x ceil(5 / 4) = 8.
TEST(MatmulCost, LosesTheFastLoadWithStridedWeights) {
  const auto weights = [](std::uint64_t m, std::int64_t stride) {
    return instruction(Opcode::kNcMatmul, {psum(kF32, 512)},
                       {strided(sbuf(kBf16, m), stride), sbuf(kBf16, 512)}, kPlain);
  };
  check({
      {"stride 1", trn2(), weights(128, 1), {32, 512, 907}},
      {"stride 2", trn2(), weights(128, 2), {128, 512, 907}},
      {"stride 512, M 5", trn2(), weights(5, 512), {8, 512, 907}},
      {"stride 2", trn1(), weights(128, 2), {128, 512, 912}},
  });
  // Strides of the moving operand cost nothing.
  const InstructionShape moving =
      instruction(Opcode::kNcMatmul, {psum(kF32, 512)},
                  {sbuf(kBf16, 128), strided(sbuf(kBf16, 512), 4)}, kPlain);
  check({{"moving strided", trn2(), moving, {32, 512, 907}}});
}

// fp32 takes 4 passes: one pair on v2, two pairs (FP32_LO_HI) of 2 passes on v3 and v4 (5.1). Loads
// at 2 cycles per column of each half: 2 x 128 = 256.
TEST(MatmulCost, TakesFourPassesInFp32) {
  check({
      // one pair: 4 x 512 = 2048; + 400
      {"512", trn1(), matmul(kF32, 128, 128, 512), {256, 2048, 2448, 1}},
      // each of two: 2 x 512 = 1024; + 395
      {"512", trn2(), matmul(kF32, 128, 128, 512), {256, 1024, 1419, 2}},
      {"512", trn3(), matmul(kF32, 128, 128, 512), {256, 1024, 1419, 2}},
      // The floor counts per pass: 4 x 64, 2 x 64; latency 4 x 32 + 400, 2 x 32 + 395
      {"32", trn1(), matmul(kF32, 128, 64, 32), {128, 256, 528, 1}},
      {"32", trn2(), matmul(kF32, 128, 64, 32), {128, 128, 459, 2}},
      {"65", trn2(), matmul(kF32, 128, 64, 65), {128, 130, 525, 2}},
  });
  // fp32 on the moving side only is fp32 as well.
  const InstructionShape mixed = instruction(
      Opcode::kNcMatmul, {psum(kF32, 512)}, {sbuf(DType::kTFloat32, 128), sbuf(kF32, 512)}, kPlain);
  check({{"tf32 x fp32", trn2(), mixed, {256, 1024, 1419, 2}}});
}

// "Up to 2x faster" with a one/zero operand in fp32 (5.2): 2 passes in all; none for other types.
TEST(MatmulCost, HalvesThePassesOfAOneZeroOperand) {
  check({
      {"fp32", trn1(), matmul(kF32, 128, 128, 512, kOneZero), {256, 1024, 1424, 1}},
      {"fp32", trn2(), matmul(kF32, 128, 128, 512, kOneZero), {256, 512, 907, 2}},
      {"bf16", trn2(), matmul(kBf16, 128, 128, 512, kOneZero), {32, 512, 907, 1}},
  });
}

// max(P, 64) cycles for a [P, F] tile, F / 4 to load; fp32: 4 passes on v2, transpose mode with 2
// from v3.
TEST(MatmulCost, TransposesByStreamingAnIdentity) {
  // Only the low half of fp32 weights is loaded on v3, a column a cycle (D5).
  check({
      {"bf16 128x128", trn2(), transpose(kBf16, 128, 128), {32, 128, 523}},
      {"bf16 128x64", trn1(), transpose(kBf16, 128, 64), {16, 128, 528}},
      {"bf16 32x128", trn2(), transpose(kBf16, 32, 128), {32, 64, 427}},
      {"fp32 128x128", trn1(), transpose(kF32, 128, 128), {256, 512, 912}},
      {"fp32 128x128", trn2(), transpose(kF32, 128, 128), {128, 256, 651}},
      {"fp32 128x128", trn3(), transpose(kF32, 128, 128), {128, 256, 651}},
      // nc_matmul in transpose mode: its own moving size
      {"matmul as transpose", trn2(), matmul(kF32, 128, 128, 128, kTranspose), {128, 256, 651}},
  });
  EXPECT_EQ(matmul_cost(trn2(), transpose(kBf16, 128, 128)).flops, 0.0);
}

// double_row: operands are [K, 2, free]; 256 rows contract in the cycles of a bf16 MATMUL (5.2).
TEST(MatmulCost, ContractsTwiceTheRowsWithDoubleRow) {
  const InstructionShape shape = matmul(kFp8, 128, 256, 1024, kDoubleRow);
  check({
      {"fp8 double row", trn2(), shape, {32, 512, 907}},
      {"fp8 double row", trn3(), shape, {32, 512, 907}},
  });
  // 2 x 256 x 128 x 512 = 33,554,432
  EXPECT_EQ(matmul_cost(trn2(), shape).flops, 33'554'432.0);
  EXPECT_EQ(matmul_cost(trn2(), shape).pe_utilization, 1.0);
}

// MX: x4-packed operands, 512 rows contract in the cycles of a bf16 MATMUL (5.2).
TEST(MatmulCost, ContractsFourTimesTheRowsInMx) {
  const InstructionShape shape =
      instruction(Opcode::kNcMatmulMx, {psum(kF32, 512)},
                  {sbuf(DType::kFloat8E4FnX4, 128), sbuf(DType::kFloat4E2X4, 512),
                   sbuf(DType::kUInt8, 128), sbuf(DType::kUInt8, 512)},
                  kPlain);
  check({{"mx", trn3(), shape, {32, 512, 907}}});
  // 2 x 512 x 128 x 512 = 67,108,864
  EXPECT_EQ(matmul_cost(trn3(), shape).flops, 67'108'864.0);
}

TEST(MatmulCost, CountsFlopsAndTheShareOfTheArray) {
  // 2 x 128 x 128 x 512 = 16,777,216 whatever the type (fp32: over both pairs).
  EXPECT_EQ(matmul_cost(trn2(), matmul(kBf16, 128, 128, 512)).flops, 16'777'216.0);
  EXPECT_EQ(matmul_cost(trn2(), matmul(kF32, 128, 128, 512)).flops, 16'777'216.0);
  // 64 x 32 of 128 x 128 = 1/8; 2 x 64 x 32 x 100 = 409,600
  EXPECT_EQ(matmul_cost(trn2(), matmul(kBf16, 64, 32, 100)).flops, 409'600.0);
  EXPECT_EQ(matmul_cost(trn2(), matmul(kBf16, 64, 32, 100)).pe_utilization, 0.125);
}

// Steady state, max(load, stream), equals the published average max(min(64, M), N) (x 4 in fp32)
// for M >= 64 (5.2). v2; fp32 from N = 64, where 4 N >= the 2 M of the load.
TEST(MatmulCost, AgreesWithThePublishedAverageCost) {
  for (const std::uint64_t m : {64U, 96U, 128U}) {
    for (const std::uint64_t n : {64U, 128U, 333U, 512U}) {
      const std::uint64_t published = std::max(std::min<std::uint64_t>(64, m), n);
      const MatmulCost bf16 = matmul_cost(trn1(), matmul(kBf16, 128, m, n));
      EXPECT_EQ(std::max(bf16.load_cycles, bf16.stream_cycles), published) << m << " " << n;
      const MatmulCost fp32 = matmul_cost(trn1(), matmul(kF32, 128, m, n));
      EXPECT_EQ(std::max(fp32.load_cycles, fp32.stream_cycles), 4 * published) << m << " " << n;
    }
  }
}

}  // namespace
}  // namespace trnsim::timing::test
