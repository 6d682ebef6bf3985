// Attention end to end on one core and over a chip.
#include "trnsim/kernels/attention.h"

#include <gtest/gtest.h>

#include "support/run.h"

namespace trnsim {
namespace {

using kernels::AttentionVariant;

kernels::AttentionOptions options_of(std::uint32_t heads, std::uint32_t length, bool causal,
                                     AttentionVariant variant = AttentionVariant::kBest) {
  kernels::AttentionOptions options;
  options.q_heads = heads;
  options.kv_heads = heads;
  options.q_len = length;
  options.kv_len = length;
  options.causal = causal;
  options.variant = variant;
  return options;
}

test::Run run_attention(const std::string& system_name, const kernels::AttentionOptions& options) {
  const spec::SystemSpec& system = test::shipped(system_name).spec;
  const workload::Placement placement = workload::place_attention(system, options, {});
  return test::run(system, {placement.programs});
}

TEST(AttentionSystem, ConservesTimeBytesAndFlops) {
  for (const char* system : {"trn2-core", "trn2.3xlarge"}) {
    for (const bool causal : {false, true}) {
      const kernels::AttentionOptions options = options_of(2, 1024, causal);
      const test::Run run = run_attention(system, options);
      test::expect_conserved(run.record);
      // Q K^T and P V: 2 x 2 x head_dim for each pair the mask leaves.
      EXPECT_DOUBLE_EQ(
          run.record.model_flops,
          4.0 * options.head_dim * static_cast<double>(kernels::attention_pairs(options)))
          << system << (causal ? " causal" : "");
      // What the mask cuts out of a tile is computed all the same.
      EXPECT_GE(run.record.counted_flops, run.record.model_flops);
    }
  }
}

TEST(AttentionSystem, EachVariantBeatsTheOneBefore) {
  double before = 1e9;
  for (const AttentionVariant variant :
       {AttentionVariant::kNaive, AttentionVariant::kUnfused, AttentionVariant::kFlash,
        AttentionVariant::kPipelined, AttentionVariant::kBest}) {
    const double now =
        run_attention("trn2-core", options_of(1, 2048, false, variant)).metrics.time_us;
    RecordProperty(std::string(kernels::name(variant)), std::to_string(now));
    EXPECT_LT(now, before) << kernels::name(variant);
    before = now;
  }
}

TEST(AttentionSystem, FusedScoresNeverTouchHbm) {
  const test::Run run = run_attention("trn2-core", options_of(1, 2048, false));
  const std::uint64_t tensor = 2048 * 128 * 2;
  EXPECT_EQ(run.record.hbm.write_bytes, tensor);
  EXPECT_LT(run.record.hbm.read_bytes, 2048U * 2048U * 2U);
}

TEST(AttentionSystem, TwoRunsAreEqual) {
  const spec::SystemSpec& system = test::shipped("trn2-core").spec;
  const sim::Job job{workload::place_attention(system, options_of(1, 1024, true), {}).programs};
  test::expect_equal(sim::simulate(system, job), sim::simulate(system, job));
}

}  // namespace
}  // namespace trnsim
