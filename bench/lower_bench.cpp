// Trace instructions per second of emitting and of lowering a GEMM. How to run: agenda_bench.cpp.
#include <benchmark/benchmark.h>

#include "trnsim/kernels/gemm.h"
#include "trnsim/lower/lower.h"
#include "trnsim/spec/loader.h"

namespace trnsim {
namespace {

kernels::GemmOptions square(std::uint32_t size) {
  kernels::GemmOptions options;
  options.m = size;
  options.n = size;
  options.k = size;
  return options;
}

void EmitGemm(benchmark::State& state) {
  const spec::LoadedSystem system = spec::load_system("trn2-core");
  std::uint64_t instructions = 0;
  for (auto _ : state) {
    const trace::Trace trace =
        kernels::gemm(square(static_cast<std::uint32_t>(state.range(0))), system.spec.chip.core);
    instructions += trace.instructions.size();
  }
  state.SetItemsProcessed(static_cast<std::int64_t>(instructions));
}
BENCHMARK(EmitGemm)->Arg(4096)->Unit(benchmark::kMillisecond);

// Look-ahead window 1 is program order.
void LowerGemm(benchmark::State& state) {
  const spec::LoadedSystem system = spec::load_system("trn2-core");
  const trace::Trace trace =
      kernels::gemm(square(static_cast<std::uint32_t>(state.range(0))), system.spec.chip.core);
  lower::Options options;
  options.window = static_cast<std::uint32_t>(state.range(1));
  std::uint64_t instructions = 0;
  for (auto _ : state) {
    benchmark::DoNotOptimize(lower::lower(trace, system.spec.chip.core, options));
    instructions += trace.instructions.size();
  }
  state.SetItemsProcessed(static_cast<std::int64_t>(instructions));
}
BENCHMARK(LowerGemm)->Args({4096, 1})->Args({4096, 16})->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace trnsim
