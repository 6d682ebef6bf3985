// How many operands each opcode has and which memories and engines it may use on every generation.
#include <algorithm>
#include <array>

#include "instruction_check.h"

namespace trnsim::trace {
namespace {

// Attributes that announce one more operand each.
enum Announces : unsigned {
  kNothing = 0,
  kReduce = 1,  // output
  kScale = 2,   // inputs
  kBias = 4,
  kImm0 = 8,
  kImm1 = 16,
};

struct Row {
  Opcode opcode;
  int outputs_min;
  int outputs_max;
  int inputs_min;
  int inputs_max;
  unsigned announces;
};

// Order and counts as in trace/opcode.h; ranges where nki.isa has optional operands of its own.
constexpr std::array<Row, kOpcodeCount> kRows{{
    {Opcode::kNcMatmul, 1, 1, 2, 2, kNothing},
    {Opcode::kNcMatmulMx, 1, 1, 4, 4, kNothing},
    {Opcode::kNcTranspose, 1, 1, 1, 1, kNothing},
    {Opcode::kActivation, 1, 1, 1, 1, kReduce | kScale | kBias | kImm0},
    {Opcode::kActivate2, 1, 1, 1, 1, kReduce | kScale | kBias | kImm0},
    {Opcode::kTensorCopy, 1, 1, 1, 1, kNothing},
    {Opcode::kTensorCopyDynamic, 1, 1, 1, 2, kNothing},
    {Opcode::kTensorCopyPredicated, 1, 1, 2, 2, kNothing},
    {Opcode::kMemset, 1, 1, 0, 0, kNothing},
    {Opcode::kTensorTensor, 1, 1, 2, 2, kNothing},
    {Opcode::kTensorScalar, 1, 1, 1, 1, kImm0 | kImm1},
    {Opcode::kTensorScalarReduce, 2, 2, 1, 1, kImm0},
    {Opcode::kTensorScalarCumulative, 1, 1, 1, 1, kImm0 | kImm1},
    {Opcode::kScalarTensorTensor, 1, 1, 2, 2, kImm0},
    {Opcode::kTensorTensorScan, 1, 1, 2, 2, kImm0},
    {Opcode::kTensorReduce, 1, 1, 1, 1, kNothing},
    {Opcode::kTensorPartitionReduce, 1, 1, 1, 1, kNothing},
    {Opcode::kBnStats, 1, 1, 1, 1, kNothing},
    {Opcode::kBnAggr, 1, 1, 1, 1, kNothing},
    {Opcode::kReciprocal, 1, 1, 1, 1, kNothing},
    {Opcode::kExponential, 1, 1, 2, 2, kReduce},
    {Opcode::kDropout, 1, 1, 1, 1, kImm0},
    {Opcode::kNcStreamShuffle, 1, 1, 1, 1, kNothing},
    {Opcode::kRangeSelect, 1, 1, 3, 3, kReduce},
    {Opcode::kSelectReduce, 1, 1, 2, 2, kReduce},
    {Opcode::kMax8, 1, 1, 1, 1, kNothing},
    {Opcode::kNcFindIndex8, 1, 1, 2, 2, kNothing},
    {Opcode::kNcMatchReplace8, 1, 2, 2, 2, kNothing},
    {Opcode::kQuantizeMx, 2, 2, 1, 1, kNothing},
    {Opcode::kRng, 1, 1, 0, 0, kNothing},
    {Opcode::kRand2, 1, 1, 0, 2, kNothing},
    {Opcode::kSetRngSeed, 0, 0, 1, 1, kNothing},
    {Opcode::kRandSetState, 0, 0, 1, 1, kNothing},
    {Opcode::kRandGetState, 1, 1, 0, 0, kNothing},
    {Opcode::kIota, 1, 1, 0, 0, kNothing},
    {Opcode::kAffineSelect, 1, 1, 1, 1, kNothing},
    {Opcode::kLocalGather, 1, 1, 2, 2, kNothing},
    {Opcode::kNcNGather, 1, 1, 2, 2, kNothing},
    {Opcode::kNonzeroWithCount, 1, 2, 1, 1, kNothing},
    {Opcode::kTopk, 1, 2, 1, 1, kNothing},
    {Opcode::kSequenceBounds, 1, 1, 1, 1, kNothing},
    {Opcode::kDmaCopy, 1, 1, 1, 1, kNothing},
    {Opcode::kDmaTranspose, 1, 1, 1, 1, kNothing},
    {Opcode::kDmaCompute, 1, 1, 1, 16, kNothing},
    {Opcode::kSendRecv, 1, 1, 1, 1, kNothing},
    {Opcode::kCoreBarrier, 0, 1, 0, 1, kNothing},
    {Opcode::kRegisterMove, 0, 1, 0, 2, kNothing},
    {Opcode::kRegisterLoad, 0, 1, 0, 1, kNothing},
    {Opcode::kRegisterStore, 0, 1, 0, 1, kNothing},
    {Opcode::kLoopBegin, 0, 0, 0, 0, kNothing},
    {Opcode::kLoopIteration, 0, 0, 0, 0, kNothing},
    {Opcode::kLoopEnd, 0, 0, 0, 0, kNothing},
    {Opcode::kFence, 0, 0, 0, 0, kNothing},
    {Opcode::kEventSemaphore, 0, 0, 0, 0, kNothing},
    {Opcode::kActTableLoad, 0, 0, 0, 0, kNothing},
    {Opcode::kCollective, 1, 255, 1, 255, kNothing},
}};

constexpr bool rows_follow_the_enum() {
  for (std::size_t i = 0; i < kRows.size(); ++i) {
    if (static_cast<std::size_t>(kRows[i].opcode) != i) {
      return false;
    }
  }
  return true;
}
static_assert(rows_follow_the_enum());

void check_count(const InstructionCheck& check, const char* what, int have, int min, int max) {
  if (have >= min && have <= max) {
    return;
  }
  const std::string allowed =
      min == max ? fmt::format("{}", min) : fmt::format("{} to {}", min, max);
  check.fail(fmt::format("has {} {}{}, its opcode and attributes take {}", have, what,
                         have == 1 ? "" : "s", allowed));
}

void require(const InstructionCheck& check, const Operand& operand, Region wanted) {
  if (check.region(operand) != wanted) {
    check.fail(fmt::format("{} is in {}, must be in {}", check.describe(operand),
                           name(check.region(operand)), name(wanted)));
  }
}

void forbid(const InstructionCheck& check, Region forbidden, const char* why) {
  const Instruction& instruction = check.instruction;
  const std::span<const Operand> operands{&check.trace.operands[instruction.first_operand],
                                          std::size_t{instruction.outputs} + instruction.inputs};
  for (const Operand& operand : operands) {
    if (check.region(operand) == forbidden) {
      check.fail(fmt::format("{} is in {}: {}", check.describe(operand), name(forbidden), why));
    }
  }
}

bool is_gpsimd_only(Opcode opcode) {
  return opcode == Opcode::kLocalGather || opcode == Opcode::kNonzeroWithCount ||
         opcode == Opcode::kTopk || opcode == Opcode::kSequenceBounds;
}

bool reads_two_tensors(Opcode opcode) {
  return opcode == Opcode::kTensorTensor || opcode == Opcode::kTensorTensorScan ||
         opcode == Opcode::kScalarTensorTensor || opcode == Opcode::kTensorCopyPredicated ||
         opcode == Opcode::kSelectReduce;
}

// Instructions a sequencer handles itself or hands to a DMA queue: any engine may issue them.
bool is_sequencer_work(Opcode opcode) {
  return is_dma(opcode) || opcode >= Opcode::kSendRecv;
}

void check_engine(const InstructionCheck& check) {
  const Engine engine = check.instruction.engine;
  const Opcode opcode = check.instruction.opcode;
  if (is_matmul(opcode) && engine != Engine::kTensor && engine != Engine::kUnassigned) {
    check.fail(fmt::format("runs on the Tensor engine only, not on {}", name(engine)));
  }
  const bool is_array_work = is_matmul(opcode) || opcode == Opcode::kNcTranspose;
  if ((engine == Engine::kSync && !is_sequencer_work(opcode)) ||
      (engine == Engine::kTensor && !is_sequencer_work(opcode) && !is_array_work)) {
    check.fail(fmt::format("cannot run on the {} engine", name(engine)));
  }
}

}  // namespace

void check_operand_count(const InstructionCheck& check) {
  const Row& row = kRows[static_cast<std::size_t>(check.instruction.opcode)];
  const Attributes& attributes = check.attributes;
  const auto announced = [&row](unsigned flag, bool set) {
    return (row.announces & flag) != 0 && set ? 1 : 0;
  };
  const int more_outputs = announced(kReduce, attributes.has_reduce_result);
  int more_inputs =
      announced(kScale, attributes.scale_is_tensor) + announced(kBias, attributes.bias_is_tensor) +
      announced(kImm0, attributes.imm0_is_tensor) + announced(kImm1, attributes.imm1_is_tensor);
  int optional_inputs = 0;
  if (attributes.indirect) {
    // The DMA's index is always an operand; indirect views of other instructions bring one per
    // side.
    (row.opcode == Opcode::kDmaCopy ? more_inputs : optional_inputs) +=
        row.opcode == Opcode::kDmaCopy ? 1 : 2;
  }
  check_count(check, "output", check.instruction.outputs, row.outputs_min + more_outputs,
              row.outputs_max + more_outputs);
  check_count(check, "input", check.instruction.inputs, row.inputs_min + more_inputs,
              row.inputs_max + more_inputs + optional_inputs);
}

// hardware.md 13.2.
void check_memories(const InstructionCheck& check) {
  const Opcode opcode = check.instruction.opcode;
  check_engine(check);
  if (check.instruction.outputs + check.instruction.inputs == 0) {
    return;
  }
  if (is_dma(opcode) || opcode == Opcode::kCollective) {
    forbid(check, Region::kPsum, "a DMA reaches HBM and SBUF only");
    return;
  }
  if (opcode == Opcode::kSendRecv) {
    require(check, check.output(0), Region::kSbuf);
    require(check, check.input(0), Region::kSbuf);
    return;
  }
  if (is_sequencer_work(opcode)) {
    return;
  }
  forbid(check, Region::kHbm, "engines reach SBUF and PSUM only");
  if (is_matmul(opcode) ||
      (opcode == Opcode::kNcTranspose && check.instruction.engine == Engine::kTensor)) {
    for (std::size_t i = 0; i < check.instruction.inputs; ++i) {
      require(check, check.input(i), Region::kSbuf);
    }
    require(check, check.output(0), Region::kPsum);
  }
  if (check.instruction.engine == Engine::kGpSimd || is_gpsimd_only(opcode)) {
    forbid(check, Region::kPsum, "the GpSimd engine reaches SBUF only");
  }
  if (opcode == Opcode::kQuantizeMx || opcode == Opcode::kRandSetState) {
    forbid(check, Region::kPsum, "this instruction works in SBUF only");
  }
  if (reads_two_tensors(opcode) && check.region(check.input(0)) == Region::kPsum &&
      check.region(check.input(1)) == Region::kPsum) {
    check.fail(fmt::format("{} and {} are both in psum, at most one may be",
                           check.describe(check.input(0)), check.describe(check.input(1))));
  }
}

}  // namespace trnsim::trace
