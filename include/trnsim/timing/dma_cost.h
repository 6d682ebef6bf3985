// How one DMA instruction becomes descriptors on the 16 DMA engines, and what they cost without
// contention (hardware.md 12).
#pragma once

#include <cstdint>
#include <vector>

#include "trnsim/spec/core_spec.h"
#include "trnsim/trace/ir.h"

namespace trnsim::timing {

// Work of one DMA engine for one DMA instruction.
struct DmaShare {
  std::uint32_t engine = 0;
  std::uint64_t bytes = 0;
  std::uint64_t descriptors = 0;
};

struct DmaPlan {
  std::uint64_t bytes = 0;            // payload, counted on the wider side when the DMA casts
  std::uint64_t hbm_read_bytes = 0;
  std::uint64_t hbm_write_bytes = 0;
  std::uint64_t descriptor_bytes = 0; // contiguous bytes of one descriptor
  std::uint64_t descriptors = 0;
  double engine_GBps = 0;             // rate of one engine on these descriptors, alone
  std::vector<DmaShare> shares;       // engines that move data, ascending; sums match bytes
  // Walk of the HBM side for the banked model: partition p (or share) starts at
  // first + p * row_stride; 0 where there is no HBM side.
  std::uint64_t hbm_first_byte = 0;   // within its tensor
  std::uint64_t hbm_row_stride_bytes = 0;
};

// `dst` and `src` are operands of `trace`; accumulate doubles nothing on v4 SBUF and halves the rate
// before (12.4). Throws nothing; shapes are validated by trace::validate.
[[nodiscard]] DmaPlan plan_dma(const spec::CoreSpec& core, const trace::Trace& trace,
                               const trace::Instruction& instruction);

// Plan of a spill (to HBM) or reload (from HBM) of a whole tile, contiguous per partition.
[[nodiscard]] DmaPlan plan_tile_move(const spec::CoreSpec& core, std::uint32_t first_partition,
                                     std::uint32_t partitions, std::uint64_t bytes_per_partition,
                                     bool to_hbm);

// Descriptor generation mode of a DMA: the kernel's request, or the default of the generation where it
// left the choice open; software where an index vector is used, static where the trigger engine has no
// hardware DGE (hardware.md 12.3).
[[nodiscard]] spec::DgeMode dge_mode(const spec::DmaSpec& dma, trace::DgeRequest request,
                                     trace::Engine trigger, bool indirect, bool casts);

// Time of the row that a profiler shows for the trigger.
[[nodiscard]] double issue_ns(const spec::DmaSpec& dma, spec::DgeMode mode);
// End of the trigger to the first byte on an idle queue.
[[nodiscard]] double start_ns(const spec::DmaSpec& dma, const DmaPlan& plan, spec::DgeMode mode);

// What a trigger costs its engine. Software descriptors are written by GpSimd before the kick; the next
// may be under way meanwhile.
struct TriggerTime {
  double before_ns = 0;    // start of the instruction to the start of issue_ns
  double interval_ns = 0;  // start to the earliest start of the engine's next instruction
};
[[nodiscard]] TriggerTime trigger_time(const spec::DmaSpec& dma, const DmaPlan& plan,
                                       spec::DgeMode mode);

}  // namespace trnsim::timing
