// Collectives rewritten as transfers of the rank's own part.
#include "trnsim/trace/collectives.h"

#include <algorithm>
#include <vector>

namespace trnsim::trace {
namespace {

bool is_collective(const Instruction& instruction) {
  return instruction.opcode == Opcode::kCollective;
}

std::uint64_t total(const Trace& trace, const Operand& operand) {
  const bool on_chip = trace.tensor(operand).region != Region::kHbm;
  return trace.pattern(operand).elements() * (on_chip ? operand.partition_count : 1);
}

// The part of an access with `elements` elements: its outermost divisible dim cut, else one run.
Operand first_part(Trace& trace, Operand operand, std::uint64_t elements) {
  const std::uint64_t factor = total(trace, operand) / elements;
  if (factor <= 1) {
    return operand;
  }
  Pattern pattern = trace.pattern(operand);
  const auto dims = pattern.dims.begin();
  const auto divisible = std::find_if(dims, dims + pattern.num_dims,
                                      [factor](const Dim& dim) { return dim.count % factor == 0; });
  if (divisible != dims + pattern.num_dims) {
    divisible->count = static_cast<std::uint32_t>(divisible->count / factor);
  } else if (trace.tensor(operand).region != Region::kHbm &&
             operand.partition_count % factor == 0) {
    operand.partition_count = static_cast<std::uint32_t>(operand.partition_count / factor);
    return operand;
  } else {
    const DType dtype = pattern.dtype;
    pattern = {};
    pattern.dtype = dtype;
    pattern.num_dims = 1;
    pattern.dims[0] = {1, static_cast<std::uint32_t>(elements)};
    operand.partition_count = 1;
  }
  operand.pattern = static_cast<std::uint32_t>(trace.patterns.size());
  trace.patterns.push_back(pattern);
  return operand;
}

}  // namespace

bool has_collectives(const Trace& trace) {
  return std::any_of(trace.instructions.begin(), trace.instructions.end(), is_collective);
}

Trace collectives_as_copies(const Trace& trace) {
  Trace result = trace;
  result.instructions.clear();
  result.operands.clear();
  std::vector<std::uint32_t> moved;  // new index of each instruction, the last of its copies
  for (const Instruction& instruction : trace.instructions) {
    const auto outputs = trace.outputs(instruction);
    const auto inputs = trace.inputs(instruction);
    Instruction copy = instruction;
    if (!is_collective(instruction)) {
      copy.first_operand = static_cast<std::uint32_t>(result.operands.size());
      result.operands.insert(result.operands.end(), outputs.begin(), outputs.end());
      result.operands.insert(result.operands.end(), inputs.begin(), inputs.end());
      moved.push_back(static_cast<std::uint32_t>(result.instructions.size()));
      result.instructions.push_back(copy);
      continue;
    }
    copy.opcode = Opcode::kDmaCopy;
    copy.outputs = 1;
    copy.inputs = 1;
    for (std::size_t i = 0; i < outputs.size(); ++i) {
      const std::uint64_t elements = std::min(total(trace, outputs[i]), total(trace, inputs[i]));
      copy.first_operand = static_cast<std::uint32_t>(result.operands.size());
      result.operands.push_back(first_part(result, outputs[i], elements));
      result.operands.push_back(first_part(result, inputs[i], elements));
      result.instructions.push_back(copy);
    }
    moved.push_back(static_cast<std::uint32_t>(result.instructions.size() - 1));
  }
  for (Edge& edge : result.edges) {
    edge = {moved[edge.instruction], moved[edge.after]};
  }
  return result;
}

}  // namespace trnsim::trace
