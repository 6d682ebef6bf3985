// .trt round trips, determinism and size.
#include <gtest/gtest.h>

#include "example_traces.h"
#include "trnsim/base/error.h"
#include "trnsim/trace/builder.h"
#include "trnsim/trace/file.h"

namespace trnsim::trace {
namespace {

void expect_round_trip(const Trace& trace) {
  const TemporaryFile file(".trt");
  write_trt(trace, file.path());
  EXPECT_TRUE(read_trt(file.path()) == trace);
}

TEST(Trt, KeepsAnEmptyTrace) {
  expect_round_trip({});
}

TEST(Trt, KeepsEveryFieldAndId) {
  expect_round_trip(small_trace());
  // -0.0 equals 0.0, so the sign needs its own check.
  const TemporaryFile file(".trt");
  write_trt(small_trace(), file.path());
  bool negative_zero = false;
  for (const Attributes& attributes : read_trt(file.path()).attributes) {
    negative_zero = negative_zero || (attributes.imm0 == 0 && std::signbit(attributes.imm0));
  }
  EXPECT_TRUE(negative_zero);
}

TEST(Trt, KeepsTracesLongerThanABlock) {
  expect_round_trip(matmul_trace(200'000));
}

TEST(Trt, KeepsBlocksFullOfOperands) {
  // 17 operands an instruction: blocks end at the operand limit, not at the instruction limit.
  TraceBuilder b("k", "test");
  const View tile = b.sbuf("t", DType::kFloat32, 128, {64});
  const std::vector<View> sources(16, tile);
  for (int i = 0; i < 40'000; ++i) {
    b.emit(Opcode::kDmaCompute, Engine::kSync, {tile}, sources);
  }
  expect_round_trip(b.take());
}

TEST(Trt, KeepsLargeTables) {
  TraceBuilder b("k", std::string(1'000'000, 'o'));
  for (std::uint32_t i = 0; i < 100'000; ++i) {
    b.at(fmt::format("file_{}{:x>100}", i, ""), i + 1);
    b.memset(b.sbuf(fmt::format("t{}", i), DType::kFloat32, 128, {1 + i % 7}), i);
  }
  expect_round_trip(b.take());
}

TEST(Trt, KeepsExtremeNumbers) {
  Trace trace;
  trace.tensors.push_back({});
  trace.tensors[0].free_elements = static_cast<std::uint64_t>(INT64_MAX) / 4;
  trace.tensors.push_back(trace.tensors[0]);
  trace.tensors[1].free_elements = 1;
  trace.tensors[1].pinned_bytes = INT64_MAX;
  trace.sources = {{kNone, UINT32_MAX}, {kNone, 0}, {kNone, UINT32_MAX}};
  trace.attributes.resize(2);
  trace.attributes[0].affine_base = INT64_MIN;
  trace.attributes[1].affine_base = INT64_MAX;
  trace.patterns.resize(1);
  trace.patterns[0].num_dims = 1;
  trace.patterns[0].dims[0] = {INT64_MIN, 2};
  expect_round_trip(trace);
}

TEST(Trt, WritesTheSameBytesEveryTime) {
  const TemporaryFile a(".trt");
  const TemporaryFile b(".trt");
  write_trt(small_trace(), a.path());
  write_trt(small_trace(), b.path());
  EXPECT_EQ(a.content(), b.content());
  // gzip header: no name, time 0.
  EXPECT_EQ(a.content().substr(0, 8), std::string("\x1f\x8b\x08\0\0\0\0\0", 8));
}

TEST(Trt, IsCompact) {
  constexpr std::size_t kInstructions = 100'000;
  const TemporaryFile file(".trt");
  write_trt(matmul_trace(kInstructions), file.path());
  const std::string content = file.content();
  // One byte for the form, and per operand one for the tensor's and one to three for the offset's
  // delta.
  EXPECT_LE(gunzip(content).size(), 12 * kInstructions);
  EXPECT_LE(content.size(), kInstructions);
}

TEST(Trt, RefusesToWriteAnInvalidTrace) {
  const TemporaryFile file(".trt");
  Trace trace = small_trace();
  trace.operands[0].tensor = 900;
  EXPECT_NE(error_of([&] { write_trt(trace, file.path()); }).find("tensor id 900"),
            std::string::npos);
  EXPECT_EQ(file.content(), "");
}

TEST(Trt, RefusesTextsThatDoNotFit) {
  const TemporaryFile file(".trt");
  Trace trace;
  trace.strings.emplace_back((std::size_t{4} << 20) + 1, 'x');
  EXPECT_NE(error_of([&] { write_trt(trace, file.path()); }).find("a string of 4194305 bytes"),
            std::string::npos);
  trace.strings[0].pop_back();
  expect_round_trip(trace);
}

TEST(Trt, AnUnwritablePathIsNamed) {
  EXPECT_EQ(
      error_of([] { write_trt({}, "/proc/none/x.trt"); }).rfind("/proc/none/x.trt: cannot", 0), 0U);
}

}  // namespace
}  // namespace trnsim::trace
