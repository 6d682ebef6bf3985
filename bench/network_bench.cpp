// The network models on one uniform all-to-all of 1 MiB per pair of 64 chips: flows and packets. How to run:
// agenda_bench.cpp.
#include <benchmark/benchmark.h>

#include <vector>

#include "network/packet_transport.h"
#include "trnsim/fabric/flow_set.h"
#include "trnsim/spec/loader.h"

namespace trnsim {
namespace {

struct AllToAll {
  AllToAll()
      : system(spec::load_system("trn2-ultraserver").spec),
        plan(system, fabric::make_ranks(system, system.chip.neuron_cores)) {
    for (std::uint32_t from = 0; from < system.chips(); ++from) {
      for (std::uint32_t to = 0; to < system.chips(); ++to) {
        if (from != to) {
          movements.push_back({.from = from, .to = to, .bytes = 1 << 20});
        }
      }
    }
  }

  spec::SystemSpec system;
  fabric::NetworkPlan plan;
  std::vector<fabric::Movement> movements;
};

void network_flow(benchmark::State& state) {
  const AllToAll pattern;
  Femtos now{0};
  for (auto _ : state) {
    fabric::FlowSet flows(pattern.plan);
    for (const fabric::Movement& movement : pattern.movements) {
      flows.add(Femtos{0}, pattern.plan.uses(movement), movement.bytes);
    }
    now = Femtos{0};
    for (flows.settle(now); flows.active() > 0; flows.settle(now)) {
      now = flows.next_completion();
      benchmark::DoNotOptimize(flows.take_completed(now).size());
    }
  }
  state.counters["simulated_us"] = now.us();
}

void network_packet(benchmark::State& state) {
  const AllToAll pattern;
  Femtos now{0};
  std::uint64_t served = 0;
  for (auto _ : state) {
    models::PacketTransport transport(
        pattern.plan, {pattern.system.fabric.packet_bytes, pattern.system.fabric.credit_bytes});
    for (std::size_t i = 0; i < pattern.movements.size(); ++i) {
      transport.add(pattern.movements[i], i);
    }
    for (transport.start(Femtos{0}); transport.next_event() != kNever;) {
      now = transport.next_event();
      benchmark::DoNotOptimize(transport.advance(now).size());
    }
    served = transport.packets_served();
  }
  state.counters["simulated_us"] = now.us();
  state.counters["served"] = static_cast<double>(served);
}

BENCHMARK(network_flow)->Unit(benchmark::kMillisecond);
BENCHMARK(network_packet)->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace trnsim
