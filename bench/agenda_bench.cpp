// Wake-ups per second of the phased agenda.
//
// All benchmarks of this program: items_per_second is the figure to look at. Run on a quiet core:
//   ninja -C build/release trnsim_bench
//   taskset -c 1 build/release/bin/trnsim_bench --benchmark_min_time=1
// One of them: --benchmark_filter=Simulate. Compare two builds: --benchmark_repetitions=7
// --benchmark_report_aggregates_only=true, and look at the median.
#include <benchmark/benchmark.h>

#include <memory>
#include <vector>

#include "agenda/agenda.h"

namespace trnsim {
namespace {

// Wakes itself after 500 to 20,500 fs, as engines with different work do.
class Ticker final : public models::Wakeable {
 public:
  Ticker(models::Agenda& agenda, models::UnitId id, std::uint64_t wakeups)
      : agenda_(agenda), id_(id), left_(wakeups), random_(id * 2654435761U + 1) {}
  void wake(Femtos now, models::Phase /*phase*/) override {
    if (left_-- > 0) {
      random_ = random_ * 1664525U + 1013904223U;
      agenda_.at(now + Femtos{500 + (random_ >> 8) % 20000}, models::Phase::kIssue, id_, this);
    }
  }

 private:
  models::Agenda& agenda_;
  models::UnitId id_;
  std::uint64_t left_;
  std::uint32_t random_;
};

void AgendaWakeups(benchmark::State& state) {
  const auto units = static_cast<models::UnitId>(state.range(0));
  const std::uint64_t each = 1'000'000 / units;
  std::uint64_t wakeups = 0;
  for (auto _ : state) {
    sc_core::sc_get_curr_simcontext()->reset();
    sc_core::sc_set_time_resolution(1, sc_core::SC_FS);
    models::Agenda agenda("agenda");
    std::vector<std::unique_ptr<Ticker>> tickers;
    for (models::UnitId id = 0; id < units; ++id) {
      tickers.push_back(std::make_unique<Ticker>(agenda, id, each));
      agenda.at(Femtos{1}, models::Phase::kIssue, id, tickers.back().get());
    }
    sc_core::sc_start();
    wakeups += agenda.wakeups();
  }
  sc_core::sc_get_curr_simcontext()->reset();
  state.SetItemsProcessed(static_cast<std::int64_t>(wakeups));
}
// 5 engines of 1, 8 and 512 cores.
BENCHMARK(AgendaWakeups)->Arg(5)->Arg(40)->Arg(2560)->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace trnsim
