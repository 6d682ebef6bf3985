// What every kernel trace must satisfy, counters over a trace, and deterministic inputs.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "trnsim/numerics/dtype_convert.h"
#include "trnsim/numerics/interpreter.h"
#include "trnsim/spec/loader.h"
#include "trnsim/trace/ir.h"

namespace trnsim::kernels::test {

inline const spec::CoreSpec& core_of(const std::string& system) {
  static std::map<std::string, spec::LoadedSystem> loaded;
  const auto found = loaded.find(system);
  return (found != loaded.end() ? found : loaded.emplace(system, spec::load_system(system)).first)
      ->second.spec.chip.core;
}

inline const spec::CoreSpec& trn2() {
  return core_of("trn2-core");
}

// Deterministic numbers in [-1, 1) rounded to `dtype`.
inline numerics::Values numbers(std::uint32_t seed, std::size_t count, DType dtype) {
  std::uint32_t state = seed * 2654435761U + 1;
  numerics::Values values(count);
  for (double& value : values) {
    state = state * 1664525U + 1013904223U;
    value = numerics::round_to(dtype, static_cast<double>(state >> 7) / 16777216.0 - 1.0);
  }
  return values;
}

// Largest relative rounding error of the type.
inline double rounding(DType dtype) {
  switch (dtype) {
    case DType::kBFloat16:
      return 1.0 / 256;
    case DType::kFloat16:
      return 1.0 / 2048;
    default:
      return 1.0 / 16777216;
  }
}

struct Traffic {
  std::map<std::string, std::uint64_t> read_bytes;  // by HBM tensor
  std::map<std::string, std::uint64_t> write_bytes;
};

inline Traffic traffic_of(const trace::Trace& trace) {
  Traffic traffic;
  const auto add = [&](const trace::Operand& operand, std::map<std::string, std::uint64_t>& bytes) {
    const trace::Tensor& tensor = trace.tensor(operand);
    if (tensor.region == trace::Region::kHbm) {
      const trace::Pattern& pattern = trace.pattern(operand);
      bytes[trace.string(tensor.name)] += pattern.elements() * size_bytes(pattern.dtype);
    }
  };
  for (const trace::Instruction& instruction : trace.instructions) {
    if (trace::is_dma(instruction.opcode)) {
      add(trace.inputs(instruction)[0], traffic.read_bytes);
      add(trace.outputs(instruction)[0], traffic.write_bytes);
    }
  }
  return traffic;
}

// Multiply-adds x 2 of all matmuls that are not transposes.
inline double matmul_flops(const trace::Trace& trace) {
  double flops = 0;
  for (const trace::Instruction& instruction : trace.instructions) {
    if (instruction.opcode == trace::Opcode::kNcMatmul) {
      const auto inputs = trace.inputs(instruction);
      const double pair = trace.attribute(instruction).double_row ? 2 : 1;
      flops += 2.0 * inputs[0].partition_count * pair *
               (static_cast<double>(trace.pattern(inputs[0]).elements()) / pair) *
               (static_cast<double>(trace.pattern(inputs[1]).elements()) / pair);
    }
  }
  return flops;
}

inline std::uint64_t count(const trace::Trace& trace, trace::Opcode opcode) {
  return static_cast<std::uint64_t>(
      std::count_if(trace.instructions.begin(), trace.instructions.end(),
                    [opcode](const auto& instruction) { return instruction.opcode == opcode; }));
}

// Most bytes per partition of one on-chip memory that are alive at once, from first to last access;
// PSUM in whole banks.
inline std::uint64_t peak_bytes(const trace::Trace& trace, trace::Region region) {
  constexpr std::uint64_t kBank = 2048;
  struct Life {
    std::size_t first = SIZE_MAX;
    std::size_t last = 0;
  };
  std::vector<Life> lives(trace.tensors.size());
  for (std::size_t i = 0; i < trace.instructions.size(); ++i) {
    const trace::Instruction& instruction = trace.instructions[i];
    for (std::uint32_t o = 0; o < std::uint32_t{instruction.outputs} + instruction.inputs; ++o) {
      Life& life = lives[trace.operands[instruction.first_operand + o].tensor];
      life.first = std::min(life.first, i);
      life.last = i;
    }
  }
  std::vector<std::int64_t> change(trace.instructions.size() + 1);
  for (std::size_t t = 0; t < lives.size(); ++t) {
    const trace::Tensor& tensor = trace.tensors[t];
    if (tensor.region != region || lives[t].first == SIZE_MAX) {
      continue;
    }
    std::uint64_t bytes = tensor.free_elements * size_bytes(tensor.dtype);
    bytes = region == trace::Region::kPsum ? (bytes + kBank - 1) / kBank * kBank : bytes;
    change[lives[t].first] += static_cast<std::int64_t>(bytes);
    change[lives[t].last + 1] -= static_cast<std::int64_t>(bytes);
  }
  std::int64_t now = 0;
  std::int64_t peak = 0;
  for (const std::int64_t bytes : change) {
    now += bytes;
    peak = std::max(peak, now);
  }
  return static_cast<std::uint64_t>(peak);
}

// Valid on its own, fits the memories, and every matmul writes within one PSUM bank.
inline void expect_well_formed(const trace::Trace& trace, const spec::CoreSpec& core) {
  ASSERT_NO_THROW(trace::validate(trace));
  EXPECT_LE(peak_bytes(trace, trace::Region::kSbuf),
            core.sbuf.kib_per_partition * 1024 - core.sbuf.reserved_bytes_per_partition);
  EXPECT_LE(peak_bytes(trace, trace::Region::kPsum),
            core.psum.banks * core.psum.bank_bytes_per_partition);
  for (const trace::Instruction& instruction : trace.instructions) {
    if (instruction.opcode != trace::Opcode::kNcMatmul &&
        instruction.opcode != trace::Opcode::kNcTranspose) {
      continue;
    }
    const trace::Operand& dst = trace.outputs(instruction)[0];
    const trace::Pattern& pattern = trace.pattern(dst);
    const std::int64_t bytes = size_bytes(pattern.dtype);
    std::int64_t last = dst.offset;
    for (const trace::Dim& dim : pattern.span()) {
      last += dim.stride * (static_cast<std::int64_t>(dim.count) - 1);
    }
    // Tiles start on a bank, pinned or not.
    const std::int64_t bank = core.psum.bank_bytes_per_partition;
    ASSERT_EQ(dst.offset * bytes / bank, (last * bytes + bytes - 1) / bank);
  }
}

}  // namespace trnsim::kernels::test
