// End-to-end times of tiny traces, every nanosecond derived. Constants are pinned in
// support/systems.h.
#include <gtest/gtest.h>

#include "support/run.h"

namespace trnsim {
namespace {

using trace::Engine;

// Load [128, 512] bf16, copy it on Vector, store the copy.
//
//   Sync issues the hardware DGE command at 0                      until   559 ns
//   DGE 600 ns + start skew 150 ns                                       1,309
//   16 engines x 8 rows x 1,024 B = 8,192 B at 23 B/ns                   1,665.174
//   semaphore write 8 + visibility 300                                   1,973.174
//   next edge of 0.96 GHz: cycle 1,895                                   1,973.958
//   copy in 4x mode: 512 / 4 + 150 cycles of latency -> cycle 2,173      2,263.542
//   semaphore 30 ns; GpSimd at its next edge of 1.2 GHz, cycle 2,753     2,294.167
//   software DGE command 37 ns, start 680 (128 descriptors) + 150        3,161.167
//   8,192 B                                                              3,517.341
//   8 + 300                                                              3,825.341
TEST(HandTime, LoadCopyStore) {
  trace::TraceBuilder builder("load_copy_store", "test");
  const auto in = builder.hbm("in", DType::kBFloat16, {128, 512}, trace::Role::kInput);
  const auto out = builder.hbm("out", DType::kBFloat16, {128, 512}, trace::Role::kOutput);
  const auto loaded = builder.sbuf("loaded", DType::kBFloat16, 128, {512});
  const auto copied = builder.sbuf("copied", DType::kBFloat16, 128, {512});
  builder.dma(loaded, in, Engine::kSync);
  builder.copy(copied, loaded, Engine::kVector);
  builder.dma(out, copied, Engine::kGpSimd);
  const test::Run run = test::run_trace(test::pinned_trn2(), builder.take());

  const double data = 8192 / 23.0;
  const double loaded_at = 559 + 600 + 150 + data + 308;
  EXPECT_NEAR(loaded_at, 1973.174, 1e-3);
  EXPECT_NEAR(test::starts(run.record, "qSyncLoad", "load").at(0), 1159, 1e-6);  // first byte, without the skew
  EXPECT_NEAR(test::starts(run.record, "Vector", "tensor_copy").at(0), 1895 / 0.96, 1e-5);
  EXPECT_NEAR(test::starts(run.record, "GpSimd", "dma_copy").at(0), 2753 / 1.2, 1e-5);
  EXPECT_NEAR(test::starts(run.record, "qGpSimdStore", "store").at(0), 2753 / 1.2 + 717, 1e-5);
  EXPECT_NEAR(run.record.time.ns(), 2753 / 1.2 + 867 + data + 308, 1e-5);
  EXPECT_EQ(run.record.hbm.read_bytes, 131072U);
  EXPECT_EQ(run.record.hbm.write_bytes, 131072U);
}

// MATMULs of 512 columns into PSUM, each copied out by Vector (fp32 PSUM to bf16 SBUF: 512 cycles
// of work, 574 interval, 662 latency at 0.96 GHz = 1,655 tensor cycles).
trace::Trace psum_chain(std::uint32_t banks, std::uint32_t count) {
  trace::TraceBuilder builder("psum_chain", "test");
  const auto weights = builder.sbuf("weights", DType::kBFloat16, 128, {128});
  const auto moving = builder.sbuf("moving", DType::kBFloat16, 128, {512});
  const auto result = builder.sbuf("result", DType::kBFloat16, 128, {512});
  std::vector<trace::View> psum;
  for (std::uint32_t b = 0; b < banks; ++b) {
    psum.push_back(builder.psum("psum", DType::kFloat32, 128, {512}, b * 2048));
  }
  for (std::uint32_t i = 0; i < count; ++i) {
    builder.matmul(psum[i % banks], weights, moving, false);
    builder.copy(result, psum[i % banks], Engine::kVector);
  }
  return builder.take();
}

// One bank: MATMUL and copy take turns. In tensor cycles (semaphore 30 ns = 72): load 32, MATMUL to
// result 512 + 395, 72, Vector's next edge, copy 1,655, 72. That is 2,738; the edge of 0.96 GHz
// (every 2.5 cycles) makes it 2,740 = 1,141.667 ns.
TEST(HandTime, OnePsumBankSerialisesMatmulAndCopy) {
  const test::Run run = test::run_trace(test::pinned_trn2(), psum_chain(1, 12));
  const std::vector<double> copies = test::starts(run.record, "Vector", "tensor_copy");
  ASSERT_EQ(copies.size(), 12U);
  for (std::size_t i = 1; i < copies.size(); ++i) {
    EXPECT_NEAR(copies[i] - copies[i - 1], 2740 / 2.4, 1e-5) << i;
  }
}

// Two banks: each may go round every 2,740 cycles, two of them every 1,370; Vector needs 574 of its
// own cycles (1,435 tensor cycles, 597.917 ns) for each copy and is the bound.
TEST(HandTime, TwoPsumBanksLeaveVectorAsTheBound) {
  const test::Run run = test::run_trace(test::pinned_trn2(), psum_chain(2, 12));
  const std::vector<double> copies = test::starts(run.record, "Vector", "tensor_copy");
  ASSERT_EQ(copies.size(), 12U);
  for (std::size_t i = 3; i < copies.size(); ++i) {
    EXPECT_NEAR(copies[i] - copies[i - 1], 574 / 0.96, 1e-5) << i;
  }
}

trace::Trace one_load(std::uint32_t columns) {
  trace::TraceBuilder builder("one_load", "test");
  const auto in = builder.hbm("in", DType::kBFloat16, {128, columns}, trace::Role::kInput);
  builder.dma(builder.sbuf("tile", DType::kBFloat16, 128, {columns}), in, Engine::kSync);
  return builder.take();
}

// 4 MiB into SBUF: 262,144 B per engine. Alone at 23 B/ns; 32 engines of two cores on one stack get
// 652.288 / 32 = 20.384 B/ns each. Everything else is the same.
TEST(HandTime, TwoCoresShareTheirStack) {
  const spec::SystemSpec system = test::pinned_trn2("trn2.3xlarge");
  const trace::Trace trace = one_load(16384);
  const double fixed = 559 + 600 + 150 + 308;
  const test::Run one = test::run_trace(system, trace, 1);
  const test::Run two = test::run_trace(system, trace, 2);
  EXPECT_NEAR(one.record.time.ns(), fixed + 262144 / 23.0, 1e-4);
  EXPECT_NEAR(two.record.time.ns(), fixed + 262144 / 20.384, 1e-4);
  EXPECT_EQ(one.record.hbm.saturated_fs, 0U);
  EXPECT_GT(two.record.hbm.saturated_fs, 0U);
  // Four cores are two stacks: no slower than two.
  const test::Run four = test::run_trace(system, trace, 4);
  EXPECT_EQ(four.record.time, two.record.time);
  EXPECT_EQ(four.record.hbm.stacks, 2U);
}

// HBM to HBM: 1 MiB in 16 equal parts, read and written: 16 x 23 x 2 = 736 B/ns asked of 652.288,
// so each engine moves 20.384 B/ns.
TEST(HandTime, CopyWithinHbm) {
  trace::TraceBuilder builder("hbm_copy", "test");
  const auto in = builder.hbm("in", DType::kBFloat16, {512, 1024}, trace::Role::kInput);
  const auto out = builder.hbm("out", DType::kBFloat16, {512, 1024}, trace::Role::kOutput);
  builder.dma(out, in, Engine::kSync);
  const test::Run run = test::run_trace(test::pinned_trn2(), builder.take());
  EXPECT_NEAR(run.record.time.ns(), 559 + 600 + 150 + 65536 / 20.384 + 308, 1e-4);
  EXPECT_EQ(run.record.hbm.read_bytes, 1U << 20);
  EXPECT_EQ(run.record.hbm.write_bytes, 1U << 20);
}

// Same with a cast to bf16: 2 MiB read, 1 MiB written. A cast needs software or static descriptors:
// Sync writes a static ring (78 ns, first byte after 1,000). 16 x 23 x 1.5 = 552 B/ns fit.
TEST(HandTime, CopyWithinHbmThatCasts) {
  trace::TraceBuilder builder("hbm_cast", "test");
  const auto in = builder.hbm("in", DType::kFloat32, {512, 1024}, trace::Role::kInput);
  const auto out = builder.hbm("out", DType::kBFloat16, {512, 1024}, trace::Role::kOutput);
  builder.dma(out, in, Engine::kSync);
  const test::Run run = test::run_trace(test::pinned_trn2(), builder.take());
  EXPECT_EQ(run.record.hbm.read_bytes, 2U << 20);
  EXPECT_EQ(run.record.hbm.write_bytes, 1U << 20);
  EXPECT_NEAR(run.record.time.ns(), 78 + 1000 + 150 + 131072 / 23.0 + 308, 1e-4);
}

// A slow load on engine 0 (8 rows of 176 KiB: 63 us) holds back the completions of 90 quick ones
// behind it on the same queue; they become visible together.
TEST(HandTime, ManyLoadsBehindASlowOne) {
  trace::TraceBuilder builder("slow_first", "test");
  constexpr std::uint32_t kColumns = 88 * 1024;
  const auto in = builder.hbm("in", DType::kBFloat16, {128, kColumns}, trace::Role::kInput);
  const auto tile = builder.sbuf("tile", DType::kBFloat16, 128, {kColumns});
  builder.dma(tile.part(0, 8), in.slice(0, 0, 8), Engine::kSync);
  for (std::uint32_t i = 0; i < 90; ++i) {
    builder.dma(tile.part(64, 32).slice(0, i * 64, 64), in.slice(0, 64, 32).slice(1, i * 64, 64),
                Engine::kSync);
  }
  const test::Run run = test::run_trace(test::pinned_trn2(), builder.take());
  test::expect_conserved(run.record);
  EXPECT_GT(run.record.time.ns(), 8 * kColumns * 2 / 23.0);
}

}  // namespace
}  // namespace trnsim
