// One operand of a GEMM: how its K axis maps to partitions and how a piece of it gets into SBUF.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "evacuate.h"
#include "trnsim/kernels/gemm.h"
#include "trnsim/trace/builder.h"

namespace trnsim::kernels {

// Rows of K that are contracted by steps of one shape. Partition p, row q holds
// K index first + p * partition_stride + q * row_stride; a step takes `pair` consecutive rows q.
struct KGroup {
  std::uint32_t first = 0;
  std::uint32_t partitions = 0;
  std::uint32_t rows = 0;  // per partition
  std::uint32_t pair = 1;  // 2: fp8 double_row
  std::uint32_t partition_stride = 1;
  std::uint32_t row_stride = 1;
};

// One matmul's worth of K.
struct KStep {
  std::uint32_t group = 0;
  std::uint32_t row = 0;  // first row q within the group
};

// The split of K into matmul steps, the same for both operands.
struct KPlan {
  std::vector<KGroup> groups;
  std::vector<KStep> steps;
};

// `interleaved` gives each partition neighbouring rows of K, so that loads of whole rows are
// contiguous in HBM; otherwise neighbouring partitions hold neighbouring rows, which transposes
// need. The order of a contraction does not matter. A K that does not fill the array ends in
// smaller single-row steps.
[[nodiscard]] KPlan make_k_plan(std::uint32_t k, std::uint32_t array_rows, std::uint32_t pair,
                                bool interleaved);

class GemmOperand {
 public:
  // `source`: HBM [K, free_size] if k_is_outer, else [free_size, K].
  GemmOperand(trace::TraceBuilder& builder, Evacuator& evacuator, trace::View source,
              std::string name, bool k_is_outer, bool by_dma);

  // Loads rows [row, row + rows) of a group, free range [start, start + count), into a fresh tile
  // [partitions, rows, count].
  trace::View load(const KGroup& group, std::uint32_t row, std::uint32_t rows, std::uint32_t start,
                   std::uint32_t count, trace::Engine trigger);
  // The same into `dst`, a view of that shape.
  void load_into(const trace::View& dst, const KGroup& group, std::uint32_t row,
                 std::uint32_t start, trace::Engine trigger);

  // Every tile that the tensor engine turns is also stored to `scratch`, HBM [K, free_size]...
  void keep_transposed_in(trace::View scratch) { scratch_ = std::move(scratch); }
  // ...from where the same piece can be loaded again, if there is one.
  trace::View load_again(const KGroup& group, std::uint32_t row, std::uint32_t rows,
                         std::uint32_t start, std::uint32_t count, trace::Engine trigger);

  [[nodiscard]] const std::string& name() const { return name_; }
  [[nodiscard]] DType dtype() const { return source_.dtype; }
  // K arrives innermost and the tensor engine turns it.
  [[nodiscard]] bool on_tensor() const { return !k_is_outer_ && !by_dma_; }

 private:
  void transpose_by_dma(const trace::View& dst, const KGroup& group, std::uint32_t row,
                        std::uint32_t start, trace::Engine trigger);
  std::vector<trace::View> load_natural(std::uint32_t start, std::uint32_t width,
                                        std::int64_t first_k, std::uint32_t columns,
                                        trace::Engine trigger);
  void transpose_on_tensor(const trace::View& dst, const KGroup& group, std::uint32_t row,
                           std::uint32_t start, trace::Engine trigger);

  // Rows of a group, free range from `start`, as `tile` holds them, of HBM [K, free_size].
  [[nodiscard]] static trace::View k_outer_part(const trace::View& hbm, const trace::View& tile,
                                                const KGroup& group, std::uint32_t row,
                                                std::uint32_t start);

  trace::TraceBuilder& builder_;
  Evacuator& evacuator_;
  trace::View source_;
  std::optional<trace::View> scratch_;
  std::string name_;
  bool k_is_outer_;
  bool by_dma_;
  std::int64_t pitch_ = 0;  // elements between two neighbours of the outer HBM axis
};

// The operand of one matmul: step `row` of a loaded tile, free range [start, start + count).
[[nodiscard]] trace::View step_view(const trace::View& tile, std::uint32_t row, std::uint32_t pair,
                                    std::uint32_t start, std::uint32_t count);

}  // namespace trnsim::kernels
