// validate(): tables first, then every instruction against them, in one pass each.
#include <algorithm>
#include <array>
#include <cmath>
#include <vector>

#include "attribute_fields.h"
#include "instruction_check.h"

namespace trnsim::trace {
namespace {

constexpr std::uint32_t kMaxPartitions = 128;

void check_string_id(const Trace& trace, std::uint32_t id, const std::string& where) {
  if (id != kNone && id >= trace.strings.size()) {
    throw Error(
        fmt::format("{}: string id {} is not one of {} strings", where, id, trace.strings.size()));
  }
}

void check_header(const Trace& trace) {
  constexpr std::array<std::string_view, 4> kTargets{"", "trn1", "trn2", "trn3"};
  if (std::find(kTargets.begin(), kTargets.end(), trace.target) == kTargets.end()) {
    throw Error(fmt::format("target '{}' is none of trn1, trn2, trn3", trace.target));
  }
  if (trace.lnc < 1 || trace.lnc > 8) {
    throw Error(fmt::format("lnc is {}, must be 1 to 8", trace.lnc));
  }
  if (!std::isfinite(trace.model_flops) || trace.model_flops < 0) {
    throw Error(fmt::format("model_flops is {}, must be 0 or more", trace.model_flops));
  }
  if (trace.operands.size() >= kNone || trace.instructions.size() >= kNone) {
    throw Error("has more operands or instructions than 32-bit ids can name");
  }
}

PatternFacts facts_of(const Pattern& pattern, std::size_t id) {
  PatternFacts facts;
  if (pattern.num_dims > kMaxDims) {
    throw Error(fmt::format("pattern {}: has {} dims, at most {} are possible", id,
                            pattern.num_dims, kMaxDims));
  }
  for (const Dim& dim : pattern.span()) {
    std::int64_t reach = 0;
    std::int64_t& side = dim.stride < 0 ? facts.lowest : facts.highest;
    if (dim.count == 0) {
      throw Error(fmt::format("pattern {}: has a dim of 0 elements", id));
    }
    if (__builtin_mul_overflow(facts.elements, std::uint64_t{dim.count}, &facts.elements) ||
        facts.elements > static_cast<std::uint64_t>(INT64_MAX) / kMaxPartitions ||
        __builtin_mul_overflow(dim.stride, std::int64_t{dim.count} - 1, &reach) ||
        __builtin_add_overflow(side, reach, &side)) {
      throw Error(fmt::format("pattern {}: reaches further than 64 bits can say", id));
    }
  }
  for (std::size_t d = pattern.num_dims; d < pattern.dims.size(); ++d) {
    if (pattern.dims[d] != Dim{}) {
      throw Error(
          fmt::format("pattern {}: dim {} is set beyond its {} dims", id, d, pattern.num_dims));
    }
  }
  return facts;
}

void check_attributes(const Trace& trace, const Attributes& attributes, std::size_t id) {
  for (const AttributeField& field : attribute_fields()) {
    const auto* member = std::get_if<double Attributes::*>(&field.member);
    if (member != nullptr && std::isnan(attributes.*(*member))) {
      throw Error(fmt::format("attribute set {}: {} is not a number", id, field.name));
    }
  }
  check_string_id(trace, static_cast<std::uint32_t>(attributes.replica_groups),
                  fmt::format("attribute set {}: replica_groups", id));
  if (attributes.affine_pattern != kNone && attributes.affine_pattern >= trace.patterns.size()) {
    throw Error(fmt::format("attribute set {}: pattern id {} is not one of {} patterns", id,
                            attributes.affine_pattern, trace.patterns.size()));
  }
}

void check_tensor(const Trace& trace, const Tensor& tensor, std::size_t id) {
  check_string_id(trace, tensor.name, fmt::format("tensor {}", id));
  check_string_id(trace, tensor.site, fmt::format("tensor {}", id));
  const std::string where = fmt::format("tensor {} ('{}')", id, trace.string(tensor.name));
  const bool on_chip = tensor.region != Region::kHbm;
  if (!on_chip && (tensor.partitions != 1 || tensor.pinned_partition != 0)) {
    throw Error(fmt::format("{}: is in hbm but has {} partitions from {}, must have 1 from 0",
                            where, tensor.partitions, tensor.pinned_partition));
  }
  if (tensor.partitions == 0 || tensor.partitions > kMaxPartitions ||
      tensor.pinned_partition > kMaxPartitions - tensor.partitions) {
    throw Error(fmt::format("{}: {} partitions from {} are not within the {} there are", where,
                            tensor.partitions, tensor.pinned_partition, kMaxPartitions));
  }
  if (tensor.free_elements == 0 ||
      tensor.free_elements > static_cast<std::uint64_t>(INT64_MAX) / size_bytes(tensor.dtype)) {
    throw Error(fmt::format("{}: cannot have {} elements", where, tensor.free_elements));
  }
  if (tensor.pinned_bytes < -1) {
    throw Error(fmt::format("{}: is pinned at byte {}", where, tensor.pinned_bytes));
  }
  if (tensor.role > static_cast<std::uint8_t>(Role::kConstant)) {
    throw Error(fmt::format("{}: role {} is unknown", where, tensor.role));
  }
}

std::vector<PatternFacts> check_tables(const Trace& trace) {
  std::vector<PatternFacts> facts;
  facts.reserve(trace.patterns.size());
  for (std::size_t id = 0; id < trace.patterns.size(); ++id) {
    facts.push_back(facts_of(trace.patterns[id], id));
  }
  for (std::size_t id = 0; id < trace.attributes.size(); ++id) {
    check_attributes(trace, trace.attributes[id], id);
  }
  for (std::size_t id = 0; id < trace.sources.size(); ++id) {
    check_string_id(trace, trace.sources[id].file, fmt::format("source line {}", id));
  }
  for (std::size_t id = 0; id < trace.tensors.size(); ++id) {
    check_tensor(trace, trace.tensors[id], id);
  }
  return facts;
}

void check_walk(const InstructionCheck& check, const Operand& operand) {
  const Tensor& tensor = check.trace.tensor(operand);
  const PatternFacts& facts = check.facts[operand.pattern];
  const std::int64_t bytes = size_bytes(check.trace.pattern(operand).dtype);
  const auto capacity = static_cast<std::int64_t>(tensor.free_elements * size_bytes(tensor.dtype));
  std::int64_t first = 0;
  std::int64_t end = 0;
  const bool overflow = __builtin_add_overflow(operand.offset, facts.lowest, &first) ||
                        __builtin_mul_overflow(first, bytes, &first) ||
                        __builtin_add_overflow(operand.offset, facts.highest, &end) ||
                        __builtin_add_overflow(end, 1, &end) ||
                        __builtin_mul_overflow(end, bytes, &end);
  if (overflow || first < 0 || end > capacity) {
    check.fail(fmt::format("{} covers bytes [{}, {}) of a tensor of {} bytes{}",
                           check.describe(operand), overflow ? "?" : std::to_string(first),
                           overflow ? "?" : std::to_string(end), capacity,
                           tensor.region == Region::kHbm ? "" : " per partition"));
  }
}

void check_operand(const InstructionCheck& check, const Operand& operand, std::size_t position) {
  const Trace& trace = check.trace;
  if (operand.tensor >= trace.tensors.size()) {
    check.fail(fmt::format("operand {}: tensor id {} is not one of {} tensors", position,
                           operand.tensor, trace.tensors.size()));
  }
  if (operand.pattern >= trace.patterns.size()) {
    check.fail(fmt::format("operand {}: pattern id {} is not one of {} patterns", position,
                           operand.pattern, trace.patterns.size()));
  }
  const std::uint32_t partitions = trace.tensor(operand).partitions;
  if (operand.partition_count == 0 || operand.partition_count > partitions ||
      operand.partition_start > partitions - operand.partition_count) {
    check.fail(fmt::format("{} covers {} partitions from {} of a tensor of {}",
                           check.describe(operand), operand.partition_count,
                           operand.partition_start, partitions));
  }
  check_walk(check, operand);
}

void check_loop_markers(const InstructionCheck& check, std::size_t& depth) {
  const Opcode opcode = check.instruction.opcode;
  if (opcode == Opcode::kLoopBegin) {
    ++depth;
  } else if (opcode == Opcode::kLoopIteration || opcode == Opcode::kLoopEnd) {
    if (depth == 0) {
      check.fail("is not inside a loop");
    }
    depth -= opcode == Opcode::kLoopEnd ? 1 : 0;
  }
}

[[noreturn]] void fail(const Trace& trace, std::size_t index, const std::string& what) {
  throw InvalidInstruction(index, fmt::format("instruction {} ({}): {}", index,
                                              name(trace.instructions[index].opcode), what));
}

void check_instruction(const Trace& trace, const std::vector<PatternFacts>& facts,
                       std::size_t index, std::size_t expected_operand, std::size_t& loop_depth) {
  const Instruction& instruction = trace.instructions[index];
  const std::size_t count = std::size_t{instruction.outputs} + instruction.inputs;
  if (instruction.first_operand != expected_operand) {
    fail(trace, index,
         fmt::format("its operands start at {}, those before end at {}", instruction.first_operand,
                     expected_operand));
  }
  if (count > trace.operands.size() - expected_operand) {
    fail(trace, index,
         fmt::format("has {} operands, the trace has {} left", count,
                     trace.operands.size() - expected_operand));
  }
  if (instruction.attributes >= trace.attributes.size()) {
    fail(trace, index,
         fmt::format("attribute set id {} is not one of {} sets", instruction.attributes,
                     trace.attributes.size()));
  }
  if (instruction.source != kNone && instruction.source >= trace.sources.size()) {
    fail(trace, index,
         fmt::format("source id {} is not one of {} source lines", instruction.source,
                     trace.sources.size()));
  }
  const InstructionCheck check{trace, facts, index, instruction, trace.attribute(instruction)};
  check_operand_count(check);
  for (std::size_t i = 0; i < count; ++i) {
    check_operand(check, trace.operands[expected_operand + i], i);
  }
  check_memories(check);
  check_shapes(check);
  check_loop_markers(check, loop_depth);
}

}  // namespace

std::string InstructionCheck::describe(const Operand& operand) const {
  const auto position =
      static_cast<std::size_t>(&operand - &trace.operands[instruction.first_operand]);
  const bool is_output = position < instruction.outputs;
  return fmt::format("{} {} ('{}')", is_output ? "output" : "input",
                     is_output ? position : position - instruction.outputs,
                     trace.string(trace.tensor(operand).name));
}

void InstructionCheck::fail(const std::string& what) const {
  trace::fail(trace, index, what);
}

namespace {

void check_edges(const Trace& trace) {
  for (std::size_t i = 0; i < trace.edges.size(); ++i) {
    const Edge& edge = trace.edges[i];
    if (edge.instruction >= trace.instructions.size()) {
      throw Error(fmt::format("edge {}: instruction {} is not one of {} instructions", i,
                              edge.instruction, trace.instructions.size()));
    }
    if (edge.after >= edge.instruction) {
      fail(trace, edge.instruction,
           fmt::format("waits for instruction {}, which is not before it", edge.after));
    }
    for (const std::uint32_t end : {edge.instruction, edge.after}) {
      if (is_control(trace.instructions[end].opcode)) {
        fail(trace, end, "is a control record, nothing waits for it and it waits for nothing");
      }
    }
    if (i > 0 && edge <= trace.edges[i - 1]) {
      throw Error(fmt::format("edge {} is out of order", i));
    }
  }
}

}  // namespace

void validate(const Trace& trace) {
  check_header(trace);
  const std::vector<PatternFacts> facts = check_tables(trace);
  std::size_t next_operand = 0;
  std::size_t loop_depth = 0;
  for (std::size_t index = 0; index < trace.instructions.size(); ++index) {
    check_instruction(trace, facts, index, next_operand, loop_depth);
    next_operand +=
        std::size_t{trace.instructions[index].outputs} + trace.instructions[index].inputs;
  }
  if (next_operand != trace.operands.size()) {
    throw Error(fmt::format("has {} operands, its instructions use {}", trace.operands.size(),
                            next_operand));
  }
  if (loop_depth != 0) {
    throw Error(fmt::format("ends inside {} loop{}", loop_depth, loop_depth == 1 ? "" : "s"));
  }
  check_edges(trace);
}

}  // namespace trnsim::trace
