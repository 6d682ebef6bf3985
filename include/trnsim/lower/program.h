// The Program: a Trace bound to one device. Per-engine streams of steps with costs in cycles, and the
// counters each step waits for. Immutable; all cores that run the kernel share it.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "trnsim/base/dtype.h"
#include "trnsim/lower/options.h"
#include "trnsim/timing/dma_cost.h"
#include "trnsim/trace/opcode.h"

namespace trnsim::lower {

// A queue completes in order; its counter is what the hardware's semaphores are. Queues 0..4 are the
// engines in trace::Engine order, the rest DMA queues.
using QueueId = std::uint32_t;
inline constexpr QueueId kFirstDmaQueue = trace::kEngineCount;

// "queue has completed at least count".
struct Wait {
  QueueId queue = 0;
  std::uint32_t count = 0;
  friend bool operator==(const Wait&, const Wait&) = default;
};

enum class StepKind : std::uint8_t {
  kMatmulPair,  // LDWEIGHTS + MATMUL: two hardware instructions
  kCompute,     // vector, scalar, gpsimd data path
  kSequencer,   // registers, branches: no data path
  kMeeting,     // core_barrier, sendrecv: waits for the other core of the logical NeuronCore
  kDmaTrigger,
};

struct Step {
  trace::Opcode opcode = trace::Opcode::kFence;
  StepKind kind = StepKind::kCompute;
  std::uint8_t num_waits = 0;
  std::uint8_t act_table = 0;       // scalar engine: table set needed, 0 = any
  bool uses_sbuf = false;           // for the port rules of hardware.md 10
  bool perf_mode = false;
  std::uint8_t psum_banks = 0;      // bit per bank touched
  std::uint8_t dma_queue = 0;       // index into Program::dma_queues
  std::uint32_t first_wait = 0;     // into Program::waits
  std::uint32_t trace_index = 0;    // instruction of the Trace (kNone: made by lowering)
  // Engine clock; kSequencer and kMeeting: base clock. Pair: the MATMUL. Meeting: from the arrival of the
  // later core to the release of both.
  std::uint32_t interval_cycles = 0;
  std::uint32_t latency_cycles = 0;
  std::uint32_t load_cycles = 0;      // LDWEIGHTS of a pair
  std::uint32_t load_latency_cycles = 0;
  std::uint32_t dma = 0;              // into Program::dmas; kMeeting: its number in the program
  std::uint32_t source = UINT32_MAX;  // into Program::sources; UINT32_MAX = unknown
  double flops = 0;
};

struct DmaRequest {
  std::uint32_t queue = 0;          // index into Program::dma_queues
  spec::DgeMode mode = spec::DgeMode::kStatic;
  bool spill = false;
  std::uint32_t trace_index = UINT32_MAX;  // instruction of the Trace; spills have none
  std::uint64_t hbm_address = 0;    // of the first byte, within the core's share of its stack
  timing::DmaPlan plan;
};

struct DmaQueue {
  std::string name;                 // "qSyncLoad", "qGpSimdStore", ... (one ring per DMA engine)
  trace::Engine trigger = trace::Engine::kSync;
};

struct AllocReport {
  std::uint64_t sbuf_peak_bytes_per_partition = 0;
  std::uint64_t psum_peak_bytes_per_partition = 0;
  std::uint32_t spills = 0;         // tiles written out
  std::uint32_t reloads = 0;
  std::uint64_t spill_bytes = 0;    // both ways
};

// A line of the kernel's source.
struct SourceRef {
  std::string file;
  std::uint32_t line = 0;
};

struct Program {
  std::string kernel;
  std::uint32_t lnc = 1;            // 2: one of the two programs of a logical NeuronCore
  std::uint32_t meetings = 0;       // with the other core
  std::vector<SourceRef> sources;   // as in the Trace
  Options options;
  std::array<std::vector<Step>, trace::kEngineCount> streams;
  std::vector<Wait> waits;
  std::vector<DmaRequest> dmas;
  std::vector<DmaQueue> dma_queues;
  AllocReport alloc;
  double model_flops = 0;           // of the mathematical problem
  std::array<double, kDTypeCount> matmul_flops{};  // counted, by stationary operand dtype
  DType main_dtype = DType::kBFloat16;  // the type most FLOPs run in (double_row fp8 = fp8)
  std::uint64_t hbm_footprint_bytes = 0;
  std::uint64_t hbm_read_bytes = 0;
  std::uint64_t hbm_write_bytes = 0;
  std::uint64_t trace_instructions = 0;
  std::uint32_t elided_memsets = 0;
  std::uint32_t dependency_edges = 0;  // waits before pruning
  std::uint32_t kept_edges = 0;        // after it

  [[nodiscard]] std::uint32_t num_queues() const {
    return kFirstDmaQueue + static_cast<std::uint32_t>(dma_queues.size());
  }
  // Hardware instructions: a matmul pair is two.
  [[nodiscard]] std::uint64_t hardware_instructions() const;
};

}  // namespace trnsim::lower
