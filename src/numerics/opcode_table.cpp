// Which function executes which opcode.
#include <array>
#include <cstddef>

#include "ops.h"

namespace trnsim::numerics {
namespace {

using trace::Opcode;

void nothing(Context&) {}

void not_implemented(Context& context) {
  context.fail("numerics for '{}' are not implemented", trace::name(context.instruction().opcode));
}

void no_bit_stream(Context& context) {
  context.fail("numerics for '{}' are not implemented (no public bit stream)",
               trace::name(context.instruction().opcode));
}

void no_mask(Context& context) {
  context.fail("numerics for '{}' are not implemented (a trace does not carry the shuffle mask)",
               trace::name(context.instruction().opcode));
}

void no_result_layout(Context& context) {
  context.fail("numerics for '{}' are not implemented (the layout of its result is not documented)",
               trace::name(context.instruction().opcode));
}

struct Row {
  Opcode opcode;
  Execute execute;
};

constexpr std::array<Row, trace::kOpcodeCount> kTable{{
    {Opcode::kNcMatmul, run_matmul},
    {Opcode::kNcMatmulMx, run_matmul_mx},
    {Opcode::kNcTranspose, run_transpose},
    {Opcode::kActivation, run_activation},
    {Opcode::kActivate2, run_activate2},
    {Opcode::kTensorCopy, run_copy},
    {Opcode::kTensorCopyDynamic, not_implemented},
    {Opcode::kTensorCopyPredicated, run_copy_predicated},
    {Opcode::kMemset, run_memset},
    {Opcode::kTensorTensor, run_tensor_tensor},
    {Opcode::kTensorScalar, run_tensor_scalar},
    {Opcode::kTensorScalarReduce, run_tensor_scalar_reduce},
    {Opcode::kTensorScalarCumulative, run_tensor_scalar_cumulative},
    {Opcode::kScalarTensorTensor, run_scalar_tensor_tensor},
    {Opcode::kTensorTensorScan, run_tensor_tensor_scan},
    {Opcode::kTensorReduce, run_tensor_reduce},
    {Opcode::kTensorPartitionReduce, run_tensor_partition_reduce},
    {Opcode::kBnStats, run_bn_stats},
    {Opcode::kBnAggr, run_bn_aggr},
    {Opcode::kReciprocal, run_reciprocal},
    {Opcode::kExponential, run_exponential},
    {Opcode::kDropout, no_bit_stream},
    {Opcode::kNcStreamShuffle, no_mask},
    {Opcode::kRangeSelect, run_range_select},
    {Opcode::kSelectReduce, run_select_reduce},
    {Opcode::kMax8, run_max8},
    {Opcode::kNcFindIndex8, run_find_index8},
    {Opcode::kNcMatchReplace8, run_match_replace8},
    {Opcode::kQuantizeMx, run_quantize_mx},
    {Opcode::kRng, no_bit_stream},
    {Opcode::kRand2, no_bit_stream},
    {Opcode::kSetRngSeed, no_bit_stream},
    {Opcode::kRandSetState, no_bit_stream},
    {Opcode::kRandGetState, no_bit_stream},
    {Opcode::kIota, run_iota},
    {Opcode::kAffineSelect, run_affine_select},
    {Opcode::kLocalGather, run_local_gather},
    {Opcode::kNcNGather, run_n_gather},
    {Opcode::kNonzeroWithCount, run_nonzero_with_count},
    {Opcode::kTopk, no_result_layout},
    {Opcode::kSequenceBounds, run_sequence_bounds},
    {Opcode::kDmaCopy, run_dma_copy},
    {Opcode::kDmaTranspose, run_dma_transpose},
    {Opcode::kDmaCompute, run_dma_compute},
    {Opcode::kSendRecv, not_implemented},
    {Opcode::kCoreBarrier, nothing},
    {Opcode::kRegisterMove, nothing},
    {Opcode::kRegisterLoad, nothing},
    {Opcode::kRegisterStore, not_implemented},
    {Opcode::kLoopBegin, nothing},
    {Opcode::kLoopIteration, nothing},
    {Opcode::kLoopEnd, nothing},
    {Opcode::kFence, nothing},
    {Opcode::kEventSemaphore, nothing},
    {Opcode::kActTableLoad, nothing},
    {Opcode::kCollective, run_collective},
}};

constexpr bool in_enum_order() {
  for (std::size_t i = 0; i < kTable.size(); ++i) {
    if (static_cast<std::size_t>(kTable[i].opcode) != i) {
      return false;
    }
  }
  return true;
}
static_assert(in_enum_order());

}  // namespace

Execute execute_function(Opcode opcode) {
  return kTable[static_cast<std::size_t>(opcode)].execute;
}

}  // namespace trnsim::numerics
