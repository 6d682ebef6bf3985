// Sensitivity files, moved values, and what is said about given effects.
#include "trnsim/study/sensitivity.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "trnsim/study/validation_report.h"

namespace trnsim::study {
namespace {

class SensitivityFiles : public ::testing::Test {
 protected:
  SensitivityFiles() {
    std::string pattern = (std::filesystem::temp_directory_path() / "trnsim-study-XXXXXX").string();
    if (::mkdtemp(pattern.data()) == nullptr) {
      throw std::runtime_error("mkdtemp failed");
    }
    folder_ = pattern;
  }
  ~SensitivityFiles() override {
    std::error_code ignored;
    std::filesystem::remove_all(folder_, ignored);
  }

  [[nodiscard]] std::string write(const std::string& content) const {
    std::string path = folder_ + "/s.yaml";
    std::ofstream(path) << content;
    return path;
  }

  [[nodiscard]] std::string findings(const std::string& content,
                                     const std::vector<ValidationFile>& files = {}) const {
    try {
      static_cast<void>(read_sensitivity_file(write(content), files));
    } catch (const Error& error) {
      std::string text = error.what();
      for (std::size_t at = 0; (at = text.find(folder_ + "/")) != std::string::npos;) {
        text.erase(at, folder_.size() + 1);
      }
      return text;
    }
    return "";
  }

  std::string folder_;
};

const std::string kHead =
    "version: 1\nheadlines:\n"
    "- {id: a, system: trn2-core, run: {kernel: gemm, params: {m: 128}}}\nassumptions:\n";

TEST_F(SensitivityFiles, RangesAreValuesOrChanges) {
  const SensitivityFile file = read_sensitivity_file(
      write(kHead + "- {row: r, keys: [chip.core.dma.completion_ns], low: -25 %, high: 438, reason: x}\n"
                    "- {row: none, reason: no link}\n"),
      {});
  ASSERT_EQ(file.headlines.size(), 1U);
  EXPECT_EQ(file.headlines[0].run.target, "gemm");
  ASSERT_EQ(file.assumptions.size(), 2U);
  EXPECT_EQ(end_text(file.assumptions[0].low), "-25 %");
  EXPECT_EQ(end_text(file.assumptions[0].high), "438");
  EXPECT_EQ(moved_value(file.assumptions[0].low, "345"), "259");    // 258.75: a whole number stays one
  EXPECT_EQ(moved_value(file.assumptions[0].low, "0.9"), "0.675");
  EXPECT_EQ(moved_value(file.assumptions[0].high, "345"), "438");
  EXPECT_TRUE(file.assumptions[1].keys.empty());
}

TEST_F(SensitivityFiles, EveryMistakeHasItsPlace) {
  EXPECT_EQ(findings(kHead + "- {row: r, keys: [chip.core.dma.completion_n], low: 1, high: 2, reason: x}\n"),
            "s.yaml:5:19: no system of a headline has key 'chip.core.dma.completion_n'; did you mean "
            "'chip.core.dma.completion_ns'?");
  EXPECT_EQ(findings(kHead + "- {row: r, keys: [chip.core.dma.completion_ns], low: few, reason: x}\n"),
            "s.yaml:5:3: 'high' is missing\n"
            "s.yaml:5:54: 'low' must be a number or a change such as -25 %");
  EXPECT_EQ(findings(kHead + "- {row: r, keys: [lnc], low: 1, high: 2, reason: x, headlines: [b]}\n"),
            "s.yaml:5:65: no headline is called 'b'; did you mean 'a'?");
  EXPECT_EQ(findings(kHead + "- {row: r, low: 1, reason: x}\n"),
            "s.yaml:5:3: 'keys' is missing; a range moves keys; without them leave out low and high");
  EXPECT_EQ(findings("version: 1\nheadlines:\n- {id: a, system: trn2-cor, run: {kernel: gemm}}\n"),
            "s.yaml:3:19: unknown system 'trn2-cor'; did you mean 'trn2-core'?");
  EXPECT_EQ(findings("version: 1\nheadlines:\n- {id: a, systm: trn2-core}\n"),
            "s.yaml:3:3: 'system' is missing\ns.yaml:3:3: 'run' is missing\n"
            "s.yaml:3:11: unknown key 'systm'; did you mean 'system'?");
}

TEST_F(SensitivityFiles, AHeadlineMayBeACaseOfAValidationFile) {
  ValidationFile file;
  ValidationCase one;
  one.id = "A1-1";
  one.system = "trn2-core";
  one.run.kind = RunKind::kKernel;
  one.run.target = "gemm";
  file.cases.push_back(one);
  const SensitivityFile found =
      read_sensitivity_file(write("version: 1\nheadlines:\n- {id: mine, case: A1-1}\n"), {file});
  ASSERT_EQ(found.headlines.size(), 1U);
  EXPECT_EQ(found.headlines[0].id, "mine");
  EXPECT_EQ(found.headlines[0].system, "trn2-core");
  EXPECT_EQ(findings("version: 1\nheadlines:\n- {id: mine, case: A1-2}\n", {file}),
            "s.yaml:3:20: no validation file has case 'A1-2'; did you mean 'A1-1'?");
}

TEST(Sensitivity, TheShippedFileIsRead) {
  const SensitivityFile file = read_sensitivity_file(
      shipped_sensitivity_file(), read_validation_files(shipped_validation_files()));
  EXPECT_GE(file.headlines.size(), 5U);
  EXPECT_GE(file.assumptions.size(), 16U);  // the rows of hardware.md 22 rated high
}

TEST(Sensitivity, EffectsAreChangesAtBothEnds) {
  EXPECT_EQ(effect_text({-0.0312, 0.029}), "-3.1 / +2.9");
  EXPECT_EQ(effect_text({0.0, 0.0}), "0");
  EXPECT_EQ(effect_text({std::nullopt, 0.5}), "- / +50.0");
  EXPECT_EQ(effect_text({}), "");
}

// One headline, an assumption that moves it and one that does not.
TEST(Sensitivity, EveryOutputListsWhatIsNotExercised) {
  Validation validation;
  Sensitivity& s = validation.sensitivity.emplace();
  ValidationCase headline;
  headline.id = "GEMM | 1";
  headline.system = "trn2-core";
  s.file.headlines.push_back(headline);
  s.file.assumptions.push_back({"dma.completion", {"k"}, {-25, true}, {438, false}, "why", {}, {}});
  s.file.assumptions.push_back({"link.efficiency", {}, {}, {}, "no link", {}, {}});
  s.file.assumptions.push_back({"cc.setup", {"f"}, {4, false}, {5, false}, "why not", {}, {}});
  CaseResult base;
  base.one = s.file.headlines.data();
  base.outcome = Outcome::kDone;
  base.kernel_us = 100;
  s.headlines.push_back(base);
  s.effects.push_back({{"345"}, {{-0.02, 0.04}}, ""});
  s.effects.push_back({{}, {{}}, ""});
  s.effects.push_back({{"4.5"}, {{0.0, 0.0}}, ""});
  EXPECT_TRUE(s.effects[0].exercised());
  EXPECT_FALSE(s.effects[1].exercised());
  EXPECT_FALSE(s.effects[2].exercised());

  const std::string page = validation_markdown(validation, "");
  EXPECT_NE(page.find("| dma.completion | 345 | -25 % | 438 | -2.0 / +4.0 |\n"), std::string::npos);
  EXPECT_NE(page.find("| GEMM \\| 1 | trn2-core | 100.00 us |"), std::string::npos);
  EXPECT_NE(page.find("Not exercised by a headline yet:\n\n| assumption | why |\n|---|---|\n"
                      "| link.efficiency | no link |\n| cc.setup | f at 4 and 5: no headline changes; why not |\n"),
            std::string::npos);
  EXPECT_NE(validation_text(validation).find("link.efficiency: not exercised by a headline yet\n"),
            std::string::npos);
  EXPECT_NE(validation_html(validation).find("<li>link.efficiency: no link"), std::string::npos);
  const nlohmann::ordered_json json = validation_json(validation).at("sensitivity");
  EXPECT_EQ(json.at("assumptions").at(0).at("changes").at(0).at("high"), 0.04);
  EXPECT_EQ(json.at("assumptions").at(1).at("exercised"), false);
  EXPECT_EQ(json.at("assumptions").at(0).at("low").at("percent"), -25);
}

}  // namespace
}  // namespace trnsim::study
