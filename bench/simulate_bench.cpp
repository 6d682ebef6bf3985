// Hardware instructions simulated per second: the same GEMM block on each core. How to run:
// agenda_bench.cpp.
#include <benchmark/benchmark.h>

#include <string>

#include "trnsim/sim/simulate.h"
#include "trnsim/spec/loader.h"
#include "trnsim/workload/placement.h"

namespace trnsim {
namespace {

void simulate_gemm(benchmark::State& state, const std::string& name, std::uint32_t size) {
  const spec::LoadedSystem system = spec::load_system(name);
  kernels::GemmOptions options;
  options.m = size;
  options.n = size;
  options.k = size;
  const trace::Trace trace = kernels::gemm(options, system.spec.chip.core);
  const sim::Job job{workload::place_traces(system.spec, {trace}, 0, {}).programs};
  std::uint64_t instructions = 0;
  std::uint64_t wakeups = 0;
  for (auto _ : state) {
    const sim::RunRecord record = sim::simulate(system.spec, job);
    instructions += record.instructions;
    wakeups += record.wakeups;
  }
  state.SetItemsProcessed(static_cast<std::int64_t>(instructions));
  state.counters["wakeups_per_second"] =
      benchmark::Counter(static_cast<double>(wakeups), benchmark::Counter::kIsRate);
  state.counters["cores"] = system.spec.cores();
}

void SimulateGemm1Core(benchmark::State& state) {
  simulate_gemm(state, "trn2-core", 4096);
}
void SimulateGemm8Cores(benchmark::State& state) {
  simulate_gemm(state, "trn2.3xlarge", 4096);
}
void SimulateGemm128Cores(benchmark::State& state) {
  simulate_gemm(state, "trn2.48xlarge", 2048);
}
void SimulateGemm512Cores(benchmark::State& state) {
  simulate_gemm(state, "trn2-ultraserver", 2048);
}
BENCHMARK(SimulateGemm1Core)->Unit(benchmark::kMillisecond);
BENCHMARK(SimulateGemm8Cores)->Unit(benchmark::kMillisecond);
BENCHMARK(SimulateGemm128Cores)->Unit(benchmark::kMillisecond);
BENCHMARK(SimulateGemm512Cores)->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace trnsim
