// Look-ahead scheduling: what a compiler that may reorder independent instructions would emit.
//
// Dependencies are taken on whole logical tiles, so address reuse by the allocator does not
// restrict the order (overlapping pinned tiles do: the kernel reuses those bytes itself); each
// engine picks, among its next `window` instructions, the one that could start first by a plain
// cost estimate. No engine runs further ahead of the oldest instruction still to issue than the
// windows of all engines together, or one that waits for nothing would fill the memories of the
// others.
#include <algorithm>
#include <numeric>
#include <queue>
#include <span>

#include "dependency.h"
#include "engine_choice.h"
#include "trnsim/lower/lower.h"
#include "unroll.h"
#include "trnsim/timing/engine_cost.h"
#include "trnsim/timing/matmul_cost.h"

namespace trnsim::lower {
namespace {

using trace::Engine;
using trace::Trace;

struct Node {
  int engine = 0;
  double cost_ns = 0;
  double ready_ns = 0;
  std::uint32_t missing = 0;  // predecessors not issued yet
  std::vector<std::uint32_t> successors;
};

double cost_of(const Trace& trace, const spec::CoreSpec& core, std::uint32_t index, int& engine) {
  const trace::Instruction& instruction = trace.instructions[index];
  if (trace::is_dma(instruction.opcode)) {
    engine = static_cast<int>(dma_trigger(trace, instruction));
    return timing::issue_ns(core.dma, core.dma.default_dge);
  }
  const timing::InstructionShape shape = timing::shape_of(trace, instruction);
  const std::vector<Engine> legal = timing::legal_engines(core.generation, shape);
  Engine chosen = instruction.engine;
  if (chosen == Engine::kUnassigned) {
    chosen = legal.empty() ? Engine::kSync : legal.front();
  }
  engine = static_cast<int>(chosen);
  if (std::find(legal.begin(), legal.end(), chosen) == legal.end()) {
    return 0;  // lower() reports it
  }
  if (chosen == Engine::kTensor) {
    return static_cast<double>(timing::matmul_cost(core, shape).stream_cycles) /
           core.tensor.clock_ghz;
  }
  const double clock = chosen == Engine::kVector   ? core.vector.clock_ghz
                       : chosen == Engine::kScalar ? core.scalar.clock_ghz
                                                   : core.sequencer.base_clock_ghz;
  return static_cast<double>(timing::engine_cost(core, chosen, shape).interval_cycles) / clock;
}

// One id per storage: pinned tiles that share bytes are one storage, every other tensor is its own.
std::vector<std::uint32_t> storages(const Trace& trace) {
  std::vector<std::uint32_t> storage(trace.tensors.size());
  std::iota(storage.begin(), storage.end(), 0U);
  for (const trace::Region region : {trace::Region::kSbuf, trace::Region::kPsum}) {
    std::vector<std::uint32_t> pinned;
    for (std::uint32_t t = 0; t < trace.tensors.size(); ++t) {
      if (trace.tensors[t].region == region && trace.tensors[t].pinned_bytes >= 0) {
        pinned.push_back(t);
      }
    }
    std::stable_sort(pinned.begin(), pinned.end(), [&](std::uint32_t a, std::uint32_t b) {
      return trace.tensors[a].pinned_bytes < trace.tensors[b].pinned_bytes;
    });
    std::uint64_t end = 0;
    std::uint32_t current = trace::kNone;
    for (const std::uint32_t t : pinned) {
      const trace::Tensor& tensor = trace.tensors[t];
      const auto begin = static_cast<std::uint64_t>(tensor.pinned_bytes);
      if (current == trace::kNone || begin >= end) {
        current = t;
      }
      storage[t] = current;
      end = std::max(end, begin + tensor.free_elements * size_bytes(tensor.dtype));
    }
  }
  return storage;
}

// Predecessors by whole storages: conservative, and independent of allocated addresses.
std::vector<Node> dependency_graph(const Trace& trace, const spec::CoreSpec& core,
                                   const std::vector<std::uint32_t>& storage, std::uint32_t begin,
                                   std::uint32_t end) {
  const std::uint32_t n = end - begin;
  std::vector<Node> nodes(n);
  std::vector<std::uint32_t> last_writer(trace.tensors.size(), trace::kNone);
  std::vector<std::vector<std::uint32_t>> readers(trace.tensors.size());
  const auto edge = [&](std::uint32_t from, std::uint32_t to) {
    if (from == trace::kNone || from == to) {
      return;
    }
    auto& successors = nodes[from].successors;
    if (successors.empty() || successors.back() != to) {
      successors.push_back(to);
      ++nodes[to].missing;
    }
  };
  for (std::uint32_t i = 0; i < n; ++i) {
    const trace::Instruction& instruction = trace.instructions[begin + i];
    nodes[i].cost_ns = cost_of(trace, core, begin + i, nodes[i].engine);
    for (const trace::Operand& operand : trace.inputs(instruction)) {
      edge(last_writer[storage[operand.tensor]], i);
      readers[storage[operand.tensor]].push_back(i);
    }
    for (const trace::Operand& operand : trace.outputs(instruction)) {
      const std::uint32_t written = storage[operand.tensor];
      edge(last_writer[written], i);
      for (const std::uint32_t reader : readers[written]) {
        edge(reader, i);
      }
      readers[written].clear();
      last_writer[written] = i;
    }
  }
  return nodes;
}

// A look-ahead that lets engines open tiles faster than others empty them would not run, or spill.
// A tile whose turn it is in program order needs room; one ahead of it, room beyond what program
// order ever holds at a time. So an order exists whenever program order fits.
class Budget {
 public:
  // Tiles take whole units: banks of PSUM, bytes of SBUF.
  Budget(const Trace& trace, trace::Region region, std::uint64_t unit_bytes, std::uint64_t units)
      : trace_(trace),
        region_(region),
        unit_bytes_(unit_bytes),
        rank_(trace.tensors.size(), trace::kNone),
        accesses_(trace.tensors.size()),
        open_(trace.tensors.size()),
        free_(static_cast<std::int64_t>(units)) {
    take_pinned(units);
    for (const trace::Operand& operand : trace.operands) {  // in program order
      if (counts(operand.tensor) && accesses_[operand.tensor]++ == 0) {
        rank_[operand.tensor] = tiles_++;
      }
    }
    opened_.resize(tiles_);
    std::vector<std::uint32_t> left = accesses_;
    std::int64_t held = 0;
    for (const trace::Operand& operand : trace.operands) {
      const std::uint32_t t = operand.tensor;
      if (rank_[t] == trace::kNone) {
        continue;
      }
      held += left[t] == accesses_[t] ? units_of(t) : 0;
      most_held_ = std::max(most_held_, held);
      held -= --left[t] == 0 ? units_of(t) : 0;
    }
  }

  [[nodiscard]] bool admits(const trace::Instruction& instruction) const {
    std::int64_t left = free_;
    std::uint32_t next = next_;
    bool ahead = false;
    bool opens = false;
    for (const trace::Operand& operand : operands(instruction)) {
      const std::uint32_t t = operand.tensor;
      if (rank_[t] != trace::kNone && !open_[t]) {
        opens = true;
        left -= units_of(t);
        ahead = ahead || rank_[t] != next++;
      }
    }
    return !opens || left >= (ahead ? most_held_ : 0);
  }

  void issue(const trace::Instruction& instruction) {
    for (const trace::Operand& operand : operands(instruction)) {
      const std::uint32_t t = operand.tensor;
      if (rank_[t] != trace::kNone && !open_[t]) {
        open_[t] = true;
        opened_[rank_[t]] = true;
        free_ -= units_of(t);
      }
    }
    while (next_ < tiles_ && opened_[next_]) {
      ++next_;
    }
    for (const trace::Operand& operand : operands(instruction)) {
      const std::uint32_t t = operand.tensor;
      if (rank_[t] != trace::kNone && --accesses_[t] == 0) {
        free_ += units_of(t);
      }
    }
  }

 private:
  void take_pinned(std::uint64_t units) {
    std::vector<bool> pinned(units);
    for (const trace::Tensor& tensor : trace_.tensors) {
      if (tensor.region != region_ || tensor.pinned_bytes < 0) {
        continue;
      }
      const auto begin = static_cast<std::uint64_t>(tensor.pinned_bytes);
      const std::uint64_t end = begin + bytes(tensor);
      for (std::uint64_t u = begin / unit_bytes_; u < units && u * unit_bytes_ < end; ++u) {
        free_ -= pinned[u] ? 0 : 1;
        pinned[u] = true;
      }
    }
  }
  [[nodiscard]] bool counts(std::uint32_t tensor) const {
    return trace_.tensors[tensor].region == region_ && trace_.tensors[tensor].pinned_bytes < 0;
  }
  [[nodiscard]] static std::uint64_t bytes(const trace::Tensor& tensor) {
    return tensor.free_elements * size_bytes(tensor.dtype);
  }
  [[nodiscard]] std::int64_t units_of(std::uint32_t tensor) const {
    return static_cast<std::int64_t>((bytes(trace_.tensors[tensor]) + unit_bytes_ - 1) /
                                     unit_bytes_);
  }
  [[nodiscard]] std::span<const trace::Operand> operands(
      const trace::Instruction& instruction) const {
    return {trace_.operands.data() + instruction.first_operand,
            std::size_t{instruction.outputs} + instruction.inputs};
  }

  const Trace& trace_;
  trace::Region region_;
  std::uint64_t unit_bytes_;
  std::vector<std::uint32_t> rank_;  // position among the tiles by first access; kNone: not a tile
  std::vector<std::uint32_t> accesses_;  // still to come
  std::vector<bool> open_;               // by tensor
  std::vector<bool> opened_;             // by rank
  std::uint32_t tiles_ = 0;
  std::uint32_t next_ = 0;  // rank of the next tile to open in program order
  std::int64_t free_ = 0;
  std::int64_t most_held_ = 0;  // units that tiles hold at a time in program order
};

struct Budgets {
  Budget psum;
  Budget sbuf;

  [[nodiscard]] bool admits(const trace::Instruction& instruction) const {
    return psum.admits(instruction) && sbuf.admits(instruction);
  }
  void issue(const trace::Instruction& instruction) {
    psum.issue(instruction);
    sbuf.issue(instruction);
  }
};

void schedule(const Trace& trace, const spec::CoreSpec& core,
              const std::vector<std::uint32_t>& storage, Budgets& memory, std::uint32_t window,
              std::uint32_t begin, std::uint32_t end, std::vector<std::uint32_t>& order) {
  std::vector<Node> nodes = dependency_graph(trace, core, storage, begin, end);
  std::array<std::vector<std::uint32_t>, trace::kEngineCount> streams;
  for (std::uint32_t i = 0; i < nodes.size(); ++i) {
    streams[static_cast<std::size_t>(nodes[i].engine)].push_back(i);
  }
  std::array<std::size_t, trace::kEngineCount> head{};
  std::array<double, trace::kEngineCount> free_ns{};
  std::vector<bool> issued(nodes.size());
  std::uint32_t oldest = 0;
  const std::uint64_t reach = std::uint64_t{window} * trace::kEngineCount;
  for (std::size_t done = 0; done < nodes.size(); ++done) {
    while (issued[oldest]) {
      ++oldest;
    }
    std::uint32_t best = trace::kNone;
    std::uint32_t blocked =
        trace::kNone;  // the oldest that is ready, whether memory admits it or not
    double best_start = 0;
    for (std::size_t e = 0; e < streams.size(); ++e) {
      std::uint32_t seen = 0;
      bool waiting_dma = false;
      for (std::size_t k = head[e]; k < streams[e].size() && seen < window; ++k) {
        const std::uint32_t i = streams[e][k];
        if (i >= oldest + reach) {
          break;
        }
        if (issued[i]) {
          continue;
        }
        ++seen;
        const bool dma = trace::is_dma(trace.instructions[begin + i].opcode);
        if (dma && waiting_dma) {
          continue;  // transfers of an engine keep their order
        }
        waiting_dma = waiting_dma || dma;
        if (nodes[i].missing > 0) {
          continue;
        }
        if (blocked == trace::kNone || i < blocked) {
          blocked = i;
        }
        if (!memory.admits(trace.instructions[begin + i])) {
          continue;
        }
        const double start = std::max(free_ns[e], nodes[i].ready_ns);
        if (best == trace::kNone || start < best_start || (start == best_start && i < best)) {
          best = i;
          best_start = start;
        }
      }
    }
    if (best == trace::kNone) {  // not even program order fits: lower() reports it
      best = blocked;
      best_start =
          std::max(free_ns[static_cast<std::size_t>(nodes[best].engine)], nodes[best].ready_ns);
    }
    memory.issue(trace.instructions[begin + best]);
    Node& node = nodes[best];
    const auto e = static_cast<std::size_t>(node.engine);
    issued[best] = true;
    order.push_back(begin + best);
    free_ns[e] = best_start + node.cost_ns;
    while (head[e] < streams[e].size() && issued[streams[e][head[e]]]) {
      ++head[e];
    }
    for (const std::uint32_t successor : node.successors) {
      --nodes[successor].missing;
      nodes[successor].ready_ns = std::max(nodes[successor].ready_ns, free_ns[e]);
    }
  }
}

}  // namespace

std::vector<std::uint32_t> issue_order(const Trace& trace, const spec::CoreSpec& core,
                                       std::uint32_t window) {
  const auto n = static_cast<std::uint32_t>(trace.instructions.size());
  const bool rolled =
      std::any_of(trace.instructions.begin(), trace.instructions.end(),
                  [&trace](const trace::Instruction& i) { return is_rolled(trace, i); });
  if (window <= 1 || rolled) {
    return unrolled(trace);
  }
  std::vector<std::uint32_t> order;
  order.reserve(n);
  const std::vector<std::uint32_t> storage = storages(trace);
  constexpr std::uint64_t kKiB = 1024;
  const std::uint64_t sbuf_bytes =
      core.sbuf.kib_per_partition * kKiB - core.sbuf.reserved_bytes_per_partition;
  Budgets memory{
      {trace, trace::Region::kPsum, core.psum.bank_bytes_per_partition, core.psum.banks},
      {trace, trace::Region::kSbuf, 1, sbuf_bytes}};
  std::uint32_t begin = 0;
  for (std::uint32_t i = 0; i <= n; ++i) {
    if (i == n || trace::is_control(trace.instructions[i].opcode)) {
      schedule(trace, core, storage, memory, window, begin, i, order);
      if (i < n) {
        order.push_back(i);
      }
      begin = i + 1;
    }
  }
  return order;
}

}  // namespace trnsim::lower
