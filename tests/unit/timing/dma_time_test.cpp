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

double store_rate(const spec::CoreSpec& core, std::uint32_t bytes) {
  TraceBuilder b("k", "test");
  const trace::View out = b.hbm("x", DType::kUInt8, {128, bytes}, Role::kOutput);
  b.dma(out, b.sbuf("t", DType::kUInt8, 128, {bytes}));
  const trace::Trace trace = b.take();
  return plan_dma(core, trace, trace.instructions[0]).engine_GBps;
}

// A descriptor takes 4.8 ns and its bytes, on trn2 slower from HBM than to it. Profiles: in rows of 2 KiB
// eight loads of 32 KiB per engine run at 18 to 25 B/ns, 21.3 in the mean, eight stores at 23.6 to 25.6, 24.6
// in the mean.
TEST(DmaRate, IsThatOfTheStreamPlusATimePerDescriptor) {
  EXPECT_DOUBLE_EQ(rate(trn1(), 4096), 4096 / (4.8 + 4096 / 17.1));
  EXPECT_DOUBLE_EQ(rate(trn2(), 4096), 4096 / (4.8 + 4096 / 22.9));
  EXPECT_DOUBLE_EQ(store_rate(trn2(), 4096), 4096 / (4.8 + 4096 / 26.5));
  EXPECT_DOUBLE_EQ(rate(trn3(), 4096), 4096 / (4.8 + 4096 / 38.4));
  EXPECT_NEAR(rate(trn2(), 2048), 21.3, 0.03 * 21.3);
  EXPECT_NEAR(store_rate(trn2(), 2048), 24.6, 0.03 * 24.6);
}

// 22, dma.rmw_penalty_bytes: below 64 B a write costs double.
TEST(DmaRate, PaysTwiceBelow64Bytes) {
  EXPECT_DOUBLE_EQ(rate(trn2(), 64), 64 / (4.8 + 64 / 22.9));
  EXPECT_DOUBLE_EQ(rate(trn2(), 63), 63 / (2 * (4.8 + 63 / 22.9)));
  EXPECT_DOUBLE_EQ(rate(trn2(), 1), 1 / (2 * (4.8 + 1 / 22.9)));
  EXPECT_DOUBLE_EQ(rate(trn1(), 63), 63 / (2 * (4.8 + 63 / 17.1)));
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

// 12.4: dma_compute counts all its sources, so two run at half the rate of a copy; accumulating copies at
// half rate before v4.
TEST(DmaRate, IsHalvedForArithmetic) {
  EXPECT_DOUBLE_EQ(reduce(trn2(), 2).engine_GBps, 4096 / (4.8 + 4096 / 23.0));
  EXPECT_EQ(reduce(trn2(), 2).bytes, 2U * 524288U);
  EXPECT_EQ(reduce(trn2(), 4).hbm_read_bytes, 4U * 524288U);
  EXPECT_DOUBLE_EQ(reduce(trn3(), 2).engine_GBps, 4096 / (4.8 + 4096 / 33.0));
  EXPECT_DOUBLE_EQ(accumulate_rate(trn1()), 4096 / (4.8 + 4096 / 8.5));
  EXPECT_DOUBLE_EQ(accumulate_rate(trn2()), 4096 / (4.8 + 4096 / 11.5));
  EXPECT_DOUBLE_EQ(accumulate_rate(trn3()), 4096 / (4.8 + 4096 / 38.4));
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

// 12.5. Where the floor decides, up to 2 KiB, the curve asks for 850 ns; transfers of GpSimd's queue in the
// profiles start every 600 ns. The floor of 725 lies between.
TEST(DmaTime, FollowsTheMeasuredCurve) {
  const double full = throughput(trn2(), 32768);
  EXPECT_NEAR(full, 16 * 32768 / (4.8 + 32768 / 22.9), 0.01);
  for (const Point& point : kCurve) {
    const double tolerance = point.bytes <= 2048 ? 0.21 : 0.03;
    EXPECT_NEAR(throughput(trn2(), point.bytes) / full / point.measured, 1.0, tolerance)
        << point.bytes;
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

// 12.6: 32 KiB of one engine from SBUF in 1,237 ns: 4 x (4.8 + 8192 / 26.5) = 1,256; to SBUF in 1,416:
// 4 x (4.8 + 8192 / 22.9) = 1,450. 2 KiB as 8 x 256 B in 97 ns (80-160): 8 x 16 = 128.
// trn1: 32 KiB in 1,810 ns: 8 x (4.8 + 4096 / 17.1) = 1,955.
TEST(DmaTime, AgreesWithMeasuredEngineTimes) {
  EXPECT_NEAR(32768 / store_rate(trn2(), 8192), 1237, 0.02 * 1237);
  EXPECT_NEAR(32768 / rate(trn2(), 8192), 1416, 0.03 * 1416);
  const DmaPlan small = load(trn2(), 256);
  const double ns = static_cast<double>(small.shares[0].bytes) / small.engine_GBps;
  EXPECT_GE(ns, 80);
  EXPECT_LE(ns, 160);
  EXPECT_NEAR(32768 / rate(trn1(), 4096), 1810, 0.09 * 1810);
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

// D14 and section 9: ring write 68-85 ns, software command 31 alone, hardware command median 559.
TEST(DmaTrigger, OccupiesItsSequencerAsMeasured) {
  EXPECT_EQ(issue_ns(trn2().dma, DgeMode::kStatic), 78.0);
  EXPECT_EQ(issue_ns(trn2().dma, DgeMode::kSoftware), 31.0);
  EXPECT_EQ(issue_ns(trn2().dma, DgeMode::kHardware), 559.0);
}

DmaPlan plan_of(std::uint64_t hbm_read_bytes, std::uint64_t descriptors = 128) {
  DmaPlan plan;
  plan.hbm_read_bytes = hbm_read_bytes;
  plan.descriptors = descriptors;
  return plan;
}

// Profiles: stores stream 662 ns after a hardware command and 597 after a software kick, loads 525 ns
// later; 12.6: 1,003 ns to the data of a static load.
TEST(DmaTrigger, StartsTheFirstByteByModeAndSource) {
  EXPECT_EQ(start_ns(trn2().dma, plan_of(0), DgeMode::kHardware), 662.0);
  EXPECT_EQ(start_ns(trn2().dma, plan_of(4096), DgeMode::kHardware), 1187.0);
  EXPECT_EQ(start_ns(trn2().dma, plan_of(0), DgeMode::kSoftware), 597.0);
  EXPECT_EQ(start_ns(trn2().dma, plan_of(4096), DgeMode::kSoftware), 1122.0);
  EXPECT_EQ(start_ns(trn2().dma, plan_of(4096), DgeMode::kStatic), 1000.0);
}

// Profiles: GpSimd kicks 1,183 ns after the start, with 128 or 512 descriptors alike, and every 581 to 586 ns with
// 128. C8-1, one element a transfer: 37,318 us / 76,800 = 486 ns on trn2, 27,404 / 76,800 = 357 on trn1.
TEST(DmaTrigger, SoftwareDescriptorsAreWrittenBeforeTheKick) {
  const auto time = [](const spec::CoreSpec& core, std::uint64_t descriptors) {
    return trigger_time(core.dma, plan_of(0, descriptors), DgeMode::kSoftware);
  };
  EXPECT_EQ(time(trn2(), 128).before_ns, 1183.0);
  EXPECT_EQ(time(trn2(), 512).before_ns, 1183.0);
  EXPECT_NEAR(time(trn2(), 16384).before_ns, 16384 * 0.76, 1e-6);  // they all have to be there
  EXPECT_NEAR(time(trn2(), 128).interval_ns, 582, 1);
  EXPECT_NEAR(time(trn2(), 1).interval_ns, 486, 1);
  EXPECT_NEAR(time(trn1(), 1).interval_ns, 357, 1);
  const TriggerTime hardware = trigger_time(trn2().dma, plan_of(0), DgeMode::kHardware);
  EXPECT_EQ(hardware.before_ns, 0.0);
  EXPECT_EQ(hardware.interval_ns, 559.0);
}

}  // namespace
}  // namespace trnsim::timing::test
