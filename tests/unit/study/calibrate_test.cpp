// Calibration against a model whose answer is known.
#include "trnsim/study/calibrate.h"

#include <gtest/gtest.h>

#include <cmath>
#include <sstream>

namespace trnsim::study {
namespace {

constexpr double kLaunchUs = 2;

TEST(GoldenSection, FindsTheLeastValueToAShareOfTheRange) {
  const auto f = [](double x) { return (x - 3) * (x - 3); };
  EXPECT_NEAR(golden_section(f, 0, 10, 0.001), 3, 0.01);
  EXPECT_NEAR(golden_section(f, 4, 10, 0.001), 4, 0.01);  // at the border
}

// Families a, b and c with two cases each: work / rate + launch.
class Calibrating : public ::testing::Test {
 protected:
  Calibrating() {
    for (const char* family : {"a", "b", "c"}) {
      for (const double work : {100.0, 400.0}) {
        ValidationCase one;
        one.id = family + std::to_string(static_cast<int>(work));
        one.class_name = "g";
        one.family = family;
        one.measured.time_us = work / kRate + kLaunchUs;
        cases_.push_back(one);
        work_.push_back(work);
      }
    }
  }

  std::vector<CaseResult> run(double rate) {
    ++runs_;
    std::vector<CaseResult> results;
    for (std::size_t i = 0; i < cases_.size(); ++i) {
      CaseResult& result = results.emplace_back();
      result.one = &cases_[i];
      result.outcome = Outcome::kDone;
      result.simulated_us = work_[i] / rate + kLaunchUs;
    }
    return results;
  }

  static constexpr double kRate = 5;  // that the measurements were made with
  std::vector<ValidationCase> cases_;
  std::vector<double> work_;
  std::size_t runs_ = 0;
};

TEST_F(Calibrating, FindsTheRateBehindTheMeasurements) {
  const Calibration c = calibrate({{"rate", 1, 9, {}}}, {4}, [&](const std::vector<double>& values) {
    return run(values.at(0));
  });
  EXPECT_NEAR(c.after.at(0), kRate, 0.08);  // 1 % of the range
  // 100 and 400 at rate 4: 27 of 22 and 102 of 82, so 5 / 22 and 20 / 82 off.
  EXPECT_NEAR(c.error_before, (5.0 / 22 + 20.0 / 82) / 2, 1e-12);
  EXPECT_LT(c.error_after, 0.02);
  ASSERT_EQ(c.held_out.size(), 3U);
  EXPECT_EQ(c.held_out[0].family, "g / a");
  EXPECT_NEAR(c.held_out[0].values.at(0), kRate, 0.08);
  EXPECT_LT(c.held_out[0].error_after, 0.02);
  EXPECT_TRUE(c.holds());
  EXPECT_EQ(c.cases.size(), 6U);
}

TEST_F(Calibrating, NeverRunsTheSameValuesTwice) {
  // Ten steps narrow the range to 1 %; all four fits go the same way.
  static_cast<void>(calibrate({{"rate", 1, 9, {}}}, {4}, [&](const std::vector<double>& values) {
    return run(values.at(0));
  }));
  EXPECT_EQ(runs_, 14U);
}

TEST_F(Calibrating, AFamilyThatDisagreesShowsWhenLeftOut) {
  // c was measured at another rate: what fits a and b is wrong for it, and the reverse.
  cases_[4].measured.time_us = 100 / 2.0 + kLaunchUs;
  cases_[5].measured.time_us = 400 / 2.0 + kLaunchUs;
  const Calibration c = calibrate({{"rate", 1, 9, {}}}, {2}, [&](const std::vector<double>& values) {
    return run(values.at(0));
  });
  EXPECT_NEAR(c.held_out.at(2).error_before, 0, 1e-12);
  EXPECT_NEAR(c.held_out.at(2).values.at(0), kRate, 0.08);
  EXPECT_GT(c.held_out.at(2).error_after, 0.5);
}

TEST_F(Calibrating, NeedsKeysAndTwoFamilies) {
  const auto evaluate = [&](const std::vector<double>&) { return run(1); };
  EXPECT_THROW(static_cast<void>(calibrate({}, {}, evaluate)), Error);
  cases_.resize(2);
  EXPECT_THROW(static_cast<void>(calibrate({{"rate", 1, 9, {}}}, {4}, evaluate)), Error);
}

TEST_F(Calibrating, AFailedRunStopsIt) {
  const auto evaluate = [&](const std::vector<double>&) {
    std::vector<CaseResult> results = run(1);
    results[3].outcome = Outcome::kFailed;
    return results;
  };
  EXPECT_THROW(static_cast<void>(calibrate({{"rate", 1, 9, {}}}, {4}, evaluate)), Error);
}

TEST(Calibration, IsWrittenAsASystemFile) {
  Calibration c;
  for (const char* key : {"chip.core.tensor.clock_ghz", "launch.tail_us"}) {
    CalibrationKey& one = c.keys.emplace_back();
    one.key = key;
  }
  c.keys[1].with = {"launch.preamble_us"};
  c.before = {2.4, 1.7};
  c.after = {2.5, 1.9};
  c.cases = {"A", "B"};
  std::ostringstream out;
  write_calibration(c, "trn2-core", out);
  const std::string text = out.str();
  EXPECT_TRUE(text.starts_with("# trn2-core with keys fitted by trnsim validate --calibrate.\n"));
  EXPECT_NE(text.find("# cases: A B\nbase: trn2-core\n"), std::string::npos);
  EXPECT_NE(text.find("chip:\n  core:\n    tensor:\n      clock_ghz:\n        value: 2.5\n"),
            std::string::npos);
  EXPECT_NE(text.find("launch:\n  tail_us:\n    value: 1.9\n"), std::string::npos);
  EXPECT_NE(text.find("  preamble_us:\n    value: 1.9\n"), std::string::npos);
  const std::vector<std::string> set{"chip.core.tensor.clock_ghz=2.5", "launch.tail_us=1.9",
                                     "launch.preamble_us=1.9"};
  EXPECT_EQ(assignments(c.keys, c.after), set);
}

TEST(KeyValues, AreThoseOfTheSystemAndKnowNearNames) {
  const CalibrationKey clock{"chip.core.tensor.clock_ghz", 1, 3, {"v.yaml", 7, 3}};
  EXPECT_EQ(key_values({clock}, "trn2-core", {}), std::vector<double>{2.4});
  CalibrationKey typo = clock;
  typo.key = "chip.core.tensor.clok_ghz";
  try {
    static_cast<void>(key_values({typo}, "trn2-core", {}));
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(std::string(error.what()),
              "v.yaml:7:3: trn2-core has no key 'chip.core.tensor.clok_ghz'; did you mean "
              "'chip.core.tensor.clock_ghz'?");
  }
}

}  // namespace
}  // namespace trnsim::study
