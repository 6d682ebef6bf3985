// Loop expansion with an explicit stack.
#include "unroll.h"

#include "trnsim/base/error.h"

namespace trnsim::lower {
namespace {

constexpr std::size_t kMostInstructions = std::size_t{1} << 31;

struct OpenLoop {
  std::uint32_t begin = 0;       // index of its kLoopBegin
  std::uint64_t left = 1;        // runs still to come, this one included
};

}  // namespace

bool is_rolled(const trace::Trace& trace, const trace::Instruction& instruction) {
  return instruction.opcode == trace::Opcode::kLoopBegin &&
         trace.attribute(instruction).imm1 == 1.0;
}

std::vector<std::uint32_t> unrolled(const trace::Trace& trace) {
  std::vector<std::uint32_t> order;
  order.reserve(trace.instructions.size());
  std::vector<OpenLoop> open;
  for (std::uint32_t i = 0; i < trace.instructions.size(); ++i) {
    const trace::Instruction& instruction = trace.instructions[i];
    if (instruction.opcode == trace::Opcode::kLoopBegin) {
      const double trips = is_rolled(trace, instruction) ? trace.attribute(instruction).imm0 : 1.0;
      open.push_back({i, static_cast<std::uint64_t>(trips)});
      if (trips < 1.0) {  // an empty loop: go on behind its end
        std::uint32_t depth = 1;
        while (depth > 0) {
          ++i;
          const trace::Opcode opcode = trace.instructions[i].opcode;
          depth += opcode == trace::Opcode::kLoopBegin ? 1 : 0;
          depth -= opcode == trace::Opcode::kLoopEnd ? 1 : 0;
        }
        open.pop_back();
        continue;
      }
    }
    order.push_back(i);
    if (order.size() > kMostInstructions) {
      throw Error(fmt::format("kernel '{}': its loops unroll to more than {} instructions",
                              trace.kernel, kMostInstructions));
    }
    if (instruction.opcode == trace::Opcode::kLoopEnd) {
      if (--open.back().left > 0) {
        i = open.back().begin;  // on to the first instruction of the body
      } else {
        open.pop_back();
      }
    }
  }
  return order;
}

}  // namespace trnsim::lower
