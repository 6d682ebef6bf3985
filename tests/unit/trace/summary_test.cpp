// Counts of a trace's content.
#include "trnsim/trace/summary.h"

#include <gtest/gtest.h>

#include "trnsim/trace/builder.h"

namespace trnsim::trace {
namespace {

TEST(Summary, CountsBytesInstructionsAndFlops) {
  TraceBuilder b("k", "test");
  const View x = b.hbm("x", DType::kBFloat16, {128, 512}, Role::kInput);
  const View y = b.hbm("y", DType::kFloat32, {64, 512}, Role::kOutput);
  const View moving = b.sbuf("moving", DType::kBFloat16, 128, {512});
  const View weights = b.sbuf("weights", DType::kBFloat16, 128, {64});
  const View sum = b.psum("sum", DType::kFloat32, 64, {512});
  const View out = b.sbuf("out", DType::kFloat32, 64, {512});
  b.dma(moving, x, Engine::kSync);
  b.matmul(sum, weights, moving, false);
  b.copy(out, sum, Engine::kVector);
  b.dma(y, out);
  b.fence();
  const TraceSummary summary = summarize(b.take());
  // 2 x K 128 x M 64 x N 512.
  EXPECT_EQ(summary.matmul_flops, 2.0 * 128 * 64 * 512);
  const RegionSummary& hbm = summary.regions[0];
  EXPECT_EQ(hbm.tensors, 2U);
  EXPECT_EQ(hbm.input_bytes, 128U * 512U * 2U);
  EXPECT_EQ(hbm.output_bytes, 64U * 512U * 4U);
  EXPECT_EQ(hbm.bytes, hbm.input_bytes + hbm.output_bytes);
  EXPECT_EQ(hbm.read_bytes, hbm.input_bytes);
  EXPECT_EQ(hbm.written_bytes, hbm.output_bytes);
  // SBUF: weights 128 x 64, moving 128 x 512 of 2 B, out 64 x 512 of 4 B.
  EXPECT_EQ(summary.regions[1].bytes, 128U * 64U * 2U + 128U * 512U * 2U + 64U * 512U * 4U);
  EXPECT_EQ(summary.regions[1].read_bytes, summary.regions[1].bytes);
  EXPECT_EQ(summary.regions[2].written_bytes, 64U * 512U * 4U);
  EXPECT_EQ(summary.by_opcode[static_cast<std::size_t>(Opcode::kDmaCopy)], 2U);
  EXPECT_EQ(summary.by_engine[static_cast<std::size_t>(Engine::kSync)], 1U);
  EXPECT_EQ(summary.by_engine[static_cast<std::size_t>(Engine::kUnassigned)], 1U);
  EXPECT_EQ(summary.control_records, 1U);
}

TEST(Summary, DoubleRowAndMxContractMoreAndTransposesNothing) {
  TraceBuilder b("k", "test");
  const View sum = b.psum("sum", DType::kFloat32, 64, {512});
  const View s8 = b.sbuf("s", DType::kFloat8E4, 128, {2, 64});
  const View m8 = b.sbuf("m", DType::kFloat8E4, 128, {2, 512});
  b.matmul(sum, s8, m8, false, true);
  const View s4 = b.sbuf("s4", DType::kFloat8E4FnX4, 128, {64});
  const View m4 = b.sbuf("m4", DType::kFloat8E4FnX4, 128, {512});
  const View scale = b.sbuf("scale", DType::kUInt8, 128, {64});
  b.emit(Opcode::kNcMatmulMx, Engine::kTensor, {sum}, {s4, m4, scale, scale});
  Attributes transpose;
  transpose.is_transpose = true;
  b.emit(Opcode::kNcMatmul, Engine::kTensor, {sum},
         {b.sbuf("a", DType::kBFloat16, 128, {64}), b.sbuf("b", DType::kBFloat16, 128, {512})},
         transpose);
  const Trace trace = b.take();
  validate(trace);
  EXPECT_EQ(matmul_flops(trace, trace.instructions[0]), 2.0 * 256 * 64 * 512);
  EXPECT_EQ(matmul_flops(trace, trace.instructions[1]), 2.0 * 512 * 64 * 512);
  EXPECT_EQ(matmul_flops(trace, trace.instructions[2]), 0);
}

}  // namespace
}  // namespace trnsim::trace
