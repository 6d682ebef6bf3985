// On random traces the waits of lower() cover every RAW, WAR and WAW pair, checked by brute force:
// every byte of every operand, every pair of instructions, plain reachability.
#include <gtest/gtest.h>

#include <bitset>
#include <map>

#include "helpers.h"

namespace trnsim::lower::test {
namespace {

constexpr std::uint32_t kInstructions = 40;

// Bytes by quadrant: 4 x 1 KiB of SBUF, 4 x 4 KiB of PSUM, two HBM tensors of 4 KiB.
constexpr std::size_t kPsumBase = 4 * 1024;
constexpr std::size_t kHbmBase = kPsumBase + 4 * 4096;
using Bytes = std::bitset<kHbmBase + 2 * 4096>;

class RandomTrace {
 public:
  RandomTrace(std::uint32_t seed, bool fences) : random_(seed), b_("random", "test") {
    for (int t = 0; t < 6; ++t) {  // overlapping pinned tiles: 64 fp32 = 256 B
      tiles_.push_back(b_.sbuf("s", kF32, 128, {64}, 32 * random_.below(25)));
    }
    for (int t = 0; t < 2; ++t) {
      hbm_.push_back(b_.hbm("h", kF32, {128, 8}, Role::kInput));
      banks_.push_back(b_.psum("p", kF32, 128, {512}, 2048 * t));
    }
    for (std::uint32_t i = 0; i < kInstructions; ++i) {
      add(fences);
    }
  }
  trace::Trace take() { return b_.take(); }

 private:
  // A random walk of `count` elements, strided or not, in some quadrants.
  View walk(const View& from, std::uint32_t count, std::uint32_t quadrant,
            std::uint32_t quadrants) {
    const std::uint32_t stride = 1 + random_.below(2);
    View view = from.slice(0, random_.below(64 - stride * count + 1), stride * count);
    if (stride > 1) {
      view = view.split(0, stride).slice(1, 0, 1);
    }
    return view.part(32 * quadrant, 32 * quadrants);
  }
  View any_tile() { return tiles_[random_.below(6)]; }

  void add(bool fences) {
    const std::uint32_t count = 8;
    const std::uint32_t quadrants = random_.below(3) == 0 ? 2 : 1;
    const std::uint32_t q = random_.below(4 - quadrants + 1);
    const View dst = walk(any_tile(), count, q, quadrants);
    switch (random_.below(fences ? 8 : 7)) {
      case 0:
        b_.memset(dst, 0, random_.below(2) == 0 ? Engine::kVector : Engine::kGpSimd);
        break;
      case 1:
        b_.copy(dst, walk(any_tile(), count, q, quadrants), kCopyEngines[random_.below(3)]);
        break;
      case 2:
        b_.tensor_tensor(dst, walk(any_tile(), count, q, quadrants), AluOp::kAdd,
                         walk(any_tile(), count, q, quadrants), Engine::kVector);
        break;
      case 3:
        b_.dma(dst, rows(q, quadrants), kTriggers[random_.below(3)]);
        break;
      case 4:
        b_.dma(rows(q, quadrants), dst, kTriggers[random_.below(3)]);
        break;
      case 5: {  // fp32: two pairs on trn2
        const View source = any_tile();
        b_.matmul(banks_[random_.below(2)].slice(0, random_.below(256), 8).part(0, 64), source,
                  source.slice(0, 8, 8), random_.below(2) == 0);
        break;
      }
      case 6:
        b_.copy(
            dst,
            banks_[random_.below(2)].slice(0, random_.below(256), 8).part(32 * q, 32 * quadrants),
            random_.below(2) == 0 ? Engine::kVector : Engine::kScalar);
        break;
      default:
        b_.fence();
        break;
    }
  }
  View rows(std::uint32_t q, std::uint32_t quadrants) {
    return hbm_[random_.below(2)].slice(0, 32 * q, 32 * quadrants);
  }

  static constexpr Engine kCopyEngines[] = {Engine::kVector, Engine::kScalar, Engine::kGpSimd};
  static constexpr Engine kTriggers[] = {Engine::kSync, Engine::kGpSimd, Engine::kScalar};
  Random random_;
  TraceBuilder b_;
  std::vector<View> tiles_;
  std::vector<View> hbm_;
  std::vector<View> banks_;
};

// Marks each byte the operand touches, element by element.
void mark(const trace::Trace& trace, const trace::Operand& operand, Bytes& bytes) {
  const trace::Pattern& pattern = trace.pattern(operand);
  const trace::Tensor& tensor = trace.tensor(operand);
  const std::uint32_t size = size_bytes(pattern.dtype);
  std::vector<std::int64_t> elements = {operand.offset};
  for (const trace::Dim& dim : pattern.span()) {
    std::vector<std::int64_t> next;
    for (const std::int64_t at : elements) {
      for (std::uint32_t i = 0; i < dim.count; ++i) {
        next.push_back(at + dim.stride * i);
      }
    }
    elements = std::move(next);
  }
  std::vector<std::size_t> bases;
  if (tensor.region == Region::kHbm) {
    bases = {kHbmBase + (trace.string(tensor.name) == "h" && operand.tensor == 6 ? 0U : 4096U)};
  } else {
    const std::uint32_t first = operand.partition_start / 32;
    const std::uint32_t last = (operand.partition_start + operand.partition_count - 1) / 32;
    for (std::uint32_t q = first; q <= last; ++q) {
      bases.push_back((tensor.region == Region::kPsum ? kPsumBase + q * 4096 : q * 1024) +
                      static_cast<std::size_t>(tensor.pinned_bytes));
    }
  }
  for (const std::size_t base : bases) {
    for (const std::int64_t at : elements) {
      for (std::uint32_t k = 0; k < size; ++k) {
        bytes.set(base + static_cast<std::size_t>(at) * size + k);
      }
    }
  }
}

// Events of a Program: start of a step, its completion, and the completion of the DMA it triggered.
// before[x] holds every event that must have happened when x happens.
class Events {
 public:
  static constexpr std::size_t kMax = 512;
  using Set = std::bitset<kMax>;

  Events(const Program& program, const std::vector<std::uint32_t>& order) {
    std::array<std::size_t, trace::kEngineCount> next{};
    std::map<QueueId, std::uint32_t> counts;
    std::map<QueueId, std::size_t> last_start;
    for (const std::uint32_t index : order) {
      for (QueueId e = 0; e < trace::kEngineCount; ++e) {
        const std::vector<Step>& steps = program.streams[e];
        for (; next[e] < steps.size() && steps[next[e]].trace_index == index; ++next[e]) {
          const Step& step = steps[next[e]];
          const std::size_t start = add();
          if (last_start.contains(e)) {
            follow(start, last_start[e]);  // in-order issue
          }
          for (const Wait& wait : waits_of(program, step)) {
            EXPECT_TRUE(done_.contains({wait.queue, wait.count})) << "waits for the future";
            follow(start, done_[{wait.queue, wait.count}]);
          }
          last_start[e] = start;
          first_start_.try_emplace(index, start);
          complete(e, counts, start, index);
          if (step.kind == StepKind::kDmaTrigger) {
            complete(kFirstDmaQueue + step.dma_queue, counts, start, index);
          }
        }
      }
    }
  }

  [[nodiscard]] bool emitted(std::uint32_t index) const { return first_start_.contains(index); }
  [[nodiscard]] QueueId queue(std::uint32_t index) const { return end_.at(index).first; }
  // Completion of `a` is known when `b` starts, or (later) when `b` completes.
  [[nodiscard]] bool before_start(std::uint32_t a, std::uint32_t b) const {
    return before_[first_start_.at(b)].test(end_.at(a).second);
  }
  [[nodiscard]] bool before_end(std::uint32_t a, std::uint32_t b) const {
    return before_[end_.at(b).second].test(end_.at(a).second);
  }

 private:
  std::size_t add() {
    before_.emplace_back();
    EXPECT_LT(before_.size(), kMax);
    return before_.size() - 1;
  }
  void follow(std::size_t event, std::size_t earlier) {
    before_[event] |= before_[earlier];
    before_[event].set(earlier);
  }
  void complete(QueueId queue, std::map<QueueId, std::uint32_t>& counts, std::size_t start,
                std::uint32_t index) {
    const std::size_t event = add();
    follow(event, start);
    const std::uint32_t count = ++counts[queue];
    if (count > 1) {
      follow(event, done_[{queue, count - 1}]);  // in-order completion
    }
    done_[{queue, count}] = event;
    end_[index] = {queue, event};
  }

  std::vector<Set> before_;
  std::map<std::pair<QueueId, std::uint32_t>, std::size_t> done_;
  std::map<std::uint32_t, std::size_t> first_start_;
  std::map<std::uint32_t, std::pair<QueueId, std::size_t>> end_;
};

struct Access {
  Bytes reads;
  Bytes writes;
};

std::vector<Access> accesses(const trace::Trace& trace) {
  std::vector<Access> result(trace.instructions.size());
  for (std::size_t i = 0; i < result.size(); ++i) {
    for (const trace::Operand& operand : trace.inputs(trace.instructions[i])) {
      mark(trace, operand, result[i].reads);
    }
    for (const trace::Operand& operand : trace.outputs(trace.instructions[i])) {
      mark(trace, operand, result[i].writes);
    }
  }
  return result;
}

// Checks all pairs; returns how many conflict.
int check(const trace::Trace& trace, std::uint32_t window) {
  Options options;
  options.window = window;
  const auto program = lower(trace, trn2(), options);
  EXPECT_EQ(program->elided_memsets, 0U);
  const std::vector<std::uint32_t> order = issue_order(trace, trn2(), options).order;
  std::vector<std::uint32_t> position(order.size(), trace::kNone);
  for (std::uint32_t k = 0; k < order.size(); ++k) {
    EXPECT_EQ(position[order[k]], trace::kNone) << "issued twice";
    position[order[k]] = k;
  }
  EXPECT_EQ(order.size(), trace.instructions.size());
  const Events events(*program, order);
  const std::vector<Access> access = accesses(trace);
  int conflicts = 0;
  std::uint32_t fence = 0;  // first instruction after the last fence before j
  for (std::uint32_t j = 0; j < access.size(); ++j) {
    if (trace.instructions[j].opcode == Opcode::kFence) {
      fence = j + 1;
      continue;
    }
    EXPECT_TRUE(events.emitted(j));
    for (std::uint32_t i = 0; i < j; ++i) {
      if (trace.instructions[i].opcode == Opcode::kFence) {
        continue;
      }
      const bool raw = (access[i].writes & access[j].reads).any();
      const bool other =
          (access[i].reads & access[j].writes).any() || (access[i].writes & access[j].writes).any();
      if (i < fence) {
        EXPECT_LT(position[i], position[j]) << i << " crosses the fence before " << j;
        EXPECT_TRUE(events.before_start(i, j)) << i << " overlaps " << j << " behind a fence";
      } else if (raw || (other && events.queue(i) != events.queue(j))) {
        ++conflicts;
        EXPECT_LT(position[i], position[j]);
        EXPECT_TRUE(events.before_start(i, j)) << j << " does not wait for " << i;
      } else if (other) {
        ++conflicts;
        EXPECT_LT(position[i], position[j]);
        EXPECT_TRUE(events.before_end(i, j)) << j << " may overtake " << i;
      }
    }
  }
  return conflicts;
}

TEST(WaitCoverage, OrdersEveryConflictOfRandomTraces) {
  int conflicts = 0;
  for (std::uint32_t seed = 0; seed < 150; ++seed) {
    const trace::Trace trace = RandomTrace(seed, false).take();
    trace::validate(trace);
    conflicts += check(trace, 1);
    ASSERT_FALSE(HasFailure()) << "seed " << seed;
  }
  EXPECT_GT(conflicts, 10000);  // the traces do conflict
}

TEST(WaitCoverage, OrdersEveryConflictAndFenceOfRandomTraces) {
  for (std::uint32_t seed = 1000; seed < 1080; ++seed) {
    (void)check(RandomTrace(seed, true).take(), 1);
    ASSERT_FALSE(HasFailure()) << "seed " << seed;
  }
}

TEST(WaitCoverage, OrdersEveryConflictUnderLookAhead) {
  std::uint32_t moved = 0;
  for (std::uint32_t seed = 2000; seed < 2120; ++seed) {
    const trace::Trace trace = RandomTrace(seed, seed % 2 == 0).take();
    for (const std::uint32_t window : {2U, 4U, 40U}) {
      (void)check(trace, window);
      Options options;
      options.window = window;
      moved += issue_order(trace, trn2(), options).order != issue_order(trace, trn2(), {}).order
                   ? 1U
                   : 0U;
    }
    ASSERT_FALSE(HasFailure()) << "seed " << seed;
  }
  EXPECT_GT(moved, 100U);  // it does reorder
}

TEST(WaitCoverage, LoweringIsDeterministic) {
  const trace::Trace trace = RandomTrace(5, true).take();
  const auto a = lower(trace, trn2());
  const auto b = lower(trace, trn2());
  EXPECT_EQ(a->waits, b->waits);
  EXPECT_EQ(a->dependency_edges, b->dependency_edges);
}

}  // namespace
}  // namespace trnsim::lower::test
