// Element counts of an instruction's operands against each other.
#include <algorithm>

#include "instruction_check.h"

namespace trnsim::trace {
namespace {

// Inputs with as many elements as the destination; further ones are [P, 1]. 0: no elementwise
// opcode.
std::size_t full_inputs(Opcode opcode) {
  switch (opcode) {
    case Opcode::kActivation:
    case Opcode::kActivate2:
    case Opcode::kTensorCopy:
    case Opcode::kTensorScalar:
    case Opcode::kTensorScalarReduce:
    case Opcode::kTensorScalarCumulative:
    case Opcode::kReciprocal:
    case Opcode::kExponential:
    case Opcode::kDropout:
    case Opcode::kRangeSelect:
    case Opcode::kAffineSelect:
      return 1;
    case Opcode::kTensorCopyPredicated:
    case Opcode::kTensorTensor:
    case Opcode::kScalarTensorTensor:
    case Opcode::kTensorTensorScan:
    case Opcode::kSelectReduce:
      return 2;
    default:
      return 0;
  }
}

void require_column(const InstructionCheck& check, const Operand& operand,
                    std::uint32_t partitions) {
  if (operand.partition_count != partitions || check.elements(operand) != 1) {
    check.fail(fmt::format("{} is [{}, {}], must be [{}, 1]", check.describe(operand),
                           operand.partition_count, check.elements(operand), partitions));
  }
}

void require_same_shape(const InstructionCheck& check, const Operand& operand, const Operand& dst) {
  if (operand.partition_count != dst.partition_count ||
      check.elements(operand) != check.elements(dst)) {
    check.fail(fmt::format("{} is [{}, {}], the destination is [{}, {}]", check.describe(operand),
                           operand.partition_count, check.elements(operand), dst.partition_count,
                           check.elements(dst)));
  }
}

void check_elementwise(const InstructionCheck& check, std::size_t full) {
  const Operand& dst = check.output(0);
  for (std::size_t i = 0; i < check.instruction.inputs; ++i) {
    if (i < full) {
      require_same_shape(check, check.input(i), dst);
    } else {
      require_column(check, check.input(i), dst.partition_count);
    }
  }
  for (std::size_t i = 1; i < check.instruction.outputs; ++i) {
    require_column(check, check.output(i), dst.partition_count);
  }
}

// "moving operand has 640 free elements", or with double_row "... 640 free elements in each of 2
// rows".
std::string free_elements(const char* operand, std::uint64_t elements, bool double_row) {
  return fmt::format("{} operand has {} free elements{}", operand, elements,
                     double_row ? " in each of 2 rows" : "");
}

void check_matmul_types(const InstructionCheck& check) {
  const DType stationary = check.trace.pattern(check.input(0)).dtype;
  const DType moving = check.trace.pattern(check.input(1)).dtype;
  if (check.instruction.opcode == Opcode::kNcMatmulMx) {
    if (!is_mx(stationary) || !is_mx(moving)) {
      check.fail(fmt::format("multiplies {} by {}, both must be packed x4 types", name(stationary),
                             name(moving)));
    }
    return;
  }
  const bool fp8 = is_fp8(stationary) && is_fp8(moving);
  if (check.attributes.double_row && !fp8) {
    check.fail(fmt::format("double_row multiplies {} by {}, both must be 8-bit floats",
                           name(stationary), name(moving)));
  }
  const bool wide_stationary = stationary == DType::kFloat32 || stationary == DType::kTFloat32;
  const bool wide_moving = moving == DType::kFloat32 || moving == DType::kTFloat32;
  if (wide_stationary != wide_moving && !check.attributes.is_transpose) {
    check.fail(fmt::format("multiplies {} by {}: 32-bit floats go with 32-bit floats only",
                           name(stationary), name(moving)));
  }
}

void check_matmul(const InstructionCheck& check) {
  const Operand& dst = check.output(0);
  const Operand& stationary = check.input(0);
  const Operand& moving = check.input(1);
  const bool double_row = check.attributes.double_row;
  check_matmul_types(check);
  if (stationary.partition_count != moving.partition_count) {
    check.fail(fmt::format("stationary operand has {} partitions, moving operand has {} (K)",
                           stationary.partition_count, moving.partition_count));
  }
  const std::uint64_t rows = double_row ? 2 : 1;
  for (const auto& [operand, label] : {std::pair{&stationary, "stationary"}, {&moving, "moving"}}) {
    if (check.elements(*operand) % rows != 0) {
      check.fail(fmt::format("{} operand has {} free elements, double_row needs an even number",
                             label, check.elements(*operand)));
    }
  }
  const std::uint64_t m = check.elements(stationary) / rows;
  const std::uint64_t n = check.elements(moving) / rows;
  if (m != dst.partition_count) {
    check.fail(fmt::format("{}, the destination has {} partitions (M)",
                           free_elements("stationary", m, double_row), dst.partition_count));
  }
  if (n != check.elements(dst)) {
    check.fail(fmt::format("{}, the destination has {} (N)", free_elements("moving", n, double_row),
                           check.elements(dst)));
  }
}

void check_transpose(const InstructionCheck& check) {
  const Operand& dst = check.output(0);
  const Operand& data = check.input(0);
  if (dst.partition_count != check.elements(data) || check.elements(dst) != data.partition_count) {
    check.fail(fmt::format("data is [{}, {}], the destination is [{}, {}]", data.partition_count,
                           check.elements(data), dst.partition_count, check.elements(dst)));
  }
}

void check_reduce(const InstructionCheck& check) {
  const Operand& dst = check.output(0);
  const Operand& data = check.input(0);
  const std::span<const Dim> dims = check.trace.pattern(data).span();
  const std::size_t reduced = check.attributes.reduce_dims;
  if (reduced == 0 || reduced > dims.size()) {
    check.fail(fmt::format("reduces {} dims, its data has {}", reduced, dims.size()));
  }
  std::uint64_t kept = 1;
  for (const Dim& dim : dims.first(dims.size() - reduced)) {
    kept *= dim.count;
  }
  if (dst.partition_count != data.partition_count || check.elements(dst) != kept) {
    check.fail(fmt::format("leaves [{}, {}], the destination is [{}, {}]", data.partition_count,
                           kept, dst.partition_count, check.elements(dst)));
  }
}

void check_partition_reduce(const InstructionCheck& check) {
  const Operand& dst = check.output(0);
  const Operand& data = check.input(0);
  if (dst.partition_count != 1 || check.elements(dst) != check.elements(data)) {
    check.fail(fmt::format("leaves [1, {}], the destination is [{}, {}]", check.elements(data),
                           dst.partition_count, check.elements(dst)));
  }
}

// Sides of a transfer may split their elements over partitions differently: only totals count.
void check_dma(const InstructionCheck& check) {
  const auto total = [&check](const Operand& operand) {
    return operand.partition_count * check.elements(operand);
  };
  const Operand& dst = check.output(0);
  for (std::size_t i = 0; i < check.instruction.inputs; ++i) {
    const Operand& src = check.input(i);
    if (total(src) != total(dst)) {
      check.fail(fmt::format("{} has {} elements, the destination has {}", check.describe(src),
                             total(src), total(dst)));
    }
  }
}

// Of a pair, one side holds a whole number of the other: gather and scatter change the size.
void check_collective(const InstructionCheck& check) {
  const std::size_t pairs = check.instruction.outputs;
  const CollectiveKind kind = check.attributes.collective;
  if (kind == CollectiveKind::kNone) {
    check.fail("does not say which collective it is");
  }
  const std::size_t sources = kind == CollectiveKind::kPermuteImplicitReduce ? 2 : 1;
  if (check.instruction.inputs != pairs * sources) {
    check.fail(fmt::format("{} of {} outputs takes {} inputs, not {}", name(kind), pairs,
                           pairs * sources, check.instruction.inputs));
  }
  if (check.attributes.bytes_per_rank < 0) {
    check.fail(fmt::format("bytes_per_rank is {}", check.attributes.bytes_per_rank));
  }
  const auto total = [&check](const Operand& operand) {
    return operand.partition_count * check.elements(operand);
  };
  for (std::size_t i = 0; i < check.instruction.inputs; ++i) {
    const std::uint64_t dst = total(check.output(i % pairs));
    const std::uint64_t src = total(check.input(i));
    if (std::max(dst, src) % std::min(dst, src) != 0) {
      check.fail(fmt::format("{} has {} elements, {} has {}", check.describe(check.input(i)), src,
                             check.describe(check.output(i % pairs)), dst));
    }
  }
}

void check_affine(const InstructionCheck& check) {
  const std::uint32_t pattern = check.attributes.affine_pattern;
  if (pattern != kNone && check.facts[pattern].elements != check.elements(check.output(0))) {
    check.fail(fmt::format("affine_pattern has {} elements, the destination has {}",
                           check.facts[pattern].elements, check.elements(check.output(0))));
  }
}

}  // namespace

void check_shapes(const InstructionCheck& check) {
  const Opcode opcode = check.instruction.opcode;
  if (check.attributes.indirect) {
    return;  // what an index reaches is not known here
  }
  if (const std::size_t full = full_inputs(opcode); full > 0) {
    check_elementwise(check, full);
  }
  if (is_matmul(opcode)) {
    check_matmul(check);
  } else if (is_dma(opcode)) {
    check_dma(check);
  } else if (opcode == Opcode::kCollective) {
    check_collective(check);
  } else if (opcode == Opcode::kNcTranspose) {
    check_transpose(check);
  } else if (opcode == Opcode::kTensorReduce) {
    check_reduce(check);
  } else if (opcode == Opcode::kTensorPartitionReduce) {
    check_partition_reduce(check);
  } else if (opcode == Opcode::kIota || opcode == Opcode::kAffineSelect) {
    check_affine(check);
  } else if (opcode == Opcode::kSendRecv) {
    require_same_shape(check, check.input(0), check.output(0));
  }
}

}  // namespace trnsim::trace
