// The keys of one NeuronCore: engines, sequencers, memories, DMA.
#include "key_list.h"

namespace trnsim::spec {
namespace {

std::vector<KeyNode> limiter_keys() {
  using S = ActivityLimiterSpec;
  return {
      flag(&S::enable, "enable", "whether the tensor engine starts at a reduced rate"),
      count(&S::window_cycles, "window_cycles", "base cycles", from_one(kMaxCycles),
            "length of one window; windows lie on a fixed grid"),
      count(&S::grid_offset_cycles, "grid_offset_cycles", "base cycles", from_zero(kMaxCycles),
            "time zero to the first window border; the hardware's is arbitrary"),
      real(&S::floor_fraction, "floor_fraction", "", fraction(), "rate while limited"),
      real(&S::release_busy_fraction, "release_busy_fraction", "", fraction(),
           "busy share of a window that lifts the limit"),
      real(&S::rearm_busy_fraction, "rearm_busy_fraction", "", share(),
           "busy share of a window below which the limit comes back"),
  };
}

std::vector<KeyNode> tensor_keys() {
  using S = TensorSpec;
  return {
      real(&S::clock_ghz, "clock_ghz", "GHz", clock_range(), "clock of the tensor engine"),
      count(&S::rows, "rows", "", from_one(4096), "PE rows: contraction size, one per partition"),
      count(&S::columns, "columns", "", from_one(4096), "PE columns: stationary free size"),
      count(&S::fp8_rows_per_pe, "fp8_rows_per_pe", "", from_one(64),
            "contraction rows one PE takes per cycle in fp8 double_row; 1 = no double_row"),
      count(&S::mx_rows_per_pe, "mx_rows_per_pe", "", from_zero(64),
            "contraction rows one PE takes per cycle for MX types; 0 = not available"),
      count(&S::fp32_passes, "fp32_passes", "", from_one(64), "passes of a whole fp32 matmul"),
      count(&S::fp32_halves, "fp32_halves", "", from_one(64),
            "LDWEIGHTS + MATMUL pairs of one fp32 nc_matmul"),
      count(&S::fp32_transpose_passes, "fp32_transpose_passes", "", from_one(64),
            "passes of an fp32 transpose"),
      count(&S::moving_free_max, "moving_free_max", "columns", from_one(1e6),
            "most moving columns of one MATMUL"),
      count(&S::mm_init_latency_cycles, "mm_init_latency_cycles", "cycles", from_zero(kMaxCycles),
            "least interval of a moving instruction"),
      count(&S::fast_load_factor, "fast_load_factor", "columns/cycle", from_one(4096),
            "stationary columns loaded per cycle"),
      count(&S::fast_load_strided_factor, "fast_load_strided_factor", "", from_one(4096),
            "slow-down of a strided stationary operand"),
      count(&S::ls_fp32_cycles_per_column, "ls_fp32_cycles_per_column", "cycles",
            from_one(kMaxCycles), "stationary load of one fp32 half, per column"),
      count(&S::ls_fp32_transpose_cycles_per_column, "ls_fp32_transpose_cycles_per_column",
            "cycles", from_one(kMaxCycles), "LDWEIGHTS of an fp32 transpose"),
      count(&S::load_latency_cycles, "load_latency_cycles", "cycles", from_zero(kMaxCycles),
            "LDWEIGHTS duration beyond its interval (display only)"),
      count(&S::pipeline_latency_cycles, "pipeline_latency_cycles", "cycles", from_zero(kMaxCycles),
            "MATMUL latency beyond streaming"),
      count(&S::issue_gap_cycles, "issue_gap_cycles", "cycles", from_zero(kMaxCycles),
            "gap between two MATMULs"),
      count(&S::limited_latency_cycles, "limited_latency_cycles", "cycles", from_zero(kMaxCycles),
            "further latency of LDWEIGHTS and MATMUL while limited"),
      real(&S::semaphore_wait_ns, "semaphore_wait_ns", "ns", from_zero(kMaxNs),
           "semaphore raised to start of the LDWEIGHTS that waits"),
      inert(count(&S::queue_depth_pairs, "queue_depth_pairs", "pairs", from_one(kMaxCount),
                  "LDWEIGHTS + MATMUL pairs in flight")),
      group(&S::activity_limiter, "activity_limiter", "start-up (dI/dt) limit of the tensor engine",
            limiter_keys()),
  };
}

std::vector<KeyNode> vector_keys() {
  using S = VectorSpec;
  return {
      real(&S::clock_ghz, "clock_ghz", "GHz", clock_range(), "clock of the vector engine"),
      count(&S::lanes, "lanes", "", from_one(4096), "lanes, one per partition"),
      count(&S::min_ii_cycles, "min_ii_cycles", "cycles", from_zero(kMaxCycles),
            "least interval between two instructions"),
      count(&S::issue_gap_cycles, "issue_gap_cycles", "cycles", from_zero(kMaxCycles),
            "access overhead that the next instruction cannot hide"),
      count(&S::fixed_latency_cycles, "fixed_latency_cycles", "cycles", from_zero(kMaxCycles),
            "result latency beyond the work"),
      flag(&S::perf_modes, "perf_modes", "2x and 4x modes for 16-bit types"),
      flag(&S::fp8_perf_modes, "fp8_perf_modes", "the same modes for fp8"),
      flag(&S::any_type_sbuf_2x, "any_type_sbuf_2x", "copy-like work of any type from SBUF to SBUF at 2x or better"),
      flag(&S::tensor_tensor_bf16_half, "tensor_tensor_bf16_half",
           "16-bit tensor_tensor in SBUF costs N/2 instead of N"),
      real(&S::perf_bus_penalty_with_gpsimd, "perf_bus_penalty_with_gpsimd", "x", {1, 1000},
           "slow-down of a perf-mode instruction while GpSimd is on SBUF"),
      count(&S::accumulator_read_cycles, "accumulator_read_cycles", "cycles", from_zero(kMaxCycles),
            "reading out the accumulator registers"),
      count(&S::pointer_read_cycles, "pointer_read_cycles", "cycles", from_zero(kMaxCycles),
            "an operand that is a per-partition scalar"),
  };
}

std::vector<KeyNode> scalar_keys() {
  using S = ScalarSpec;
  return {
      real(&S::clock_ghz, "clock_ghz", "GHz", clock_range(), "clock of the scalar engine"),
      count(&S::lanes, "lanes", "", from_one(4096), "lanes, one per partition"),
      count(&S::min_ii_cycles, "min_ii_cycles", "cycles", from_zero(kMaxCycles),
            "least interval between two instructions"),
      count(&S::issue_gap_cycles, "issue_gap_cycles", "cycles", from_zero(kMaxCycles),
            "access overhead that the next instruction cannot hide"),
      count(&S::fixed_latency_cycles, "fixed_latency_cycles", "cycles", from_zero(kMaxCycles),
            "result latency beyond the work"),
      real(&S::act_table_load_ns, "act_table_load_ns", "ns", from_zero(kMaxNs),
           "loading a function table, on each change of function set"),
      flag(&S::perf_mode_2x, "perf_mode_2x", "2x mode of tensor_copy and tensor_scalar"),
      flag(&S::activation_2x, "activation_2x", "2x mode of activation"),
      count(&S::accumulator_read_cycles, "accumulator_read_cycles", "cycles", from_zero(kMaxCycles),
            "reading out the accumulator registers"),
      count(&S::activation_cycles, "activation_cycles", "cycles", from_zero(kMaxCycles),
            "an activation beside a copy of the same size"),
      count(&S::activation_sbuf_gap_cycles, "activation_sbuf_gap_cycles", "cycles",
            from_zero(kMaxCycles), "further interval of an activation that reads SBUF"),
  };
}

std::vector<KeyNode> gpsimd_keys() {
  using S = GpSimdSpec;
  return {
      real(&S::clock_ghz, "clock_ghz", "GHz", clock_range(), "clock of the GpSimd cores"),
      inert(count(&S::simd_cores, "simd_cores", "", from_one(kMaxCount), "SIMD cores")),
      count(&S::start_overhead_cycles, "start_overhead_cycles", "cycles", from_zero(kMaxCycles),
            "start of one instruction"),
      count(&S::fixed_latency_cycles, "fixed_latency_cycles", "cycles", from_zero(kMaxCycles),
            "result latency beyond the work"),
      count(&S::topk_serial_partitions, "topk_serial_partitions", "", from_one(16),
            "partitions of a group that topk handles one after the other"),
      inert(real(&S::internal_dma_GBps_per_direction, "internal_dma_GBps_per_direction", "GB/s",
                 from_zero(kMaxGBps), "DMA inside GpSimd, all cores together; 0 = none")),
  };
}

std::vector<KeyNode> sequencer_keys() {
  using S = SequencerSpec;
  return {
      real(&S::base_clock_ghz, "base_clock_ghz", "GHz", clock_range(), "clock of the sequencers"),
      count(&S::dispatch_interval_cycles, "dispatch_interval_cycles", "base cycles",
            from_zero(kMaxCycles), "least interval between two dispatched instructions"),
      inert(count(&S::queue_depth, "queue_depth", "instructions", from_one(kMaxCount),
                  "instructions waiting in front of an engine")),
      real(&S::branch_ns, "branch_ns", "ns", from_zero(kMaxNs),
           "a taken branch: once per iteration of a rolled loop"),
      count(&S::semaphores, "semaphores", "", from_one(kMaxCount), "semaphores of one core"),
      real(&S::semaphore_raise_ns, "semaphore_raise_ns", "ns", from_zero(kMaxNs),
           "result written to semaphore raised"),
      real(&S::semaphore_wait_ns, "semaphore_wait_ns", "ns", from_zero(kMaxNs),
           "semaphore raised to start of the instruction that waits"),
      real(&S::event_semaphore_ns, "event_semaphore_ns", "ns", from_zero(kMaxNs),
           "an instruction that only waits: its start to the next"),
      real(&S::semaphore_lnc_pair_ns, "semaphore_lnc_pair_ns", "ns", from_zero(kMaxNs),
           "the same between the two cores of a logical core"),
      real(&S::core_barrier_ns, "core_barrier_ns", "ns", from_zero(kMaxNs),
           "barrier between the cores of a logical core"),
      count(&S::dynamic_addressing_min_ii_cycles, "dynamic_addressing_min_ii_cycles", "cycles",
            from_zero(kMaxCycles), "least interval with a run-time address"),
      count(&S::register_op_cycles, "register_op_cycles", "base cycles", from_zero(kMaxCycles),
            "register arithmetic in the sequencer"),
      count(&S::register_load_cycles, "register_load_cycles", "base cycles", from_zero(kMaxCycles),
            "reading a register from SBUF or PSUM"),
  };
}

std::vector<KeyNode> sbuf_keys() {
  using S = SbufSpec;
  return {
      count(&S::partitions, "partitions", "", from_one(4096), "partitions"),
      count(&S::kib_per_partition, "kib_per_partition", "KiB", from_one(1e6),
            "capacity of one partition"),
      count(&S::reserved_bytes_per_partition, "reserved_bytes_per_partition", "bytes",
            from_zero(1e9), "not available to kernels"),
      flag(&S::vector_gpsimd_exclusive, "vector_gpsimd_exclusive",
           "vector and GpSimd take turns on SBUF"),
      count(&S::stride_penalty_bytes, "stride_penalty_bytes", "bytes", from_one(1e6),
            "innermost stride above which the rate halves"),
  };
}

std::vector<KeyNode> psum_keys() {
  using S = PsumSpec;
  return {
      count(&S::banks, "banks", "", from_one(4096), "banks"),
      count(&S::bank_bytes_per_partition, "bank_bytes_per_partition", "bytes", from_one(1e6),
            "one bank of one partition"),
      flag(&S::vector_scalar_exclusive, "vector_scalar_exclusive",
           "vector and scalar take turns on PSUM"),
      flag(&S::vector_scalar_bank_exclusive, "vector_scalar_bank_exclusive",
           "vector and scalar take turns on one bank"),
  };
}

std::vector<KeyNode> dma_rate_keys() {
  using S = DmaSpec;
  return {
      count(&S::engines, "engines", "", from_one(4096), "DMA engines of one core"),
      count(&S::queues_per_engine, "queues_per_engine", "", from_one(4096), "queues of one engine"),
      count(&S::load_rings, "load_rings", "", from_one(16),
            "rings that loads of different tensors take in turn where the kernel names no engine"),
      count(&S::partitions_per_engine, "partitions_per_engine", "", from_one(4096),
            "partitions one engine serves"),
      inert(real(&S::wire_GBps_per_engine, "wire_GBps_per_engine", "GB/s", rate_range(),
                 "raw rate of one engine")),
      real(&S::effective_GBps_per_engine, "effective_GBps_per_engine", "GB/s", rate_range(),
           "planning rate of one engine; of transposes and sums"),
      real(&S::stream_GBps_per_engine, "stream_GBps_per_engine", "GB/s", rate_range(),
           "rate of one engine within a descriptor"),
      real(&S::hbm_read_GBps_per_engine, "hbm_read_GBps_per_engine", "GB/s", rate_range(),
           "the same where it reads from HBM"),
      real(&S::descriptor_ns, "descriptor_ns", "ns", from_zero(kMaxNs),
           "time of one descriptor on its engine beside its bytes"),
      count(&S::descriptor_max_bytes, "descriptor_max_bytes", "bytes", from_one(1e9),
            "most payload of one descriptor"),
      count(&S::packet_bytes, "packet_bytes", "bytes", from_one(1e9),
            "round-robin quantum between queues"),
      count(&S::outstanding_bytes, "outstanding_bytes", "bytes", from_one(1e9),
            "data one engine has in flight; `banked` HBM model"),
      count(&S::rmw_bytes, "rmw_bytes", "bytes", from_zero(1e6),
            "shorter or unaligned writes cost double"),
  };
}

std::vector<KeyNode> dma_time_keys() {
  using S = DmaSpec;
  return {
      real(&S::issue_floor_ns, "issue_floor_ns", "ns", from_zero(kMaxNs),
           "least start-to-start time of one queue"),
      real(&S::issue_static_ns, "issue_static_ns", "ns", from_zero(kMaxNs),
           "time a static trigger occupies its sequencer"),
      real(&S::issue_software_ns, "issue_software_ns", "ns", from_zero(kMaxNs),
           "the same with software DGE"),
      real(&S::issue_hardware_ns, "issue_hardware_ns", "ns", from_zero(kMaxNs),
           "the same with hardware DGE"),
      real(&S::start_static_ns, "start_static_ns", "ns", from_zero(kMaxNs),
           "end of a static trigger to the first byte"),
      real(&S::start_software_ns, "start_software_ns", "ns", from_zero(kMaxNs),
           "the same with software DGE"),
      real(&S::start_hardware_ns, "start_hardware_ns", "ns", from_zero(kMaxNs),
           "the same with hardware DGE"),
      real(&S::dge_hardware_ns, "dge_hardware_ns", "ns", from_zero(kMaxNs),
           "service time of one hardware DGE instance"),
      count(&S::dge_hardware_instances, "dge_hardware_instances", "", from_zero(4096),
            "hardware DGE instances of one core"),
      real(&S::issue_software_outstanding_ns, "issue_software_outstanding_ns", "ns",
           from_zero(kMaxNs), "longer kick per transfer of its queue that is under way"),
      real(&S::software_prepare_ns, "software_prepare_ns", "ns", from_zero(kMaxNs),
           "GpSimd writes software descriptors: start of the instruction to its kick"),
      real(&S::software_interval_ns, "software_interval_ns", "ns", from_zero(kMaxNs),
           "the same, from one transfer to the next, beside its descriptors"),
      real(&S::software_descriptor_ns, "software_descriptor_ns", "ns", from_zero(kMaxNs),
           "GpSimd writes one software descriptor"),
      real(&S::hbm_read_ns, "hbm_read_ns", "ns", from_zero(kMaxNs),
           "later first byte of a transfer that reads HBM"),
      real(&S::engine_start_skew_ns, "engine_start_skew_ns", "ns", from_zero(kMaxNs),
           "start skew across the engines of one transfer"),
      real(&S::semaphore_write_ns, "semaphore_write_ns", "ns", from_zero(kMaxNs),
           "the semaphore write of each engine"),
      real(&S::completion_ns, "completion_ns", "ns", from_zero(kMaxNs),
           "semaphore write to semaphore raised"),
      real(&S::transpose_rate_hbm, "transpose_rate_hbm", "", fraction(),
           "transpose from HBM, share of the copy rate"),
      real(&S::transpose_rate_sbuf, "transpose_rate_sbuf", "", fraction(),
           "transpose inside SBUF, share of the copy rate"),
      real(&S::compute_rate, "compute_rate", "", fraction(), "dma_compute, share of the copy rate"),
      choice(&S::default_dge, "default_dge", {"static", "software", "hardware"},
             "descriptor generation where the trace does not say"),
  };
}

std::vector<KeyNode> dma_keys() {
  std::vector<KeyNode> keys = dma_rate_keys();
  for (KeyNode& key : dma_time_keys()) {
    keys.push_back(std::move(key));
  }
  return keys;
}

}  // namespace

std::vector<KeyNode> core_keys() {
  using S = CoreSpec;
  return {
      text(&S::name, "name", "name of this core design"),
      structural(choice(&S::generation, "generation", {"trn1", "trn2", "trn3"},
                        "instruction set: NeuronCore-v2, -v3 or -v4")),
      group(&S::tensor, "tensor", "tensor engine", tensor_keys()),
      group(&S::vector, "vector", "vector engine", vector_keys()),
      group(&S::scalar, "scalar", "scalar engine", scalar_keys()),
      group(&S::gpsimd, "gpsimd", "GpSimd engine", gpsimd_keys()),
      group(&S::sequencer, "sequencer", "the five sequencers and the semaphores", sequencer_keys()),
      group(&S::sbuf, "sbuf", "state buffer", sbuf_keys()),
      group(&S::psum, "psum", "partial-sum buffer", psum_keys()),
      group(&S::dma, "dma", "DMA engines and descriptor generation", dma_keys()),
  };
}

}  // namespace trnsim::spec
