// Views and interning.
#include "trnsim/trace/builder.h"

#include <gtest/gtest.h>

#include "trnsim/base/error.h"

namespace trnsim::trace {
namespace {

TEST(View, SlicesPermutesSplitsAndIndexes) {
  TraceBuilder b("k", "test");
  const View x = b.hbm("x", DType::kFloat32, {4, 6, 8}, Role::kInput);
  const View s = x.slice(1, 2, 3);
  EXPECT_EQ(s.offset, 16);  // 2 rows of 8
  EXPECT_EQ(s.elements(), 4U * 3U * 8U);
  EXPECT_EQ(x.permute(0, 2).dims[0], (Dim{1, 8}));
  EXPECT_EQ(x.split(2, 4).dims[2], (Dim{4, 2}));
  EXPECT_EQ(x.split(2, 4).dims[3], (Dim{1, 4}));
  EXPECT_EQ(x.index(0, 3).offset, 144);  // 3 x 6 x 8
  EXPECT_EQ(x.index(0, 3).dims.size(), 2U);
  EXPECT_EQ(x.broadcast(5).elements(), 4U * 6U * 8U * 5U);
}

TEST(View, RefusesWhatIsOutside) {
  TraceBuilder b("k", "test");
  const View x = b.sbuf("x", DType::kFloat32, 64, {8});
  EXPECT_THROW((void)x.slice(0, 4, 5), InternalError);
  EXPECT_THROW((void)x.slice(1, 0, 1), InternalError);
  EXPECT_THROW((void)x.part(60, 5), InternalError);
  EXPECT_THROW((void)x.split(0, 3), InternalError);
  EXPECT_EQ(x.part(60, 4).partition_start, 60U);
}

TEST(TraceBuilder, InternsPatternsAttributesStringsAndSources) {
  TraceBuilder b("k", "test");
  const View x = b.sbuf("x", DType::kFloat32, 64, {8});
  const View y = b.sbuf("x", DType::kFloat32, 64, {8});
  b.at("k.py", 1);
  b.memset(x, 0);
  b.at("k.py", 2);
  b.memset(y, 0);
  b.at("k.py", 1);
  b.memset(y, 0);
  const Trace trace = b.take();
  EXPECT_EQ(trace.tensors.size(), 2U);  // fresh tiles
  EXPECT_EQ(trace.strings.size(), 2U);  // "x", "k.py"
  EXPECT_EQ(trace.patterns.size(), 1U);
  EXPECT_EQ(trace.attributes.size(), 1U);
  EXPECT_EQ(trace.sources.size(), 2U);
  EXPECT_EQ(trace.instructions[0].source, trace.instructions[2].source);
  EXPECT_NO_THROW(validate(trace));
}

TEST(Pattern, WithoutDimsIsOneElement) {
  EXPECT_EQ(Pattern{}.elements(), 1U);
}

TEST(Records, StaySmall) {
  EXPECT_EQ(sizeof(Operand), 24U);
  EXPECT_EQ(sizeof(Instruction), 16U);
}

}  // namespace
}  // namespace trnsim::trace
