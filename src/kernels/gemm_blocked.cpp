// Blocked GEMM: PSUM blocks of several tiles, operands loaded once per panel and kept as planned.
//
// The work is a list of items (block, range of K steps). Loads are emitted where an item first
// needs them; their queue runs ahead of the tensor engine as far as the memory that the allocator's
// rotation has free. Operands that the tensor engine must transpose are fetched one item ahead in
// the instruction stream, because that engine works in order.
#include <algorithm>
#include <map>
#include <utility>

#include "gemm_emit.h"

namespace trnsim::kernels {
namespace {

using trace::Engine;
using trace::View;

struct Item {
  std::uint32_t generation = 0;  // panel the operands belong to
  std::uint32_t m_block = 0;
  std::uint32_t n_block = 0;
  std::uint32_t first_step = 0;
  std::uint32_t steps = 0;
};

// The K steps of one operand block that have been loaded so far.
struct LoadedBlock {
  struct Step {
    View tile;
    std::uint32_t row = 0;
  };
  std::uint32_t start = 0;
  std::uint32_t count = 0;
  std::vector<Step> steps;
};

// Blocks of one operand that have been loaded, by (generation, block index).
class Panel {
 public:
  Panel(GemmOperand& operand, const GemmPlan& plan, std::uint32_t size, std::uint32_t block)
      : operand_(operand), plan_(plan), size_(size), block_(block) {}

  // Loads what is missing of the block's first `steps` K steps.
  void ensure(std::uint32_t generation, std::uint32_t index, std::uint32_t steps) {
    blocks_.erase(blocks_.begin(), blocks_.lower_bound({generation == 0 ? 0 : generation - 1, 0}));
    LoadedBlock& block = blocks_[{generation, index}];
    block.start = index * block_;
    block.count = std::min(block_, size_ - block.start);
    while (block.steps.size() < steps) {
      load_next(block, generation, index);
    }
  }

  [[nodiscard]] const LoadedBlock& block(std::uint32_t generation, std::uint32_t index) const {
    return blocks_.at({generation, index});
  }

  // The first loads wait for nothing, so a second queue shortens the start; later ones would hold
  // up the trigger's engine.
  void use_for_first_loads(Engine trigger) { first_trigger_ = trigger; }

 private:
  void load_next(LoadedBlock& block, std::uint32_t generation, std::uint32_t index) {
    const auto loaded = static_cast<std::uint32_t>(block.steps.size());
    const KStep step = plan_.k.steps[loaded];
    const KGroup& group = plan_.k.groups[step.group];
    std::uint32_t steps = operand_.on_tensor() && plan_.by_compiler
                              ? kTransposedSteps
                              : steps_per_load(plan_, operand_.dtype(), block.count);
    Engine trigger = plan_.by_compiler ? Engine::kUnassigned : Engine::kSync;
    if (generation == 0 && index == 0 && plan_.small_first_loads) {
      steps = std::min(steps, std::max(1U, loaded));
      trigger = loaded < kFirstSteps ? first_trigger_ : trigger;
    }
    const std::uint32_t rows = std::min(steps * group.pair, group.rows - step.row);
    const View tile =
        generation == 0
            ? operand_.load(group, step.row, rows, block.start, block.count, trigger)
            : operand_.load_again(group, step.row, rows, block.start, block.count, trigger);
    for (std::uint32_t row = 0; row < rows; row += group.pair) {
      block.steps.push_back({tile, row});
    }
  }

  static constexpr std::uint32_t kFirstSteps = 4;

  GemmOperand& operand_;
  const GemmPlan& plan_;
  std::uint32_t size_;
  std::uint32_t block_;
  Engine first_trigger_ = Engine::kSync;
  std::map<std::pair<std::uint32_t, std::uint32_t>, LoadedBlock> blocks_;
};

class BlockedGemm {
 public:
  explicit BlockedGemm(GemmContext& context)
      : context_(context),
        plan_(context.plan),
        a_(context.a, plan_, context.options.m, plan_.blocking.m_tiles * plan_.m_tile),
        b_(context.b, plan_, context.options.n, plan_.blocking.n_tiles * plan_.n_tile) {
    if (plan_.single_bank) {
      single_bank_ = context.builder.psum("acc", DType::kFloat32, plan_.m_tile, {plan_.n_tile});
    }
    a_.use_for_first_loads(Engine::kScalar);
  }

  void emit() {
    list_items();
    const bool look_ahead = transposes_on_tensor(context_.options, plan_);
    for (std::size_t i = 0; i < items_.size(); ++i) {
      fetch(items_[i]);
      if (look_ahead && i + 1 < items_.size()) {
        fetch(items_[i + 1]);
      }
      compute(items_[i]);
    }
  }

 private:
  void list_items();
  void list_block(std::uint32_t generation, std::uint32_t m_block, std::uint32_t n_block);
  void fetch(const Item& item) {
    a_.ensure(item.generation, item.m_block, item.first_step + item.steps);
    b_.ensure(item.generation, item.n_block, item.first_step + item.steps);
  }
  void compute(const Item& item);
  void multiply(const Item& item, const LoadedBlock& a, const LoadedBlock& b, std::uint32_t m,
                std::uint32_t n);
  void finish(const LoadedBlock& a, const LoadedBlock& b);
  void finish_row(const LoadedBlock& a, const LoadedBlock& b, std::uint32_t m);
  void finish_tile(const LoadedBlock& b, std::uint32_t m, std::uint32_t n);
  [[nodiscard]] std::uint32_t tiles(const LoadedBlock& block, std::uint32_t tile) const {
    return ceil_div(block.count, tile);
  }

  GemmContext& context_;
  const GemmPlan& plan_;
  Panel a_;
  Panel b_;
  View single_bank_;
  std::vector<Item> items_;
  std::vector<View> accumulators_;  // of the current block, m-major
  View row_;                        // SBUF row of output tiles that is being filled
};

void BlockedGemm::list_items() {
  const GemmBlocking& blocking = plan_.blocking;
  const std::uint32_t m_blocks = ceil_div(context_.options.m, blocking.m_tiles * plan_.m_tile);
  const std::uint32_t n_blocks = ceil_div(context_.options.n, blocking.n_tiles * plan_.n_tile);
  const std::uint32_t panel = blocking.panel_blocks;
  std::uint32_t generation = 0;
  switch (blocking.keep) {
    case GemmKeep::kA:
      for (std::uint32_t first = 0; first < m_blocks; first += panel, ++generation) {
        for (std::uint32_t n = 0; n < n_blocks; ++n) {
          for (std::uint32_t m = first; m < std::min(first + panel, m_blocks); ++m) {
            list_block(generation, m, n);
          }
        }
      }
      return;
    case GemmKeep::kB:
      for (std::uint32_t first = 0; first < n_blocks; first += panel, ++generation) {
        for (std::uint32_t m = 0; m < m_blocks; ++m) {
          for (std::uint32_t n = first; n < std::min(first + panel, n_blocks); ++n) {
            list_block(generation, m, n);
          }
        }
      }
      return;
    case GemmKeep::kNone:
      for (std::uint32_t m = 0; m < m_blocks; ++m) {
        for (std::uint32_t n = 0; n < n_blocks; ++n, ++generation) {
          list_block(generation, m, n);
        }
      }
      return;
  }
}

void BlockedGemm::list_block(std::uint32_t generation, std::uint32_t m_block,
                             std::uint32_t n_block) {
  const auto all = static_cast<std::uint32_t>(plan_.k.steps.size());
  const bool grow = items_.empty() && plan_.small_first_loads;
  for (std::uint32_t step = 0; step < all;) {
    std::uint32_t steps = plan_.blocking.compute_steps;
    if (grow) {
      steps = std::min(steps, std::max(1U, step));
    }
    steps = std::min(steps, all - step);
    items_.push_back({generation, m_block, n_block, step, steps});
    step += steps;
  }
}

void BlockedGemm::compute(const Item& item) {
  const LoadedBlock& a = a_.block(item.generation, item.m_block);
  const LoadedBlock& b = b_.block(item.generation, item.n_block);
  const bool is_last = item.first_step + item.steps == plan_.k.steps.size();
  if (item.first_step == 0) {
    accumulators_.clear();
  }
  for (std::uint32_t m = 0; m < tiles(a, plan_.m_tile); ++m) {
    for (std::uint32_t n = 0; n < tiles(b, plan_.n_tile); ++n) {
      multiply(item, a, b, m, n);
      if (is_last && !plan_.late_evacuation) {
        finish_tile(b, m, n);
      }
    }
    if (is_last && !plan_.late_evacuation) {
      finish_row(a, b, m);
    }
  }
  if (is_last && plan_.late_evacuation) {
    finish(a, b);
  }
}

void BlockedGemm::multiply(const Item& item, const LoadedBlock& a, const LoadedBlock& b,
                           std::uint32_t m, std::uint32_t n) {
  const std::uint32_t rows = std::min(plan_.m_tile, a.count - m * plan_.m_tile);
  const std::uint32_t columns = std::min(plan_.n_tile, b.count - n * plan_.n_tile);
  if (item.first_step == 0) {
    accumulators_.push_back(plan_.single_bank
                                ? single_bank_.part(0, rows).slice(0, 0, columns)
                                : context_.builder.psum("acc", DType::kFloat32, rows, {columns}));
  }
  const View& dst = accumulators_[m * tiles(b, plan_.n_tile) + n];
  for (std::uint32_t s = item.first_step; s < item.first_step + item.steps; ++s) {
    const std::uint32_t pair = plan_.k.groups[plan_.k.steps[s].group].pair;
    context_.builder.matmul(
        dst, step_view(a.steps[s].tile, a.steps[s].row, pair, m * plan_.m_tile, rows),
        step_view(b.steps[s].tile, b.steps[s].row, pair, n * plan_.n_tile, columns), s > 0,
        pair == 2);
  }
}

void BlockedGemm::finish(const LoadedBlock& a, const LoadedBlock& b) {
  for (std::uint32_t m = 0; m < tiles(a, plan_.m_tile); ++m) {
    for (std::uint32_t n = 0; n < tiles(b, plan_.n_tile); ++n) {
      finish_tile(b, m, n);
    }
    finish_row(a, b, m);
  }
}

void BlockedGemm::finish_tile(const LoadedBlock& b, std::uint32_t m, std::uint32_t n) {
  const View& tile = accumulators_[m * tiles(b, plan_.n_tile) + n];
  if (n == 0) {
    row_ = context_.builder.sbuf("c_row", plan_.out_dtype, tile.partitions, {b.count});
  }
  context_.evacuator.copy(row_.slice(0, n * plan_.n_tile, tile.dims[0].count), tile);
}

void BlockedGemm::finish_row(const LoadedBlock& a, const LoadedBlock& b, std::uint32_t m) {
  const View dst =
      context_.c.slice(0, a.start + m * plan_.m_tile, row_.partitions).slice(1, b.start, b.count);
  context_.builder.dma(dst, row_, plan_.by_compiler ? Engine::kUnassigned : Engine::kGpSimd);
}

}  // namespace

void emit_blocked(GemmContext& context) {
  BlockedGemm(context).emit();
}

}  // namespace trnsim::kernels
