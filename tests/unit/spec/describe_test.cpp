// describe: reasons add up, lines are short, the key table in the repository is current.
#include "trnsim/spec/describe.h"

#include <gtest/gtest.h>

#include <cmath>
#include <nlohmann/json.hpp>
#include <sstream>

#include "trnsim/base/files.h"
#include "trnsim/spec/descriptor.h"

namespace trnsim::spec {
namespace {

const PeakRow& row(const std::vector<PeakRow>& rows, const std::string& label) {
  for (const PeakRow& entry : rows) {
    if (entry.label == label) {
      return entry;
    }
  }
  throw std::runtime_error("no row " + label);
}

TEST(Describe, ReasonsAddUpToTheDifference) {
  for (const std::string& name : system_names()) {
    for (const PeakRow& entry : peak_rows(load_system(name).spec)) {
      double sum = 0;
      for (const PeakReason& reason : entry.reasons) {
        sum += reason.difference;
      }
      if (entry.published > 0) {
        EXPECT_NEAR(entry.derived + sum, entry.published, 1e-6) << name << " " << entry.label;
      } else {
        EXPECT_TRUE(entry.reasons.empty()) << name << " " << entry.label;
      }
    }
  }
}

TEST(Describe, ExplainsTheServerHeadline) {
  // 128 cores: 157.2864 counted as 2 x 79 = 158, + 0.7136 each = 0.0913408 PFLOPS; 16 x 35 = 0.56;
  // 16 x 1.299 = 20.784 printed as 20.8.
  const std::vector<PeakRow> rows = peak_rows(load_system("trn2.48xlarge").spec);
  const PeakRow& fp8 = row(rows, "FP8");
  EXPECT_NEAR(fp8.derived, 20.1326592, 1e-9);
  EXPECT_EQ(fp8.published, 20.8);
  ASSERT_EQ(fp8.reasons.size(), 3U);
  EXPECT_NEAR(fp8.reasons[0].difference, 0.0913408, 1e-9);
  EXPECT_EQ(fp8.reasons[0].text, "rounding: 78.64 TFLOPS (BF16) per core counted as 79, x 2 = 158");
  EXPECT_NEAR(fp8.reasons[1].difference, 0.56, 1e-9);
  EXPECT_NEAR(fp8.reasons[2].difference, 0.016, 1e-9);
  EXPECT_EQ(fp8.reasons[2].text, "rounding: 16 x 1.299 = 20.784 printed as 20.8");
}

TEST(Describe, ExplainsTheRoundingOfARoundedNumber) {
  // 64 x 1.299 = 83.136, but AWS prints 4 x 20.8 = 83.2.
  const std::vector<PeakRow> rows = peak_rows(load_system("trn2-ultraserver").spec);
  const PeakRow& fp8 = row(rows, "FP8");
  ASSERT_EQ(fp8.reasons.size(), 3U);
  EXPECT_NEAR(fp8.reasons[2].difference, 0.064, 1e-9);
  EXPECT_EQ(fp8.reasons[2].text, "rounding: 4 x 20.8, with 16 x 1.299 = 20.784 printed as 20.8");
}

TEST(Describe, AdmitsWhatIsNotExplained) {
  // hardware.md 19.2: trn1's 190 TFLOPS against 183.5 by formula has no public explanation.
  const std::vector<PeakRow> rows = peak_rows(load_system("trn1.2xlarge").spec);
  ASSERT_EQ(row(rows, "BF16").reasons.size(), 1U);
  EXPECT_NE(row(rows, "BF16").reasons[0].text.find("not explained"), std::string::npos);
}

TEST(Describe, OneCoreHasAWholeStack) {
  const std::vector<PeakRow> rows = peak_rows(load_system("trn2-core").spec);
  EXPECT_NEAR(row(rows, "HBM").derived, 0.7168, 1e-12);
}

TEST(Describe, StaysWithinEightyColumns) {
  for (const std::string& name : system_names()) {
    std::istringstream lines(describe_text(load_system(name)));
    for (std::string line; std::getline(lines, line);) {
      EXPECT_LE(line.size(), 80U) << name << ": " << line;
    }
  }
}

TEST(Describe, ShowsEveryValueAndEveryAssumption) {
  const LoadedSystem system = load_system("trn3-chip", {"chip.power.tdp_w=900"});
  const std::string text = describe_text(system);
  EXPECT_NE(text.find("clock_ghz                        2.4 GHz           P hardware.md 4"),
            std::string::npos);
  EXPECT_NE(text.find("  chip.power.tdp_w = 900\n      given by --set\n"), std::string::npos);
  EXPECT_EQ(describe_text(system, false).find("Assumed"), std::string::npos);
}

TEST(Describe, JsonHasPeaksValuesAndProvenance) {
  const nlohmann::ordered_json json = describe_json(load_system("trn3-chip"));
  EXPECT_EQ(json.at("name"), "trn3-chip");
  EXPECT_EQ(json.at("peaks").size(), 5U);  // BF16, FP8, FP32, MX, HBM
  EXPECT_TRUE(json.at("peaks").at(1).at("published").is_null());
  EXPECT_EQ(json.at("values").at("chip").at("neuron_cores"), 8);
  EXPECT_FALSE(json.at("provenance").empty());
}

TEST(Describe, ListsEverySystemWithADescription) {
  const std::string text = system_list_text();
  EXPECT_NE(text.find("trn2.48xlarge           16 Trainium2 chips, 128 cores, 4x4 torus\n"),
            std::string::npos);
}

TEST(KeyTable, OfTheRepositoryIsCurrent) {
  // After a change of keys: trnsim describe --keys > configs/README.md
  EXPECT_EQ(read_file(TRNSIM_SOURCE_DIR "/configs/README.md"), key_table_markdown());
}

TEST(KeyTable, EveryKeyHasALineOfDocumentation) {
  for (const KeyPath& entry : key_paths()) {
    EXPECT_FALSE(entry.key->doc.empty()) << entry.path;
    EXPECT_EQ(entry.key->doc.find('\n'), std::string::npos) << entry.path;
  }
}

}  // namespace
}  // namespace trnsim::spec
