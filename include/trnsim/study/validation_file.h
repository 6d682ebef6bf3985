// Validation files: measured kernels, how to run each again, and how far off a class may be.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "trnsim/base/error.h"
#include "trnsim/spec/system_spec.h"

namespace trnsim::study {

// What the measured time counts; a launch adds a fixed amount to the kernel span on each clock.
// kDevice is of collectives, as nccom-test prints it, and of graphs: no launch is in it.
enum class Clock : std::uint8_t {
  kKernelSpan,
  kProfileTotal,
  kCounter,
  kNcLatency,
  kActive,
  kDevice
};

[[nodiscard]] const std::vector<std::string>& clock_names();  // in the order of the enum
[[nodiscard]] double launch_us(Clock clock, const spec::LaunchSpec& launch);

struct Measured {
  double time_us = 0;
  Clock clock = Clock::kProfileTotal;
  std::string statistic;  // p50, mean of 10, target, ...
  double active_us = 0;   // 0 = not measured
  double hbm_bytes = 0;   // 0 = not measured
};

enum class RunKind : std::uint8_t { kNone, kKernel, kNki, kTrace, kProfile, kCollective, kGraph };

struct RunRecipe {
  RunKind kind = RunKind::kNone;
  std::string target;     // a built-in kernel, FILE.py:KERNEL, a collective, or a file
  std::string checkout;   // the folder `target` lies in, by name; "" = beside the validation file
  std::vector<std::string> python_path;  // NKI: import folders below the checkout
  std::vector<std::pair<std::string, std::string>> arguments;  // params of a kernel or
                                                               // collective, args of NKI
  std::vector<std::uint32_t> grid;       // NKI: launch grid
  std::vector<std::uint32_t> trips;      // NKI: trip counts of loops that depend on data
  std::vector<std::string> options;      // more options of `trnsim run` or `trnsim collective`
};

struct ValidationCase {
  std::string id;
  std::string class_name;
  std::string family;
  std::string grade = "A";  // A measured with a method, B vendor target, B- rounded, C upper bound only
  std::string system;
  std::uint32_t lnc = 0;    // 0 = of the system
  std::vector<std::string> set;
  RunRecipe run;
  Measured measured;
  std::string source;
  std::string note;
  Location where;
};

// What a class has to keep; what is absent is not judged.
struct ClassTolerance {
  std::string class_name;
  double short_below_us = 0;  // cases measured below are judged by short_mape_max alone
  std::optional<double> mape_max;
  std::optional<double> p90_max;
  std::optional<double> short_mape_max;
  std::optional<double> case_max;  // error of every case
  std::optional<double> family_bias_max;
  std::optional<double> engine_busy_max;    // profiles: error of the busy time of every engine
  std::optional<double> opcode_median_max;  // profiles: median error of the durations of an opcode
  std::optional<double> hbm_within_20_min;  // share of cases whose HBM bytes are within 20 %
  std::optional<double> baseline_mape;      // error of a regression with no simulation
  std::vector<std::pair<std::string, double>> family_baselines;  // the same by family
  std::string notes;
};

struct NotRebuilt {
  std::string ids;
  std::string reason;
};

struct CalibrationKey {
  std::string key;
  double from = 0;
  double to = 0;
  Location where;
  std::vector<std::string> with{};  // keys that get the same value
};

struct ValidationFile {
  std::string path;
  std::string name;
  std::string source;
  std::string notes;
  std::vector<ClassTolerance> tolerances;
  std::vector<ValidationCase> cases;
  std::vector<NotRebuilt> not_rebuilt;
  std::vector<CalibrationKey> calibrate;
};

// Throws Error with all findings: unknown or missing keys, wrong values, parameters a built-in kernel
// does not take, each with file:line:column.
[[nodiscard]] ValidationFile read_validation_file(const std::string& path);

// Several, with ids unique over all. Throws Error as above.
[[nodiscard]] std::vector<ValidationFile> read_validation_files(
    const std::vector<std::string>& paths);

// data/validation/*.yaml beside the configuration folder, sorted, without sensitivity.yaml. Throws Error if
// there are none.
[[nodiscard]] std::vector<std::string> shipped_validation_files();

}  // namespace trnsim::study
