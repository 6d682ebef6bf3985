// Profiler opcodes to trace instructions.
#include "profile_instruction.h"

#include <algorithm>
#include <cctype>

#include "trnsim/base/error.h"

namespace trnsim::trace {
namespace {

std::string lower_case(std::string text) {
  std::transform(text.begin(), text.end(), text.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return text;
}

// Adds what the row waits for and raises.
OperandText read_row(const ProfileRow& row, PendingInstruction& instruction) {
  OperandText text = parse_operands(row.operands);
  instruction.waits.insert(instruction.waits.end(), text.waits.begin(), text.waits.end());
  for (const std::uint32_t number : text.raises) {
    instruction.raises.emplace_back(number, 1);
  }
  return text;
}

std::uint32_t channels_of(const OperandText& text) {
  return static_cast<std::uint32_t>(parse_unsigned(text.at("channels")));
}

ProfileAccess access_of(const OperandText& text, const std::string& key, bool keep_innermost = false) {
  return on_chip_access(parse_address_pattern(text.at(key)), channels_of(text),
                        DType::kFloat32, keep_innermost);
}

// A per-partition scalar.
ProfileAccess pointer_of(const std::string& text, std::uint32_t partitions) {
  return on_chip_access(parse_address_pattern(text), partitions, DType::kFloat32);
}

// "128*128": rows of the PE array in use, columns.
std::pair<std::uint32_t, std::uint32_t> array_size(const OperandText& text) {
  for (const std::string& word : text.words) {
    const std::size_t star = word.find('*');
    if (star != std::string::npos) {
      return {static_cast<std::uint32_t>(parse_unsigned(word.substr(0, star))),
              static_cast<std::uint32_t>(parse_unsigned(word.substr(star + 1)))};
    }
  }
  throw Error("does not say how much of the PE array it uses");
}

AluOp alu_op_of(const std::string& word) {
  static const std::map<std::string, AluOp> kNames{
      {"ADD", AluOp::kAdd},         {"SUBTRACT", AluOp::kSubtract}, {"MULTIPLY", AluOp::kMultiply},
      {"MULT", AluOp::kMultiply},   {"DIVIDE", AluOp::kDivide},     {"MAX", AluOp::kMax},
      {"MIN", AluOp::kMin},         {"BYPASS", AluOp::kNone},       {"POW", AluOp::kPower},
      {"IS_EQ", AluOp::kEqual},     {"IS_GT", AluOp::kGreater},     {"IS_GE", AluOp::kGreaterEqual},
      {"IS_LT", AluOp::kLess},      {"IS_LE", AluOp::kLessEqual},
  };
  const auto found = kNames.find(word);
  return found != kNames.end() ? found->second : parse_alu_op(lower_case(word)).value_or(AluOp::kBypass);
}

// Both halves of "a,b".
std::pair<std::string, std::string> pair_of(const std::string& text) {
  const std::size_t comma = text.find(',');
  return comma == std::string::npos ? std::pair{text, std::string()}
                                    : std::pair{text.substr(0, comma), text.substr(comma + 1)};
}

// LDWEIGHTS, MATMUL, and for the high half of fp32 weights both once more.
void take_matmul(const std::vector<ProfileRow>& rows, PendingInstruction& instruction) {
  instruction.opcode = Opcode::kNcMatmul;
  const std::uint32_t first = instruction.rows.front();
  const OperandText load = read_row(rows[first], instruction);
  const auto is = [&rows](std::uint32_t r, const char* opcode) {
    return r < rows.size() && rows[r].engine == Engine::kTensor && rows[r].opcode == opcode;
  };
  if (!is(first + 1, "MATMUL")) {
    throw Error("is not followed by its MATMUL");
  }
  const OperandText stream = read_row(rows[first + 1], instruction);
  instruction.rows.push_back(first + 1);
  const std::string* mode = load.find("fp32_mode");
  if (mode != nullptr && *mode == "LOW" && is(first + 2, "LDWEIGHTS") && is(first + 3, "MATMUL") &&
      rows[first + 2].operands.find("fp32_mode=HIGH") != std::string::npos) {
    (void)read_row(rows[first + 2], instruction);
    (void)read_row(rows[first + 3], instruction);
    instruction.rows.insert(instruction.rows.end(), {first + 2, first + 3});
  }
  const auto [k, m] = array_size(load);
  const AddressPattern dst = parse_address_pattern(stream.at("dst"));
  std::uint64_t columns = 1;
  for (const std::uint32_t count : dst.counts) {
    columns *= count;
  }
  const bool narrow = rows[first + 1].psum_write_bytes == 2 * columns;
  instruction.outputs.push_back(
      on_chip_access(dst, m, narrow ? DType::kBFloat16 : DType::kFloat32));
  instruction.inputs.push_back(
      on_chip_access(parse_address_pattern(load.at("src")), k, DType::kFloat32));
  instruction.inputs.push_back(
      on_chip_access(parse_address_pattern(stream.at("src")), k, DType::kFloat32));
  const std::string* transpose = load.find("transpose_mode");
  instruction.attributes.is_transpose = transpose != nullptr && *transpose == "ENABLED";
  instruction.attributes.accumulate = (parse_unsigned(stream.at("acc_flags")) & 1U) == 0;
}

void take_activate(const ProfileRow& row, const OperandText& text, PendingInstruction& instruction,
                   ImportWarnings& warnings) {
  instruction.opcode = Opcode::kActivation;
  const std::string word = !row.function.empty()    ? row.function
                           : !text.words.empty() ? text.words.front()
                                                 : "";
  const auto func = parse_act_func(lower_case(word));
  if (!func) {
    ++warnings[fmt::format("function '{}' is not known, timed like any other", word)];
  }
  instruction.attributes.func = func.value_or(ActFunc::kIdentity);
  instruction.outputs.push_back(access_of(text, "dst"));
  instruction.inputs.push_back(access_of(text, "src"));
  if (const std::string* bias = text.find("bias_ptr")) {
    instruction.attributes.bias_is_tensor = true;
    instruction.inputs.push_back(pointer_of(*bias, channels_of(text)));
  }
  if (const std::string* command = text.find("accumulator_cmd"); command != nullptr && *command != "IDLE") {
    ++warnings["an accumulator is used, timed as if it were not"];
  }
}

void take_tensor_scalar(const OperandText& text, PendingInstruction& instruction) {
  instruction.opcode = Opcode::kTensorScalar;
  instruction.outputs.push_back(access_of(text, "dst"));
  instruction.inputs.push_back(access_of(text, "src"));
  const auto ops = pair_of(text.at("ops"));
  const auto immediates = pair_of(text.at("imm"));
  const auto sources = pair_of(text.at("imm_src"));
  Attributes& attributes = instruction.attributes;
  attributes.op0 = alu_op_of(ops.first);
  attributes.op1 = alu_op_of(ops.second);
  attributes.imm0_is_tensor = sources.first == "PTR";
  attributes.imm1_is_tensor = sources.second == "PTR";
  if (attributes.imm0_is_tensor) {
    instruction.inputs.push_back(pointer_of(immediates.first, channels_of(text)));
  }
  if (attributes.imm1_is_tensor) {
    instruction.inputs.push_back(pointer_of(immediates.second, channels_of(text)));
  }
}

void take_reduce(const OperandText& text, PendingInstruction& instruction) {
  instruction.opcode = Opcode::kTensorReduce;
  instruction.attributes.op0 = alu_op_of(text.at("op"));
  instruction.attributes.negate = text.find("negated") != nullptr;
  instruction.outputs.push_back(access_of(text, "dst"));
  instruction.inputs.push_back(access_of(text, "src", true));
}

void take_dma(const OperandText& text, PendingInstruction& instruction) {
  instruction.opcode = Opcode::kDmaCopy;
  instruction.outputs.push_back(dma_access(text, "dst"));
  instruction.inputs.push_back(dma_access(text, "src"));
  instruction.raises.emplace_back(parse_unsigned(text.at("semaphore")),
                                  parse_unsigned(text.at("sem_increment")));
}

bool only_waits(const std::string& opcode) {
  return opcode == "EVENT_SEMAPHORE" || opcode == "NOP" || opcode == "DRAIN" || opcode == "NOTIFY" ||
         opcode == "WRITE" || opcode == "COMPARE_BRANCH" || opcode == "EVENT_SEMAPHORE_RANGE_CLEAR";
}

// Copies, and what has no entry here: as long as a copy of its source.
void take_copy(const ProfileRow& row, const OperandText& text, PendingInstruction& instruction,
               ImportWarnings& warnings) {
  instruction.opcode = row.opcode == "RECIPROCAL" ? Opcode::kReciprocal : Opcode::kTensorCopy;
  if (row.opcode != "COPY" && row.opcode != "CAST" && row.opcode != "RECIPROCAL") {
    ++warnings[fmt::format("{} is not known, timed like a COPY", row.opcode)];
  }
  instruction.outputs.push_back(access_of(text, "dst"));
  instruction.inputs.push_back(access_of(text, "src"));
}

}  // namespace

PendingInstruction take_instruction(const std::vector<ProfileRow>& rows, std::uint32_t first,
                                    ImportWarnings& warnings) {
  const ProfileRow& row = rows[first];
  PendingInstruction instruction;
  instruction.engine = row.engine;
  instruction.attributes.engine_pinned = true;
  instruction.rows = {first};
  if (row.opcode == "LDWEIGHTS") {
    take_matmul(rows, instruction);
    return instruction;
  }
  const OperandText text = read_row(row, instruction);
  if (row.opcode == "MATMUL") {
    throw Error("has no LDWEIGHTS before it");
  }
  if (row.opcode == "ACT_TABLE_LOAD") {
    instruction.opcode = Opcode::kActTableLoad;
  } else if (row.opcode == "ACTIVATE") {
    take_activate(row, text, instruction, warnings);
  } else if (row.opcode == "TENSOR_SCALAR") {
    take_tensor_scalar(text, instruction);
  } else if (row.opcode == "TENSOR_REDUCE") {
    take_reduce(text, instruction);
  } else if (row.opcode.starts_with("DMA_")) {
    take_dma(text, instruction);
  } else if (!only_waits(row.opcode)) {
    take_copy(row, text, instruction, warnings);
  }
  return instruction;
}

}  // namespace trnsim::trace
