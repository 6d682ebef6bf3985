// A replayed profile beside the measured one: instruction by instruction, DMA by DMA, engine by engine.
// Time zero is the start of the first row of the kernel on both sides.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "trnsim/sim/run_record.h"
#include "trnsim/spec/core_spec.h"
#include "trnsim/trace/profile.h"

namespace trnsim::analysis {

// start and duration of the same thing on both sides; "error" is simulated - measured.
struct Pairing {
  double measured_start_ns = 0;
  double measured_duration_ns = 0;
  double simulated_start_ns = 0;
  double simulated_duration_ns = 0;

  [[nodiscard]] double start_error_ns() const { return simulated_start_ns - measured_start_ns; }
};

struct RowPairing {
  std::uint32_t row = 0;              // of Profile::rows
  std::uint32_t instruction = 0;      // of the Trace
  Pairing at;
};

struct DmaPairing {
  std::uint32_t row = 0;              // the DMA_DIRECT2D row
  std::uint64_t bytes = 0;
  Pairing at;                         // first byte to last byte
};

struct OpcodeComparison {
  trace::Engine engine = trace::Engine::kUnassigned;
  std::string opcode;
  std::uint32_t rows = 0;
  double measured_median_ns = 0;      // of durations
  double simulated_median_ns = 0;
  double median_error = 0;            // median over rows of |simulated / measured - 1|
};

struct EngineComparison {
  trace::Engine engine = trace::Engine::kUnassigned;
  std::uint32_t rows = 0;
  double measured_busy_ns = 0;        // union of its rows, waits (EVENT_SEMAPHORE, NOP) left out
  double simulated_busy_ns = 0;
  double last_start_error_ns = 0;     // of its last row
  // First row that starts more than the drift limit early or late.
  std::optional<RowPairing> drift;
};

struct ProfileComparison {
  double measured_ns = 0;             // kernel span
  double simulated_ns = 0;
  double measured_total_ns = 0;       // of the capture, with pre-amble and tail; 0 = unknown
  double drift_limit_ns = 0;
  std::vector<RowPairing> rows;       // by engine, then program order
  std::vector<DmaPairing> dmas;
  std::vector<OpcodeComparison> opcodes;
  std::vector<EngineComparison> engines;  // those that have rows
};

// `record`: a run of imported.trace with replayed waits and a timeline of the core that ran it. A row
// drifts when it starts more than `drift_fraction` of the measured span early or late.
[[nodiscard]] ProfileComparison compare(const trace::ImportedProfile& imported,
                                        const sim::RunRecord& record, double drift_fraction = 0.02);

// The override that puts the limiter's grid where the profile shows it ("chip.core....=1234"): where the
// grid lies is a fact of that run, not of the model. Nothing without a record of the limiter.
[[nodiscard]] std::optional<std::string> limiter_grid_override(const trace::Profile& profile,
                                                               const spec::CoreSpec& core);

}  // namespace trnsim::analysis
