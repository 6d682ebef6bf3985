// What is said about given results: tolerances, baselines, and every output format.
#include "trnsim/study/validation_report.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <sstream>

namespace trnsim::study {
namespace {

ClassTolerance tolerance(double mape_max) {
  ClassTolerance result;
  result.class_name = "g";
  result.mape_max = mape_max;
  return result;
}

// Class g: ratios 1.1 and 0.9 measured in family f, one skipped, one failed; class b: a bound.
class Report : public ::testing::Test {
 protected:
  Report() {
    const auto add = [&](const char* id, const char* class_name, const char* grade) {
      ValidationCase one;
      one.id = id;
      one.class_name = class_name;
      one.family = "f<1>";
      one.grade = grade;
      one.system = "trn2-core";
      one.measured.time_us = 100;
      file_.cases.push_back(one);
    };
    add("slow", "g", "A");
    add("fast", "g", "A");
    add("absent", "g", "A");
    add("bound", "b", "C");
    file_.cases[0].measured.hbm_bytes = 1000;
    file_.tolerances.push_back(tolerance(0.2));
    file_.tolerances[0].p90_max = 0.05;
    file_.tolerances[0].baseline_mape = 0.15;
    file_.tolerances[0].family_baselines = {{"f<1>", 0.09}};
    file_.not_rebuilt.push_back({"X1", "no source"});
    validation_.files.push_back(file_);
    for (const ValidationCase& one : validation_.files[0].cases) {
      CaseResult result;
      result.one = &one;
      result.outcome = Outcome::kDone;
      result.simulated_us = one.id == "fast" ? 90 : 110;
      result.hbm_bytes = 1200;
      result.bound = "Tensor-bound";
      validation_.results.push_back(result);
    }
    validation_.results[2].outcome = Outcome::kSkipped;
    validation_.results[2].reason = "no checkout, none";
    assess(validation_, {});
  }

  ValidationFile file_;
  Validation validation_;
};

TEST_F(Report, ClassesAreJudgedByTheirTolerances) {
  // Errors 0.1 and 0.1: MAPE within 20 %, p90 not within 5 %; below the baseline of 15 %.
  const ClassSummary& g = validation_.classes.at(0);
  EXPECT_EQ(g.errors.cases, 2U);
  EXPECT_NEAR(g.errors.mape, 0.1, 1e-12);
  EXPECT_EQ(g.outside, std::vector<std::string>{"p90 10.0 % above 5 %"});
  EXPECT_EQ(baseline_text(g.errors, g.tolerance.baseline_mape), "beats 15.0 %");
  EXPECT_EQ(baseline_text(g.families.at(0).errors, g.families.at(0).baseline_mape),
            "does not beat 9.0 %");
  EXPECT_EQ(g.skipped, 1U);
  EXPECT_EQ(g.hbm_within_20, 1U);  // 1200 of 1000 is just within
  EXPECT_FALSE(validation_.within());
}

TEST_F(Report, AnUpperBoundIsNotCounted) {
  const ClassSummary& b = validation_.classes.at(1);
  EXPECT_EQ(b.errors.cases, 0U);
  EXPECT_EQ(b.bounds, 1U);
  EXPECT_EQ(b.bounds_broken, 1U);  // 110 above 100
}

TEST_F(Report, OtherTolerancesReplaceThoseOfTheFile) {
  assess(validation_, {tolerance(0.2)});
  EXPECT_TRUE(validation_.within());
}

TEST_F(Report, AFailedRunIsOutside) {
  validation_.results[2].outcome = Outcome::kFailed;
  assess(validation_, {tolerance(0.2)});
  EXPECT_EQ(validation_.classes.at(0).outside, std::vector<std::string>{"1 failed to run"});
}

TEST_F(Report, TheTextFits80Columns) {
  std::istringstream lines(validation_text(validation_));
  for (std::string line; std::getline(lines, line);) {
    EXPECT_LE(line.size(), 80U) << line;
  }
}

TEST_F(Report, JsonHasEveryFieldOfACase) {
  const nlohmann::ordered_json json = validation_json(validation_);
  EXPECT_EQ(json.at("schema"), "trnsim.validate/1");
  EXPECT_EQ(json.at("within_tolerances"), false);
  EXPECT_EQ(json.at("run"), 3);
  EXPECT_EQ(json.at("skipped"), 1);
  const auto& slow = json.at("cases").at(0);
  for (const char* key : {"id", "class", "family", "grade", "system", "outcome", "measured_us", "clock",
                          "kernel_us", "simulated_us", "ratio", "hbm", "bound"}) {
    EXPECT_TRUE(slow.contains(key)) << key;
  }
  EXPECT_NEAR(slow.at("ratio").get<double>(), 1.1, 1e-12);
  EXPECT_EQ(json.at("cases").at(2).at("reason"), "no checkout, none");
  const auto& g = json.at("classes").at(0);
  EXPECT_EQ(g.at("beats_baseline"), true);
  EXPECT_TRUE(g.at("families").at(0).at("rank_correlation").is_null());
  EXPECT_EQ(json.at("not_rebuilt").at(0).at("ids"), "X1");
}

TEST_F(Report, CsvHasALineForEachCaseAndQuotesCommas) {
  std::ostringstream out;
  validation_csv(validation_, out);
  std::vector<std::string> lines;
  std::istringstream text(out.str());
  for (std::string line; std::getline(text, line);) {
    lines.push_back(line);
  }
  ASSERT_EQ(lines.size(), 5U);
  EXPECT_EQ(lines[1].substr(0, 62), "slow,g,f<1>,A,trn2-core,profile_total,run,100,110,1.1,0,,,0,10");
  EXPECT_TRUE(lines[3].ends_with("\"no checkout, none\""));
  const auto commas = [](const std::string& line) { return std::count(line.begin(), line.end(), ','); };
  EXPECT_EQ(commas(lines[0]), commas(lines[1]));
  EXPECT_EQ(commas(lines[0]) + 1, commas(lines[3]));  // one is quoted
}

TEST_F(Report, TheHtmlPageHoldsThePlotAndNeedsNothingElse) {
  const std::string html = validation_html(validation_);
  EXPECT_NE(html.find("<svg "), std::string::npos);
  EXPECT_NE(html.find("</svg>"), std::string::npos);
  EXPECT_NE(html.find("<title>slow f&lt;1&gt;: measured 100.00 us"), std::string::npos);
  for (const char* reference : {"http:", "https:", "<script", "src=", "href="}) {
    EXPECT_EQ(html.find(reference), std::string::npos) << reference;
  }
}

TEST_F(Report, TheMarkdownPageStartsWithTheNotes) {
  const std::string page = validation_markdown(validation_, "# My page\n\nNotes.\n");
  EXPECT_TRUE(page.starts_with("# My page\n\nNotes.\n"));
  EXPECT_NE(page.find("| slow | g | f<1> | trn2-core | 100.00 | 110.00 | 1.100 | Tensor-bound |"),
            std::string::npos);
  EXPECT_NE(page.find("| absent | skipped | no checkout, none |"), std::string::npos);
  EXPECT_NE(page.find("`launch.preamble_us` | 13.3 | measured"), std::string::npos);
}

}  // namespace
}  // namespace trnsim::study
