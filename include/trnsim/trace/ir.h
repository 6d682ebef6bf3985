// The Trace: what a kernel asks for, in program order. No timing and no device numbers.
//
// Strings, access patterns, attribute sets and source lines are interned in tables; an Instruction is
// 16 bytes, an Operand 24. trace/builder.h writes Traces, trace/file.h stores them.
#pragma once

#include <array>
#include <compare>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "trnsim/base/dtype.h"
#include "trnsim/trace/opcode.h"

namespace trnsim::trace {

inline constexpr int kMaxDims = 5;
inline constexpr std::uint32_t kNone = UINT32_MAX;  // "no entry" in any id field

struct Dim {
  std::int64_t stride = 0;  // in elements of the pattern's dtype
  std::uint32_t count = 1;
  friend auto operator<=>(const Dim&, const Dim&) = default;
};

// How one operand walks memory. SBUF and PSUM: the free dims of one partition (all partitions alike;
// the partition range is in the Operand). HBM: all dims, the one that matches the partition axis of the
// other side first. Outermost dim first. No dims = one element.
struct Pattern {
  DType dtype = DType::kFloat32;
  std::uint8_t num_dims = 0;
  std::array<Dim, kMaxDims> dims{};

  [[nodiscard]] std::span<const Dim> span() const { return {dims.data(), num_dims}; }
  [[nodiscard]] std::uint64_t elements() const;
  friend auto operator<=>(const Pattern&, const Pattern&) = default;
};

// A storage. On chip: [partitions, free_elements]; HBM: partitions = 1, free_elements = all elements.
struct Tensor {
  std::uint32_t name = kNone;         // string id
  Region region = Region::kHbm;
  DType dtype = DType::kFloat32;
  std::uint32_t partitions = 1;
  std::uint64_t free_elements = 0;
  std::int64_t pinned_bytes = -1;     // byte offset within the partition, -1 = allocator decides
  std::uint32_t pinned_partition = 0; // first partition of a pinned or explicitly placed tensor
  std::uint32_t site = kNone;         // string id of the allocation site
  std::uint8_t role = 0;              // Role below
  friend bool operator==(const Tensor&, const Tensor&) = default;
};

enum class Role : std::uint8_t { kTemporary, kInput, kOutput, kConstant };

struct Operand {
  std::uint32_t tensor = kNone;
  std::uint32_t pattern = kNone;
  std::uint32_t partition_start = 0;  // relative to the tensor's first partition; 0 for HBM
  std::uint32_t partition_count = 1;  // 1 for HBM
  std::int64_t offset = 0;            // elements of the pattern's dtype from the start of the partition / tensor
  friend bool operator==(const Operand&, const Operand&) = default;
};

// An entry of Trace::strings that an attribute names.
enum class StringId : std::uint32_t { kAbsent = kNone };

// Typed extras, interned: instructions that differ only in operands share one set. Meaning per opcode
// in trace/opcode.h.
struct Attributes {
  AluOp op0 = AluOp::kNone;
  AluOp op1 = AluOp::kNone;
  AluOp reduce_op = AluOp::kNone;
  AluOp compare = AluOp::kNone;
  AluOp compare1 = AluOp::kNone;
  ActFunc func = ActFunc::kCopy;
  DgeRequest dge = DgeRequest::kUnknown;
  bool accumulate = false;         // matmul: add onto PSUM; dma: add onto dst
  bool is_transpose = false;       // matmul used as a transpose: no useful FLOPs
  bool double_row = false;         // fp8: contracts two rows per PE row
  bool onezero = false;            // an fp32 operand holds only 0/1
  bool reverse0 = false;
  bool reverse1 = false;
  bool negate = false;
  bool imm0_is_tensor = false;
  bool imm1_is_tensor = false;
  bool scale_is_tensor = false;
  bool bias_is_tensor = false;
  bool has_reduce_result = false;
  bool indirect = false;           // vector-indexed DMA or view
  bool engine_pinned = false;      // the kernel named the engine
  std::uint8_t reduce_dims = 1;
  std::uint8_t priority = 0;
  std::uint8_t tile_row = 0;       // PE tile position and size in rows/columns; size 0 = whole array
  std::uint8_t tile_column = 0;
  std::uint8_t tile_rows = 0;
  std::uint8_t tile_columns = 0;
  double imm0 = 0;
  double imm1 = 0;
  double scale = 1;
  double bias = 0;
  std::int64_t affine_base = 0;
  std::int64_t affine_channel = 0;
  std::uint32_t affine_pattern = kNone;  // pattern id: strides are the coefficients
  CollectiveKind collective = CollectiveKind::kNone;
  StringId replica_groups = StringId::kAbsent;  // "0,1;2,3": ranks of each group; permute: from,to;...
  std::int64_t bytes_per_rank = 0;            // collective: what this rank gives
  friend auto operator<=>(const Attributes&, const Attributes&) = default;
};

struct Instruction {
  Opcode opcode = Opcode::kFence;
  Engine engine = Engine::kUnassigned;  // requested; kUnassigned = lowering chooses
  std::uint8_t outputs = 0;
  std::uint8_t inputs = 0;
  std::uint32_t first_operand = 0;      // always the number of operands of all instructions before
  std::uint32_t attributes = 0;         // id into Trace::attributes
  std::uint32_t source = kNone;         // id into Trace::sources
  friend bool operator==(const Instruction&, const Instruction&) = default;
};

// A line of the kernel's source.
struct SourceLine {
  std::uint32_t file = kNone;  // string id
  std::uint32_t line = 0;
  friend auto operator<=>(const SourceLine&, const SourceLine&) = default;
};

// `instruction` starts after the earlier `after` has completed: what a profile says on top of program
// order.
struct Edge {
  std::uint32_t instruction = 0;
  std::uint32_t after = 0;
  friend auto operator<=>(const Edge&, const Edge&) = default;
};

struct Trace {
  std::string kernel;        // "gemm", "attention", or the user's kernel name
  std::string origin;        // who made it: "trnsim builder", "trnsim-nki 0.1", ...
  std::string arguments;     // JSON text of the parameters, informative
  std::string target;        // "trn1" | "trn2" | "trn3" | "" = any
  std::uint32_t lnc = 1;
  double model_flops = 0;    // FLOPs of the mathematical problem; 0 = use what the matmuls count

  std::vector<std::string> strings;
  std::vector<Pattern> patterns;
  std::vector<Attributes> attributes;
  std::vector<SourceLine> sources;
  std::vector<Tensor> tensors;
  std::vector<Operand> operands;
  std::vector<Instruction> instructions;
  std::vector<Edge> edges;   // ascending; only traces imported from profiles have any

  [[nodiscard]] std::span<const Operand> outputs(const Instruction& instruction) const {
    return {operands.data() + instruction.first_operand, instruction.outputs};
  }
  [[nodiscard]] std::span<const Operand> inputs(const Instruction& instruction) const {
    return {operands.data() + instruction.first_operand + instruction.outputs, instruction.inputs};
  }
  [[nodiscard]] const Pattern& pattern(const Operand& operand) const {
    return patterns[operand.pattern];
  }
  [[nodiscard]] const Tensor& tensor(const Operand& operand) const {
    return tensors[operand.tensor];
  }
  [[nodiscard]] const Attributes& attribute(const Instruction& instruction) const {
    return attributes[instruction.attributes];
  }
  [[nodiscard]] const std::string& string(std::uint32_t id) const;  // "" for kNone
  friend bool operator==(const Trace&, const Trace&) = default;
};

// Checks every id, range and shape rule that does not need a device: ids in range, operand counts of
// the opcode, patterns inside their tensor, partition ranges, memories of hardware.md 13.2 that hold on
// every generation. Throws Error naming the first bad instruction ("instruction 17 (nc_matmul): ...").
void validate(const Trace& trace);

}  // namespace trnsim::trace
