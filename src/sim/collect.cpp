// Counters to record, with conservation checks that run always.
#include "collect.h"

#include <algorithm>
#include <cmath>
#include <map>

#include "lines.h"
#include "trnsim/base/error.h"

namespace trnsim::sim {
namespace {

static_assert(kIdleCauses == models::kIdleCauseCount);

void add_dma(DmaRecord& sum, std::map<std::string, DmaQueueRecord>& queues,
             const models::NeuronCore& core) {
  for (const auto& engine : core.dma_engines()) {
    ++sum.engines;
    sum.bytes += engine->counters().bytes;
    sum.transfers += engine->counters().transfers;
    sum.busy_fs += engine->counters().busy.count;
  }
  const lower::Program& program = *core.program();
  for (std::uint32_t q = 0; q < program.dma_queues.size(); ++q) {
    const models::DmaQueueCounters& counters = core.dma_rings().counters(q);
    DmaQueueRecord& queue = queues[program.dma_queues[q].name];
    queue.name = program.dma_queues[q].name;
    queue.requests += counters.requests;
    queue.bytes += counters.bytes;
  }
}

void add_program(RunRecord& record, const lower::Program& program) {
  record.model_flops += program.model_flops;
  record.trace_instructions += program.trace_instructions;
  record.elided_memsets += program.elided_memsets;
  record.requested_hbm_read_bytes += program.hbm_read_bytes;
  record.requested_hbm_write_bytes += program.hbm_write_bytes;
  record.dtype = program.main_dtype;
  record.lowering = lower::to_string(program.options);
  lower::AllocReport& most = record.alloc;
  most.sbuf_peak_bytes_per_partition =
      std::max(most.sbuf_peak_bytes_per_partition, program.alloc.sbuf_peak_bytes_per_partition);
  most.psum_peak_bytes_per_partition =
      std::max(most.psum_peak_bytes_per_partition, program.alloc.psum_peak_bytes_per_partition);
  most.spills += program.alloc.spills;
  most.reloads += program.alloc.reloads;
  most.spill_bytes += program.alloc.spill_bytes;
}

std::string queue_name(const lower::Program& program, lower::QueueId queue) {
  return queue < lower::kFirstDmaQueue
             ? std::string(trace::name(static_cast<trace::Engine>(queue)))
             : program.dma_queues[queue - lower::kFirstDmaQueue].name;
}

TimelineSlice slice_of(const lower::Program& program, const models::TimelineRecord& record,
                       std::uint32_t core) {
  TimelineSlice slice;
  slice.core = core;
  slice.ready = record.ready;
  slice.start = record.start;
  slice.end = record.end;
  slice.track = queue_name(program, record.queue);
  if (record.waited.count > 0) {
    slice.waited_for = fmt::format("{} >= {}", queue_name(program, record.waited.queue),
                                   record.waited.count);
  }
  if (record.kind == models::RecordKind::kDma) {
    const lower::DmaRequest& dma = program.dmas[record.index];
    slice.name = dma.spill ? "spill" : (dma.plan.hbm_read_bytes > 0 ? "load" : "store");
    slice.bytes = dma.plan.bytes;
    slice.trace_instruction = dma.trace_index;
    return slice;
  }
  const lower::Step& step = program.streams[record.queue][record.index];
  slice.trace_instruction = step.trace_index;
  slice.name = std::string(trace::name(step.opcode));
  if (record.kind == models::RecordKind::kLoadWeights) {
    slice.track += " LDWEIGHTS";
    slice.name = "LDWEIGHTS";
  } else if (step.kind == lower::StepKind::kMatmulPair) {
    slice.name = "MATMUL";
  } else if (record.kind == models::RecordKind::kActTableLoad) {
    slice.name = "ACT_TABLE_LOAD";
  }
  return slice;
}

void collect_hbm(RunRecord& record, const models::Machine& machine) {
  double read = 0;
  double write = 0;
  for (const models::HbmStack* stack : machine.stacks()) {
    const models::HbmCounters& counters = stack->counters();
    if (counters.read_bytes + counters.write_bytes > 0) {
      ++record.hbm.stacks;
    }
    read += counters.read_bytes;
    write += counters.write_bytes;
    record.hbm.busy_fs += counters.busy.count;
    record.hbm.saturated_fs += counters.saturated.count;
    record.hbm.row_hits += stack->banked().row_hits();
    record.hbm.row_misses += stack->banked().row_misses();
  }
  record.hbm.read_bytes = static_cast<std::uint64_t>(std::llround(read));
  record.hbm.write_bytes = static_cast<std::uint64_t>(std::llround(write));
  TRNSIM_CHECK(record.hbm.read_bytes == record.requested_hbm_read_bytes &&
                   record.hbm.write_bytes == record.requested_hbm_write_bytes,
               "HBM moved {} + {} bytes, programs asked for {} + {}", record.hbm.read_bytes,
               record.hbm.write_bytes, record.requested_hbm_read_bytes,
               record.requested_hbm_write_bytes);
}

}  // namespace

void add_engine(EngineRecord& sum, const models::EngineCounters& counters, Femtos end) {
  std::uint64_t accounted = counters.busy.count;
  for (int cause = 0; cause < kIdleCauses; ++cause) {
    const std::uint64_t idle = counters.idle[static_cast<std::size_t>(cause)].count;
    sum.idle_fs[static_cast<std::size_t>(cause)] += idle;
    accounted += idle;
  }
  TRNSIM_CHECK(accounted == end.count, "an engine accounts for {} of {} fs", accounted, end.count);
  sum.instructions += counters.instructions;
  sum.flops += counters.flops;
  sum.busy_fs += counters.busy.count;
  sum.limited_fs += counters.limited.count;
  sum.table_loads += counters.table_loads;
}

const std::array<std::string, kIdleCauses>& idle_cause_names() {
  static const std::array<std::string, kIdleCauses> names = [] {
    std::array<std::string, kIdleCauses> list;
    for (int cause = 0; cause < kIdleCauses; ++cause) {
      list[static_cast<std::size_t>(cause)] =
          std::string(models::name(static_cast<models::IdleCause>(cause)));
    }
    return list;
  }();
  return names;
}

RunRecord collect(models::Machine& machine, const Job& job) {
  RunRecord record;
  for (const models::NeuronCore* core : machine.cores()) {
    if (core->loaded()) {
      record.time = max(record.time, core->end());
    }
  }
  std::map<std::string, DmaQueueRecord> queues;
  for (std::uint32_t c = 0; c < job.programs.size(); ++c) {
    models::NeuronCore& core = *machine.cores()[c];
    if (!core.loaded()) {
      continue;
    }
    core.close(record.time);
    ++record.cores_used;
    for (int e = 0; e < trace::kEngineCount; ++e) {
      add_engine(record.engines[static_cast<std::size_t>(e)],
                 core.engine(static_cast<trace::Engine>(e)).counters(), record.time);
    }
    add_dma(record.dma, queues, core);
    add_program(record, *core.program());
    for (const models::TimelineRecord& entry : core.timeline()) {
      record.timeline.push_back(slice_of(*core.program(), entry, c));
    }
  }
  for (auto& [name, queue] : queues) {
    record.dma.queues.push_back(queue);
  }
  for (const EngineRecord& engine : record.engines) {
    record.instructions += engine.instructions;
    record.counted_flops += engine.flops;
  }
  collect_hbm(record, machine);
  collect_lines(record, machine);
  record.wakeups = machine.agenda().wakeups();
  return record;
}

}  // namespace trnsim::sim
