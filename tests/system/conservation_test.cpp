// Nothing is lost: time per engine, bytes of HBM, FLOPs of the problem.
#include <gtest/gtest.h>

#include <tuple>

#include "support/run.h"

namespace trnsim {
namespace {

using kernels::GemmVariant;
using Shape = std::tuple<std::uint32_t, std::uint32_t, std::uint32_t>;  // m, n, k

class GemmConservation : public ::testing::TestWithParam<Shape> {
 protected:
  static void check(const std::string& name, const kernels::GemmOptions& options) {
    const spec::SystemSpec& system = test::shipped(name).spec;
    const test::Run run = test::run_gemm(system, options);
    test::expect_conserved(run.record);
    const double flops = 2.0 * options.m * options.n * options.k;
    EXPECT_DOUBLE_EQ(run.record.counted_flops, flops);
    EXPECT_DOUBLE_EQ(run.record.model_flops, flops);
    EXPECT_DOUBLE_EQ(run.metrics.flops, flops);
    EXPECT_LE(run.metrics.mfu, 1);
    EXPECT_LE(run.metrics.hbm.sustained_utilization, 1 + 1e-9);
    EXPECT_LE(run.metrics.dma.busy_fraction, 1 + 1e-9);
    // At least every operand once, and the result.
    const std::uint64_t in = size_bytes(options.dtype);
    const std::uint64_t least = (std::uint64_t{options.m} + options.n) * options.k * in;
    EXPECT_GE(run.record.hbm.read_bytes, least);
    EXPECT_EQ(run.record.hbm.write_bytes, std::uint64_t{options.m} * options.n * in);
  }
};

TEST_P(GemmConservation, OneCore) {
  const auto [m, n, k] = GetParam();
  for (const char* system : {"trn2-core", "trn3-core"}) {
    check(system, test::gemm_options(m, n, k));
  }
}

TEST_P(GemmConservation, EveryVariant) {
  const auto [m, n, k] = GetParam();
  for (const GemmVariant variant :
       {GemmVariant::kNaive, GemmVariant::kHoisted, GemmVariant::kOneBank,
        GemmVariant::kBlockedFree, GemmVariant::kBlocked}) {
    check("trn2-core", test::gemm_options(m, n, k, variant));
  }
}

TEST_P(GemmConservation, AllCoresOfAChip) {
  const auto [m, n, k] = GetParam();
  for (const char* system : {"trn1.2xlarge", "trn2.3xlarge"}) {
    check(system, test::gemm_options(m, n, k));
  }
}

TEST_P(GemmConservation, OtherTypes) {
  const auto [m, n, k] = GetParam();
  kernels::GemmOptions options = test::gemm_options(m, n, k);
  options.dtype = DType::kFloat32;
  check("trn2-core", options);
  options.dtype = DType::kFloat16;
  check("trn2.3xlarge", options);
}

INSTANTIATE_TEST_SUITE_P(Shapes, GemmConservation,
                         ::testing::Values(Shape{512, 512, 512}, Shape{200, 300, 260},
                                           Shape{1, 1000, 777}, Shape{1025, 129, 127},
                                           Shape{384, 2048, 1024}),
                         [](const auto& test) {
                           return std::to_string(std::get<0>(test.param)) + "x" +
                                  std::to_string(std::get<1>(test.param)) + "x" +
                                  std::to_string(std::get<2>(test.param));
                         });

// A last store whose 16,384 software descriptors take GpSimd longer than the data take the engines, and one after
// which GpSimd would go on for a millisecond: the run ends with the store.
TEST(Conservation, OfAStoreThatKeepsGpSimdBusy) {
  trace::TraceBuilder builder("transposed", "test");
  const auto in = builder.hbm("in", DType::kBFloat16, {128, 128}, trace::Role::kInput);
  const auto out = builder.hbm("out", DType::kBFloat16, {128, 128}, trace::Role::kOutput);
  const auto tile = builder.sbuf("t", DType::kBFloat16, 128, {128});
  builder.dma(tile, in);
  builder.dma(out.permute(0, 1), tile, trace::Engine::kGpSimd);
  const trace::Trace trace = builder.take();
  spec::SystemSpec system = test::shipped("trn2-core").spec;
  const test::Run many = test::run_trace(system, trace);
  test::expect_conserved(many.record);
  EXPECT_GT(many.record.time.ns(), 16384 * 0.76);
  system.chip.core.dma.software_descriptor_ns = 0;
  const double time_ns = test::run_trace(system, trace).record.time.ns();
  system.chip.core.dma.software_interval_ns = 1e6;
  const test::Run late = test::run_trace(system, trace);
  test::expect_conserved(late.record);
  EXPECT_EQ(late.record.time.ns(), time_ns);
}

}  // namespace
}  // namespace trnsim
