// Fits declared keys to validation cases, and says how well the fit does on families it has not seen.
#pragma once

#include <cstddef>
#include <functional>
#include <iosfwd>
#include <string>
#include <vector>

#include "trnsim/study/validation_file.h"
#include "trnsim/study/validation_run.h"

namespace trnsim::study {

// Where f is least between `from` and `to`, to a share of the range. f has one minimum there.
[[nodiscard]] double golden_section(const std::function<double(double)>& f, double from, double to,
                                    double share);

// A family that was left out of a fit.
struct HeldOut {
  std::string family;  // "class / family"
  std::vector<double> values;  // fitted on all the others, in the order of the keys
  double error_before = 0;     // its mean error
  double error_after = 0;
};

struct Calibration {
  std::vector<CalibrationKey> keys;
  std::vector<double> before;  // values, in the order of the keys
  std::vector<double> after;   // fitted on all families
  double error_before = 0;     // mean error of all counted cases
  double error_after = 0;
  std::vector<HeldOut> held_out;
  std::vector<std::string> cases;  // ids of what it was fitted on

  // Whether the families left out came out better on the whole: a fit that only learns rows does not.
  [[nodiscard]] bool holds() const;
};

// Runs all cases with the keys at these values.
using Evaluate = std::function<std::vector<CaseResult>(const std::vector<double>& values)>;

// before: the values the system has. Throws Error: no keys, fewer than two families, a failed run.
[[nodiscard]] Calibration calibrate(const std::vector<CalibrationKey>& keys,
                                    const std::vector<double>& before, const Evaluate& evaluate);

// KEY=VALUE of every key and of those that move with it, as --set takes them.
[[nodiscard]] std::vector<std::string> assignments(const std::vector<CalibrationKey>& keys,
                                                   const std::vector<double>& values);

// The values of `keys` in a system. Throws Error: a key, or one that moves with it, that does not exist, or
// a key that is no number.
[[nodiscard]] std::vector<double> key_values(const std::vector<CalibrationKey>& keys,
                                             const std::string& system,
                                             const std::vector<std::string>& set);

[[nodiscard]] std::string calibration_text(const Calibration& calibration);
// A system file on top of `system`; its head says what it was fitted on.
void write_calibration(const Calibration& calibration, const std::string& system,
                       std::ostream& out);

}  // namespace trnsim::study
