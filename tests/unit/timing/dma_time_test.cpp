// Rates of one DMA engine, the bandwidth curve, and what a trigger costs (hardware.md 12.3-12.6).
#include <gtest/gtest.h>

#include "helpers.h"
#include "trnsim/timing/dma_cost.h"
#include "trnsim/trace/builder.h"

namespace trnsim::timing::test {
namespace {

using spec::DgeMode;
using trace::DgeRequest;
using trace::Role;
using trace::TraceBuilder;

DmaPlan load(const spec::CoreSpec& core, std::uint32_t bytes_per_partition) {
  TraceBuilder b("k", "test");
  const trace::View source = b.hbm("x", DType::kUInt8, {128, bytes_per_partition}, Role::kInput);
  b.dma(b.sbuf("t", DType::kUInt8, 128, {bytes_per_partition}), source);
  const trace::Trace trace = b.take();
  return plan_dma(core, trace, trace.instructions[0]);
}

double rate(const spec::CoreSpec& core, std::uint32_t bytes) {
  return load(core, bytes).engine_GBps;
}

// 12.1: 17 / 23 / 33 B/ns; a descriptor takes at least 6 ns, so the edge lies at 102 / 138 / 198 B.
TEST(DmaRate, IsTheEffectiveRateDownToSixNanosecondsPerDescriptor) {
  EXPECT_DOUBLE_EQ(rate(trn1(), 4096), 17);
  EXPECT_DOUBLE_EQ(rate(trn2(), 4096), 23);
  EXPECT_DOUBLE_EQ(rate(trn3(), 4096), 33);
  EXPECT_DOUBLE_EQ(rate(trn1(), 103), 17);
  EXPECT_DOUBLE_EQ(rate(trn1(), 101), 101.0 / 6);
  EXPECT_DOUBLE_EQ(rate(trn2(), 139), 23);
  EXPECT_DOUBLE_EQ(rate(trn2(), 137), 137.0 / 6);
  EXPECT_DOUBLE_EQ(rate(trn3(), 199), 33);
  EXPECT_DOUBLE_EQ(rate(trn3(), 197), 197.0 / 6);
}

// 22, dma.rmw_penalty_bytes: below 64 B a write costs double: 2 x 6 ns.
TEST(DmaRate, PaysTwiceBelow64Bytes) {
  EXPECT_DOUBLE_EQ(rate(trn2(), 64), 64.0 / 6);
  EXPECT_DOUBLE_EQ(rate(trn2(), 63), 63.0 / 12);
  EXPECT_DOUBLE_EQ(rate(trn2(), 1), 1.0 / 12);
  EXPECT_DOUBLE_EQ(rate(trn1(), 63), 63.0 / 12);
}

double transpose_rate(const spec::CoreSpec& core, bool from_hbm) {
  TraceBuilder b("k", "test");
  const trace::View tile = b.sbuf("t", kBf16, 128, {128});
  b.dma_transpose(tile, from_hbm ? b.hbm("x", kBf16, {128, 128}, Role::kInput)
                                 : b.sbuf("s", kBf16, 128, {128}));
  const trace::Trace trace = b.take();
  return plan_dma(core, trace, trace.instructions[0]).engine_GBps;
}

// 12.4: 90 % from HBM, 50 % inside SBUF; trn1 assumed at 25 %.
TEST(DmaRate, IsLowerForTransposes) {
  EXPECT_DOUBLE_EQ(transpose_rate(trn2(), true), 0.9 * 23);
  EXPECT_DOUBLE_EQ(transpose_rate(trn2(), false), 0.5 * 23);
  EXPECT_DOUBLE_EQ(transpose_rate(trn3(), true), 0.9 * 33);
  EXPECT_DOUBLE_EQ(transpose_rate(trn1(), true), 0.25 * 17);
}

DmaPlan reduce(const spec::CoreSpec& core, std::size_t sources) {
  TraceBuilder b("k", "test");
  std::vector<trace::View> inputs;
  for (std::size_t s = 0; s < sources; ++s) {
    inputs.push_back(b.hbm("x", kF32, {128, 1024}, Role::kInput));
  }
  b.emit(Opcode::kDmaCompute, Engine::kSync, {b.sbuf("t", kF32, 128, {1024})}, inputs);
  const trace::Trace trace = b.take();
  return plan_dma(core, trace, trace.instructions[0]);
}

double accumulate_rate(const spec::CoreSpec& core) {
  TraceBuilder b("k", "test");
  Attributes attributes;
  attributes.accumulate = true;
  b.emit(Opcode::kDmaCopy, Engine::kGpSimd, {b.sbuf("t", kF32, 128, {1024})},
         {b.hbm("x", kF32, {128, 1024}, Role::kInput)}, attributes);
  const trace::Trace trace = b.take();
  return plan_dma(core, trace, trace.instructions[0]).engine_GBps;
}

// 12.4: dma_compute at half rate over all its sources; accumulating copies at half rate before v4.
TEST(DmaRate, IsHalvedForArithmetic) {
  EXPECT_DOUBLE_EQ(reduce(trn2(), 2).engine_GBps, 11.5);
  EXPECT_EQ(reduce(trn2(), 2).bytes, 2U * 524288U);
  EXPECT_EQ(reduce(trn2(), 4).hbm_read_bytes, 4U * 524288U);
  EXPECT_DOUBLE_EQ(reduce(trn3(), 2).engine_GBps, 16.5);
  EXPECT_DOUBLE_EQ(accumulate_rate(trn1()), 8.5);
  EXPECT_DOUBLE_EQ(accumulate_rate(trn2()), 11.5);
  EXPECT_DOUBLE_EQ(accumulate_rate(trn3()), 33);
}

struct Point {
  std::uint32_t bytes;
  double measured;  // relative to 32 KiB per partition
};
const std::vector<Point> kCurve = {{64, 0.026},    {128, 0.053},  {256, 0.103},  {512, 0.209},
                                   {1024, 0.424},  {2048, 0.813}, {4096, 0.966}, {8192, 0.983},
                                   {16384, 0.993}, {32768, 1.0}};

// T = max(issue floor, time of the busiest engine): what back-to-back DMAs of one queue cost.
double throughput(const spec::CoreSpec& core, std::uint32_t bytes) {
  const DmaPlan plan = load(core, bytes);
  double longest = 0;
  for (const DmaShare& share : plan.shares) {
    longest = std::max(longest, static_cast<double>(share.bytes) / plan.engine_GBps);
  }
  return static_cast<double>(plan.bytes) / std::max(core.dma.issue_floor_ns, longest);
}

// 12.5. With 780 ns the linear part is 128 x 64 / 780 / 368 = 0.0285 at 64 B against 0.026: the
// shipped floor lies 8 % below the 845 ns that the fit gives at 368 GB/s. Worst at the knee: 2 KiB
// 0.913 against 0.813 (12 %).
TEST(DmaTime, FollowsTheMeasuredCurveWithin13Percent) {
  const double full = throughput(trn2(), 32768);
  EXPECT_NEAR(full, 368, 0.01);
  for (const Point& point : kCurve) {
    EXPECT_NEAR(throughput(trn2(), point.bytes) / full / point.measured, 1.0, 0.13) << point.bytes;
  }
}

// The same with the floor of the fit: 128 x 2430 B / 368 GB/s = 845 ns. Within 4 % everywhere.
TEST(DmaTime, FollowsTheMeasuredCurveWithin4PercentAtTheFittedFloor) {
  spec::CoreSpec core = trn2();
  core.dma.issue_floor_ns = 845;
  const double full = throughput(core, 32768);
  for (const Point& point : kCurve) {
    EXPECT_NEAR(throughput(core, point.bytes) / full / point.measured, 1.0, 0.04) << point.bytes;
  }
}

TEST(DmaTime, NeverGetsSlowerWithLargerRows) {
  for (const spec::CoreSpec* core : {&trn1(), &trn2(), &trn3()}) {
    double last = 0;
    for (std::uint32_t bytes = 16; bytes <= 65536; bytes *= 2) {
      EXPECT_GE(throughput(*core, bytes), last) << core->name << " " << bytes;
      last = throughput(*core, bytes);
    }
  }
}

// 12.6: 32 KiB of one engine in 1,416 ns (8 KiB rows, trn2): 32768 / 23 = 1424.7. 2 KiB as 8 x 256
// B in 97 ns (80-160): 2048 / 23 = 89. trn1: 32 KiB in 1,810 ns: 32768 / 17 = 1927.5.
TEST(DmaTime, AgreesWithMeasuredEngineTimes) {
  EXPECT_NEAR(32768 / rate(trn2(), 8192), 1416, 0.01 * 1416);
  const DmaPlan small = load(trn2(), 256);
  const double ns = static_cast<double>(small.shares[0].bytes) / small.engine_GBps;
  EXPECT_GE(ns, 80);
  EXPECT_LE(ns, 160);
  EXPECT_NEAR(32768 / rate(trn1(), 4096), 1810, 0.07 * 1810);
}

struct ModeRow {
  const spec::CoreSpec& core;
  DgeRequest request;
  Engine trigger;
  bool indirect;
  bool casts;
  DgeMode expected;
};

// 12.3: hardware DGE exists from v3 on, is commanded by Scalar and Sync, needs equal types; an
// index vector needs software; GpSimd writes descriptors itself. Default: static on v2, hardware on
// v3 and v4.
TEST(DgeMode, FollowsTheGenerationTheTriggerAndTheRequest) {
  const std::vector<ModeRow> rows = {
      {trn1(), DgeRequest::kUnknown, Engine::kSync, false, false, DgeMode::kStatic},
      {trn1(), DgeRequest::kUnknown, Engine::kGpSimd, false, false, DgeMode::kSoftware},
      {trn1(), DgeRequest::kHardware, Engine::kSync, false, false, DgeMode::kStatic},
      {trn1(), DgeRequest::kSoftware, Engine::kGpSimd, false, false, DgeMode::kSoftware},
      {trn1(), DgeRequest::kUnknown, Engine::kGpSimd, true, false, DgeMode::kSoftware},
      {trn2(), DgeRequest::kUnknown, Engine::kSync, false, false, DgeMode::kHardware},
      {trn2(), DgeRequest::kUnknown, Engine::kScalar, false, false, DgeMode::kHardware},
      {trn2(), DgeRequest::kUnknown, Engine::kGpSimd, false, false, DgeMode::kSoftware},
      {trn2(), DgeRequest::kUnknown, Engine::kVector, false, false, DgeMode::kStatic},
      {trn2(), DgeRequest::kUnknown, Engine::kTensor, false, false, DgeMode::kStatic},
      {trn2(), DgeRequest::kUnknown, Engine::kSync, false, true, DgeMode::kStatic},
      {trn2(), DgeRequest::kHardware, Engine::kSync, false, true, DgeMode::kStatic},
      {trn2(), DgeRequest::kHardware, Engine::kScalar, false, false, DgeMode::kHardware},
      {trn2(), DgeRequest::kHardware, Engine::kVector, false, false, DgeMode::kStatic},
      {trn2(), DgeRequest::kNone, Engine::kSync, false, false, DgeMode::kStatic},
      {trn2(), DgeRequest::kSoftware, Engine::kSync, false, false, DgeMode::kSoftware},
      {trn2(), DgeRequest::kHardware, Engine::kSync, true, false, DgeMode::kSoftware},
      {trn3(), DgeRequest::kUnknown, Engine::kSync, false, false, DgeMode::kHardware},
      {trn3(), DgeRequest::kUnknown, Engine::kGpSimd, false, false, DgeMode::kSoftware},
  };
  for (const ModeRow& row : rows) {
    EXPECT_EQ(dge_mode(row.core.dma, row.request, row.trigger, row.indirect, row.casts),
              row.expected)
        << row.core.name << " " << trace::name(row.request) << " " << trace::name(row.trigger);
  }
}

// D14 and section 9: ring write 68-85 ns, software command median 37, hardware command median 559.
TEST(DmaTrigger, OccupiesItsSequencerAsMeasured) {
  EXPECT_EQ(issue_ns(trn2().dma, DgeMode::kStatic), 78.0);
  EXPECT_EQ(issue_ns(trn2().dma, DgeMode::kSoftware), 37.0);
  EXPECT_EQ(issue_ns(trn2().dma, DgeMode::kHardware), 559.0);
}

// 12.6: static 770-1,003 ns, software 620-740 for up to 128 descriptors, + 6 ns for each further
// one.
TEST(DmaTrigger, StartsTheFirstByteByMode) {
  EXPECT_EQ(start_ns(trn2().dma, DgeMode::kStatic, 128), 1000.0);
  EXPECT_EQ(start_ns(trn2().dma, DgeMode::kHardware, 100000), 600.0);
  EXPECT_EQ(start_ns(trn2().dma, DgeMode::kSoftware, 1), 680.0);
  EXPECT_EQ(start_ns(trn2().dma, DgeMode::kSoftware, 128), 680.0);
  EXPECT_EQ(start_ns(trn2().dma, DgeMode::kSoftware, 129), 686.0);
  EXPECT_EQ(start_ns(trn2().dma, DgeMode::kSoftware, 1128), 6680.0);
}

}  // namespace
}  // namespace trnsim::timing::test
