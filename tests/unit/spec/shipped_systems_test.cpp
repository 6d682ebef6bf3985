// The shipped systems load, every number in them says where it comes from, and their peaks are
// those of hardware.md section 19.
#include <gtest/gtest.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "trnsim/spec/loader.h"
#include "trnsim/spec/peaks.h"

namespace trnsim::spec {
namespace {

TEST(ShippedSystems, AreTheElevenOfTheDesign) {
  const std::vector<std::string> expected = {
      "inf2.48xlarge",    "trn1.2xlarge",          "trn1.32xlarge",        "trn2-core",
      "trn2-ultraserver", "trn2.3xlarge",          "trn2.48xlarge",        "trn3-chip",
      "trn3-core",        "trn3-ultraserver-gen1", "trn3-ultraserver-gen2"};
  EXPECT_EQ(system_names(), expected);
}

TEST(ShippedSystems, LoadWithoutWarnings) {
  for (const std::string& name : system_names()) {
    const LoadedSystem system = load_system(name);
    EXPECT_EQ(system.spec.name, name);
    EXPECT_TRUE(system.warnings.empty()) << name << ": " << system.warnings.front();
    EXPECT_FALSE(system.spec.description.empty()) << name;
  }
}

TEST(ShippedSystems, NameTheSourceOfEveryNumberAndTheReasonOfEveryAssumption) {
  for (const std::string& name : system_names()) {
    for (const Provenance& leaf : load_system(name).leaves) {
      if (leaf.structural) {
        continue;
      }
      EXPECT_EQ(leaf.source.find(".yaml:"), std::string::npos) << name << " " << leaf.path;
      if (leaf.status == Status::kAssumed) {
        EXPECT_FALSE(leaf.reason.empty()) << name << " " << leaf.path;
        EXPECT_EQ(leaf.source, "assumption") << name << " " << leaf.path;
      }
    }
  }
}

TEST(ShippedSystems, HaveThePublishedComposition) {
  EXPECT_EQ(load_system("trn1.2xlarge").spec.cores(), 2U);
  EXPECT_EQ(load_system("trn1.32xlarge").spec.cores(), 32U);
  EXPECT_EQ(load_system("inf2.48xlarge").spec.chips(), 12U);
  EXPECT_EQ(load_system("trn2-core").spec.cores(), 1U);
  EXPECT_EQ(load_system("trn2.48xlarge").spec.cores(), 128U);
  EXPECT_EQ(load_system("trn2-ultraserver").spec.chips(), 64U);
  EXPECT_EQ(load_system("trn3-ultraserver-gen1").spec.chips(), 64U);
  EXPECT_EQ(load_system("trn3-ultraserver-gen2").spec.chips(), 144U);
}

TEST(Peaks, OfOneCoreFollowFromArrayAndClock) {
  // trn2: 128 x 128 x 2 x 2.4 GHz = 78.6432 TFLOPS; fp8 double_row x 2; fp32 / 4.
  const CoreSpec trn2 = load_system("trn2-core").spec.chip.core;
  EXPECT_NEAR(core_peak_tflops(trn2, DType::kBFloat16), 78.6432, 1e-9);
  EXPECT_NEAR(core_peak_tflops(trn2, DType::kTFloat32), 78.6432, 1e-9);
  EXPECT_NEAR(core_peak_tflops(trn2, DType::kFloat8E4), 157.2864, 1e-9);
  EXPECT_NEAR(core_peak_tflops(trn2, DType::kFloat8E3), 78.6432, 1e-9);
  EXPECT_NEAR(core_peak_tflops(trn2, DType::kFloat32), 19.6608, 1e-9);
  EXPECT_EQ(core_peak_tflops(trn2, DType::kFloat8E4FnX4), 0);
  EXPECT_EQ(core_peak_tflops(trn2, DType::kInt32), 0);
  // trn3: MX contracts four rows per PE: 78.6432 x 4.
  const CoreSpec trn3 = load_system("trn3-core").spec.chip.core;
  EXPECT_NEAR(core_peak_tflops(trn3, DType::kFloat8E4FnX4), 314.5728, 1e-9);
  EXPECT_NEAR(core_peak_tflops(trn3, DType::kFloat4E2X4), 314.5728, 1e-9);
  // trn1: 128 x 128 x 2 x 2.8 = 91.7504, the same for fp8.
  const CoreSpec trn1 = load_system("trn1.2xlarge").spec.chip.core;
  EXPECT_NEAR(core_peak_tflops(trn1, DType::kFloat16), 91.7504, 1e-9);
  EXPECT_NEAR(core_peak_tflops(trn1, DType::kFloat8E5), 91.7504, 1e-9);
}

TEST(Peaks, OfSystemsAreCoresTimesCorePeak) {
  // 128 x 157.2864 = 20132.6592 TFLOPS and 512 x the same; hardware.md 19.3.
  const SystemSpec server = load_system("trn2.48xlarge").spec;
  EXPECT_NEAR(system_peak_pflops(server, DType::kFloat8E4), 20.1326592, 1e-9);
  const SystemSpec ultraserver = load_system("trn2-ultraserver").spec;
  EXPECT_NEAR(system_peak_pflops(ultraserver, DType::kFloat8E4), 80.5306368, 1e-9);
}

TEST(Peaks, PublishedAreTheHeadlineOrTheShareOfTheChip) {
  EXPECT_EQ(system_published_pflops(load_system("trn2.48xlarge").spec, DType::kFloat8E4), 20.8);
  EXPECT_EQ(system_published_pflops(load_system("trn2-ultraserver").spec, DType::kFloat8E5), 83.2);
  // A whole chip: 667 TFLOPS; one of its 8 cores: 667 / 8.
  EXPECT_NEAR(system_published_pflops(load_system("trn2.3xlarge").spec, DType::kBFloat16), 0.667,
              1e-12);
  EXPECT_NEAR(system_published_pflops(load_system("trn2-core").spec, DType::kBFloat16), 0.083375,
              1e-12);
  // AWS publishes no fp8 figure for trn3.
  EXPECT_EQ(system_published_pflops(load_system("trn3-chip").spec, DType::kFloat8E4), 0);
}

TEST(Peaks, OfTheOtherEnginesExplainThePublishedChipPeaks) {
  // trn2, 16 bit: 8 x (2 x 0.98304 + 1.2288 + 2 x 0.6144) = 35.38944; fp32: 8 x 2.82624 = 22.60992.
  const ChipSpec trn2 = load_system("trn2.3xlarge").spec.chip;
  EXPECT_NEAR(chip_other_engines_tflops(trn2, true), 35.38944, 1e-9);
  EXPECT_NEAR(chip_other_engines_tflops(trn2, false), 22.60992, 1e-9);
  // trn3, 16 bit: 8 x (2 x 1.2288 + 1.2288 + 2 x 0.6144) = 39.3216.
  EXPECT_NEAR(chip_other_engines_tflops(load_system("trn3-chip").spec.chip, true), 39.3216, 1e-9);
}

}  // namespace
}  // namespace trnsim::spec
