// Trace instructions per second of writing, reading and validating a .trt file. How to run:
// agenda_bench.cpp.
#include <benchmark/benchmark.h>
#include <stdlib.h>

#include <filesystem>
#include <string>

#include "trnsim/kernels/gemm.h"
#include "trnsim/spec/loader.h"
#include "trnsim/trace/file.h"

namespace trnsim {
namespace {

trace::Trace gemm_trace() {
  const spec::LoadedSystem system = spec::load_system("trn2-core");
  kernels::GemmOptions options;
  options.m = 4096;
  options.n = 4096;
  options.k = 4096;
  return kernels::gemm(options, system.spec.chip.core);
}

void set_items(benchmark::State& state, const trace::Trace& trace) {
  state.SetItemsProcessed(static_cast<std::int64_t>(state.iterations()) *
                          static_cast<std::int64_t>(trace.instructions.size()));
}

// A folder of its own, removed at the end.
class Folder {
 public:
  Folder() {
    std::string pattern = (std::filesystem::temp_directory_path() / "trnsim_bench_XXXXXX").string();
    path_ = mkdtemp(pattern.data());
  }
  ~Folder() { std::filesystem::remove_all(path_); }
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;
  [[nodiscard]] std::string file() const { return path_ + "/gemm.trt"; }

 private:
  std::string path_;
};

void WriteTrace(benchmark::State& state) {
  const trace::Trace trace = gemm_trace();
  const Folder folder;
  for (auto _ : state) {
    trace::write_trt(trace, folder.file());
  }
  set_items(state, trace);
  state.counters["bytes_per_instruction"] =
      static_cast<double>(std::filesystem::file_size(folder.file())) /
      static_cast<double>(trace.instructions.size());
}
BENCHMARK(WriteTrace)->Unit(benchmark::kMillisecond);

void ReadTrace(benchmark::State& state) {
  const trace::Trace trace = gemm_trace();
  const Folder folder;
  trace::write_trt(trace, folder.file());
  for (auto _ : state) {
    benchmark::DoNotOptimize(trace::read_trt(folder.file()));
  }
  set_items(state, trace);
}
BENCHMARK(ReadTrace)->Unit(benchmark::kMillisecond);

void ValidateTrace(benchmark::State& state) {
  const trace::Trace trace = gemm_trace();
  for (auto _ : state) {
    trace::validate(trace);
  }
  set_items(state, trace);
}
BENCHMARK(ValidateTrace)->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace trnsim
