// What shape_of reads from a trace.
#include "trnsim/timing/shape.h"

#include <gtest/gtest.h>

#include "helpers.h"
#include "trnsim/trace/builder.h"

namespace trnsim::timing::test {
namespace {

using trace::TraceBuilder;
using trace::View;

OperandShape shape_of_source(const View& view, TraceBuilder& b) {
  b.copy(b.sbuf("d", view.dtype, 128, {static_cast<std::uint32_t>(view.elements())}), view);
  return shape_of(b.trace(), b.trace().instructions.back()).src();
}

TEST(ShapeOf, ReadsRegionTypeAndCounts) {
  TraceBuilder b("k", "test");
  const OperandShape s = shape_of_source(b.psum("t", kF32, 128, {4, 32}).part(0, 64), b);
  EXPECT_EQ(s.region, Region::kPsum);
  EXPECT_EQ(s.dtype, kF32);
  EXPECT_EQ(s.partitions, 64U);
  EXPECT_EQ(s.elements, 128U);  // 4 x 32
  EXPECT_EQ(s.innermost_stride_bytes, 4);
  EXPECT_TRUE(s.innermost_contiguous);
}

// The innermost dim with more than one element decides; outer gaps do not matter (6).
TEST(ShapeOf, JudgesContiguityByTheInnermostDim) {
  TraceBuilder b("k", "test");
  const View tile = b.sbuf("t", kBf16, 128, {16, 64});
  EXPECT_TRUE(shape_of_source(tile.slice(1, 0, 8), b).innermost_contiguous);
  const OperandShape transposed = shape_of_source(tile.permute(0, 1), b);
  EXPECT_FALSE(transposed.innermost_contiguous);
  EXPECT_EQ(transposed.innermost_stride_bytes, 128);  // 64 x 2 B
  const OperandShape column = shape_of_source(tile.slice(1, 3, 1), b);
  EXPECT_EQ(column.innermost_stride_bytes, 128);  // the dim of one element is skipped
  EXPECT_EQ(column.elements, 16U);
}

TEST(ShapeOf, TakesOneElementAsContiguous) {
  TraceBuilder b("k", "test");
  const OperandShape one = shape_of_source(b.sbuf("t", kF32, 128, {64}).slice(0, 5, 1), b);
  EXPECT_EQ(one.innermost_stride_bytes, 0);
  EXPECT_TRUE(one.innermost_contiguous);
}

TEST(ShapeOf, SeesABroadcastAsStrideZero) {
  TraceBuilder b("k", "test");
  const OperandShape wide = shape_of_source(b.sbuf("t", kF32, 128, {1}).broadcast(64), b);
  EXPECT_EQ(wide.elements, 64U);
  EXPECT_EQ(wide.innermost_stride_bytes, 0);
  EXPECT_FALSE(wide.innermost_contiguous);
}

TEST(ShapeOf, KeepsAtMostSixInputs) {
  TraceBuilder b("k", "test");
  std::vector<View> sources;
  for (int i = 0; i < 9; ++i) {
    sources.push_back(b.sbuf("s", kF32, 128, {8}));
  }
  b.emit(Opcode::kDmaCompute, Engine::kSync, {b.sbuf("d", kF32, 128, {8})}, sources);
  const InstructionShape shape = shape_of(b.trace(), b.trace().instructions[0]);
  EXPECT_EQ(shape.num_inputs, 6U);
  EXPECT_EQ(shape.num_outputs, 1U);
}

}  // namespace
}  // namespace trnsim::timing::test
