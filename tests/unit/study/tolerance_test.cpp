// Tolerances that depend on the length of a case, and those of profiles.
#include <gtest/gtest.h>

#include "trnsim/study/validation_report.h"

namespace trnsim::study {
namespace {

ValidationCase measured(const char* id, double us) {
  ValidationCase one;
  one.id = id;
  one.class_name = "g";
  one.family = "f";
  one.measured.time_us = us;
  return one;
}

CaseResult simulated(const ValidationCase& one, double us) {
  CaseResult result;
  result.one = &one;
  result.outcome = Outcome::kDone;
  result.simulated_us = us;
  return result;
}

ClassSummary judged(const ClassTolerance& tolerance, std::vector<CaseResult> results) {
  Validation validation;
  validation.results = std::move(results);
  assess(validation, {tolerance});
  return validation.classes.at(0);
}

TEST(ShortCases, AreJudgedByALimitOfTheirOwn) {
  // 40 us is below 50 and 25 % off; 50 us is not below and 10 % off.
  const ValidationCase below = measured("below", 40);
  const ValidationCase at = measured("at", 50);
  ClassTolerance tolerance;
  tolerance.class_name = "g";
  tolerance.short_below_us = 50;
  tolerance.mape_max = 0.11;
  tolerance.short_mape_max = 0.2;
  const ClassSummary g = judged(tolerance, {simulated(below, 50), simulated(at, 55)});
  EXPECT_EQ(g.errors.cases, 2U);
  EXPECT_NEAR(g.judged.mape, 0.1, 1e-12);
  EXPECT_NEAR(g.short_errors.mape, 0.25, 1e-12);
  EXPECT_EQ(g.outside, std::vector<std::string>{"MAPE below 50 us 25.0 % above 20 %"});
}

TEST(Profiles, AreJudgedByTotalEnginesAndOpcodes) {
  const ValidationCase one = measured("p", 40);
  CaseResult result = simulated(one, 42);  // 5 %
  ProfileFit& fit = result.profile.emplace();
  fit.engines = {{"Tensor", 10, 10.5}, {"Vector", 4, 3.6}, {"GpSimd", 0, 1}};
  fit.opcodes = {{"Scalar", "COPY", 3, 0.02}, {"Vector", "COPY", 9, 0.15}};
  EXPECT_EQ(fit.worst_engine()->engine, "Vector");  // 10 %; an engine that was never busy has no error
  EXPECT_EQ(fit.worst_opcode()->median_error, 0.15);
  ClassTolerance tolerance;
  tolerance.class_name = "g";
  tolerance.case_max = 0.04;
  tolerance.engine_busy_max = 0.08;
  tolerance.opcode_median_max = 0.1;
  const std::vector<std::string> expected{"p: total off by 5.0 %, above 4 %",
                                          "p: busy time of Vector off by 10.0 %, above 8 %",
                                          "p: median Vector COPY off by 15.0 %, above 10 %"};
  EXPECT_EQ(judged(tolerance, {result}).outside, expected);
}

TEST(Profiles, WithoutRowsHaveNoWorstOne) {
  EXPECT_EQ(ProfileFit{}.worst_engine(), nullptr);
  EXPECT_EQ(ProfileFit{}.worst_opcode(), nullptr);
}

TEST(FamilyBaselines, AreOfTheFamilyAlone) {
  const ValidationCase one = measured("one", 100);
  ClassTolerance tolerance;
  tolerance.class_name = "g";
  tolerance.family_baselines = {{"other", 0.2}, {"f", 0.05}};
  const ClassSummary g = judged(tolerance, {simulated(one, 110)});
  EXPECT_EQ(g.families.at(0).baseline_mape, 0.05);
  EXPECT_EQ(baseline_text(g.families.at(0).errors, g.families.at(0).baseline_mape),
            "does not beat 5.0 %");
}

}  // namespace
}  // namespace trnsim::study
