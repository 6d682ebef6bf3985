// The pair model of hardware.md 5.2.
#include "trnsim/timing/matmul_cost.h"

#include <algorithm>

namespace trnsim::timing {
namespace {

using trace::Opcode;

struct Problem {
  std::uint64_t rows = 0;      // PE rows in use (partitions)
  std::uint64_t contraction = 0;
  std::uint64_t columns = 0;   // stationary free size M
  std::uint64_t moving = 0;    // moving columns N
  bool fp32 = false;
  bool transpose = false;
};

Problem problem_of(const InstructionShape& shape, const spec::TensorSpec& tensor) {
  Problem p;
  const OperandShape& stationary = shape.inputs[0];
  p.rows = stationary.partitions;
  p.fp32 = is_fp32(stationary.dtype);
  p.transpose = shape.opcode == Opcode::kNcTranspose || shape.attributes->is_transpose;
  if (shape.opcode == Opcode::kNcTranspose) {
    // The data is stationary and an identity of as many columns as it has partitions moves through.
    p.contraction = stationary.partitions;
    p.columns = stationary.elements;
    p.moving = stationary.partitions;
    return p;
  }
  const OperandShape& moving = shape.inputs[1];
  const std::uint64_t row_groups = shape.attributes->double_row ? 2 : 1;
  p.columns = stationary.elements / row_groups;
  p.moving = moving.elements / row_groups;
  p.contraction = p.rows * row_groups;
  if (shape.opcode == Opcode::kNcMatmulMx) {
    p.contraction = p.rows * tensor.mx_rows_per_pe;
  }
  p.fp32 = p.fp32 || is_fp32(moving.dtype);
  return p;
}

}  // namespace

MatmulCost matmul_cost(const spec::CoreSpec& core, const InstructionShape& shape) {
  const spec::TensorSpec& tensor = core.tensor;
  const Problem p = problem_of(shape, tensor);
  std::uint64_t passes = 1;
  MatmulCost cost;
  if (p.fp32 && p.transpose) {
    passes = tensor.fp32_transpose_passes;  // v3+: only the low half is issued
  } else if (p.fp32) {
    const std::uint64_t all = shape.attributes->onezero ? tensor.fp32_passes / 2 : tensor.fp32_passes;
    cost.pairs = tensor.fp32_halves;
    passes = std::max<std::uint64_t>(1, all / cost.pairs);
  }
  const OperandShape& stationary = shape.inputs[0];
  if (p.fp32) {
    cost.load_cycles = (p.transpose ? tensor.ls_fp32_transpose_cycles_per_column
                                    : tensor.ls_fp32_cycles_per_column) *
                       p.columns;
  } else {
    cost.load_cycles = (p.columns + tensor.fast_load_factor - 1) / tensor.fast_load_factor;
    if (!stationary.innermost_contiguous) {
      cost.load_cycles *= tensor.fast_load_strided_factor;
    }
  }
  cost.load_latency_cycles = cost.load_cycles + tensor.load_latency_cycles;
  cost.stream_cycles = passes * std::max<std::uint64_t>(p.moving, tensor.mm_init_latency_cycles);
  cost.latency_cycles = passes * p.moving + tensor.pipeline_latency_cycles;
  cost.flops = p.transpose ? 0.0
                           : 2.0 * static_cast<double>(p.contraction) *
                                 static_cast<double>(p.columns) * static_cast<double>(p.moving);
  cost.pe_utilization = static_cast<double>(p.rows * p.columns) /
                        (static_cast<double>(tensor.rows) * static_cast<double>(tensor.columns));
  return cost;
}

}  // namespace trnsim::timing
