// Specs for tests that derive their numbers by hand. The constants a derivation uses are pinned
// here, so recalibrating a YAML changes shipped systems and golden files but not what these tests
// derive.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "trnsim/spec/loader.h"

namespace trnsim::test {

inline const spec::LoadedSystem& shipped(const std::string& name) {
  static std::map<std::string, spec::LoadedSystem> loaded;
  const auto found = loaded.find(name);
  return (found != loaded.end() ? found : loaded.emplace(name, spec::load_system(name)).first)
      ->second;
}

inline void pin_dma(spec::DmaSpec& dma) {
  dma.engines = 16;
  dma.queues_per_engine = 16;
  dma.load_rings = 1;
  dma.partitions_per_engine = 8;
  dma.effective_GBps_per_engine = 23;
  dma.stream_GBps_per_engine = 23;
  dma.hbm_read_GBps_per_engine = 23;
  dma.descriptor_ns = 0;
  dma.packet_bytes = 4096;
  dma.issue_floor_ns = 780;
  dma.issue_static_ns = 78;
  dma.issue_software_ns = 37;
  dma.issue_hardware_ns = 559;
  dma.start_static_ns = 1000;
  dma.start_software_ns = 680;
  dma.start_hardware_ns = 600;
  dma.dge_hardware_ns = 600;
  dma.dge_hardware_instances = 2;
  dma.issue_software_outstanding_ns = 0;
  dma.software_prepare_ns = 0;
  dma.software_interval_ns = 37;
  dma.software_descriptor_ns = 0;
  dma.hbm_read_ns = 0;
  dma.engine_start_skew_ns = 150;
  dma.semaphore_write_ns = 8;
  dma.completion_ns = 300;
  dma.default_dge = spec::DgeMode::kHardware;
}

inline void pin_trn2(spec::CoreSpec& core) {
  core.tensor.clock_ghz = 2.4;
  core.tensor.mm_init_latency_cycles = 64;
  core.tensor.fast_load_factor = 4;
  core.tensor.ls_fp32_cycles_per_column = 2;
  core.tensor.load_latency_cycles = 200;
  core.tensor.pipeline_latency_cycles = 395;
  core.tensor.issue_gap_cycles = 6;
  core.tensor.ls_fp32_transpose_cycles_per_column = 2;
  core.tensor.limited_latency_cycles = 0;
  core.tensor.semaphore_wait_ns = 0;
  core.tensor.activity_limiter = {false, 4096, 0, 0.5, 0.95, 0.37};
  core.vector.clock_ghz = 0.96;
  core.vector.min_ii_cycles = 64;
  core.vector.issue_gap_cycles = 62;
  core.vector.fixed_latency_cycles = 150;
  core.vector.pointer_read_cycles = 0;
  core.vector.perf_bus_penalty_with_gpsimd = 2;
  core.scalar.clock_ghz = 1.2;
  core.scalar.min_ii_cycles = 64;
  core.scalar.issue_gap_cycles = 52;
  core.scalar.fixed_latency_cycles = 190;
  core.scalar.activation_cycles = 0;
  core.scalar.activation_sbuf_gap_cycles = 0;
  core.scalar.act_table_load_ns = 1283;
  core.gpsimd.clock_ghz = 1.2;
  core.sequencer.base_clock_ghz = 1.2;
  core.sequencer.dispatch_interval_cycles = 10;
  core.sequencer.semaphore_raise_ns = 30;
  core.sequencer.semaphore_wait_ns = 0;
  pin_dma(core.dma);
}

// trn2-core or a larger trn2 system with pinned constants; the activity limiter is off.
inline spec::SystemSpec pinned_trn2(const std::string& name = "trn2-core") {
  spec::SystemSpec system = shipped(name).spec;
  pin_trn2(system.chip.core);
  system.chip.hbm.peak_GBps_per_stack = 716.8;
  system.chip.hbm.sustained_fraction = 0.91;  // 652.288 GB/s
  return system;
}

}  // namespace trnsim::test
