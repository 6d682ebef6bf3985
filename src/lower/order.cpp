// Look-ahead scheduling: what a compiler that may reorder independent instructions would emit.
//
// List scheduling by the critical path. Of the instructions within reach that are ready when an engine is
// free it takes the one with the longest way to the end; an instruction that two engines can run goes to
// the one that would start it first. In the profiles of trainium-kernel-fusion the compiler of NKI beta 1
// does the same thing for all iterations of a loop before it goes on to the next, as this does: what is
// furthest from the end comes first.
#include <algorithm>
#include <cmath>
#include <set>

#include "memory_budget.h"
#include "schedule_graph.h"
#include "trnsim/lower/lower.h"
#include "unroll.h"

namespace trnsim::lower {
namespace {

using trace::Engine;
using trace::Trace;

constexpr auto kVector = static_cast<std::size_t>(Engine::kVector);
constexpr auto kScalar = static_cast<std::size_t>(Engine::kScalar);

class ListScheduler {
 public:
  // Of instructions [begin, end).
  ListScheduler(const Trace& trace, const spec::CoreSpec& core, const Options& options,
                const std::vector<std::uint32_t>& storage, MemoryBudget& memory,
                std::uint32_t begin, std::uint32_t end)
      : trace_(trace),
        memory_(memory),
        begin_(begin),
        reach_(options.window),
        psum_exclusive_(core.psum.vector_scalar_exclusive),
        nodes_(schedule_graph(trace, core, options, storage, begin, end)),
        ready_ns_(nodes_.size()),
        issued_(nodes_.size()),
        before_{nodes_},
        ready_{Ready(before_), Ready(before_), Ready(before_), Ready(before_), Ready(before_)} {}

  void run(IssueOrder& result) {
    for (std::size_t done = 0; done < nodes_.size(); ++done) {
      advance();
      const Choice choice = choose();
      issue(choice);
      result.order.push_back(begin_ + choice.node);
      result.engines[begin_ + choice.node] = static_cast<Engine>(choice.engine);
    }
  }

 private:
  // Longest way to the end first, then program order.
  struct Before {
    const std::vector<ScheduleNode>& nodes;
    bool operator()(std::uint32_t a, std::uint32_t b) const {
      return nodes[a].path_ns != nodes[b].path_ns ? nodes[a].path_ns > nodes[b].path_ns : a < b;
    }
  };
  using Ready = std::set<std::uint32_t, Before>;

  struct Choice {
    std::uint32_t node = trace::kNone;
    std::size_t engine = 0;
    double start_ns = 0;
  };

  // Instructions come into reach as the oldest ones are issued.
  void advance() {
    while (issued_[oldest_]) {
      ++oldest_;
    }
    for (; entered_ < nodes_.size() && entered_ < oldest_ + reach_; ++entered_) {
      if (nodes_[entered_].missing == 0) {
        enter(entered_);
      }
    }
  }

  void enter(std::uint32_t node) {
    for (std::size_t e = 0; e < trace::kEngineCount; ++e) {
      if (nodes_[node].may[e]) {
        ready_[e].insert(node);
      }
    }
  }

  [[nodiscard]] double start_ns(std::uint32_t node, std::size_t engine) const {
    double start = std::max(free_ns_[engine], ready_ns_[node]);
    if (psum_exclusive_ && nodes_[node].psum && (engine == kVector || engine == kScalar)) {
      start = std::max(start, psum_until_ns_[engine == kVector ? kScalar : kVector]);
    }
    return start;
  }

  [[nodiscard]] Choice choose() const {
    Choice best;
    Choice oldest;  // whether memory admits it or not
    for (std::size_t e = 0; e < trace::kEngineCount; ++e) {
      const Choice mine = choose_for(e, oldest);
      if (mine.node != trace::kNone &&
          (best.node == trace::kNone || mine.start_ns < best.start_ns ||
           (mine.start_ns == best.start_ns && before_(mine.node, best.node)))) {
        best = mine;
      }
    }
    // None: not even program order fits, which lower() reports.
    return best.node != trace::kNone ? best : oldest;
  }

  // The first of an engine's ready instructions that can start when the engine is free, or the one that can
  // start soonest.
  [[nodiscard]] Choice choose_for(std::size_t engine, Choice& oldest) const {
    Choice mine;
    for (const std::uint32_t node : ready_[engine]) {
      double start = start_ns(node, engine);
      if (oldest.node == trace::kNone || node < oldest.node) {
        oldest = {node, engine, start};
      }
      if (mine.node != trace::kNone && start >= mine.start_ns) {
        continue;
      }
      start = memory_.earliest_ns(trace_.instructions[begin_ + node], start);
      if (std::isinf(start) || (mine.node != trace::kNone && start >= mine.start_ns)) {
        continue;
      }
      mine = {node, engine, start};
      if (start <= free_ns_[engine]) {
        break;
      }
    }
    return mine;
  }

  void issue(const Choice& choice) {
    const ScheduleNode& node = nodes_[choice.node];
    issued_[choice.node] = true;
    for (Ready& ready : ready_) {
      ready.erase(choice.node);
    }
    const double end = choice.start_ns + node.cost_ns[choice.engine];
    free_ns_[choice.engine] = end;
    if (node.psum) {
      psum_until_ns_[choice.engine] = end;
    }
    double done = end;
    if (node.dma) {
      dma_free_ns_ =
          std::max(dma_free_ns_, choice.start_ns + node.lead_ns) + node.transfer_ns;
      done = dma_free_ns_;
    }
    done += node.after_ns;
    memory_.issue(trace_.instructions[begin_ + choice.node], choice.start_ns, done);
    for (const std::uint32_t successor : node.successors) {
      ready_ns_[successor] = std::max(ready_ns_[successor], done);
      if (--nodes_[successor].missing == 0 && successor < entered_) {
        enter(successor);
      }
    }
  }

  const Trace& trace_;
  MemoryBudget& memory_;
  std::uint32_t begin_;
  std::uint32_t reach_;
  bool psum_exclusive_;
  std::vector<ScheduleNode> nodes_;
  std::vector<double> ready_ns_;
  std::vector<bool> issued_;
  Before before_;
  std::array<Ready, trace::kEngineCount> ready_;
  std::array<double, trace::kEngineCount> free_ns_{};
  std::array<double, trace::kEngineCount> psum_until_ns_{};
  double dma_free_ns_ = 0;
  std::uint32_t oldest_ = 0;
  std::uint32_t entered_ = 0;
};

}  // namespace

IssueOrder issue_order(const Trace& trace, const spec::CoreSpec& core, const Options& options) {
  const auto n = static_cast<std::uint32_t>(trace.instructions.size());
  const bool rolled =
      std::any_of(trace.instructions.begin(), trace.instructions.end(),
                  [&trace](const trace::Instruction& i) { return is_rolled(trace, i); });
  IssueOrder result;
  if (options.window <= 1 || rolled) {
    result.order = unrolled(trace);
    return result;
  }
  result.order.reserve(n);
  result.engines.resize(n, Engine::kUnassigned);
  const std::vector<std::uint32_t> storage = storages(trace);
  MemoryBudget memory(trace, core);
  std::uint32_t begin = 0;
  for (std::uint32_t i = 0; i <= n; ++i) {
    if (i == n || trace::is_control(trace.instructions[i].opcode)) {
      ListScheduler(trace, core, options, storage, memory, begin, i).run(result);
      if (i < n) {
        result.order.push_back(i);
      }
      begin = i + 1;
    }
  }
  return result;
}

}  // namespace trnsim::lower
