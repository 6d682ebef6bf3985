// Interval and latency of each data path.
#include "datapaths.h"

#include <algorithm>
#include <cmath>

#include "trnsim/base/error.h"

namespace trnsim::models {
namespace {

std::uint64_t base_to_tensor_cycles(const spec::CoreSpec& core, std::uint32_t base_cycles) {
  return static_cast<std::uint64_t>(
      std::llround(base_cycles * core.tensor.clock_ghz / core.sequencer.base_clock_ghz));
}

}  // namespace

TensorEngine::TensorEngine(const sc_core::sc_module_name& name, const spec::CoreSpec& core,
                           AgendaIf& agenda, UnitId id)
    : Engine(name, trace::Engine::kTensor, core.tensor.clock_ghz, core, agenda, id),
      limiter_(core.tensor.activity_limiter,
               base_to_tensor_cycles(core, core.tensor.activity_limiter.window_cycles),
               base_to_tensor_cycles(core, core.tensor.activity_limiter.grid_offset_cycles)) {}

Femtos TensorEngine::port_free(Femtos now, const lower::Step& /*step*/) const { return now; }

Engine::Slot TensorEngine::execute(Femtos now, const lower::Step& step) {
  // Cycles of the tensor clock throughout; `now` is an edge.
  const std::uint64_t load_start = clock().cycle_at_or_after(now);
  const std::uint64_t slow_down =
      limiter_.limited() ? static_cast<std::uint64_t>(std::llround(
                               1.0 / core().tensor.activity_limiter.floor_fraction))
                         : 1;
  const std::uint64_t load_end = load_start + step.load_cycles * slow_down;
  const std::uint64_t start = std::max(load_end, stream_end_);
  const std::uint64_t stream_before = stream_end_;
  const std::uint64_t limited_before = limiter_.limited_cycles();
  const std::uint64_t end = limiter_.run(start, step.interval_cycles);
  const std::uint64_t limited = limiter_.limited_cycles() - limited_before;
  // Under the limiter the gap between instructions falls into slots that are blocked anyway (D1, D2).
  stream_end_ = end + (limiter_.limited() ? 0 : core().tensor.issue_gap_cycles);
  const bool was_limited = slow_down > 1 && load_start < stream_before;  // behind another MATMUL
  const std::uint64_t further = was_limited ? core().tensor.limited_latency_cycles : 0;
  const std::uint64_t stretch = end - start - step.interval_cycles + further;

  Slot slot;
  slot.instructions = 2;
  slot.busy_from = max(now, busy_end());
  slot.busy_until = clock().edge(stream_end_);
  // The weights of the next pair may load once this MATMUL has taken over its own.
  slot.next_issue = clock().edge(start);
  slot.done = clock().edge(start + step.latency_cycles + stretch);
  mutable_counters().limited += clock().span(limited);
  record(RecordKind::kLoadWeights, now,
         clock().edge(load_start + step.load_cycles * (slow_down - 1) + step.load_latency_cycles +
                      further));
  record(RecordKind::kInstruction, clock().edge(start), slot.done);
  return slot;
}

VectorEngine::VectorEngine(const sc_core::sc_module_name& name, const spec::CoreSpec& core,
                           AgendaIf& agenda, UnitId id)
    : Engine(name, trace::Engine::kVector, core.vector.clock_ghz, core, agenda, id) {}

Engine::Slot VectorEngine::execute(Femtos now, const lower::Step& step) {
  const std::uint64_t cycle = clock().cycle_at_or_after(now);
  Femtos end = clock().edge(cycle + step.interval_cycles);
  Femtos done = clock().edge(cycle + step.latency_cycles);
  if (step.perf_mode && core().vector.perf_bus_penalty_with_gpsimd > 1.0) {
    // The part that overlaps a GpSimd access runs slower. A GpSimd access that starts later is not seen.
    const Femtos gpsimd = sbuf->held_until(trace::Engine::kGpSimd);
    if (gpsimd > now) {
      const double share = 1.0 - 1.0 / core().vector.perf_bus_penalty_with_gpsimd;
      const Femtos overlap = min(gpsimd, end) - now;
      const Femtos extra = clock().align(from_ns(overlap.ns() * share));
      end += extra;
      done += extra;
    }
  }
  if (step.uses_sbuf) {
    sbuf->hold(engine_kind(), 1, end);
  }
  if (step.psum_banks != 0) {
    psum->hold(engine_kind(), step.psum_banks, end);
  }
  record(RecordKind::kInstruction, now, done);
  return {now, end, end, done, 1};
}

ScalarEngine::ScalarEngine(const sc_core::sc_module_name& name, const spec::CoreSpec& core,
                           AgendaIf& agenda, UnitId id)
    : Engine(name, trace::Engine::kScalar, core.scalar.clock_ghz, core, agenda, id) {}

Engine::Slot ScalarEngine::execute(Femtos now, const lower::Step& step) {
  Femtos start = now;
  std::uint32_t instructions = 1;
  if (step.act_table != 0 && step.act_table != table_) {
    // The load waits for nothing but the engine: it runs while the activation waits for its data.
    table_ = step.act_table;
    ++mutable_counters().table_loads;
    instructions = 2;
    const Femtos load_start = clock().align(busy_end());
    const Femtos load_end = clock().align(load_start + from_ns(core().scalar.act_table_load_ns));
    start = max(now, load_end);
    record(RecordKind::kActTableLoad, load_start, load_end);
  }
  const std::uint64_t cycle = clock().cycle_at_or_after(start);
  const Femtos end = clock().edge(cycle + step.interval_cycles);
  const Femtos done = clock().edge(cycle + step.latency_cycles);
  if (step.uses_sbuf) {
    sbuf->hold(engine_kind(), 1, end);
  }
  if (step.psum_banks != 0) {
    psum->hold(engine_kind(), step.psum_banks, end);
  }
  record(RecordKind::kInstruction, start, done);
  return {now, end, end, done, instructions};
}

PlainEngine::PlainEngine(const sc_core::sc_module_name& name, trace::Engine kind, double clock_ghz,
                         const spec::CoreSpec& core, AgendaIf& agenda, UnitId id)
    : Engine(name, kind, clock_ghz, core, agenda, id) {}

Engine::Slot PlainEngine::execute(Femtos now, const lower::Step& step) {
  const std::uint64_t cycle = clock().cycle_at_or_after(now);
  const Femtos end = clock().edge(cycle + step.interval_cycles);
  const Femtos done = clock().edge(cycle + step.latency_cycles);
  if (step.uses_sbuf) {
    sbuf->hold(engine_kind(), 1, end);
  }
  record(RecordKind::kInstruction, now, done);
  return {now, end, end, done, 1};
}

}  // namespace trnsim::models
