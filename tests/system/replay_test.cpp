// The four published profiles, replayed: the limits of issue "Accuracy" on span, busy time and durations.
#include <gtest/gtest.h>

#include <cmath>

#include "trnsim/analysis/profile_compare.h"
#include "trnsim/report/compare_report.h"
#include "trnsim/sim/simulate.h"
#include "trnsim/spec/loader.h"
#include "trnsim/trace/profile.h"
#include "trnsim/workload/placement.h"

namespace trnsim {
namespace {

struct Replay {
  trace::ImportedProfile imported;
  sim::RunRecord record;
  analysis::ProfileComparison comparison;
};

Replay replay(const std::string& name) {
  Replay r;
  r.imported = trace::import_profile(std::string(TRNSIM_SOURCE_DIR) + "/data/validation/traces/" +
                                     name + ".profile.json.gz");
  const auto grid = analysis::limiter_grid_override(
      r.imported.profile, spec::load_system("trn2.3xlarge").spec.chip.core);
  const spec::LoadedSystem system = spec::load_system("trn2.3xlarge", {"lnc=1", grid.value()});
  lower::Options lowering;
  lowering.replay = true;
  const workload::Placement placement =
      workload::place_traces(system.spec, {r.imported.trace}, 1, lowering);
  sim::Options options;
  options.timeline_cores = {0};
  r.record = sim::simulate(system.spec, {placement.programs}, options);
  r.comparison = analysis::compare(r.imported, r.record);
  return r;
}

class Profiles : public testing::TestWithParam<const char*> {};

TEST_P(Profiles, ReplayWithinTheLimits) {
  const Replay r = replay(GetParam());
  EXPECT_TRUE(r.imported.warnings.empty());
  EXPECT_NEAR(r.comparison.simulated_ns / r.comparison.measured_ns, 1.0, 0.06);
  for (const analysis::EngineComparison& e : r.comparison.engines) {
    EXPECT_NEAR(e.simulated_busy_ns / e.measured_busy_ns, 1.0, 0.08) << trace::name(e.engine);
  }
  for (const analysis::OpcodeComparison& o : r.comparison.opcodes) {
    EXPECT_LE(o.median_error, 0.10) << trace::name(o.engine) << " " << o.opcode;
  }
}

// Every row of the kernel has its simulated twin, and every DMA its transfer.
TEST_P(Profiles, EveryRowIsPaired) {
  const Replay r = replay(GetParam());
  EXPECT_EQ(r.comparison.rows.size(), r.imported.profile.rows.size());
  EXPECT_EQ(r.comparison.dmas.size(), r.imported.profile.dmas.size());
  const nlohmann::ordered_json rows = report::profile_rows(r.record);
  EXPECT_EQ(rows["instruction"].size(), r.imported.profile.rows.size());
  EXPECT_EQ(rows["instruction"][0].count("timestamp"), 1U);
}

INSTANTIATE_TEST_SUITE_P(Published, Profiles,
                         testing::Values("fused_attention_bf16_s512", "fused_attention_fp32_s512",
                                         "unfused_attention_bf16_s512",
                                         "unfused_attention_fp32_s512"),
                         [](const auto& test) { return std::string(test.param); });

}  // namespace
}  // namespace trnsim
