// Cost of one instruction on the vector, scalar, gpsimd or sync engine (hardware.md 6-9, 13, 14).
// Pure functions of spec and shape; cycles are of the engine's own clock.
#pragma once

#include <cstdint>

#include "trnsim/spec/core_spec.h"
#include "trnsim/timing/shape.h"

namespace trnsim::timing {

struct EngineCost {
  std::uint64_t interval_cycles = 0;  // start to earliest start of the next: max(MIN_II, work + gap)
  std::uint64_t latency_cycles = 0;   // start to result visible to a dependent: work + fixed latency
  std::uint64_t work_cycles = 0;      // the published formula without its floor
  bool perf_mode = false;             // vector 2x or 4x: shares a bus with GpSimd
};

// Published work of the instruction on the vector engine, before the floor. Throws InternalError for an
// instruction the vector engine never runs.
[[nodiscard]] EngineCost vector_cost(const spec::CoreSpec& core, const InstructionShape& shape);
[[nodiscard]] EngineCost scalar_cost(const spec::CoreSpec& core, const InstructionShape& shape);
[[nodiscard]] EngineCost gpsimd_cost(const spec::CoreSpec& core, const InstructionShape& shape);
// Sequencer-only instructions (registers, barriers); cycles of the base clock.
[[nodiscard]] EngineCost sequencer_cost(const spec::CoreSpec& core, const InstructionShape& shape);

// Dispatches on the engine; the tensor engine has timing/matmul_cost.h.
[[nodiscard]] EngineCost engine_cost(const spec::CoreSpec& core, trace::Engine engine,
                                     const InstructionShape& shape);

// Which activation table a function needs; 0 = none (copy, identity and other arithmetic that every
// table set contains). Two different non-zero values mean a table load between them (14.5, D9). Which
// functions share a set is not public: each is taken to have its own.
[[nodiscard]] std::uint8_t activation_table(trace::ActFunc func);

}  // namespace trnsim::timing
