// Costs and byte-exact dependencies for the scheduler.
#include "schedule_graph.h"

#include <algorithm>
#include <limits>
#include <map>
#include <numeric>

#include "engine_choice.h"
#include "segment_map.h"
#include "trnsim/timing/dma_cost.h"
#include "trnsim/timing/engine_cost.h"
#include "trnsim/timing/matmul_cost.h"

namespace trnsim::lower {
namespace {

using trace::Engine;
using trace::Trace;

// Who wrote and who reads bytes of one storage.
struct Accesses {
  std::uint32_t writer = trace::kNone;
  std::vector<std::uint32_t> readers;
};

void set_dma_cost(const Trace& trace, const spec::CoreSpec& core, const Options& options,
                  const trace::Instruction& instruction, ScheduleNode& node) {
  const Engine trigger = dma_trigger(trace, instruction, options.compiled);
  const auto e = static_cast<std::size_t>(trigger);
  const spec::DgeMode mode = dma_mode(trace, core, instruction, trigger);
  const timing::DmaPlan plan = timing::plan_dma(core, trace, instruction);
  node.dma = true;
  node.may[e] = true;
  const timing::TriggerTime trigger_time = timing::trigger_time(core.dma, plan, mode);
  node.cost_ns[e] = trigger_time.interval_ns;
  node.lead_ns = trigger_time.before_ns + timing::issue_ns(core.dma, mode) +
                 timing::start_ns(core.dma, plan, mode);
  node.transfer_ns = core.dma.issue_floor_ns;
  for (const timing::DmaShare& share : plan.shares) {
    node.transfer_ns =
        std::max(node.transfer_ns, static_cast<double>(share.bytes) / plan.engine_GBps);
  }
  node.after_ns = core.dma.completion_ns;
}

// An engine that cannot run it costs nothing: lower() reports it.
void add_engine(const spec::CoreSpec& core, const timing::InstructionShape& shape,
                const std::vector<Engine>& legal, Engine engine, ScheduleNode& node) {
  const auto e = static_cast<std::size_t>(engine);
  node.may[e] = true;
  if (std::find(legal.begin(), legal.end(), engine) == legal.end()) {
    return;
  }
  if (engine == Engine::kTensor) {
    const timing::MatmulCost cost = timing::matmul_cost(core, shape);
    node.cost_ns[e] =
        static_cast<double>(cost.stream_cycles * cost.pairs) / core.tensor.clock_ghz;
    node.after_ns = static_cast<double>(cost.latency_cycles - cost.stream_cycles) /
                    core.tensor.clock_ghz;
    return;
  }
  const timing::EngineCost cost = timing::engine_cost(core, engine, shape);
  node.cost_ns[e] = static_cast<double>(cost.interval_cycles) / clock_ghz(core, engine);
  if (cost.latency_cycles > cost.interval_cycles) {
    node.after_ns = static_cast<double>(cost.latency_cycles - cost.interval_cycles) /
                    clock_ghz(core, engine);
  }
}

void set_compute_cost(const Trace& trace, const spec::CoreSpec& core, const Options& options,
                      const trace::Instruction& instruction, ScheduleNode& node) {
  const timing::InstructionShape shape = timing::shape_of(trace, instruction);
  const std::vector<Engine> legal = timing::legal_engines(core.generation, shape);
  if (instruction.engine != Engine::kUnassigned || legal.empty()) {
    add_engine(core, shape, legal,
               instruction.engine != Engine::kUnassigned ? instruction.engine : Engine::kSync,
               node);
    return;
  }
  add_engine(core, shape, legal, legal.front(), node);
  const bool either = legal.front() == Engine::kVector || legal.front() == Engine::kScalar;
  if (options.engines == EnginePolicy::kBalance && either) {
    for (const Engine engine : legal) {
      if (engine == Engine::kVector || engine == Engine::kScalar) {
        add_engine(core, shape, legal, engine, node);
      }
    }
  }
}

// The cheapest engine's cost stands for the node's own.
void set_paths(std::vector<ScheduleNode>& nodes) {
  for (std::size_t i = nodes.size(); i-- > 0;) {
    ScheduleNode& node = nodes[i];
    double cost = std::numeric_limits<double>::max();
    for (std::size_t e = 0; e < trace::kEngineCount; ++e) {
      cost = node.may[e] ? std::min(cost, node.cost_ns[e]) : cost;
    }
    double rest = 0;
    for (const std::uint32_t successor : node.successors) {
      rest = std::max(rest, nodes[successor].path_ns);
    }
    node.path_ns = std::max(cost, node.lead_ns) + node.transfer_ns + node.after_ns + rest;
  }
}

}  // namespace

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

std::vector<ScheduleNode> schedule_graph(const Trace& trace, const spec::CoreSpec& core,
                                         const Options& options,
                                         const std::vector<std::uint32_t>& storage,
                                         std::uint32_t begin, std::uint32_t end) {
  std::vector<ScheduleNode> nodes(end - begin);
  std::map<std::uint32_t, SegmentMap<Accesses>> maps;
  std::vector<Interval> intervals;
  const auto edge = [&nodes](std::uint32_t from, std::uint32_t to) {
    if (from == trace::kNone || from == to) {
      return;
    }
    auto& successors = nodes[from].successors;
    if (successors.empty() || successors.back() != to) {
      successors.push_back(to);
      ++nodes[to].missing;
    }
  };
  for (std::uint32_t i = 0; i < nodes.size(); ++i) {
    const trace::Instruction& instruction = trace.instructions[begin + i];
    if (trace::is_dma(instruction.opcode)) {
      set_dma_cost(trace, core, options, instruction, nodes[i]);
    } else {
      set_compute_cost(trace, core, options, instruction, nodes[i]);
    }
    const auto access = [&](const trace::Operand& operand, bool write) {
      const trace::Tensor& tensor = trace.tensor(operand);
      nodes[i].psum = nodes[i].psum || tensor.region == trace::Region::kPsum;
      if (tensor.pinned_bytes >= 0) {
        intervals = {{0, 1}};  // of the storage as a whole
      } else {
        footprint(trace.pattern(operand), operand.offset, intervals);
      }
      SegmentMap<Accesses>& map = maps[storage[operand.tensor]];
      for (const Interval& interval : intervals) {
        if (write) {
          Accesses& accesses = map.replace(interval, [&](const Accesses& before) {
            edge(before.writer, i);
            for (const std::uint32_t reader : before.readers) {
              edge(reader, i);
            }
          });
          accesses.writer = i;
        } else {
          map.visit(interval, [&](Accesses& accesses) {
            edge(accesses.writer, i);
            accesses.readers.push_back(i);
          });
        }
      }
    };
    for (const trace::Operand& operand : trace.inputs(instruction)) {
      access(operand, false);
    }
    for (const trace::Operand& operand : trace.outputs(instruction)) {
      access(operand, true);
    }
  }
  set_paths(nodes);
  return nodes;
}

}  // namespace trnsim::lower
