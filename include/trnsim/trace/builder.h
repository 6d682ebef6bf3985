// Writes Traces: interns tables and gives kernels a small vocabulary of views and instructions.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "trnsim/trace/ir.h"

namespace trnsim::trace {

// A window onto a tensor. On chip: partition range plus free dims. HBM: dims only, outermost first.
// Methods return new views and check ranges (InternalError: kernels are our code).
struct View {
  std::uint32_t tensor = kNone;
  Region region = Region::kHbm;
  DType dtype = DType::kFloat32;
  std::uint32_t partition_start = 0;
  std::uint32_t partitions = 1;
  std::int64_t offset = 0;
  std::vector<Dim> dims;  // free dims (on chip) or all dims (HBM)

  // Narrows dim `d` to [start, start + count).
  [[nodiscard]] View slice(std::size_t d, std::uint32_t start, std::uint32_t count) const;
  // Narrows the partition range of an on-chip view.
  [[nodiscard]] View part(std::uint32_t start, std::uint32_t count) const;
  // Swaps two dims.
  [[nodiscard]] View permute(std::size_t a, std::size_t b) const;
  // Splits dim `d` of count outer*inner into [outer, inner].
  [[nodiscard]] View split(std::size_t d, std::uint32_t inner) const;
  // Replaces dim `d` by an index, dropping it.
  [[nodiscard]] View index(std::size_t d, std::uint32_t at) const;
  // Appends a dim of stride 0.
  [[nodiscard]] View broadcast(std::uint32_t count) const;
  // Elements per partition (on chip) or in all (HBM).
  [[nodiscard]] std::uint64_t elements() const;
};

class TraceBuilder {
 public:
  TraceBuilder(std::string kernel, std::string origin);

  // Row-major HBM tensor; partitions = 1.
  View hbm(std::string_view name, DType dtype, const std::vector<std::uint32_t>& shape, Role role);
  // SBUF / PSUM tile [partitions, free...]; a fresh logical tile at each call: the allocator rotates.
  View sbuf(std::string_view name, DType dtype, std::uint32_t partitions,
            const std::vector<std::uint32_t>& free, std::int64_t pinned_bytes = -1);
  View psum(std::string_view name, DType dtype, std::uint32_t partitions,
            const std::vector<std::uint32_t>& free, std::int64_t pinned_bytes = -1);

  // Generic: everything below goes through it. Returns the instruction's index.
  std::uint32_t emit(Opcode opcode, Engine engine, const std::vector<View>& outputs,
                     const std::vector<View>& inputs, const Attributes& attributes = {});

  // dst (+)= stationary^T x moving.
  void matmul(const View& dst, const View& stationary, const View& moving, bool accumulate,
              bool double_row = false);
  void transpose(const View& dst, const View& data, Engine engine = Engine::kTensor);
  void copy(const View& dst, const View& src, Engine engine = Engine::kUnassigned);
  void memset(const View& dst, double value, Engine engine = Engine::kUnassigned);
  void dma(const View& dst, const View& src, Engine trigger = Engine::kUnassigned);
  void dma_transpose(const View& dst, const View& src, Engine trigger = Engine::kUnassigned);
  void tensor_tensor(const View& dst, const View& a, AluOp op, const View& b,
                     Engine engine = Engine::kUnassigned);
  void fence();

  // Pattern id for Attributes::affine_pattern: strides are the coefficients of the free indices.
  std::uint32_t affine(const std::vector<Dim>& dims);

  // Kernel source line of what follows (0 = none).
  void at(std::string_view file, std::uint32_t line);

  [[nodiscard]] Trace& trace() { return trace_; }
  [[nodiscard]] Trace take();

 private:
  std::uint32_t intern(std::string_view text);
  std::uint32_t intern(const Pattern& pattern);
  std::uint32_t intern(const Attributes& attributes);
  Operand operand(const View& view);
  View on_chip(Region region, std::string_view name, DType dtype, std::uint32_t partitions,
               const std::vector<std::uint32_t>& free, std::int64_t pinned_bytes);

  Trace trace_;
  std::map<std::string, std::uint32_t, std::less<>> strings_;
  std::map<Pattern, std::uint32_t> patterns_;
  std::map<Attributes, std::uint32_t> attributes_;
  std::map<SourceLine, std::uint32_t> sources_;
  std::uint32_t source_ = kNone;
};

}  // namespace trnsim::trace
