// Rolled loops: recorded once, run as often as they say.
#include "unroll.h"

#include <gtest/gtest.h>

#include "trnsim/lower/lower.h"
#include "trnsim/spec/loader.h"
#include "trnsim/trace/builder.h"

namespace trnsim::lower {
namespace {

using trace::Engine;
using trace::Opcode;
using trace::TraceBuilder;

void loop_begin(TraceBuilder& b, double trips, bool rolled) {
  trace::Attributes attributes;
  attributes.imm0 = trips;
  attributes.imm1 = rolled ? 1 : 0;
  b.emit(Opcode::kLoopBegin, Engine::kUnassigned, {}, {}, attributes);
}

void loop_end(TraceBuilder& b) { b.emit(Opcode::kLoopEnd, Engine::kUnassigned, {}, {}); }

// 0 memset, 1 begin x3, 2 memset, 3 begin x2, 4 memset, 5 end, 6 end, 7 memset.
trace::Trace nested(double outer, double inner) {
  TraceBuilder b("loops", "test");
  const trace::View tile = b.sbuf("t", DType::kFloat32, 128, {8});
  b.memset(tile, 0, Engine::kVector);
  loop_begin(b, outer, true);
  b.memset(tile, 1, Engine::kVector);
  loop_begin(b, inner, true);
  b.memset(tile, 2, Engine::kGpSimd);
  loop_end(b);
  loop_end(b);
  b.memset(tile, 3, Engine::kVector);
  return b.take();
}

TEST(Unroll, RepeatsNestedBodies) {
  const std::vector<std::uint32_t> expected{0, 1, 2, 3, 4, 5, 4, 5, 6, 2, 3, 4, 5, 4, 5, 6, 7};
  EXPECT_EQ(unrolled(nested(2, 2)), expected);
}

TEST(Unroll, SkipsALoopOfNoTrips) {
  EXPECT_EQ(unrolled(nested(0, 2)), (std::vector<std::uint32_t>{0, 7}));
  EXPECT_EQ(unrolled(nested(1, 0)), (std::vector<std::uint32_t>{0, 1, 2, 6, 7}));
}

TEST(Unroll, LeavesRecordedIterationsAlone) {
  TraceBuilder b("loops", "test");
  const trace::View tile = b.sbuf("t", DType::kFloat32, 128, {8});
  loop_begin(b, 2, false);
  b.memset(tile, 1);
  b.emit(Opcode::kLoopIteration, Engine::kUnassigned, {}, {});
  b.memset(tile, 2);
  loop_end(b);
  EXPECT_EQ(unrolled(b.take()), (std::vector<std::uint32_t>{0, 1, 2, 3, 4}));
}

// Three trips of a body with one Vector and one GpSimd instruction: 2 x 3 steps, a branch per trip on
// both engines (inner loop of 1 trip: one more on GpSimd, and one on Vector for the outer), 2 memsets
// around. Vector: 1 + 3 + 3 branches + 1 = 8. GpSimd: 3 + 3 inner + 3 outer branches = 9.
TEST(Unroll, ChargesABranchPerTripOnTheEnginesOfTheBody) {
  const spec::LoadedSystem system = spec::load_system("trn2-core");
  const auto program = lower(nested(3, 1), system.spec.chip.core);
  EXPECT_EQ(program->streams[static_cast<std::size_t>(Engine::kVector)].size(), 8U);
  EXPECT_EQ(program->streams[static_cast<std::size_t>(Engine::kGpSimd)].size(), 9U);
  EXPECT_TRUE(program->streams[static_cast<std::size_t>(Engine::kTensor)].empty());
  // 50 ns at 1.2 GHz.
  const Step& branch = program->streams[static_cast<std::size_t>(Engine::kVector)][2];
  EXPECT_EQ(branch.opcode, Opcode::kLoopEnd);
  EXPECT_EQ(branch.interval_cycles, 60U);
}

}  // namespace
}  // namespace trnsim::lower
