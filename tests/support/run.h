// Runs small traces and kernels end to end, and compares records.
#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "systems.h"
#include "trnsim/analysis/metrics.h"
#include "trnsim/kernels/gemm.h"
#include "trnsim/lower/lower.h"
#include "trnsim/sim/simulate.h"
#include "trnsim/trace/builder.h"
#include "trnsim/workload/placement.h"

namespace trnsim::test {

using Program = std::shared_ptr<const lower::Program>;

struct Run {
  sim::RunRecord record;
  analysis::Metrics metrics;
};

inline Run run(const spec::SystemSpec& system, const sim::Job& job,
               const sim::Options& options = {}) {
  Run result;
  result.record = sim::simulate(system, job, options);
  result.metrics = analysis::compute_metrics(result.record, system);
  return result;
}

// `program` on the first `copies` cores; core 0 has a timeline.
inline Run run_program(const spec::SystemSpec& system, const Program& program,
                       std::uint32_t copies = 1) {
  sim::Job job;
  job.programs.assign(system.cores(), nullptr);
  std::fill(job.programs.begin(), job.programs.begin() + copies, program);
  sim::Options options;
  options.timeline_cores = {0};
  return run(system, job, options);
}

inline Run run_trace(const spec::SystemSpec& system, const trace::Trace& trace,
                     std::uint32_t copies = 1) {
  trace::validate(trace);
  return run_program(system, lower::lower(trace, system.chip.core), copies);
}

inline kernels::GemmOptions gemm_options(
    std::uint32_t m, std::uint32_t n, std::uint32_t k,
    kernels::GemmVariant variant = kernels::GemmVariant::kBest) {
  kernels::GemmOptions options;
  options.m = m;
  options.n = n;
  options.k = k;
  options.variant = variant;
  return options;
}

// Over all cores of the system.
inline Run run_gemm(const spec::SystemSpec& system, const kernels::GemmOptions& options) {
  return run(system, {workload::place_gemm(system, options, {}).programs});
}

// Starts of the timeline slices called `name` on `track`, ns.
inline std::vector<double> starts(const sim::RunRecord& record, std::string_view track,
                                  std::string_view name) {
  std::vector<double> times;
  for (const sim::TimelineSlice& slice : record.timeline) {
    if (slice.track == track && slice.name == name) {
      times.push_back(slice.start.ns());
    }
  }
  return times;
}

// Every field but wall_seconds.
inline void expect_equal(const sim::RunRecord& a, const sim::RunRecord& b) {
  EXPECT_EQ(a.time, b.time);
  EXPECT_EQ(a.cores_used, b.cores_used);
  for (std::size_t e = 0; e < a.engines.size(); ++e) {
    EXPECT_EQ(a.engines[e].instructions, b.engines[e].instructions);
    EXPECT_EQ(a.engines[e].flops, b.engines[e].flops);
    EXPECT_EQ(a.engines[e].busy_fs, b.engines[e].busy_fs);
    EXPECT_EQ(a.engines[e].idle_fs, b.engines[e].idle_fs);
    EXPECT_EQ(a.engines[e].limited_fs, b.engines[e].limited_fs);
    EXPECT_EQ(a.engines[e].table_loads, b.engines[e].table_loads);
  }
  EXPECT_EQ(a.dma.engines, b.dma.engines);
  EXPECT_EQ(a.dma.bytes, b.dma.bytes);
  EXPECT_EQ(a.dma.transfers, b.dma.transfers);
  EXPECT_EQ(a.dma.busy_fs, b.dma.busy_fs);
  ASSERT_EQ(a.dma.queues.size(), b.dma.queues.size());
  for (std::size_t q = 0; q < a.dma.queues.size(); ++q) {
    EXPECT_EQ(a.dma.queues[q].name, b.dma.queues[q].name);
    EXPECT_EQ(a.dma.queues[q].requests, b.dma.queues[q].requests);
    EXPECT_EQ(a.dma.queues[q].bytes, b.dma.queues[q].bytes);
  }
  EXPECT_EQ(a.hbm.stacks, b.hbm.stacks);
  EXPECT_EQ(a.hbm.read_bytes, b.hbm.read_bytes);
  EXPECT_EQ(a.hbm.write_bytes, b.hbm.write_bytes);
  EXPECT_EQ(a.hbm.busy_fs, b.hbm.busy_fs);
  EXPECT_EQ(a.hbm.saturated_fs, b.hbm.saturated_fs);
  EXPECT_EQ(a.hbm.row_hits, b.hbm.row_hits);
  EXPECT_EQ(a.hbm.row_misses, b.hbm.row_misses);
  EXPECT_EQ(a.model_flops, b.model_flops);
  EXPECT_EQ(a.counted_flops, b.counted_flops);
  EXPECT_EQ(a.dtype, b.dtype);
  EXPECT_EQ(a.instructions, b.instructions);
  EXPECT_EQ(a.trace_instructions, b.trace_instructions);
  EXPECT_EQ(a.alloc.sbuf_peak_bytes_per_partition, b.alloc.sbuf_peak_bytes_per_partition);
  EXPECT_EQ(a.alloc.psum_peak_bytes_per_partition, b.alloc.psum_peak_bytes_per_partition);
  EXPECT_EQ(a.alloc.spills, b.alloc.spills);
  EXPECT_EQ(a.alloc.reloads, b.alloc.reloads);
  EXPECT_EQ(a.alloc.spill_bytes, b.alloc.spill_bytes);
  EXPECT_EQ(a.elided_memsets, b.elided_memsets);
  EXPECT_EQ(a.requested_hbm_read_bytes, b.requested_hbm_read_bytes);
  EXPECT_EQ(a.requested_hbm_write_bytes, b.requested_hbm_write_bytes);
  EXPECT_EQ(a.lowering, b.lowering);
  EXPECT_EQ(a.wakeups, b.wakeups);
  ASSERT_EQ(a.lines.size(), b.lines.size());
  for (std::size_t i = 0; i < a.lines.size(); ++i) {
    const sim::LineRecord& x = a.lines[i];
    const sim::LineRecord& y = b.lines[i];
    const bool same = x.file == y.file && x.line == y.line && x.engine == y.engine &&
                      x.steps == y.steps && x.busy_fs == y.busy_fs && x.idle_fs == y.idle_fs &&
                      x.waited_queue == y.waited_queue && x.waited_file == y.waited_file &&
                      x.waited_line == y.waited_line && x.waited_fs == y.waited_fs;
    ASSERT_TRUE(same) << "line record " << i << " differs";
  }
  ASSERT_EQ(a.timeline.size(), b.timeline.size());
  for (std::size_t i = 0; i < a.timeline.size(); ++i) {
    const sim::TimelineSlice& x = a.timeline[i];
    const sim::TimelineSlice& y = b.timeline[i];
    const bool same = x.core == y.core && x.track == y.track && x.name == y.name &&
                      x.ready == y.ready && x.start == y.start && x.end == y.end &&
                      x.waited_for == y.waited_for && x.trace_instruction == y.trace_instruction &&
                      x.bytes == y.bytes;
    ASSERT_TRUE(same) << "slice " << i << " (" << x.track << " " << x.name << ") differs";
  }
}

// busy + idle = cores x run time on every engine; HBM moved what the programs asked for.
inline void expect_conserved(const sim::RunRecord& record) {
  for (const sim::EngineRecord& engine : record.engines) {
    std::uint64_t sum = engine.busy_fs;
    for (const std::uint64_t idle : engine.idle_fs) {
      sum += idle;
    }
    EXPECT_EQ(sum, record.cores_used * record.time.count);
  }
  EXPECT_EQ(record.hbm.read_bytes, record.requested_hbm_read_bytes);
  EXPECT_EQ(record.hbm.write_bytes, record.requested_hbm_write_bytes);
  std::uint64_t queue_bytes = 0;
  for (const sim::DmaQueueRecord& queue : record.dma.queues) {
    queue_bytes += queue.bytes;
  }
  EXPECT_EQ(queue_bytes, record.dma.bytes);
  EXPECT_LE(record.dma.busy_fs, record.dma.engines * record.time.count);
}

}  // namespace trnsim::test
