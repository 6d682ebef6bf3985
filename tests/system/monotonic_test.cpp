// More of anything is never slower; two models of HBM agree where they should.
#include <gtest/gtest.h>

#include <functional>

#include "support/run.h"

namespace trnsim {
namespace {

struct Change {
  const char* text;
  std::function<void(spec::SystemSpec&)> apply;
};

const std::vector<Change>& improvements() {
  static const std::vector<Change> list{
      {"HBM bandwidth x 1.5", [](auto& s) { s.chip.hbm.peak_GBps_per_stack *= 1.5; }},
      {"DMA bandwidth x 1.5", [](auto& s) { s.chip.core.dma.effective_GBps_per_engine *= 1.5; }},
      {"tensor clock x 1.5", [](auto& s) { s.chip.core.tensor.clock_ghz *= 1.5; }},
      {"vector clock x 1.5", [](auto& s) { s.chip.core.vector.clock_ghz *= 1.5; }},
      {"scalar clock x 1.5", [](auto& s) { s.chip.core.scalar.clock_ghz *= 1.5; }},
      {"completion latency x 0.5", [](auto& s) { s.chip.core.dma.completion_ns *= 0.5; }},
      {"all clocks x 1.25", [](auto& s) {
         spec::CoreSpec& core = s.chip.core;
         for (double* clock :
              {&core.tensor.clock_ghz, &core.vector.clock_ghz, &core.scalar.clock_ghz,
               &core.gpsimd.clock_ghz, &core.sequencer.base_clock_ghz}) {
           *clock *= 1.25;
         }
       }}};
  return list;
}

// The trace stays the same; only the machine changes.
void expect_never_slower(const kernels::GemmOptions& options) {
  const spec::SystemSpec base = test::pinned_trn2("trn2.3xlarge");
  const trace::Trace trace = kernels::gemm(options, base.chip.core);
  const Femtos before = test::run_trace(base, trace, 2).record.time;
  for (const Change& change : improvements()) {
    spec::SystemSpec better = base;
    change.apply(better);
    EXPECT_LE(test::run_trace(better, trace, 2).record.time, before) << change.text;
  }
}

TEST(Monotonic, SquareGemm) {
  expect_never_slower(test::gemm_options(1024, 1024, 1024));
}

TEST(Monotonic, SkinnyGemm) {
  expect_never_slower(test::gemm_options(16, 2048, 2048));
}

TEST(Monotonic, HoistedGemm) {
  expect_never_slower(test::gemm_options(512, 512, 512, kernels::GemmVariant::kHoisted));
}

// Streaming rows of several KiB, the banked stack sustains about what the measured fraction says.
TEST(HbmModels, AgreeOnAStreamingGemm) {
  for (const char* name : {"trn2-core", "trn2.3xlarge"}) {
    spec::SystemSpec system = test::shipped(name).spec;
    const kernels::GemmOptions options = test::gemm_options(128, 4096, 4096);
    const double bandwidth = test::run_gemm(system, options).metrics.time_us;
    system.chip.hbm.model = spec::HbmModel::kBanked;
    const test::Run banked = test::run_gemm(system, options);
    test::expect_conserved(banked.record);
    EXPECT_GT(banked.record.hbm.row_hits, 0U);
    EXPECT_GT(banked.record.hbm.row_misses, 0U);
    EXPECT_NEAR(banked.metrics.time_us / bandwidth, 1, 0.15) << name;
  }
}

}  // namespace
}  // namespace trnsim
