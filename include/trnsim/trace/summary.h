// What a trace holds, in numbers: for `trnsim trace info` and reports.
#pragma once

#include <array>
#include <cstdint>

#include "trnsim/trace/ir.h"

namespace trnsim::trace {

inline constexpr int kRegionCount = 3;

struct RegionSummary {
  std::uint64_t tensors = 0;
  std::uint64_t bytes = 0;        // of all tensors; on chip: over all partitions, before allocation
  std::uint64_t input_bytes = 0;  // of tensors with Role::kInput
  std::uint64_t output_bytes = 0;   // of tensors with Role::kOutput
  std::uint64_t read_bytes = 0;     // by all instructions' inputs
  std::uint64_t written_bytes = 0;  // by all instructions' outputs
};

struct TraceSummary {
  std::array<RegionSummary, kRegionCount> regions{};  // by Region
  std::array<std::uint64_t, kOpcodeCount> by_opcode{};
  std::array<std::uint64_t, kEngineCount + 1> by_engine{};  // requested engine; no control records
  std::uint64_t control_records = 0;
  double matmul_flops = 0;  // multiply and add are two; transposes are none
};

// Floating-point operations of one instruction: 2 K M N of a matmul, 0 for everything else and for
// matmuls used as transposes.
[[nodiscard]] double matmul_flops(const Trace& trace, const Instruction& instruction);

// `trace` must be valid. O(tables + instructions + operands).
[[nodiscard]] TraceSummary summarize(const Trace& trace);

}  // namespace trnsim::trace
