// The model in nanoseconds against the profiler rows of kernels_and_instructions.csv (trn2).
//
// Ranges are the printed ones; a relative tolerance is named where the model is known to lie
// outside.
#include <gtest/gtest.h>

#include "helpers.h"
#include "trnsim/timing/matmul_cost.h"

namespace trnsim::timing::test {
namespace {

const Attributes kPlain;

struct Range {
  double low;
  double high;
};

void expect_in(double ns, Range range, double relative_tolerance = 0) {
  EXPECT_GE(ns, range.low * (1 - relative_tolerance));
  EXPECT_LE(ns, range.high * (1 + relative_tolerance));
}

MatmulCost matmul(DType dtype, std::uint64_t n) {
  return matmul_cost(trn2(), instruction(Opcode::kNcMatmul, {psum(kF32, n)},
                                         {sbuf(dtype, 128), sbuf(dtype, n)}, kPlain));
}

double tensor_ns(std::uint64_t cycles) {
  return static_cast<double>(cycles) / trn2().tensor.clock_ghz;
}
// Two back-to-back MATMULs start stream + issue gap apart.
double matmul_interval_ns(std::uint64_t n) {
  return tensor_ns(matmul(kBf16, n).stream_cycles + trn2().tensor.issue_gap_cycles);
}

EngineCost copy(Engine engine, std::uint64_t n) {
  return engine_cost(trn2(), engine,
                     instruction(Opcode::kTensorCopy, {sbuf(kF32, n)}, {psum(kF32, n)}, kPlain));
}

// D1: 55-56 ns apart, 216-219 ns long. (128 + 6) / 2.4 = 55.8; (128 + 395) / 2.4 = 217.9.
TEST(MeasuredRows, D1MatmulOf128Columns) {
  expect_in(matmul_interval_ns(128), {55, 56});
  expect_in(tensor_ns(matmul(kBf16, 128).latency_cycles), {216, 219});
}

// D2: 215-218 ns apart, 376-389 ns long. (512 + 6) / 2.4 = 215.8; (512 + 395) / 2.4 = 377.9.
TEST(MeasuredRows, D2MatmulOf512Columns) {
  expect_in(matmul_interval_ns(512), {215, 218});
  expect_in(tensor_ns(matmul(kBf16, 512).latency_cycles), {376, 389});
}

// D1, D2 throttled: 106-107 and 426-427 ns apart. 128 x 2 / 2.4 = 106.67; 512 x 2 / 2.4 = 426.67:
// the gap falls into slots that are blocked anyway.
TEST(MeasuredRows, D1AndD2UnderTheLimiter) {
  const double slow = 1.0 / trn2().tensor.activity_limiter.floor_fraction;
  expect_in(tensor_ns(matmul(kBf16, 128).stream_cycles) * slow, {106, 107});
  expect_in(tensor_ns(matmul(kBf16, 512).stream_cycles) * slow, {426, 427});
}

// D5: bf16 95-100 ns, fp32 half 137-192 (191) ns. (32 + 200) / 2.4 = 96.7; (256 + 200) / 2.4 = 190.
TEST(MeasuredRows, D5LoadWeights) {
  expect_in(tensor_ns(matmul(kBf16, 128).load_latency_cycles), {95, 100});
  expect_in(tensor_ns(matmul(kF32, 128).load_latency_cycles), {137, 192});
  // It does not lengthen the MATMUL interval: 32 < 128 cycles.
  EXPECT_LT(matmul(kBf16, 128).load_cycles, matmul(kBf16, 128).stream_cycles);
}

// D7, 1.2 GHz: intervals 465-466 / 156-157 ns, latencies 584-586 / 264-265 ns.
// (512 + 52) / 1.2 = 470.0 (+0.9 %); (128 + 52) / 1.2 = 150.0 (-3.8 %); 702 / 1.2 = 585.0; 318
// / 1.2 = 265.0.
TEST(MeasuredRows, D7ScalarCopyFromPsum) {
  const double ghz = trn2().scalar.clock_ghz;
  expect_in(static_cast<double>(copy(Engine::kScalar, 512).interval_cycles) / ghz, {465, 466},
            0.05);
  expect_in(static_cast<double>(copy(Engine::kScalar, 128).interval_cycles) / ghz, {156, 157},
            0.05);
  expect_in(static_cast<double>(copy(Engine::kScalar, 512).latency_cycles) / ghz, {584, 586}, 0.02);
  expect_in(static_cast<double>(copy(Engine::kScalar, 128).latency_cycles) / ghz, {264, 265}, 0.02);
}

// D9: 1,283 ns.
TEST(MeasuredRows, D9ActivationTableLoad) {
  EXPECT_EQ(trn2().scalar.act_table_load_ns, 1283.0);
}

// D10, 0.96 GHz: interval 598 ns, latencies 679-691 / 289-291 ns.
// (512 + 62) / 0.96 = 597.9; (512 + 150) / 0.96 = 689.6; (128 + 150) / 0.96 = 289.6.
TEST(MeasuredRows, D10VectorCopyFromPsum) {
  const double ghz = trn2().vector.clock_ghz;
  EXPECT_NEAR(static_cast<double>(copy(Engine::kVector, 512).interval_cycles) / ghz, 598, 0.5);
  expect_in(static_cast<double>(copy(Engine::kVector, 512).latency_cycles) / ghz, {679, 691});
  expect_in(static_cast<double>(copy(Engine::kVector, 128).latency_cycles) / ghz, {289, 291});
}

// D13: reduce of 4 / 8 / 16 elements 157 / 161 / 169 ns. (4 + 150) / 0.96 = 160.4 (+2.2 %); 164.6;
// 172.9.
TEST(MeasuredRows, D13SmallReductionsWithinThreePercent) {
  const double measured[] = {157, 161, 169};
  const std::uint64_t elements[] = {4, 8, 16};
  for (std::size_t i = 0; i < 3; ++i) {
    const InstructionShape shape =
        instruction(Opcode::kTensorReduce, {sbuf(kF32, 1)}, {sbuf(kF32, elements[i])}, kPlain);
    const double ns =
        static_cast<double>(vector_cost(trn2(), shape).latency_cycles) / trn2().vector.clock_ghz;
    EXPECT_NEAR(ns, measured[i], 0.03 * measured[i]);
  }
}

// D13: reciprocal of 4 / 8 elements 167-178 / 202 ns. The formula's 8 N leads to (32 + 150) / 0.96
// = 189.6 and (64 + 150) / 0.96 = 222.9: 6.5 % and 10.4 % too long. The slope, 33 ns for 4
// elements, agrees.
TEST(MeasuredRows, D13ReciprocalIsAtMostElevenPercentLong) {
  const auto ns = [](std::uint64_t n) {
    const InstructionShape shape =
        instruction(Opcode::kReciprocal, {sbuf(kF32, n)}, {sbuf(kF32, n)}, kPlain);
    return static_cast<double>(vector_cost(trn2(), shape).latency_cycles) / trn2().vector.clock_ghz;
  };
  expect_in(ns(4), {167, 178}, 0.07);
  expect_in(ns(8), {202, 202}, 0.11);
  EXPECT_NEAR(ns(8) - ns(4), 33.3, 0.1);
}

// 14.4, trn2: fp32 with one PSUM operand, N = 512: 694 ns +-9. (512 + 150) / 0.96 = 689.6; fp32
// SBUF at 2x 424-433 ns: (256 + 150) / 0.96 = 422.9.
TEST(MeasuredRows, VectorSamplesOfSection14) {
  const Attributes add = ops(AluOp::kAdd);
  const InstructionShape tensor_tensor = instruction(Opcode::kTensorTensor, {sbuf(kF32, 512)},
                                                     {psum(kF32, 512), sbuf(kF32, 512)}, add);
  EXPECT_NEAR(static_cast<double>(vector_cost(trn2(), tensor_tensor).latency_cycles) / 0.96, 694,
              9);
  const InstructionShape scalar =
      instruction(Opcode::kTensorScalar, {sbuf(kF32, 512)}, {sbuf(kF32, 512)}, add);
  expect_in(static_cast<double>(vector_cost(trn2(), scalar).latency_cycles) / 0.96, {424, 433},
            0.01);
}

// 14.4, trn1: TENSOR_TENSOR fp32 SBUF, N = 8192, 14,968-14,987 ns. (16384 + 100) / 1.12 = 14,718:
// -1.8 %.
TEST(MeasuredRows, VectorSampleOfTrn1) {
  const Attributes add = ops(AluOp::kAdd);
  const InstructionShape shape = instruction(Opcode::kTensorTensor, {sbuf(kF32, 8192)},
                                             {sbuf(kF32, 8192), sbuf(kF32, 8192)}, add);
  expect_in(static_cast<double>(vector_cost(trn1(), shape).latency_cycles) / 1.12, {14'968, 14'987},
            0.02);
}

// 14.3: trn1 MATMUL of 128 columns 188 ns: (128 + 400) / 2.8 = 188.6. trn2 fp32 halves 429.1 ns
// apart: (2 x 512 + 6) / 2.4 = 429.2, 599 +-9 ns long: (1024 + 395) / 2.4 = 591.3.
TEST(MeasuredRows, TensorSamplesOfSection14) {
  const InstructionShape small = instruction(Opcode::kNcMatmul, {psum(kF32, 128)},
                                             {sbuf(kBf16, 128), sbuf(kBf16, 128)}, kPlain);
  EXPECT_NEAR(static_cast<double>(matmul_cost(trn1(), small).latency_cycles) / 2.8, 188, 1);
  const MatmulCost half = matmul(kF32, 512);
  EXPECT_NEAR(tensor_ns(half.stream_cycles + trn2().tensor.issue_gap_cycles), 429.1, 0.5);
  EXPECT_NEAR(tensor_ns(half.latency_cycles), 599, 9);
}

// 14.5, trn1: ACTIVATE of one element: 159 ns long, 189 ns between dependent ones. 223 / 1.4 =
// 159.3.
TEST(MeasuredRows, ScalarSampleOfTrn1) {
  const InstructionShape shape =
      instruction(Opcode::kActivation, {sbuf(kF32, 1)}, {sbuf(kF32, 1)}, kPlain);
  EXPECT_NEAR(static_cast<double>(scalar_cost(trn1(), shape).latency_cycles) / 1.4, 159, 1);
}

}  // namespace
}  // namespace trnsim::timing::test
