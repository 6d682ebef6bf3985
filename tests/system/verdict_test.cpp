// The sentence that says what bounds a run, one trace per answer.
#include <gtest/gtest.h>

#include "support/run.h"

namespace trnsim {
namespace {

using analysis::Bound;
using trace::Engine;

// Loads one after the other into a ring of tiles, nothing else.
trace::Trace stream(std::uint32_t count) {
  trace::TraceBuilder builder("stream", "test");
  constexpr std::uint32_t kColumns = 8192;  // bf16: 2 MiB a load
  const auto in = builder.hbm("in", DType::kBFloat16, {128, kColumns}, trace::Role::kInput);
  for (std::uint32_t i = 0; i < count; ++i) {
    builder.dma(builder.sbuf("tile", DType::kBFloat16, 128, {kColumns}), in, Engine::kSync);
  }
  return builder.take();
}

TEST(Verdict, OneCoreThatStreamsIsDmaBound) {
  const test::Run run = test::run_trace(test::pinned_trn2(), stream(20));
  EXPECT_EQ(run.metrics.verdict.bound, Bound::kDma);
  EXPECT_EQ(run.metrics.verdict.resource, "DMA");
  EXPECT_NE(run.metrics.verdict.text.find("DMA-bound: engines"), std::string::npos);
  EXPECT_NE(run.metrics.verdict.text.find("16 x 23 GB/s per core"), std::string::npos);
}

TEST(Verdict, TwoCoresThatStreamAreHbmBound) {
  const test::Run run = test::run_trace(test::pinned_trn2("trn2.3xlarge"), stream(20), 2);
  EXPECT_EQ(run.metrics.verdict.bound, Bound::kHbm);
  EXPECT_NE(run.metrics.verdict.text.find("HBM-bound"), std::string::npos);
  EXPECT_NE(run.metrics.verdict.text.find("652 GB/s each"), std::string::npos);
  EXPECT_GT(run.metrics.hbm.sustained_utilization, 0.9);
}

TEST(Verdict, BackToBackMatmulsAreTensorBound) {
  trace::TraceBuilder builder("matmuls", "test");
  const auto weights = builder.sbuf("weights", DType::kBFloat16, 128, {128});
  const auto moving = builder.sbuf("moving", DType::kBFloat16, 128, {512});
  const auto psum = builder.psum("psum", DType::kFloat32, 128, {512});
  for (int i = 0; i < 50; ++i) {
    builder.matmul(psum, weights, moving, i > 0);
  }
  const test::Run run = test::run_trace(test::pinned_trn2(), builder.take());
  EXPECT_EQ(run.metrics.verdict.bound, Bound::kEngine);
  EXPECT_EQ(run.metrics.verdict.resource, "Tensor");
  EXPECT_NE(run.metrics.verdict.text.find("Tensor-bound"), std::string::npos);
}

TEST(Verdict, CopiesAreVectorBound) {
  trace::TraceBuilder builder("copies", "test");
  const auto in = builder.sbuf("in", DType::kFloat32, 128, {512});
  const auto out = builder.sbuf("out", DType::kFloat32, 128, {512});
  for (int i = 0; i < 50; ++i) {
    builder.copy(out, in, Engine::kVector);
  }
  const test::Run run = test::run_trace(test::pinned_trn2(), builder.take());
  EXPECT_EQ(run.metrics.verdict.bound, Bound::kEngine);
  EXPECT_EQ(run.metrics.verdict.resource, "Vector");
}

// A few small matmuls that wait for loads: nothing is full.
TEST(Verdict, WaitingForSmallLoadsIsLatencyBound) {
  trace::TraceBuilder builder("latency", "test");
  const auto in = builder.hbm("in", DType::kBFloat16, {128, 128}, trace::Role::kInput);
  const auto tile = builder.sbuf("tile", DType::kBFloat16, 128, {128});
  const auto psum = builder.psum("psum", DType::kFloat32, 128, {128});
  for (int i = 0; i < 5; ++i) {
    builder.dma(tile, in, Engine::kGpSimd);
    builder.matmul(psum, tile, tile, i > 0);
  }
  const test::Run run = test::run_trace(test::pinned_trn2(), builder.take());
  EXPECT_EQ(run.metrics.verdict.bound, Bound::kLatency);
  EXPECT_NE(run.metrics.verdict.text.find("latency-bound: no resource is full"), std::string::npos);
  EXPECT_NE(run.metrics.verdict.text.find("for dma"), std::string::npos)
      << run.metrics.verdict.text;
}

}  // namespace
}  // namespace trnsim
