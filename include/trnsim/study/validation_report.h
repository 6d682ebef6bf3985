// What the results of validation cases say, and its views.
#pragma once

#include <iosfwd>
#include <optional>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "trnsim/study/sensitivity.h"
#include "trnsim/study/statistics.h"
#include "trnsim/study/validation_file.h"
#include "trnsim/study/validation_run.h"

namespace trnsim::study {

inline constexpr const char* kValidateSchema = "trnsim.validate/1";

struct FamilySummary {
  std::string name;
  ErrorStatistics errors;
  std::optional<double> rank_correlation;  // of simulated with measured times; from three cases on
  std::optional<double> baseline_mape;     // of a regression with no simulation
};

struct ClassSummary {
  std::string name;
  ErrorStatistics errors;        // of what counts
  ErrorStatistics judged;        // of those at or above tolerance.short_below_us
  ErrorStatistics short_errors;  // of those below
  ErrorStatistics active_errors; // of active times, where measured
  std::vector<FamilySummary> families;
  std::size_t skipped = 0;
  std::size_t failed = 0;
  std::size_t bounds = 0;        // upper bounds only (grade C): run, not counted
  std::size_t bounds_broken = 0; // simulated above the bound
  std::size_t hbm_cases = 0;
  std::size_t hbm_within_20 = 0;
  ClassTolerance tolerance;
  std::vector<std::string> outside;  // one text per tolerance that is not kept, and per failed run
};

// Classes, families and cases in the order of first appearance.
struct Validation {
  std::vector<ValidationFile> files;
  std::vector<CaseResult> results;  // of cases in `files`
  std::vector<ClassSummary> classes;
  std::vector<std::string> overrides;  // --system and --set as given
  std::optional<Sensitivity> sensitivity;  // in every output, if there is one

  [[nodiscard]] bool within() const;
  [[nodiscard]] std::size_t count(Outcome outcome) const;
  // Counted results by error, largest first, at most `most`.
  [[nodiscard]] std::vector<const CaseResult*> worst(std::size_t most) const;
};

// Whether the error is below that of a regression with no simulation; nothing without one or without cases.
[[nodiscard]] std::optional<bool> beats(const ErrorStatistics& errors,
                                        const std::optional<double>& baseline_mape);
// "beats 5.5 %", "does not beat 5.5 %", or "" without a baseline or cases.
[[nodiscard]] std::string baseline_text(const ErrorStatistics& errors,
                                        const std::optional<double>& baseline_mape);

// Fills `classes`. tolerances: after those of the files, the last one for a class wins as a whole.
void assess(Validation& validation, const std::vector<ClassTolerance>& tolerances);

// At most 80 columns.
[[nodiscard]] std::string validation_text(const Validation& validation);
[[nodiscard]] nlohmann::ordered_json validation_json(const Validation& validation);
// Header and one line per case.
void validation_csv(const Validation& validation, std::ostream& out);
// One page that needs nothing else.
[[nodiscard]] std::string validation_html(const Validation& validation);
// docs/accuracy.md. notes: a text to start with.
[[nodiscard]] std::string validation_markdown(const Validation& validation,
                                              const std::string& notes);

}  // namespace trnsim::study
