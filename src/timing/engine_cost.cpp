// Costs of vector, scalar, gpsimd and sequencer instructions, row by row of hardware.md 13.
#include "trnsim/timing/engine_cost.h"

#include <algorithm>
#include <cmath>

#include "trnsim/base/error.h"

namespace trnsim::timing {
namespace {

using trace::AluOp;
using trace::Engine;
using trace::Opcode;
using trace::Region;

std::uint64_t ceil_div(std::uint64_t a, std::uint64_t b) {
  return (a + b - 1) / b;
}

bool in_sbuf(const OperandShape& operand) {
  return operand.region == Region::kSbuf;
}
bool in_psum(const OperandShape& operand) {
  return operand.region == Region::kPsum;
}

// Section 10: an innermost stride above 16 B halves the rate of the port.
std::uint64_t stride_factor(const spec::CoreSpec& core, const InstructionShape& shape) {
  const std::int64_t limit = core.sbuf.stride_penalty_bytes;
  const auto strided = [limit](const OperandShape& operand) {
    return std::abs(operand.innermost_stride_bytes) > limit;
  };
  const bool any =
      std::any_of(shape.outputs.begin(), shape.outputs.begin() + shape.num_outputs, strided) ||
      std::any_of(shape.inputs.begin(), shape.inputs.begin() + shape.num_inputs, strided);
  return any ? 2 : 1;
}

// A type that reaches the 2x/4x modes on the vector engine.
bool fast_type(const spec::VectorSpec& vector, DType dtype) {
  return is_16bit_float(dtype) || (vector.fp8_perf_modes && is_fp8(dtype));
}

// Elements per cycle of a copy-like instruction (section 6): 1, 2 or 4.
std::uint64_t copy_mode(const spec::VectorSpec& vector, const OperandShape& in,
                        const OperandShape& out) {
  if (!vector.perf_modes) {
    return 1;
  }
  const bool fast = fast_type(vector, in.dtype) && fast_type(vector, out.dtype);
  const bool contiguous = in.innermost_contiguous && out.innermost_contiguous;
  if (fast && in_sbuf(in) && in_sbuf(out)) {
    return contiguous ? 4 : 2;
  }
  if (fast && contiguous && in_sbuf(in) != in_sbuf(out)) {
    return 2;
  }
  return vector.any_type_sbuf_2x && in_sbuf(in) && in_sbuf(out) && contiguous ? 2 : 1;
}

std::uint64_t memset_work(const spec::VectorSpec& vector, const InstructionShape& shape,
                          std::uint64_t n, bool& perf) {
  if (vector.perf_modes) {
    const std::uint64_t mode = copy_mode(vector, shape.dst(), shape.dst());
    perf = mode > 1;
    return ceil_div(n, mode);
  }
  const bool half = shape.attributes->imm0 == 0.0 && is_16bit_float(shape.dst().dtype);
  return half ? ceil_div(n, 2) : n;
}

std::uint64_t tensor_tensor_work(const spec::VectorSpec& vector, const InstructionShape& shape,
                                 std::uint64_t n) {
  const OperandShape& a = shape.inputs[0];
  const OperandShape& b = shape.inputs[1];
  if (in_psum(a) || in_psum(b)) {
    return n;
  }
  const auto sixteen = [&vector](DType dtype) { return fast_type(vector, dtype); };
  const bool all_16bit = sixteen(a.dtype) && sixteen(b.dtype) && sixteen(shape.dst().dtype);
  const AluOp op = shape.attributes->op0;
  const bool simple = op == AluOp::kAdd || op == AluOp::kMultiply || op == AluOp::kSubtract;
  const bool contiguous =
      a.innermost_contiguous && b.innermost_contiguous && shape.dst().innermost_contiguous;
  if (vector.perf_modes && all_16bit) {
    return vector.tensor_tensor_bf16_half && simple && contiguous ? ceil_div(n, 2) : n;
  }
  const bool all_bf16 = a.dtype == DType::kBFloat16 && b.dtype == DType::kBFloat16 &&
                        shape.dst().dtype == DType::kBFloat16;
  return all_bf16 && simple && contiguous ? n : 2 * n;
}

std::uint64_t scalar_tensor_tensor_work(const spec::VectorSpec& vector,
                                        const InstructionShape& shape, std::uint64_t n) {
  if (vector.perf_modes) {
    return tensor_tensor_work(vector, shape, n);  // "about the same latency as tensor_tensor"
  }
  const bool bf16 =
      shape.inputs[0].dtype == DType::kBFloat16 && shape.inputs[1].dtype == DType::kBFloat16;
  const bool fast = bf16 && shape.attributes->op0 == AluOp::kSubtract &&
                    shape.attributes->op1 == AluOp::kMultiply && n % 2 == 0;
  return fast ? n : 2 * n;
}

std::uint64_t reduce_work(const InstructionShape& shape, std::uint64_t n) {
  const bool bf16 = shape.src().dtype == DType::kBFloat16 && shape.dst().dtype == DType::kBFloat16;
  const bool fast = shape.attributes->op0 == AluOp::kAdd || shape.attributes->op0 == AluOp::kMax;
  return bf16 && fast ? ceil_div(n, 2) : n;
}

// Two tensor inputs: N if they come from different memories, else 2N (tensor_copy_predicated rule).
std::uint64_t two_input_work(const InstructionShape& shape, std::uint64_t n) {
  if (shape.num_inputs < 2) {
    return n;
  }
  return in_sbuf(shape.inputs[0]) != in_sbuf(shape.inputs[1]) ? n : 2 * n;
}

std::uint64_t dynamic_floor(const spec::CoreSpec& core, const InstructionShape& shape,
                            std::uint64_t floor) {
  return shape.opcode == Opcode::kTensorCopyDynamic
             ? core.sequencer.dynamic_addressing_min_ii_cycles
             : floor;
}

struct VectorWork {
  std::uint64_t cycles = 0;
  bool perf = false;
};

VectorWork vector_work(const spec::CoreSpec& core, const InstructionShape& shape) {
  const spec::VectorSpec& vector = core.vector;
  const std::uint64_t n = shape.src().elements;
  switch (shape.opcode) {
    case Opcode::kTensorCopy:
    case Opcode::kTensorScalar: {
      const std::uint64_t mode = copy_mode(vector, shape.src(), shape.dst());
      return {ceil_div(n, mode), mode > 1};
    }
    case Opcode::kMemset: {
      bool perf = false;
      const std::uint64_t cycles = memset_work(vector, shape, shape.dst().elements, perf);
      return {cycles, perf};
    }
    case Opcode::kTensorTensor:
      return {tensor_tensor_work(vector, shape, n), false};
    case Opcode::kScalarTensorTensor:
      return {scalar_tensor_tensor_work(vector, shape, n), false};
    case Opcode::kTensorReduce:
      return {reduce_work(shape, n), false};
    case Opcode::kTensorTensorScan:
      return {2 * n, false};
    case Opcode::kTensorCopyPredicated:
    case Opcode::kSelectReduce:
      return {two_input_work(shape, n), false};
    case Opcode::kReciprocal:
      return {8 * n, false};
    case Opcode::kBnAggr:
      return {ceil_div(13 * n, 3), false};
    case Opcode::kExponential:
    case Opcode::kQuantizeMx:
      return {ceil_div(n, 4), false};
    case Opcode::kRand2:
      return {ceil_div(shape.dst().elements, 4), false};
    case Opcode::kRng:
      return {core.generation == spec::Generation::kTrn3 ? ceil_div(shape.dst().elements, 4)
                                                         : shape.dst().elements,
              false};
    case Opcode::kSetRngSeed:
    case Opcode::kRandSetState:
    case Opcode::kRandGetState:
      return {1, false};
    case Opcode::kTensorScalarReduce: {
      // As tensor_scalar, but what is reduced passes two elements a cycle at most, as in tensor_reduce.
      const std::uint64_t mode =
          std::min<std::uint64_t>(2, copy_mode(core.vector, shape.src(), shape.dst()));
      return {ceil_div(n, mode), mode > 1};
    }
    case Opcode::kNcTranspose:
    case Opcode::kTensorCopyDynamic:
    case Opcode::kTensorScalarCumulative:
    case Opcode::kBnStats:
    case Opcode::kDropout:
    case Opcode::kNcStreamShuffle:
    case Opcode::kRangeSelect:
    case Opcode::kMax8:
    case Opcode::kNcFindIndex8:
    case Opcode::kNcMatchReplace8:
      return {n, false};
    default:
      throw InternalError(fmt::format("{} never runs on Vector", trace::name(shape.opcode)));
  }
}

bool reads_accumulator(const InstructionShape& shape) {
  return shape.attributes->has_reduce_result || shape.opcode == Opcode::kTensorScalarReduce;
}

bool reads_pointer(const InstructionShape& shape) {
  return shape.attributes->imm0_is_tensor || shape.attributes->imm1_is_tensor;
}

// `aside`: cycles that neither the next instruction nor the pipeline hides.
EngineCost combine(std::uint64_t work, std::uint64_t floor, std::uint64_t gap,
                   std::uint64_t latency, std::uint64_t aside) {
  EngineCost cost;
  cost.work_cycles = work;
  cost.interval_cycles = std::max(floor, work + gap) + aside;
  cost.latency_cycles = work + latency + aside;
  return cost;
}

// A hand-shake with the other core, then the tile by DMA over all engines (hardware.md 13, 12.6).
EngineCost sendrecv_cost(const spec::CoreSpec& core, const InstructionShape& shape) {
  const double bytes = static_cast<double>(shape.dst().elements) * shape.dst().partitions *
                       size_bytes(shape.dst().dtype);
  const spec::DmaSpec& dma = core.dma;
  const double transfer_ns = dma.start_hardware_ns + dma.engine_start_skew_ns +
                             bytes / (dma.engines * dma.stream_GBps_per_engine) +
                             dma.semaphore_write_ns + dma.completion_ns;
  const auto cycles = [&core](double ns) {
    return static_cast<std::uint64_t>(std::ceil(ns * core.sequencer.base_clock_ghz));
  };
  EngineCost cost;
  cost.interval_cycles = cycles(core.sequencer.semaphore_lnc_pair_ns);
  cost.latency_cycles = cost.interval_cycles + cycles(transfer_ns);
  cost.work_cycles = cost.interval_cycles;
  return cost;
}

std::uint64_t gpsimd_work(const spec::CoreSpec& core, const InstructionShape& shape) {
  const std::uint64_t n = shape.src().elements;
  switch (shape.opcode) {
    case Opcode::kTensorScalar:  // rsqrt: four times slower than the scalar engine
      return is_root(shape.attributes->op0) || is_root(shape.attributes->op1) ? 4 * n : n;
    case Opcode::kTensorPartitionReduce:
      return n * ceil_div(shape.src().partitions, 16);
    case Opcode::kLocalGather: {
      // 13, C13: cost per element times the efficiency factor C.
      const double e = 1;
      const double t = 4;
      const double bytes = size_bytes(shape.src().dtype);
      const double c = ((28.0 + t * e) / (t * e)) / std::min(4.0 / bytes, e);
      return static_cast<std::uint64_t>(
          std::ceil(static_cast<double>(shape.dst().elements) * e * c));
    }
    case Opcode::kNcNGather: {
      const std::uint64_t groups = ceil_div(shape.dst().elements, 512);
      return (groups - 1) * core.gpsimd.start_overhead_cycles + shape.dst().elements;
    }
    case Opcode::kNonzeroWithCount:
    case Opcode::kSequenceBounds:
      return 2 * n;
    case Opcode::kTopk:
      return (4 * n * 16 + shape.dst().elements) * core.gpsimd.topk_serial_partitions;
    case Opcode::kRandSetState:
    case Opcode::kRandGetState:
      return 6;
    case Opcode::kIota:
    case Opcode::kMemset:
    case Opcode::kRng:
      return shape.dst().elements;
    default:
      return n;
  }
}

}  // namespace

EngineCost vector_cost(const spec::CoreSpec& core, const InstructionShape& shape) {
  const VectorWork work = vector_work(core, shape);
  const std::uint64_t strided = work.perf ? 1 : stride_factor(core, shape);
  const std::uint64_t aside = (reads_accumulator(shape) ? core.vector.accumulator_read_cycles : 0) +
                              (reads_pointer(shape) ? core.vector.pointer_read_cycles : 0);
  EngineCost cost =
      combine(work.cycles * strided, dynamic_floor(core, shape, core.vector.min_ii_cycles),
              core.vector.issue_gap_cycles, core.vector.fixed_latency_cycles, aside);
  cost.perf_mode = work.perf;
  return cost;
}

EngineCost scalar_cost(const spec::CoreSpec& core, const InstructionShape& shape) {
  if (shape.opcode == Opcode::kActTableLoad) {
    const double cycles = core.scalar.act_table_load_ns * core.scalar.clock_ghz;
    return combine(static_cast<std::uint64_t>(std::ceil(cycles)), 0, 0, 0, 0);
  }
  std::uint64_t work = shape.src().elements;
  const bool copy_like =
      shape.opcode == Opcode::kTensorCopy || shape.opcode == Opcode::kTensorScalar;
  const bool activation = shape.opcode == Opcode::kActivation || shape.opcode == Opcode::kActivate2;
  // The vector engine's conditions for 2x: both in SBUF, or one in PSUM and contiguous (6, 13).
  const bool contiguous = shape.src().innermost_contiguous && shape.dst().innermost_contiguous;
  const bool both_sbuf = in_sbuf(shape.src()) && in_sbuf(shape.dst());
  const bool one_sbuf = in_sbuf(shape.src()) != in_sbuf(shape.dst());
  const bool fast = is_16bit_float(shape.src().dtype) && is_16bit_float(shape.dst().dtype) &&
                    (both_sbuf || (one_sbuf && contiguous));
  if (fast &&
      ((copy_like && core.scalar.perf_mode_2x) || (activation && core.scalar.activation_2x))) {
    work = ceil_div(work, 2);
  }
  const std::uint64_t aside = (reads_accumulator(shape) ? core.scalar.accumulator_read_cycles : 0) +
                              (activation ? core.scalar.activation_cycles : 0);
  EngineCost cost = combine(work * stride_factor(core, shape),
                            dynamic_floor(core, shape, core.scalar.min_ii_cycles),
                            core.scalar.issue_gap_cycles, core.scalar.fixed_latency_cycles, aside);
  if (activation && in_sbuf(shape.src())) {
    cost.interval_cycles += core.scalar.activation_sbuf_gap_cycles;
  }
  return cost;
}

EngineCost gpsimd_cost(const spec::CoreSpec& core, const InstructionShape& shape) {
  const std::uint64_t start = core.gpsimd.start_overhead_cycles;
  const std::uint64_t work = start + gpsimd_work(core, shape) * stride_factor(core, shape);
  return combine(work, dynamic_floor(core, shape, 0), 0, core.gpsimd.fixed_latency_cycles, 0);
}

EngineCost sequencer_cost(const spec::CoreSpec& core, const InstructionShape& shape) {
  const spec::SequencerSpec& sequencer = core.sequencer;
  std::uint64_t cycles = sequencer.dispatch_interval_cycles;
  switch (shape.opcode) {
    case Opcode::kRegisterMove:
      cycles = sequencer.register_op_cycles;
      break;
    case Opcode::kRegisterLoad:
    case Opcode::kRegisterStore:
      cycles = sequencer.register_load_cycles;
      break;
    case Opcode::kEventSemaphore:
      cycles = static_cast<std::uint64_t>(
          std::ceil(sequencer.event_semaphore_ns * sequencer.base_clock_ghz));
      break;
    case Opcode::kCoreBarrier:
      cycles = static_cast<std::uint64_t>(
          std::ceil(sequencer.core_barrier_ns * sequencer.base_clock_ghz));
      break;
    case Opcode::kSendRecv:
      return sendrecv_cost(core, shape);
    default:
      break;
  }
  return combine(cycles, 0, 0, 0, 0);
}

EngineCost engine_cost(const spec::CoreSpec& core, Engine engine, const InstructionShape& shape) {
  switch (shape.opcode) {
    case Opcode::kRegisterMove:
    case Opcode::kRegisterLoad:
    case Opcode::kRegisterStore:
    case Opcode::kEventSemaphore:
    case Opcode::kCoreBarrier:
    case Opcode::kSendRecv:
      return sequencer_cost(core, shape);
    default:
      break;
  }
  switch (engine) {
    case Engine::kVector:
      return vector_cost(core, shape);
    case Engine::kScalar:
      return scalar_cost(core, shape);
    case Engine::kGpSimd:
      return gpsimd_cost(core, shape);
    default:
      return sequencer_cost(core, shape);
  }
}

std::uint8_t activation_table(trace::ActFunc func) {
  using trace::ActFunc;
  switch (func) {
    case ActFunc::kCopy:
    case ActFunc::kIdentity:
    case ActFunc::kSquare:
    case ActFunc::kRelu:
    case ActFunc::kAbs:
    case ActFunc::kSign:
    case ActFunc::kFloor:
    case ActFunc::kCeil:
    case ActFunc::kTrunc:
    case ActFunc::kNegative:
    case ActFunc::kLogicalNot:
    case ActFunc::kPrelu:
      return 0;
    default:
      return static_cast<std::uint8_t>(static_cast<int>(func) + 1);
  }
}

}  // namespace trnsim::timing
