// Validation files: what is read, and where each mistake is.
#include "trnsim/study/validation_file.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

namespace trnsim::study {
namespace {

class ValidationFiles : public ::testing::Test {
 protected:
  ValidationFiles() {
    std::string pattern = (std::filesystem::temp_directory_path() / "trnsim-study-XXXXXX").string();
    if (::mkdtemp(pattern.data()) == nullptr) {
      throw std::runtime_error("mkdtemp failed");
    }
    folder_ = pattern;
  }
  ~ValidationFiles() override {
    std::error_code ignored;
    std::filesystem::remove_all(folder_, ignored);
  }

  std::string write(const std::string& name, const std::string& content) const {
    const std::string path = folder_ + "/" + name;
    std::ofstream(path) << content;
    return path;
  }

  // Findings with the folder cut off, one a line.
  std::string findings(const std::string& content) const {
    try {
      static_cast<void>(read_validation_file(write("v.yaml", content)));
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

constexpr const char* kWhole = R"(version: 1
name: mine
tolerances:
- {class: g, mape_max: 0.1, baseline_mape: 0.055, family_baselines: {f: 0.07}}
defaults:
  class: g
  family: f
  system: trn2-core
  run: {kernel: gemm, params: {dtype: bf16, variant: naive}}
  measured: {clock: counter, statistic: p50}
cases:
- {id: one, run: {params: {m: 128, variant: best}}, measured: {time_us: 12.5}}
- id: two
  grade: B-
  lnc: 2
  set: {cores_per_chip_used: 2, chip.hbm.model: banked}
  run: {nki: "a.py:k", args: {q: "bf16[1,2]", causal: true, none: null, dims: [1, 2], text: "true"}, grid: [2]}
  measured: {time_us: 3, clock: active, hbm_bytes: 1000}
not_rebuilt:
- {ids: x, reason: no source}
calibrate:
- {key: launch.tail_us, with: [launch.preamble_us], from: 1, to: 2}
)";

TEST_F(ValidationFiles, CasesStartFromTheDefaults) {
  const ValidationFile file = read_validation_file(write("v.yaml", kWhole));
  ASSERT_EQ(file.cases.size(), 2U);
  const ValidationCase& one = file.cases[0];
  EXPECT_EQ(one.class_name, "g");
  EXPECT_EQ(one.run.target, "gemm");
  const std::vector<std::pair<std::string, std::string>> params{
      {"dtype", "bf16"}, {"variant", "best"}, {"m", "128"}};
  EXPECT_EQ(one.run.arguments, params);
  EXPECT_EQ(one.measured.clock, Clock::kCounter);
  EXPECT_EQ(one.measured.statistic, "p50");
  EXPECT_EQ(one.measured.time_us, 12.5);
  EXPECT_EQ(one.where.line, 12);
  EXPECT_EQ(file.tolerances.at(0).baseline_mape, 0.055);
  EXPECT_EQ(file.tolerances.at(0).family_baselines.at(0).second, 0.07);
  EXPECT_EQ(file.not_rebuilt.at(0).reason, "no source");
  EXPECT_EQ(file.calibrate.at(0).to, 2);
  EXPECT_EQ(file.calibrate.at(0).with, std::vector<std::string>{"launch.preamble_us"});
}

TEST_F(ValidationFiles, ValuesOfNkiArgumentsAreSpelledAsInPython) {
  const ValidationFile file = read_validation_file(write("v.yaml", kWhole));
  const ValidationCase& two = file.cases[1];
  EXPECT_EQ(two.run.kind, RunKind::kNki);
  EXPECT_EQ(two.run.checkout, "nki-library");
  // The defaults' parameters belong to a kernel, another kind of run.
  const std::vector<std::pair<std::string, std::string>> args{
      {"q", "bf16[1,2]"}, {"causal", "True"}, {"none", "None"}, {"dims", "[1, 2]"}, {"text", "true"}};
  EXPECT_EQ(two.run.arguments, args);
  const std::vector<std::string> set{"cores_per_chip_used=2", "chip.hbm.model=banked"};
  EXPECT_EQ(two.set, set);
  EXPECT_EQ(two.lnc, 2U);
  EXPECT_EQ(two.measured.hbm_bytes, 1000);
}

TEST_F(ValidationFiles, AMistypedKeyNamesPlaceAndNearestName) {
  EXPECT_EQ(findings("version: 1\nname: x\ntolerancs: []\n"),
            "v.yaml:3:1: unknown key 'tolerancs'; did you mean 'tolerances'?");
  EXPECT_EQ(findings("version: 1\ntolerances:\n- {class: g, mape_mx: 0.1}\n"),
            "v.yaml:3:14: unknown key 'mape_mx'; did you mean 'mape_max'?");
}

TEST_F(ValidationFiles, EveryMistakeIsReported) {
  EXPECT_EQ(findings("version: 1\ncases:\n"
                     "- {id: a, class: c, family: f, system: trn2-core, measured: {time_us: -1}}\n"
                     "- {id: b, class: c, family: f, system: trn2-core, grade: D,\n"
                     "   run: {kernel: gem}, measured: {time_us: 1, clock: conter}}\n"
                     "- {id: c, class: c, family: f, system: trn2-core,\n"
                     "   run: {kernel: gemm, params: {varaint: best, m: x}}, measured: {time_us: 1}}\n"),
            "v.yaml:3:3: 'run' is missing\n"
            "v.yaml:3:3: 'measured: {time_us}' is missing\n"
            "v.yaml:3:71: 'time_us' must be a number from 1e-06 to 1000000000\n"
            "v.yaml:4:58: grade 'D' does not exist; one of: A, B, B-, C\n"
            "v.yaml:5:9: unknown kernel 'gem'; did you mean 'gemm'?\n"
            "v.yaml:5:54: clock 'conter' does not exist; did you mean 'counter'?\n"
            "v.yaml:7:42: gemm has no parameter 'varaint'; did you mean 'variant'?\n"
            "v.yaml:7:51: m 'x' is not a whole number from 0 to 4294967295");
}

constexpr const char* kCollective =
    "version: 1\n"
    "defaults: {class: c, family: f, system: trn1.32xlarge, measured: {clock: device},\n"
    "  run: {collective: all_reduce, ranks: 16, rank: core}}\n"
    "cases:\n";

TEST_F(ValidationFiles, ACollectiveIsACaseOfASize) {
  const ValidationFile file = read_validation_file(
      write("v.yaml", std::string(kCollective) +
                          "- {id: a, run: {bytes: 8589934592}, measured: {time_us: 7.1}}\n"
                          "- {id: b, run: {collective: all_gather, ranks: 2, bytes: 64, algorithm: "
                          "ring, network: packet}, measured: {time_us: 2}}\n"));
  const RunRecipe& run = file.cases.at(0).run;
  EXPECT_EQ(run.kind, RunKind::kCollective);
  EXPECT_EQ(run.target, "all_reduce");
  const std::vector<std::pair<std::string, std::string>> arguments{
      {"ranks", "16"}, {"rank", "core"}, {"bytes", "8589934592"}};
  EXPECT_EQ(run.arguments, arguments);
  EXPECT_EQ(file.cases[0].measured.clock, Clock::kDevice);
  const RunRecipe& other = file.cases.at(1).run;
  EXPECT_EQ(other.target, "all_gather");
  const std::vector<std::pair<std::string, std::string>> others{{"ranks", "2"},
                                                                {"rank", "core"},
                                                                {"bytes", "64"},
                                                                {"network", "packet"},
                                                                {"algorithm", "ring"}};
  EXPECT_EQ(other.arguments, others);
}

TEST_F(ValidationFiles, MistakesOfCollectivesHaveTheirPlace) {
  EXPECT_EQ(findings(std::string(kCollective) +
                     "- {id: a, run: {rank: cor, bytes: 1K}, measured: {time_us: 7.1}}\n"
                     "- {id: b, run: {collective: all_reduc, bytes: 8, algorithm: rign}, measured: "
                     "{time_us: 1}}\n"
                     "- {id: c, measured: {time_us: 1, clock: counter}}\n"
                     "- {id: d, run: {bytes: 8, byts: 8}, measured: {time_us: 1}}\n"
                     "- {id: e, run: {kernel: gemm, ranks: 2}, measured: {time_us: 1}}\n"),
            "v.yaml:5:23: rank 'cor' does not exist; did you mean 'core'?\n"
            "v.yaml:5:35: 'bytes' must be a whole number from 1 to 1125899906842624\n"
            "v.yaml:6:29: unknown collective 'all_reduc'; did you mean 'all_reduce'?\n"
            "v.yaml:6:61: unknown collective algorithm 'rign'; did you mean 'ring'?\n"
            "v.yaml:7:3: 'bytes' is missing; run: {collective: all_reduce, bytes: 1048576}\n"
            "v.yaml:7:3: a collective is not measured on clock counter; the time nccom-test prints "
            "has clock: device\n"
            "v.yaml:8:27: unknown key 'byts'; did you mean 'bytes'?\n"
            "v.yaml:9:3: clock device is of collectives and graphs; a kernel has kernel_span\n"
            "v.yaml:9:38: 'ranks' is of a collective");
}

TEST_F(ValidationFiles, AFileOfAnotherVersionIsNotRead) {
  EXPECT_EQ(findings("version: 2\n"), "v.yaml:1:10: 'version' must be a whole number from 1 to 1");
}

TEST_F(ValidationFiles, AnIdExistsOnceInAllFiles) {
  const std::string body =
      "version: 1\ncases:\n- {id: a, class: c, family: f, system: trn2-core, run: {kernel: gemm}, "
      "measured: {time_us: 1}}\n";
  const std::string first = write("a.yaml", body);
  const std::string second = write("b.yaml", body);
  try {
    static_cast<void>(read_validation_files({first, second}));
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(std::string(error.what()),
              second + ":3:3: id 'a' is given twice; first in " + first + ":3");
  }
}

TEST(ShippedValidationFiles, AreReadable) {
  for (const ValidationFile& file : read_validation_files(shipped_validation_files())) {
    EXPECT_FALSE(file.cases.empty()) << file.path;
  }
}

TEST(LaunchTime, OfEachClockFollowsFromTheConstants) {
  // preamble 10, tail 2, counter 5 above, nc_latency 4 below, active 3 below a profile total of 12.
  const spec::LaunchSpec launch{10, 2, 5, 4, 3};
  EXPECT_EQ(launch_us(Clock::kKernelSpan, launch), 0);
  EXPECT_EQ(launch_us(Clock::kDevice, launch), 0);
  EXPECT_EQ(launch_us(Clock::kProfileTotal, launch), 12);
  EXPECT_EQ(launch_us(Clock::kCounter, launch), 17);
  EXPECT_EQ(launch_us(Clock::kNcLatency, launch), 8);
  EXPECT_EQ(launch_us(Clock::kActive, launch), 9);
}

}  // namespace
}  // namespace trnsim::study
