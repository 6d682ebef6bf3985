// Fair sharing of a network: one uniform all-to-all of 1 MiB per pair of chips from start to end, and
// the same with sizes that all differ, where almost every completion changes rates. How to run:
// agenda_bench.cpp.
#include <benchmark/benchmark.h>

#include <string>
#include <vector>

#include "trnsim/fabric/flow_set.h"
#include "trnsim/fabric/movement.h"
#include "trnsim/spec/loader.h"

namespace trnsim {
namespace {

constexpr std::uint64_t kBytes = 1 << 20;

struct Pairs {
  explicit Pairs(const std::string& name)
      : system(spec::load_system(name).spec),
        plan(system, fabric::make_ranks(system, system.chip.neuron_cores)) {
    for (std::uint32_t from = 0; from < system.chips(); ++from) {
      for (std::uint32_t to = 0; to < system.chips(); ++to) {
        if (from != to) {
          uses.push_back(plan.uses({.from = from, .to = to}));
        }
      }
    }
  }

  spec::SystemSpec system;
  fabric::NetworkPlan plan;
  std::vector<std::vector<fabric::Use>> uses;
};

std::uint64_t run(const Pairs& pairs, bool all_different) {
  fabric::FlowSet flows(pairs.plan);
  std::uint64_t events = 0;
  std::uint64_t bytes = kBytes;
  for (const std::vector<fabric::Use>& uses : pairs.uses) {
    flows.add(Femtos{0}, uses, bytes);
    bytes = all_different ? kBytes + (bytes * 7919 + 12345) % kBytes : kBytes;
  }
  Femtos now{0};
  for (flows.settle(now); flows.active() > 0; flows.settle(now)) {
    now = flows.next_completion();
    benchmark::DoNotOptimize(flows.take_completed(now).size());
    ++events;
  }
  return events;
}

void all_to_all(benchmark::State& state, const std::string& system, bool all_different) {
  const Pairs pairs(system);
  std::uint64_t events = 0;
  for (auto _ : state) {
    events = run(pairs, all_different);
  }
  state.counters["flows"] = static_cast<double>(pairs.uses.size());
  state.counters["events"] = static_cast<double>(events);
}

void solve_once(benchmark::State& state, const std::string& system) {
  const Pairs pairs(system);
  std::vector<double> capacities;
  for (const fabric::Resource& resource : pairs.plan.resources()) {
    capacities.push_back(resource.GBps);
  }
  fabric::FlowTable table;
  for (const std::vector<fabric::Use>& uses : pairs.uses) {
    table.uses.insert(table.uses.end(), uses.begin(), uses.end());
    table.first.push_back(static_cast<std::uint32_t>(table.uses.size()));
    table.weights.push_back(1);
  }
  fabric::MaxMinSolver solver;
  std::vector<double> rates;
  for (auto _ : state) {
    solver.solve(capacities, table, rates);
    benchmark::DoNotOptimize(rates.data());
  }
  state.counters["uses"] = static_cast<double>(table.uses.size());
}

void plan_uses(benchmark::State& state, const std::string& system) {
  for (auto _ : state) {
    benchmark::DoNotOptimize(Pairs(system).uses.size());
  }
}

BENCHMARK_CAPTURE(solve_once, trn2x64, std::string("trn2-ultraserver"))
    ->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(solve_once, trn3x144, std::string("trn3-ultraserver-gen2"))
    ->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(all_to_all, trn2x64, std::string("trn2-ultraserver"), false)
    ->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(all_to_all, trn3x144, std::string("trn3-ultraserver-gen2"), false)
    ->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(all_to_all, trn2x64_all_different, std::string("trn2-ultraserver"), true)
    ->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(plan_uses, trn3x144, std::string("trn3-ultraserver-gen2"))
    ->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace trnsim
