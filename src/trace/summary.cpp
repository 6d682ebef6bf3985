// Counting a trace's content.
#include "trnsim/trace/summary.h"

#include <vector>

namespace trnsim::trace {
namespace {

constexpr double kMxPacked = 4;  // values of K in one x4 element

std::size_t at(auto value) {
  return static_cast<std::size_t>(value);
}

}  // namespace

double matmul_flops(const Trace& trace, const Instruction& instruction) {
  const Attributes& attributes = trace.attribute(instruction);
  if (!is_matmul(instruction.opcode) || attributes.is_transpose) {
    return 0;
  }
  const Operand& dst = trace.outputs(instruction)[0];
  const double packed = instruction.opcode == Opcode::kNcMatmulMx ? kMxPacked : 1;
  const double k =
      trace.inputs(instruction)[0].partition_count * packed * (attributes.double_row ? 2 : 1);
  return 2 * k * dst.partition_count * static_cast<double>(trace.pattern(dst).elements());
}

TraceSummary summarize(const Trace& trace) {
  TraceSummary summary;
  for (const Tensor& tensor : trace.tensors) {
    RegionSummary& region = summary.regions[at(tensor.region)];
    const std::uint64_t bytes = tensor.partitions * tensor.free_elements * size_bytes(tensor.dtype);
    ++region.tensors;
    region.bytes += bytes;
    region.input_bytes += tensor.role == at(Role::kInput) ? bytes : 0;
    region.output_bytes += tensor.role == at(Role::kOutput) ? bytes : 0;
  }
  std::vector<std::uint64_t> pattern_bytes;
  for (const Pattern& pattern : trace.patterns) {
    pattern_bytes.push_back(pattern.elements() * size_bytes(pattern.dtype));
  }
  const auto bytes = [&](const Operand& operand) {
    return operand.partition_count * pattern_bytes[operand.pattern];
  };
  for (const Instruction& instruction : trace.instructions) {
    ++summary.by_opcode[at(instruction.opcode)];
    if (is_control(instruction.opcode)) {
      ++summary.control_records;
      continue;
    }
    ++summary.by_engine[at(instruction.engine)];
    summary.matmul_flops += matmul_flops(trace, instruction);
    for (const Operand& operand : trace.outputs(instruction)) {
      summary.regions[at(trace.tensor(operand).region)].written_bytes += bytes(operand);
    }
    for (const Operand& operand : trace.inputs(instruction)) {
      summary.regions[at(trace.tensor(operand).region)].read_bytes += bytes(operand);
    }
  }
  return summary;
}

}  // namespace trnsim::trace
