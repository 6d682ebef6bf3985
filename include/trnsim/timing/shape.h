// What a cost function needs to know of an instruction: opcode, attributes and the shape of each
// operand. Addresses do not matter here (bank conflicts are the memories' business).
#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "trnsim/spec/core_spec.h"
#include "trnsim/trace/ir.h"

namespace trnsim::timing {

struct OperandShape {
  trace::Region region = trace::Region::kSbuf;
  DType dtype = DType::kFloat32;
  std::uint32_t partitions = 1;
  std::uint64_t elements = 1;            // per partition (on chip) or in all (HBM)
  std::int64_t innermost_stride_bytes = 0;  // 0 = one element or broadcast
  bool innermost_contiguous = true;
};

struct InstructionShape {
  trace::Opcode opcode = trace::Opcode::kFence;
  const trace::Attributes* attributes = nullptr;
  std::array<OperandShape, 2> outputs{};
  std::array<OperandShape, 6> inputs{};
  std::uint32_t num_outputs = 0;
  std::uint32_t num_inputs = 0;

  [[nodiscard]] const OperandShape& dst() const { return outputs[0]; }
  [[nodiscard]] const OperandShape& src() const { return num_inputs > 0 ? inputs[0] : outputs[0]; }
};

// The trace must outlive the result (it points at the attributes). More than six inputs
// (dma_compute) are cut to six.
[[nodiscard]] InstructionShape shape_of(const trace::Trace& trace,
                                        const trace::Instruction& instruction);

// Engines that may run this instruction on this generation, preferred first (hardware.md 13.1, 13.2).
// Empty: the generation does not have it, or its operands lie where no engine reaches them.
[[nodiscard]] std::vector<trace::Engine> legal_engines(spec::Generation generation,
                                                       const InstructionShape& shape);

}  // namespace trnsim::timing
