// What the GEMM ladder must reach on one trn2 core (peak 78.6432 TFLOPS: 128 x 128 x 2 x 2.4 GHz).
#include <gtest/gtest.h>

#include "support/run.h"

namespace trnsim {
namespace {

using analysis::Bound;
using kernels::GemmVariant;

constexpr double kPeakTflops = 78.6432;

double tflops(std::uint32_t size, GemmVariant variant) {
  const test::Run run = test::run_gemm(test::shipped("trn2-core").spec,
                                       test::gemm_options(size, size, size, variant));
  return run.metrics.achieved_pflops * 1e3;
}

TEST(GemmTarget, Best2048ReachesItsShareOfPeak) {
  EXPECT_GE(tflops(2048, GemmVariant::kBest), 0.85 * kPeakTflops);
}

TEST(GemmTarget, Best4096ReachesItsShareOfPeak) {
  EXPECT_GE(tflops(4096, GemmVariant::kBest), 0.90 * kPeakTflops);
}

TEST(GemmTarget, NaiveIsFarFromPeak) {
  EXPECT_LT(tflops(2048, GemmVariant::kNaive), 0.30 * kPeakTflops);
}

TEST(GemmTarget, EachStepOfTheLadderIsFaster) {
  double before = 0;
  for (const GemmVariant variant :
       {GemmVariant::kNaive, GemmVariant::kHoisted, GemmVariant::kOneBank,
        GemmVariant::kBlockedFree, GemmVariant::kBlocked, GemmVariant::kBest}) {
    const double now = tflops(2048, variant);
    RecordProperty(std::string(kernels::name(variant)), std::to_string(now));
    EXPECT_GT(now, before) << kernels::name(variant);
    before = now;
  }
}

// Few rows: 2 x 4096 x 4096 bytes of weights for little work.
TEST(GemmTarget, SkinnyIsBoundByData) {
  for (const char* system : {"trn2-core", "trn2.3xlarge"}) {
    for (const std::uint32_t m : {1U, 16U, 64U}) {
      const test::Run run =
          test::run_gemm(test::shipped(system).spec, test::gemm_options(m, 4096, 4096));
      const Bound bound = run.metrics.verdict.bound;
      EXPECT_TRUE(bound == Bound::kDma || bound == Bound::kHbm)
          << system << " m=" << m << ": " << run.metrics.verdict.text;
    }
  }
}

}  // namespace
}  // namespace trnsim
