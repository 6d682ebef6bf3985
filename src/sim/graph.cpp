// One distributed run: elaborate, run, collect.
#include "trnsim/sim/graph.h"

#include <algorithm>
#include <chrono>
#include <set>

#include "collect.h"
#include "graph_system.h"
#include "kernel_scope.h"
#include "trnsim/base/error.h"
#include "trnsim/sim/simulate.h"

namespace trnsim::sim {
namespace {

void check_finished(const GraphSystem& system) {
  constexpr std::size_t kMostLines = 12;
  std::vector<std::string> lines;
  for (const auto& rank : system.ranks()) {
    if (!rank->finished()) {
      for (std::string& line : rank->unfinished()) {
        lines.push_back(std::move(line));
      }
    }
  }
  if (lines.empty()) {
    return;
  }
  for (std::string& line : system.collectives().unfinished()) {
    lines.push_back(std::move(line));
  }
  std::string text = "the workload deadlocks; still waiting:";
  for (std::size_t i = 0; i < std::min(lines.size(), kMostLines); ++i) {
    text += "\n  " + lines[i];
  }
  if (lines.size() > kMostLines) {
    text += fmt::format("\n  and {} more", lines.size() - kMostLines);
  }
  throw Error(text);
}

struct Interval {
  Femtos start;
  Femtos end;
};

// Sorted, disjoint.
std::vector<Interval> merged(std::vector<Interval> all) {
  std::sort(all.begin(), all.end(),
            [](const Interval& a, const Interval& b) { return a.start < b.start; });
  std::vector<Interval> result;
  for (const Interval& next : all) {
    if (!result.empty() && next.start <= result.back().end) {
      result.back().end = max(result.back().end, next.end);
    } else {
      result.push_back(next);
    }
  }
  return result;
}

std::uint64_t length(const std::vector<Interval>& all) {
  std::uint64_t sum = 0;
  for (const Interval& one : all) {
    sum += (one.end - one.start).count;
  }
  return sum;
}

std::uint64_t overlap(const std::vector<Interval>& a, const std::vector<Interval>& b) {
  std::uint64_t sum = 0;
  for (std::size_t i = 0, j = 0; i < a.size() && j < b.size();) {
    const Femtos start = max(a[i].start, b[j].start);
    const Femtos end = min(a[i].end, b[j].end);
    sum += end > start ? (end - start).count : 0;
    (a[i].end < b[j].end ? i : j) += 1;
  }
  return sum;
}

// A collective takes a rank's time from when all ranks have arrived; before, the rank waits for them.
Femtos begin_of(const GraphSystem& system, const models::RankTask& task,
                const models::TaskTimes& times) {
  return task.is_collective
             ? max(times.start, system.collectives().record(task.collective).start)
             : times.start;
}

void add_rank_time(GraphRecord& record, const GraphSystem& system, const models::RankUnit& rank) {
  std::vector<Interval> compute;
  std::vector<Interval> communication;
  for (std::size_t t = 0; t < rank.tasks().size(); ++t) {
    (rank.tasks()[t].is_collective ? communication : compute)
        .push_back({begin_of(system, rank.tasks()[t], rank.times()[t]), rank.times()[t].end});
  }
  compute = merged(std::move(compute));
  communication = merged(std::move(communication));
  const std::uint64_t hidden = overlap(compute, communication);
  RankTimeRecord& sum = record.rank_time;
  const std::uint64_t busy = length(compute);
  const std::uint64_t exposed = length(communication) - hidden;
  sum.compute_fs += busy;
  sum.hidden_fs += hidden;
  sum.exposed_fs += exposed;
  sum.idle_fs += record.time.count - busy - exposed;
}

void add_nodes(GraphRecord& record, const GraphSystem& system, const workload::GraphJob& job) {
  record.nodes.resize(job.nodes.size());
  for (std::uint32_t r = 0; r < system.ranks().size(); ++r) {
    const models::RankUnit& rank = *system.ranks()[r];
    const fabric::NodeId chip = job.ranks.ranks[r].chip;
    const bool shown = system.classes().leader_chip[system.classes().class_of_chip[chip]] == chip;
    for (std::uint32_t t = 0; t < rank.tasks().size(); ++t) {
      const models::TaskTimes& times = rank.times()[t];
      const std::uint32_t n = system.node_of_task()[r][t];
      NodeRecord& node = record.nodes[n];
      const Femtos begin = begin_of(system, rank.tasks()[t], times);
      node.first_start = min(node.first_start, begin);
      node.last_start = max(node.last_start, begin);
      node.first_end = min(node.first_end, times.end);
      node.last_end = max(node.last_end, times.end);
      node.busy_fs += (times.end - begin).count;
      node.wait_fs += (begin - times.start).count;
      ++node.ranks;
      if (shown) {
        record.timeline.push_back({r, n, times.ready, times.start, times.end});
      }
    }
  }
}

void add_cores(GraphRecord& record, GraphSystem& system, const spec::SystemSpec& spec) {
  std::vector<std::uint32_t> chips_of_class(system.classes().leader_chip.size(), 0);
  for (const std::uint32_t chip_class : system.classes().class_of_chip) {
    if (chip_class != UINT32_MAX) {
      ++chips_of_class[chip_class];
    }
  }
  const std::vector<models::NeuronCore*>& cores = system.machine().cores();
  const auto& all_ranks = system.ranks();
  std::set<const models::NeuronCore*> of_ranks;
  for (const auto& rank : all_ranks) {
    of_ranks.insert(rank->cores().begin(), rank->cores().end());
  }
  for (std::uint32_t c = 0; c < cores.size(); ++c) {
    if (!of_ranks.contains(cores[c])) {
      continue;
    }
    cores[c]->close(record.time);
    const std::uint32_t weight = chips_of_class[c / spec.cores_per_chip_used];
    for (int e = 0; e < trace::kEngineCount; ++e) {
      EngineRecord one;
      add_engine(one, cores[c]->engine(static_cast<trace::Engine>(e)).counters(), record.time);
      EngineRecord& sum = record.engines[static_cast<std::size_t>(e)];
      record.instructions += one.instructions;
      sum.instructions += weight * one.instructions;
      sum.flops += weight * one.flops;
      sum.busy_fs += weight * one.busy_fs;
      sum.limited_fs += weight * one.limited_fs;
      sum.table_loads += weight * one.table_loads;
      for (std::size_t cause = 0; cause < one.idle_fs.size(); ++cause) {
        sum.idle_fs[cause] += weight * one.idle_fs[cause];
      }
    }
  }
  record.counted_flops = record.engines[static_cast<std::size_t>(trace::Engine::kTensor)].flops;
  const std::vector<models::HbmStack*>& stacks = system.machine().stacks();
  const std::size_t per_chip = stacks.size() / std::max<std::size_t>(1, chips_of_class.size());
  for (std::size_t s = 0; s < stacks.size(); ++s) {
    const models::HbmCounters& counters = stacks[s]->counters();
    record.hbm_bytes += chips_of_class[s / per_chip] *
                        static_cast<std::uint64_t>(counters.read_bytes + counters.write_bytes + 0.5);
  }
}

void add_resources(GraphRecord& record, const GraphSystem& system) {
  const std::vector<fabric::ResourceLoad> loads = system.network().loads(record.time);
  for (std::size_t r = 0; r < loads.size(); ++r) {
    const fabric::Resource& resource = system.plan().resources()[r];
    record.resources.push_back(
        {resource.name, resource.kind, resource.GBps, loads[r].bytes, loads[r].busy.count});
  }
}

GraphRecord collect_graph(GraphSystem& system, const spec::SystemSpec& spec,
                          const workload::GraphJob& job, const GraphOptions& options) {
  GraphRecord record;
  for (const auto& rank : system.ranks()) {
    for (const models::TaskTimes& times : rank->times()) {
      record.time = max(record.time, times.end);
    }
  }
  record.ranks = static_cast<std::uint32_t>(system.ranks().size());
  record.network = options.network;
  record.folded = options.folded;
  record.simulated_chips = static_cast<std::uint32_t>(system.classes().leader_chip.size());
  record.chips = spec.chips();
  record.model_flops = job.model_flops;
  record.transfers = system.collectives().transfers();
  record.wakeups = system.machine().agenda().wakeups();
  for (const auto& rank : system.ranks()) {
    add_rank_time(record, system, *rank);
  }
  add_nodes(record, system, job);
  add_cores(record, system, spec);
  add_resources(record, system);
  return record;
}

}  // namespace

GraphRecord simulate_graph(const spec::SystemSpec& system, const workload::GraphJob& job,
                           const GraphOptions& options) {
  const auto began = std::chrono::steady_clock::now();
  const KernelScope kernel;
  GraphRecord record;
  {
    GraphSystem graph("graph", system, job, options);
    graph.machine().agenda().stop_when(options.stop_flag);
    graph.begin();
    if (!graph.machine().agenda().empty()) {
      sc_core::sc_start();
    }
    if (graph.machine().agenda().failure()) {
      std::rethrow_exception(graph.machine().agenda().failure());
    }
    if (graph.machine().agenda().interrupted()) {
      throw Interrupted();
    }
    check_finished(graph);
    record = collect_graph(graph, system, job, options);
  }
  record.wall_seconds =
      std::chrono::duration<double>(std::chrono::steady_clock::now() - began).count();
  return record;
}

}  // namespace trnsim::sim
