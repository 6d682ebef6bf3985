// Parameters of one physical NeuronCore: engines, sequencers, memories and DMA. Plain structs, filled
// and validated by spec/loader.h, immutable afterwards. Values and sources live in configs/parts/*.yaml;
// section numbers refer to shared/hardware.md. Cycles are of the clock of the engine that owns them.
#pragma once

#include <cstdint>
#include <string>

namespace trnsim::spec {

enum class Generation : std::uint8_t { kTrn1, kTrn2, kTrn3 };  // NeuronCore-v2, -v3, -v4

// Start-up (dI/dt) limit of the tensor engine, section 18.1: half rate until one fully busy window has
// passed, back to half rate after a window with little work. Windows lie on a fixed grid.
struct ActivityLimiterSpec {
  bool enable = false;
  std::uint32_t window_cycles = 0;      // of the base clock
  std::uint32_t grid_offset_cycles = 0; // base cycles from time zero to the first window border
  double floor_fraction = 1.0;          // rate while limited, (0, 1]
  double release_busy_fraction = 1.0;   // busy share of a window that lifts the limit
  double rearm_busy_fraction = 0.0;     // busy share below which the limit comes back
};

struct TensorSpec {                        // section 5
  double clock_ghz = 0;
  std::uint32_t rows = 0;                  // PE rows: contraction, = partitions
  std::uint32_t columns = 0;               // PE columns: stationary free size
  std::uint32_t fp8_rows_per_pe = 1;       // double_row: 2 on v3 and v4
  std::uint32_t mx_rows_per_pe = 0;        // MX: 4 on v4, 0 = not available
  std::uint32_t fp32_passes = 0;
  std::uint32_t fp32_halves = 1;           // LDWEIGHTS+MATMUL pairs of one fp32 nc_matmul
  std::uint32_t fp32_transpose_passes = 0;
  std::uint32_t moving_free_max = 0;       // columns of one MATMUL
  std::uint32_t mm_init_latency_cycles = 0;   // least interval of a moving instruction
  std::uint32_t fast_load_factor = 0;      // stationary columns loaded per cycle
  std::uint32_t fast_load_strided_factor = 0; // slow-down of a strided stationary operand
  std::uint32_t ls_fp32_cycles_per_column = 0;  // of one fp32 half
  std::uint32_t ls_fp32_transpose_cycles_per_column = 0;
  std::uint32_t load_latency_cycles = 0;   // LDWEIGHTS duration beyond its interval (display only)
  std::uint32_t pipeline_latency_cycles = 0;  // MATMUL latency beyond streaming
  std::uint32_t issue_gap_cycles = 0;      // between two MATMULs, unless the limiter hides it
  std::uint32_t limited_latency_cycles = 0;  // latency beyond the above while limited
  double semaphore_wait_ns = 0;            // as sequencer.semaphore_wait_ns, of this engine
  std::uint32_t queue_depth_pairs = 0;
  ActivityLimiterSpec activity_limiter;
};

struct VectorSpec {                        // section 6
  double clock_ghz = 0;
  std::uint32_t lanes = 0;
  std::uint32_t min_ii_cycles = 0;
  std::uint32_t issue_gap_cycles = 0;      // access overhead that the next instruction cannot hide
  std::uint32_t fixed_latency_cycles = 0;  // result latency beyond the work
  bool perf_modes = false;                 // 2x/4x modes (v3, v4)
  bool fp8_perf_modes = false;             // v4
  bool any_type_sbuf_2x = false;           // data-path table; C10
  bool tensor_tensor_bf16_half = false;    // C30
  double perf_bus_penalty_with_gpsimd = 1; // slow-down of the part that overlaps GpSimd on SBUF
  std::uint32_t accumulator_read_cycles = 0;
  std::uint32_t pointer_read_cycles = 0;   // an operand that is a per-partition scalar
};

struct ScalarSpec {                        // section 7
  double clock_ghz = 0;
  std::uint32_t lanes = 0;
  std::uint32_t min_ii_cycles = 0;
  std::uint32_t issue_gap_cycles = 0;
  std::uint32_t fixed_latency_cycles = 0;
  double act_table_load_ns = 0;
  bool perf_mode_2x = false;               // tensor_copy and tensor_scalar, v4
  bool activation_2x = false;
  std::uint32_t accumulator_read_cycles = 0;
  std::uint32_t activation_cycles = 0;     // an activation beside a copy of the same size
  std::uint32_t activation_sbuf_gap_cycles = 0;  // interval of one whose input is in SBUF
};

struct GpSimdSpec {                        // section 8
  double clock_ghz = 0;
  std::uint32_t simd_cores = 0;
  std::uint32_t start_overhead_cycles = 0;
  std::uint32_t fixed_latency_cycles = 0;
  std::uint32_t topk_serial_partitions = 1;
  double internal_dma_GBps_per_direction = 0;  // all cores together; 0 = none
};

struct SequencerSpec {                     // section 9
  double base_clock_ghz = 0;
  std::uint32_t dispatch_interval_cycles = 0;  // of the base clock
  std::uint32_t queue_depth = 0;
  double branch_ns = 0;
  std::uint32_t semaphores = 0;
  double semaphore_raise_ns = 0;           // result written to semaphore raised
  double semaphore_wait_ns = 0;            // semaphore raised to start of the waiting instruction
  double event_semaphore_ns = 0;           // of an instruction that only waits, to the next
  double semaphore_lnc_pair_ns = 0;
  double core_barrier_ns = 0;
  std::uint32_t dynamic_addressing_min_ii_cycles = 0;
  std::uint32_t register_op_cycles = 0;
  std::uint32_t register_load_cycles = 0;
};

struct SbufSpec {                          // section 10
  std::uint32_t partitions = 0;
  std::uint32_t kib_per_partition = 0;
  std::uint32_t reserved_bytes_per_partition = 0;
  bool vector_gpsimd_exclusive = false;    // trn1
  std::uint32_t stride_penalty_bytes = 0;  // innermost stride above which the rate halves
};

struct PsumSpec {                          // section 10
  std::uint32_t banks = 0;
  std::uint32_t bank_bytes_per_partition = 0;
  bool vector_scalar_exclusive = false;    // trn1
  bool vector_scalar_bank_exclusive = true;
};

enum class DgeMode : std::uint8_t { kStatic, kSoftware, kHardware };

struct DmaSpec {                           // section 12
  std::uint32_t engines = 0;
  std::uint32_t load_rings = 1;            // per trigger engine, for loads of different tensors
  std::uint32_t queues_per_engine = 0;
  std::uint32_t partitions_per_engine = 0;
  double wire_GBps_per_engine = 0;
  double effective_GBps_per_engine = 0;    // for planning; transposes and sums
  double stream_GBps_per_engine = 0;       // within one descriptor
  double hbm_read_GBps_per_engine = 0;     // the same where the source is in HBM
  double descriptor_ns = 0;                // of a descriptor beside its bytes
  std::uint32_t descriptor_max_bytes = 0;
  std::uint32_t packet_bytes = 0;          // round-robin quantum between queues
  std::uint32_t outstanding_bytes = 0;     // reads in flight of one engine: how far it runs ahead of HBM
  std::uint32_t rmw_bytes = 0;             // shorter or unaligned writes cost double
  double issue_floor_ns = 0;               // least start-to-start time of one queue
  double issue_static_ns = 0;              // time the trigger occupies its sequencer
  double issue_software_ns = 0;
  double issue_hardware_ns = 0;
  double start_static_ns = 0;              // end of the trigger to first byte
  double start_software_ns = 0;
  double start_hardware_ns = 0;
  double dge_hardware_ns = 0;              // service time of one hardware DGE instance
  std::uint32_t dge_hardware_instances = 0;
  double issue_software_outstanding_ns = 0;  // the kick, per transfer of its queue under way
  double software_prepare_ns = 0;          // GpSimd: start of the instruction to its kick
  double software_interval_ns = 0;         // GpSimd: from one to the next, beside its descriptors
  double software_descriptor_ns = 0;       // GpSimd: to write one descriptor
  double hbm_read_ns = 0;                  // later first byte of a transfer that reads HBM
  double engine_start_skew_ns = 0;
  double semaphore_write_ns = 0;
  double completion_ns = 0;                // last byte to the waiting instruction
  double transpose_rate_hbm = 0;           // share of the copy rate
  double transpose_rate_sbuf = 0;
  double compute_rate = 0;                 // dma_compute, share of the copy rate
  DgeMode default_dge = DgeMode::kStatic;
};

struct CoreSpec {
  std::string name;
  Generation generation = Generation::kTrn2;
  TensorSpec tensor;
  VectorSpec vector;
  ScalarSpec scalar;
  GpSimdSpec gpsimd;
  SequencerSpec sequencer;
  SbufSpec sbuf;
  PsumSpec psum;
  DmaSpec dma;
};

}  // namespace trnsim::spec
