// Collectives: rules, round trips, and the copies that stand for them where there is no
// interconnect.
#include "trnsim/trace/collectives.h"

#include <gtest/gtest.h>

#include <sstream>

#include "example_traces.h"
#include "trnsim/trace/builder.h"
#include "trnsim/trace/file.h"

namespace trnsim::trace {
namespace {

// Gathers [4, 8] of each of two ranks into [8, 8], after a memset and before another.
Trace gather_trace(CollectiveKind kind = CollectiveKind::kAllGather, std::uint32_t rows = 8) {
  TraceBuilder b("gather", "test");
  const View src = b.hbm("src", DType::kFloat32, {4, 8}, Role::kInput);
  const View dst = b.hbm("dst", DType::kFloat32, {rows, 8}, Role::kOutput);
  const View tile = b.sbuf("tile", DType::kFloat32, 4, {8});
  b.memset(tile, 0);
  b.trace().strings.emplace_back("0,1");
  Attributes attributes;
  attributes.collective = kind;
  attributes.replica_groups = static_cast<StringId>(b.trace().strings.size() - 1);
  attributes.bytes_per_rank = 128;
  b.emit(Opcode::kCollective, Engine::kUnassigned, {dst}, {src}, attributes);
  b.memset(tile, 1);
  return b.take();
}

std::string invalid(const Trace& trace) {
  return error_of([&] { validate(trace); });
}

TEST(Collectives, KeepKindGroupsAndBytesInBothForms) {
  const Trace trace = gather_trace();
  const TemporaryFile file(".trt");
  write_trt(trace, file.path());
  EXPECT_TRUE(read_trt(file.path()) == trace);
  std::ostringstream out;
  dump_jsonl(trace, out);
  EXPECT_NE(
      out.str().find(R"("collective":"all_gather","replica_groups":"0,1","bytes_per_rank":128)"),
      std::string::npos)
      << out.str();
  std::istringstream in(out.str());
  EXPECT_TRUE(load_jsonl(in, "t.jsonl") == trace);
}

TEST(Collectives, AreCheckedByKind) {
  EXPECT_EQ(invalid(gather_trace()), "");
  EXPECT_EQ(invalid(gather_trace(CollectiveKind::kNone)),
            "instruction 1 (collective): does not say which collective it is");
  EXPECT_EQ(
      invalid(gather_trace(CollectiveKind::kPermuteImplicitReduce)),
      "instruction 1 (collective): permute_implicit_reduce of 1 outputs takes 2 inputs, not 1");
  EXPECT_EQ(invalid(gather_trace(CollectiveKind::kAllGather, 7)),
            "instruction 1 (collective): input 0 ('src') has 32 elements, output 0 ('dst') has 56");
  Trace trace = gather_trace();
  trace.attributes.back().replica_groups = StringId{900};
  trace.attributes[trace.instructions[1].attributes].replica_groups = StringId{900};
  EXPECT_NE(invalid(trace).find("replica_groups: string id 900"), std::string::npos);
  trace = gather_trace();
  trace.attributes[trace.instructions[1].attributes].bytes_per_rank = -1;
  EXPECT_EQ(invalid(trace), "instruction 1 (collective): bytes_per_rank is -1");
}

TEST(Collectives, BecomeCopiesOfTheSmallerSide) {
  Trace trace = gather_trace();
  trace.edges = {{2, 1}};
  EXPECT_TRUE(has_collectives(trace));
  const Trace copies = collectives_as_copies(trace);
  EXPECT_EQ(invalid(copies), "");
  EXPECT_FALSE(has_collectives(copies));
  ASSERT_EQ(copies.instructions.size(), 3U);
  const Instruction& copy = copies.instructions[1];
  EXPECT_EQ(copy.opcode, Opcode::kDmaCopy);
  EXPECT_EQ(copies.pattern(copies.outputs(copy)[0]).elements(), 32U);
  EXPECT_EQ(copies.pattern(copies.inputs(copy)[0]).elements(), 32U);
  EXPECT_EQ(copies.edges, trace.edges);
}

TEST(Collectives, OfSeveralTensorsBecomeACopyEach) {
  TraceBuilder b("reduce", "test");
  const View x = b.sbuf("x", DType::kFloat32, 4, {8});
  const View y = b.sbuf("y", DType::kFloat32, 4, {8});
  Attributes attributes;
  attributes.collective = CollectiveKind::kAllReduce;
  attributes.op0 = AluOp::kAdd;
  b.emit(Opcode::kCollective, Engine::kUnassigned, {x, y}, {y, x}, attributes);
  b.memset(x, 0);
  Trace trace = b.take();
  trace.edges = {{1, 0}};
  const Trace copies = collectives_as_copies(trace);
  ASSERT_EQ(copies.instructions.size(), 3U);
  EXPECT_EQ(copies.outputs(copies.instructions[1])[0].tensor, y.tensor);
  EXPECT_EQ(copies.edges, (std::vector<Edge>{{2, 1}}));
}

}  // namespace
}  // namespace trnsim::trace
