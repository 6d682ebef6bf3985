// What the rule files of validate() share: one instruction with everything its checks look up.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

#include "trnsim/base/error.h"
#include "trnsim/trace/ir.h"

namespace trnsim::trace {

// validate()'s error about one instruction; load_jsonl turns the index into a line.
class InvalidInstruction : public Error {
 public:
  InvalidInstruction(std::size_t index, const std::string& what) : Error(what), index_(index) {}
  [[nodiscard]] std::size_t index() const { return index_; }

 private:
  std::size_t index_;
};

// Derived once per pattern, so that checking an operand takes constant time.
struct PatternFacts {
  std::uint64_t elements = 1;
  std::int64_t lowest = 0;  // smallest and largest element reached from the operand's offset
  std::int64_t highest = 0;
};

struct InstructionCheck {
  const Trace& trace;
  std::span<const PatternFacts> facts;
  std::size_t index;
  const Instruction& instruction;
  const Attributes& attributes;

  [[nodiscard]] const Operand& output(std::size_t i) const { return trace.outputs(instruction)[i]; }
  [[nodiscard]] const Operand& input(std::size_t i) const { return trace.inputs(instruction)[i]; }
  [[nodiscard]] Region region(const Operand& operand) const { return trace.tensor(operand).region; }
  // Elements per partition (on chip) or in all (HBM).
  [[nodiscard]] std::uint64_t elements(const Operand& operand) const {
    return facts[operand.pattern].elements;
  }
  // "input 1 ('weights')", "output 0 ('acc')"; needs a valid tensor id.
  [[nodiscard]] std::string describe(const Operand& operand) const;
  [[noreturn]] void fail(const std::string& what) const;
};

// Operand counts, the memories operands live in and the engine. Needs valid ids.
void check_operand_count(const InstructionCheck& check);
void check_memories(const InstructionCheck& check);
// Element counts of the operands against each other. Needs a valid operand count.
void check_shapes(const InstructionCheck& check);

}  // namespace trnsim::trace
