// The instruction set of a Trace: one row per nki.isa instruction, and the enums of its attributes.
//
// Operand order (outputs first, then inputs; [x] = optional, present when the named attribute says so):
//   nc_matmul            out: dst PSUM [M, N]               in: stationary SBUF [K, M], moving SBUF [K, N]
//                        double_row: both inputs are [K, 2, free]; contraction over K x 2
//   nc_matmul_mx         out: dst                            in: stationary, moving, stationary scale, moving scale
//   nc_transpose         out: dst [F, P]                     in: data [P, F]
//   activation           out: dst, [reduce [P,1]: has_reduce_result]
//                        in: data, [scale [P,1]: scale_is_tensor], [bias [P,1]: bias_is_tensor]
//                        dst = func(data * scale + bias); reduce = reduce_op over the free elements
//                        func prelu: one more input [slope [P,1]: imm0_is_tensor]
//   activate2            as activation
//   tensor_copy          out: dst                            in: src
//   tensor_copy_predicated out: dst                          in: predicate, src
//   memset               out: dst                            value = imm0
//   tensor_tensor        out: dst                            in: a, b        dst = a op0 b
//   tensor_scalar        out: dst                            in: data, [operand0: imm0_is_tensor], [operand1: imm1_is_tensor]
//                        dst = (data op0 operand0) op1 operand1; reverse0/1 swap the sides; op1 kNone = absent
//   tensor_scalar_reduce out: dst, reduce [P,1]              in: data, [operand0]; reduce by reduce_op
//   scalar_tensor_tensor out: dst                            in: data, b, [operand0: imm0_is_tensor]
//                        dst = (data op0 operand0) op1 b
//   tensor_tensor_scan   out: dst                            in: a, b, [initial: imm0_is_tensor]
//                        r[i] = (a[i] op0 r[i-1]) op1 b[i], r[-1] = initial
//   tensor_reduce        out: dst                            in: data; reduces the innermost reduce_dims dims by op0; negate
//   tensor_partition_reduce out: dst [1, N]                  in: data [P, N]; op0
//   reciprocal           out: dst                            in: data
//   exponential          out: dst, [reduce]                  in: data, max [P,1]     exp(data - max)
//   affine_select        out: dst                            in: data; value(p, i...) = affine.base + affine.channel * p +
//                        sum(affine stride_k * i_k); keeps data where value <compare> 0 holds, else imm0
//   iota                 out: dst                            value(p, i...) as above
//   range_select         out: dst, [reduce]                  in: data, bound0 [P,1], bound1 [P,1]; compare, compare1; else imm0
//   select_reduce        out: dst, [reduce]                  in: predicate, on_true; on_false = imm0
//   bn_stats, bn_aggr, max8, nc_find_index8, nc_match_replace8, nc_stream_shuffle, local_gather,
//   nc_n_gather, topk, dropout, rng ...                      out: dst, in: as in nki.isa, same order
//   dma_copy             out: dst                            in: src, [index: indirect]; HBM or SBUF on either side
//   dma_transpose        out: dst                            in: src
//   dma_compute          out: dst                            in: sources...  dst = sum of sources
//   sendrecv, core_barrier                                   out / in as in nki.isa
//   collective           out: dsts...                        in: srcs..., one per dst; permute_implicit_reduce: then
//                        as many more, and dst = src op0 second src. op0 also is the operator of reductions;
//                        replica_groups and bytes_per_rank as in trace/ir.h
//   event_semaphore, act_table_load                          no operands
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace trnsim::trace {

enum class Engine : std::uint8_t { kTensor, kVector, kScalar, kGpSimd, kSync, kUnassigned };
inline constexpr int kEngineCount = 5;  // without kUnassigned

enum class Region : std::uint8_t { kHbm, kSbuf, kPsum };

enum class Opcode : std::uint8_t {
  kNcMatmul,
  kNcMatmulMx,
  kNcTranspose,
  kActivation,
  kActivate2,
  kTensorCopy,
  kTensorCopyDynamic,
  kTensorCopyPredicated,
  kMemset,
  kTensorTensor,
  kTensorScalar,
  kTensorScalarReduce,
  kTensorScalarCumulative,
  kScalarTensorTensor,
  kTensorTensorScan,
  kTensorReduce,
  kTensorPartitionReduce,
  kBnStats,
  kBnAggr,
  kReciprocal,
  kExponential,
  kDropout,
  kNcStreamShuffle,
  kRangeSelect,
  kSelectReduce,
  kMax8,
  kNcFindIndex8,
  kNcMatchReplace8,
  kQuantizeMx,
  kRng,
  kRand2,
  kSetRngSeed,
  kRandSetState,
  kRandGetState,
  kIota,
  kAffineSelect,
  kLocalGather,
  kNcNGather,
  kNonzeroWithCount,
  kTopk,
  kSequenceBounds,
  kDmaCopy,
  kDmaTranspose,
  kDmaCompute,
  kSendRecv,
  kCoreBarrier,
  kRegisterMove,
  kRegisterLoad,
  kRegisterStore,
  // Control records: no engine. Loop of imm0 trips; imm1 = 1: its body is recorded once and runs imm0
  // times (data-dependent loops), else every iteration is recorded.
  kLoopBegin,
  kLoopIteration,
  kLoopEnd,
  kFence,          // nothing moves across it
  // Rows of imported profiles.
  kEventSemaphore,  // only waits
  kActTableLoad,    // a trace that has one loads its activation tables itself
  kCollective,      // nki.collectives; the attribute `collective` says which
};
inline constexpr int kOpcodeCount = static_cast<int>(Opcode::kCollective) + 1;

enum class AluOp : std::uint8_t {
  kNone,
  kAdd,
  kSubtract,
  kMultiply,
  kDivide,
  kMax,
  kMin,
  kAbsMax,
  kAbsMin,
  kPower,
  kRsqrt,
  kAbs,
  kBypass,
  kEqual,
  kNotEqual,
  kGreater,
  kGreaterEqual,
  kLess,
  kLessEqual,
  kLogicalAnd,
  kLogicalOr,
  kLogicalXor,
  kBitwiseAnd,
  kBitwiseOr,
  kBitwiseXor,
  kShiftLeft,
  kShiftRight,
  kMod,   // sign of the divisor
  kFmod,  // sign of the dividend
  kLogicalNot,
  kInvert,
  kAverage,  // a + b; a reduction by it divides the sum by the number of elements
  kSquare,
  kRelu,
  kReciprocal,
  kSqrt,
  kNegative,
  kSign,
  kFloor,
  kCeil,
  kTrunc,
  kExp,
};
inline constexpr int kAluOpCount = static_cast<int>(AluOp::kExp) + 1;

enum class ActFunc : std::uint8_t {
  kCopy,
  kIdentity,
  kSquare,
  kRelu,
  kExp,
  kLog,
  kSqrt,
  kRsqrt,
  kReciprocal,
  kSigmoid,
  kTanh,
  kGelu,
  kGeluApproxTanh,
  kSilu,
  kSoftplus,
  kErf,
  kSin,
  kAbs,
  kSign,
  kGeluApprxSigmoid,
  kGeluApprxSigmoidDx,
  kGeluDx,
  kSiluDx,
  kMish,
  kErfDx,
  kCos,
  kTan,
  kArctan,
  kFloor,
  kCeil,
  kTrunc,
  kNegative,
  kLogicalNot,
  kPrelu,  // the slope below 0 is imm0
};
inline constexpr int kActFuncCount = static_cast<int>(ActFunc::kPrelu) + 1;

enum class DgeRequest : std::uint8_t { kUnknown, kNone, kSoftware, kHardware };

enum class CollectiveKind : std::uint8_t {
  kNone,
  kAllReduce,
  kAllGather,
  kReduceScatter,
  kAllToAll,
  kPermute,
  kPermuteImplicit,
  kPermuteImplicitReduce,
};
inline constexpr int kCollectiveKindCount =
    static_cast<int>(CollectiveKind::kPermuteImplicitReduce) + 1;

// NKI names: "nc_matmul", "Tensor", "add", "exp", ...
[[nodiscard]] std::string_view name(Opcode opcode);
[[nodiscard]] std::string_view name(Engine engine);
[[nodiscard]] std::string_view name(Region region);
[[nodiscard]] std::string_view name(AluOp op);
[[nodiscard]] std::string_view name(ActFunc func);
[[nodiscard]] std::string_view name(DgeRequest mode);
[[nodiscard]] std::string_view name(CollectiveKind kind);
[[nodiscard]] std::optional<Opcode> parse_opcode(std::string_view text);
[[nodiscard]] std::optional<Engine> parse_engine(std::string_view text);
[[nodiscard]] std::optional<Region> parse_region(std::string_view text);
[[nodiscard]] std::optional<AluOp> parse_alu_op(std::string_view text);
[[nodiscard]] std::optional<ActFunc> parse_act_func(std::string_view text);
[[nodiscard]] std::optional<DgeRequest> parse_dge_request(std::string_view text);
[[nodiscard]] std::optional<CollectiveKind> parse_collective_kind(std::string_view text);

[[nodiscard]] bool is_control(Opcode opcode);  // loop markers and fences: no engine, no time
[[nodiscard]] bool is_dma(Opcode opcode);      // dma_copy, dma_transpose, dma_compute
[[nodiscard]] bool is_bitwise(AluOp op);       // works on bit patterns
[[nodiscard]] bool is_unary(AluOp op);         // takes one argument, the data side
[[nodiscard]] bool is_root(AluOp op);          // rsqrt, sqrt
[[nodiscard]] bool is_matmul(Opcode opcode);   // nc_matmul, nc_matmul_mx

}  // namespace trnsim::trace
