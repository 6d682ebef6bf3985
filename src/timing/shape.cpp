// Operand shapes and engine legality.
#include "trnsim/timing/shape.h"

#include <algorithm>

namespace trnsim::timing {
namespace {

using spec::Generation;
using trace::AluOp;
using trace::Engine;
using trace::Opcode;
using trace::Region;

OperandShape operand_shape(const trace::Trace& trace, const trace::Operand& operand) {
  const trace::Pattern& pattern = trace.pattern(operand);
  OperandShape shape;
  shape.region = trace.tensor(operand).region;
  shape.dtype = pattern.dtype;
  shape.partitions = operand.partition_count;
  shape.elements = pattern.elements();
  for (int d = pattern.num_dims; d-- > 0;) {
    const trace::Dim& dim = pattern.dims[static_cast<std::size_t>(d)];
    if (dim.count > 1) {
      shape.innermost_stride_bytes = dim.stride * size_bytes(pattern.dtype);
      shape.innermost_contiguous = dim.stride == 1;
      break;
    }
  }
  return shape;
}

bool touches_psum(const InstructionShape& shape) {
  const auto in_psum = [](const OperandShape& operand) { return operand.region == Region::kPsum; };
  return std::any_of(shape.outputs.begin(), shape.outputs.begin() + shape.num_outputs, in_psum) ||
         std::any_of(shape.inputs.begin(), shape.inputs.begin() + shape.num_inputs, in_psum);
}

bool is_int32(DType dtype) { return dtype == DType::kInt32 || dtype == DType::kUInt32; }

std::vector<Engine> tensor_tensor_engines(const InstructionShape& shape) {
  const bool all_int32 = is_int32(shape.dst().dtype) && is_int32(shape.inputs[0].dtype) &&
                         is_int32(shape.inputs[1].dtype);
  if (touches_psum(shape) || is_bitwise(shape.attributes->op0)) {
    return {Engine::kVector};
  }
  if (shape.attributes->op0 == AluOp::kPower || all_int32) {
    return {Engine::kGpSimd, Engine::kVector};
  }
  return {Engine::kVector, Engine::kGpSimd};
}

std::vector<Engine> tensor_scalar_engines(Generation generation, const InstructionShape& shape) {
  const AluOp op0 = shape.attributes->op0;
  const AluOp op1 = shape.attributes->op1;
  if (is_root(op0) || is_root(op1)) {
    if (touches_psum(shape)) {
      return {};
    }
    return {Engine::kGpSimd};
  }
  if (is_bitwise(op0) || is_bitwise(op1)) {
    return {Engine::kVector};
  }
  const bool scalar_pair = (op0 == AluOp::kMultiply && (op1 == AluOp::kAdd || op1 == AluOp::kNone)) ||
                           (op0 == AluOp::kAdd && op1 == AluOp::kNone);
  if (scalar_pair || generation == Generation::kTrn3) {
    return {Engine::kVector, Engine::kScalar};
  }
  return {Engine::kVector};
}

std::vector<Engine> transpose_engines(const InstructionShape& shape) {
  const bool small = shape.src().partitions <= 32 && shape.src().elements <= 32;
  const bool tensor = shape.src().region == Region::kSbuf && shape.dst().region == Region::kPsum;
  if (tensor) {
    return small ? std::vector{Engine::kTensor, Engine::kVector} : std::vector{Engine::kTensor};
  }
  return small ? std::vector{Engine::kVector} : std::vector<Engine>{};
}

}  // namespace

InstructionShape shape_of(const trace::Trace& trace, const trace::Instruction& instruction) {
  InstructionShape shape;
  shape.opcode = instruction.opcode;
  shape.attributes = &trace.attribute(instruction);
  for (const trace::Operand& operand : trace.outputs(instruction)) {
    if (shape.num_outputs < shape.outputs.size()) {
      shape.outputs[shape.num_outputs++] = operand_shape(trace, operand);
    }
  }
  for (const trace::Operand& operand : trace.inputs(instruction)) {
    if (shape.num_inputs < shape.inputs.size()) {
      shape.inputs[shape.num_inputs++] = operand_shape(trace, operand);
    }
  }
  return shape;
}

std::vector<Engine> legal_engines(Generation generation, const InstructionShape& shape) {
  const bool v2 = generation == Generation::kTrn1;
  const bool v4 = generation == Generation::kTrn3;
  switch (shape.opcode) {
    case Opcode::kNcMatmul:
      return shape.attributes->double_row && v2 ? std::vector<Engine>{} : std::vector{Engine::kTensor};
    case Opcode::kNcMatmulMx:
      return v4 ? std::vector{Engine::kTensor} : std::vector<Engine>{};
    case Opcode::kNcTranspose:
      return transpose_engines(shape);
    case Opcode::kActivation:
      return {Engine::kScalar};
    case Opcode::kActivate2:
      return v4 ? std::vector{Engine::kScalar} : std::vector<Engine>{};
    case Opcode::kTensorCopy:
    case Opcode::kTensorCopyDynamic: {
      std::vector<Engine> engines{Engine::kVector, Engine::kScalar};
      if (!touches_psum(shape)) {
        engines.push_back(Engine::kGpSimd);
      }
      return engines;  // v2 has no scalar tensor_copy but the same work as an activation copy (13.1)
    }
    case Opcode::kMemset:
    case Opcode::kRng:
      if (touches_psum(shape) || (v2 && shape.opcode == Opcode::kRng)) {
        return {Engine::kVector};
      }
      return {Engine::kVector, Engine::kGpSimd};
    case Opcode::kTensorTensor:
      return tensor_tensor_engines(shape);
    case Opcode::kTensorScalar:
      return tensor_scalar_engines(generation, shape);
    case Opcode::kTensorCopyPredicated:
    case Opcode::kTensorScalarReduce:
    case Opcode::kScalarTensorTensor:
    case Opcode::kTensorTensorScan:
    case Opcode::kTensorReduce:
    case Opcode::kBnStats:
    case Opcode::kBnAggr:
    case Opcode::kReciprocal:
    case Opcode::kDropout:
    case Opcode::kNcStreamShuffle:
    case Opcode::kMax8:
    case Opcode::kNcFindIndex8:
    case Opcode::kNcMatchReplace8:
    case Opcode::kSetRngSeed:
      return {Engine::kVector};
    case Opcode::kTensorScalarCumulative:
    case Opcode::kRangeSelect:
    case Opcode::kSelectReduce:
      return v2 ? std::vector<Engine>{} : std::vector{Engine::kVector};
    case Opcode::kExponential:
    case Opcode::kQuantizeMx:
    case Opcode::kRand2:
      return v4 ? std::vector{Engine::kVector} : std::vector<Engine>{};
    case Opcode::kRandSetState:
    case Opcode::kRandGetState:
      if (v2) {
        return {};
      }
      return v4 ? std::vector{Engine::kGpSimd, Engine::kVector} : std::vector{Engine::kGpSimd};
    case Opcode::kTensorPartitionReduce:
    case Opcode::kIota:
    case Opcode::kAffineSelect:
    case Opcode::kLocalGather:
    case Opcode::kNcNGather:
    case Opcode::kSequenceBounds:
    case Opcode::kTopk:
      return touches_psum(shape) ? std::vector<Engine>{} : std::vector{Engine::kGpSimd};
    case Opcode::kNonzeroWithCount:
      return v2 || touches_psum(shape) ? std::vector<Engine>{} : std::vector{Engine::kGpSimd};
    case Opcode::kSendRecv:
    case Opcode::kCoreBarrier:
      return v2 ? std::vector<Engine>{}
                : std::vector{Engine::kGpSimd, Engine::kSync, Engine::kScalar, Engine::kVector,
                              Engine::kTensor};
    case Opcode::kDmaCopy:
    case Opcode::kDmaTranspose:
    case Opcode::kDmaCompute:
    case Opcode::kRegisterMove:
    case Opcode::kRegisterLoad:
    case Opcode::kRegisterStore:
    case Opcode::kEventSemaphore:
    case Opcode::kCollective:
      return {Engine::kSync, Engine::kGpSimd, Engine::kScalar, Engine::kVector, Engine::kTensor};
    case Opcode::kActTableLoad:
      return {Engine::kScalar};
    case Opcode::kLoopBegin:
    case Opcode::kLoopIteration:
    case Opcode::kLoopEnd:
    case Opcode::kFence:
      return {};
  }
  return {};
}

}  // namespace trnsim::timing
