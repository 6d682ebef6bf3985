// Runs validation cases, each simulation in a child process of its own.
#pragma once

#include <csignal>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "trnsim/study/validation_file.h"

namespace trnsim::study {

enum class Outcome : std::uint8_t { kDone, kSkipped, kFailed };

struct EngineBusy {
  std::string engine;
  double measured_us = 0;
  double simulated_us = 0;

  // |simulated / measured - 1|; of an engine that was never busy, 0.
  [[nodiscard]] double error() const;
};

struct OpcodeError {
  std::string engine;
  std::string opcode;
  std::uint64_t rows = 0;
  double median_error = 0;  // of the durations of its rows
};

// What a replayed profile says besides its total.
struct ProfileFit {
  double measured_span_us = 0;  // kernel span
  double simulated_span_us = 0;
  std::vector<EngineBusy> engines;
  std::vector<OpcodeError> opcodes;

  // Nothing where the list is empty.
  [[nodiscard]] const EngineBusy* worst_engine() const;
  [[nodiscard]] const OpcodeError* worst_opcode() const;
};

struct CaseResult {
  const ValidationCase* one = nullptr;
  Outcome outcome = Outcome::kSkipped;
  std::string reason;        // of what is not done
  double kernel_us = 0;      // kernel span
  double simulated_us = 0;   // on the clock of the measurement
  double look_ahead_us = 0;  // the same with a look-ahead; 0 = the kernel fixes its order
  double active_us = 0;
  double hbm_bytes = 0;      // read and written; 0 for a profile
  std::string bound;
  std::optional<ProfileFit> profile;  // of a profile case

  // Simulated / measured.
  [[nodiscard]] double ratio() const { return simulated_us / one->measured.time_us; }
  // Whether it counts in statistics: an upper bound (grade C) does not.
  [[nodiscard]] bool counted() const { return outcome == Outcome::kDone && one->grade != "C"; }
};

struct RunSettings {
  std::string program;      // trnsim
  std::string nki_program;  // trnsim-nki
  std::map<std::string, std::string> checkouts;  // name -> folder
  std::string system;       // "" = of each case
  std::vector<std::string> set;  // after those of each case
  unsigned jobs = 1;
  std::string trace_folder;  // traces are kept there and used again; "" = a temporary one
  const volatile std::sig_atomic_t* stop = nullptr;  // non-zero: start no more cases
  std::function<void(std::size_t done, std::size_t total, const CaseResult& last)> progress;
};

// tools/trnsim-nki beside the configuration folder, else trnsim-nki of PATH.
[[nodiscard]] std::string nki_program();

// Owns the folder of traces, so that running cases again under other settings traces nothing twice.
class CaseRunner {
 public:
  // Throws Error: no temporary folder.
  explicit CaseRunner(RunSettings settings);
  ~CaseRunner();
  CaseRunner(const CaseRunner&) = delete;
  CaseRunner& operator=(const CaseRunner&) = delete;

  // In the order of `cases`, which must outlive the results. extra_set comes last. Throws Error: a
  // system or an override that does not exist.
  [[nodiscard]] std::vector<CaseResult> run(const std::vector<const ValidationCase*>& cases,
                                            const std::vector<std::string>& extra_set = {});
  [[nodiscard]] const RunSettings& settings() const { return settings_; }

 private:
  RunSettings settings_;
  std::string folder_;
  bool temporary_ = false;
};

}  // namespace trnsim::study
