// The JSON record of five small kernels against reviewed files in tests/golden. A change of timing
// or of a constant shows up here as a diff; TRNSIM_UPDATE_GOLDEN=1 writes the files anew, for
// review.
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "support/run.h"
#include "trnsim/kernels/attention.h"
#include "trnsim/report/run_report.h"

namespace trnsim {
namespace {

// The report without wall clock, event count, version and resolved configuration (its hash stays).
std::string record_of(const std::string& system_name, workload::Placement placement) {
  const spec::LoadedSystem& system = test::shipped(system_name);
  report::RunEntry entry;
  entry.label = std::move(placement.label);
  entry.workload = std::move(placement.description);
  entry.record = sim::simulate(system.spec, {std::move(placement.programs)});
  entry.metrics = analysis::compute_metrics(entry.record, system.spec);
  nlohmann::ordered_json json = report::json(system, entry);
  for (const char* key : {"wall_seconds", "wakeups", "trnsim_version", "config"}) {
    json.erase(key);
  }
  return json.dump(1) + "\n";
}

void compare(const std::string& name, const std::string& actual) {
  const std::string path = std::string(TRNSIM_SOURCE_DIR) + "/tests/golden/" + name + ".json";
  const char* update = std::getenv("TRNSIM_UPDATE_GOLDEN");
  if (update != nullptr && std::string(update) == "1") {
    std::ofstream(path) << actual;
    return;
  }
  std::ifstream file(path);
  ASSERT_TRUE(file) << path << " is missing: run once with TRNSIM_UPDATE_GOLDEN=1";
  std::ostringstream expected;
  expected << file.rdbuf();
  EXPECT_EQ(actual, expected.str())
      << "if this change is meant: TRNSIM_UPDATE_GOLDEN=1, then review";
}

void compare_gemm(const std::string& name, const std::string& system,
                  const kernels::GemmOptions& options) {
  compare(name, record_of(system, workload::place_gemm(test::shipped(system).spec, options, {})));
}

TEST(Golden, GemmBestOnTrn2Core) {
  compare_gemm("gemm_best_trn2_core", "trn2-core", test::gemm_options(512, 512, 512));
}

TEST(Golden, GemmNaiveOnTrn1) {
  compare_gemm("gemm_naive_trn1", "trn1.2xlarge",
               test::gemm_options(256, 512, 256, kernels::GemmVariant::kNaive));
}

TEST(Golden, GemmRaggedOnTrn2Chip) {
  compare_gemm("gemm_ragged_trn2_chip", "trn2.3xlarge", test::gemm_options(1000, 777, 300));
}

TEST(Golden, GemmFp8OnTrn3Core) {
  kernels::GemmOptions options = test::gemm_options(512, 512, 512);
  options.dtype = DType::kFloat8E4Fn;
  compare_gemm("gemm_fp8_trn3_core", "trn3-core", options);
}

TEST(Golden, AttentionCausalOnTrn2Core) {
  kernels::AttentionOptions options;
  options.q_len = 512;
  options.kv_len = 512;
  options.causal = true;
  compare("attention_causal_trn2_core",
          record_of("trn2-core",
                    workload::place_attention(test::shipped("trn2-core").spec, options, {})));
}

}  // namespace
}  // namespace trnsim
