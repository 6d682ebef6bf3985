// What headline results do when an assumed value moves over its range (data/validation/sensitivity.yaml).
#pragma once

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <nlohmann/json.hpp>

#include "trnsim/study/validation_run.h"

namespace trnsim::study {

// An end of a range: a value, or a change of the default in percent.
struct RangeEnd {
  double value = 0;
  bool percent = false;
};

// A row of an assumption register (hardware.md 22).
struct Assumption {
  std::string row;
  std::vector<std::string> keys;  // moved together; empty: no headline has a system with the row's key
  RangeEnd low;
  RangeEnd high;
  std::string reason;  // of the range, or why there is no key
  std::vector<std::string> only;  // ids of the headlines it is of; empty: all whose systems have the keys
  Location where;
};

struct SensitivityFile {
  std::string path;
  std::string notes;
  std::vector<ValidationCase> headlines;  // what they measured, if anything, is not used
  std::vector<Assumption> assumptions;
};

// Throws Error with all findings and their file:line:column: as of validation files, a `case` that
// `files` do not have, a key that no system of a headline has.
[[nodiscard]] SensitivityFile read_sensitivity_file(const std::string& path,
                                                    const std::vector<ValidationFile>& files);

// data/validation/sensitivity.yaml beside the configuration folder.
[[nodiscard]] std::string shipped_sensitivity_file();

// The text that --set takes for an end of the range of a key whose value is `now`: a percentage of a whole
// number is rounded.
[[nodiscard]] std::string moved_value(const RangeEnd& end, const std::string& now);

struct HeadlineEffect {
  // Relative change of the kernel time; nothing: the headline did not run, its system lacks the keys, or
  // the run with the value failed.
  std::optional<double> low;
  std::optional<double> high;
};

struct AssumptionEffect {
  std::vector<std::string> defaults;  // of each key; "150 or 100" where the headlines' systems differ
  std::vector<HeadlineEffect> headlines;  // in the order of the file
  std::string failed;                 // why a run with a moved value failed, "" if none did

  // Whether a headline's time depends on it at all.
  [[nodiscard]] bool exercised() const;
};

struct Sensitivity {
  SensitivityFile file;
  std::vector<CaseResult> headlines;       // at the defaults, of file.headlines
  std::vector<AssumptionEffect> effects;   // of file.assumptions
};

// Runs every headline at the defaults and with each assumption at both ends. Stops early, with what it has,
// when the runner is told to stop.
[[nodiscard]] Sensitivity measure_sensitivity(SensitivityFile file, CaseRunner& runner);

// "-3.1 / +2.9", "0" where nothing changes, "" where nothing is known.
[[nodiscard]] std::string effect_text(const HeadlineEffect& effect);
// "-25 %", "0.85"
[[nodiscard]] std::string end_text(const RangeEnd& end);

[[nodiscard]] std::string sensitivity_text(const Sensitivity& sensitivity);  // at most 80 columns
[[nodiscard]] std::string sensitivity_markdown(const Sensitivity& sensitivity);
[[nodiscard]] std::string sensitivity_html(const Sensitivity& sensitivity);
[[nodiscard]] nlohmann::ordered_json sensitivity_json(const Sensitivity& sensitivity);

}  // namespace trnsim::study
