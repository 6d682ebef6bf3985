// Name tables of the instruction set.
#include "trnsim/trace/opcode.h"

#include <array>
#include <cstddef>
#include <string_view>

namespace trnsim::trace {
namespace {

constexpr std::array<std::string_view, 56> kOpcodes{{
    "nc_matmul",
    "nc_matmul_mx",
    "nc_transpose",
    "activation",
    "activate2",
    "tensor_copy",
    "tensor_copy_dynamic",
    "tensor_copy_predicated",
    "memset",
    "tensor_tensor",
    "tensor_scalar",
    "tensor_scalar_reduce",
    "tensor_scalar_cumulative",
    "scalar_tensor_tensor",
    "tensor_tensor_scan",
    "tensor_reduce",
    "tensor_partition_reduce",
    "bn_stats",
    "bn_aggr",
    "reciprocal",
    "exponential",
    "dropout",
    "nc_stream_shuffle",
    "range_select",
    "select_reduce",
    "max8",
    "nc_find_index8",
    "nc_match_replace8",
    "quantize_mx",
    "rng",
    "rand2",
    "set_rng_seed",
    "rand_set_state",
    "rand_get_state",
    "iota",
    "affine_select",
    "local_gather",
    "nc_n_gather",
    "nonzero_with_count",
    "topk",
    "sequence_bounds",
    "dma_copy",
    "dma_transpose",
    "dma_compute",
    "sendrecv",
    "core_barrier",
    "register_move",
    "register_load",
    "register_store",
    "loop_begin",
    "loop_iteration",
    "loop_end",
    "fence",
    "event_semaphore",
    "act_table_load",
    "collective",
}};

constexpr std::array<std::string_view, 6> kEngines{{
    "Tensor",
    "Vector",
    "Scalar",
    "GpSimd",
    "Sync",
    "unassigned",
}};

constexpr std::array<std::string_view, 3> kRegions{{
    "hbm",
    "sbuf",
    "psum",
}};

constexpr std::array<std::string_view, 42> kAluOps{{
    "none",        "add",         "subtract",    "multiply",    "divide",        "max",
    "min",         "abs_max",     "abs_min",     "power",       "rsqrt",         "abs",
    "bypass",      "equal",       "not_equal",   "greater",     "greater_equal", "less",
    "less_equal",  "logical_and", "logical_or",  "logical_xor", "bitwise_and",   "bitwise_or",
    "bitwise_xor", "shift_left",  "shift_right", "mod",         "fmod",          "logical_not",
    "invert",      "average",     "square",      "relu",        "reciprocal",    "sqrt",
    "negative",    "sign",        "floor",       "ceil",        "trunc",         "exp",
}};

constexpr std::array<std::string_view, 34> kActFuncs{{
    "copy",
    "identity",
    "square",
    "relu",
    "exp",
    "log",
    "sqrt",
    "rsqrt",
    "reciprocal",
    "sigmoid",
    "tanh",
    "gelu",
    "gelu_approx_tanh",
    "silu",
    "softplus",
    "erf",
    "sin",
    "abs",
    "sign",
    "gelu_apprx_sigmoid",
    "gelu_apprx_sigmoid_dx",
    "gelu_dx",
    "silu_dx",
    "mish",
    "erf_dx",
    "cos",
    "tan",
    "arctan",
    "floor",
    "ceil",
    "trunc",
    "negative",
    "logical_not",
    "prelu",
}};

constexpr std::array<std::string_view, 4> kDgeRequests{{
    "unknown",
    "none",
    "software",
    "hardware",
}};

constexpr std::array<std::string_view, 8> kCollectiveKinds{{
    "none",
    "all_reduce",
    "all_gather",
    "reduce_scatter",
    "all_to_all",
    "permute",
    "permute_implicit",
    "permute_implicit_reduce",
}};

static_assert(kOpcodes.size() == kOpcodeCount);
static_assert(kAluOps.size() == kAluOpCount);
static_assert(kActFuncs.size() == kActFuncCount);
static_assert(kCollectiveKinds.size() == kCollectiveKindCount);

template <typename Enum, std::size_t N>
std::optional<Enum> find(const std::array<std::string_view, N>& table, std::string_view text) {
  for (std::size_t i = 0; i < N; ++i) {
    if (table[i] == text) {
      return static_cast<Enum>(i);
    }
  }
  return std::nullopt;
}

}  // namespace

std::string_view name(Opcode value) {
  return kOpcodes[static_cast<std::size_t>(value)];
}
std::string_view name(Engine value) {
  return kEngines[static_cast<std::size_t>(value)];
}
std::string_view name(Region value) {
  return kRegions[static_cast<std::size_t>(value)];
}
std::string_view name(AluOp value) {
  return kAluOps[static_cast<std::size_t>(value)];
}
std::string_view name(ActFunc value) {
  return kActFuncs[static_cast<std::size_t>(value)];
}
std::string_view name(DgeRequest value) {
  return kDgeRequests[static_cast<std::size_t>(value)];
}

std::string_view name(CollectiveKind value) {
  return kCollectiveKinds[static_cast<std::size_t>(value)];
}

std::optional<Opcode> parse_opcode(std::string_view text) {
  return find<Opcode>(kOpcodes, text);
}
std::optional<Engine> parse_engine(std::string_view text) {
  return find<Engine>(kEngines, text);
}
std::optional<Region> parse_region(std::string_view text) {
  return find<Region>(kRegions, text);
}
std::optional<AluOp> parse_alu_op(std::string_view text) {
  return find<AluOp>(kAluOps, text);
}
std::optional<ActFunc> parse_act_func(std::string_view text) {
  return find<ActFunc>(kActFuncs, text);
}
std::optional<DgeRequest> parse_dge_request(std::string_view text) {
  return find<DgeRequest>(kDgeRequests, text);
}
std::optional<CollectiveKind> parse_collective_kind(std::string_view text) {
  return find<CollectiveKind>(kCollectiveKinds, text);
}

bool is_control(Opcode opcode) {
  return opcode >= Opcode::kLoopBegin && opcode <= Opcode::kFence;
}
bool is_dma(Opcode opcode) {
  return opcode == Opcode::kDmaCopy || opcode == Opcode::kDmaTranspose ||
         opcode == Opcode::kDmaCompute;
}
bool is_bitwise(AluOp op) {
  return (op >= AluOp::kBitwiseAnd && op <= AluOp::kShiftRight) || op == AluOp::kInvert;
}
bool is_unary(AluOp op) {
  switch (op) {
    case AluOp::kRsqrt:
    case AluOp::kAbs:
    case AluOp::kBypass:
    case AluOp::kLogicalNot:
    case AluOp::kInvert:
      return true;
    default:
      return op >= AluOp::kSquare && op <= AluOp::kExp;
  }
}
bool is_root(AluOp op) {
  return op == AluOp::kRsqrt || op == AluOp::kSqrt;
}
bool is_matmul(Opcode opcode) {
  return opcode == Opcode::kNcMatmul || opcode == Opcode::kNcMatmulMx;
}

}  // namespace trnsim::trace
