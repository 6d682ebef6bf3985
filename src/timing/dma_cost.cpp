// DMA plans: contiguous runs, shares per engine, rates.
#include "trnsim/timing/dma_cost.h"

#include <algorithm>

namespace trnsim::timing {
namespace {

using spec::DgeMode;
using trace::Engine;
using trace::Opcode;
using trace::Region;

// Elements that lie one after the other from the innermost dim outwards.
std::uint64_t contiguous_elements(const trace::Pattern& pattern) {
  std::uint64_t run = 1;
  for (int d = pattern.num_dims; d-- > 0;) {
    const trace::Dim& dim = pattern.dims[static_cast<std::size_t>(d)];
    if (dim.count == 1) {
      continue;
    }
    if (dim.stride != static_cast<std::int64_t>(run)) {
      break;
    }
    run *= dim.count;
  }
  return run;
}

struct Side {
  const trace::Operand* operand = nullptr;
  const trace::Pattern* pattern = nullptr;
  const trace::Tensor* tensor = nullptr;
  [[nodiscard]] bool hbm() const { return tensor->region == Region::kHbm; }
  [[nodiscard]] std::uint64_t elements() const {
    return pattern->elements() * (hbm() ? 1 : operand->partition_count);
  }
};

Side side_of(const trace::Trace& trace, const trace::Operand& operand) {
  return {&operand, &trace.pattern(operand), &trace.tensor(operand)};
}

void equal_shares(DmaPlan& plan, std::uint32_t engines) {
  const std::uint64_t base = plan.bytes / engines;
  const std::uint64_t rest = plan.bytes % engines;
  for (std::uint32_t e = 0; e < engines; ++e) {
    const std::uint64_t bytes = base + (e < rest ? 1 : 0);
    if (bytes > 0) {
      plan.shares.push_back(
          {e, bytes, (bytes + plan.descriptor_bytes - 1) / plan.descriptor_bytes});
      plan.descriptors += plan.shares.back().descriptors;
    }
  }
}

// Engine e owns partitions e*k .. e*k+k-1, counted absolutely (12.7).
void partition_shares(DmaPlan& plan, const spec::DmaSpec& dma, std::uint32_t first,
                      std::uint32_t count) {
  const std::uint64_t per_partition = plan.bytes / count;
  // No descriptor spans two partitions.
  const std::uint64_t descriptors =
      (per_partition + plan.descriptor_bytes - 1) / plan.descriptor_bytes;
  plan.descriptors = descriptors * count;
  for (std::uint32_t p = first; p < first + count; ++p) {
    const std::uint32_t engine = (p / dma.partitions_per_engine) % dma.engines;
    auto share = std::find_if(plan.shares.begin(), plan.shares.end(),
                              [engine](const DmaShare& s) { return s.engine == engine; });
    if (share == plan.shares.end()) {
      plan.shares.push_back({engine, 0, 0});
      share = plan.shares.end() - 1;
    }
    share->bytes += per_partition;
    share->descriptors += descriptors;
  }
}

double engine_rate(const spec::CoreSpec& core, const DmaPlan& plan, Opcode opcode,
                   bool accumulate, bool any_hbm) {
  const spec::DmaSpec& dma = core.dma;
  if (opcode == Opcode::kDmaTranspose) {
    return dma.effective_GBps_per_engine *
           (any_hbm ? dma.transpose_rate_hbm : dma.transpose_rate_sbuf);
  }
  double rate =
      plan.hbm_read_bytes > 0 ? dma.hbm_read_GBps_per_engine : dma.stream_GBps_per_engine;
  const bool full_rate_accumulate = core.generation == spec::Generation::kTrn3;
  if (opcode == Opcode::kDmaCompute) {
    // Bytes of all sources count, so two of them run at half the rate of a copy (12.4).
    rate = dma.effective_GBps_per_engine;
  } else if (accumulate && !full_rate_accumulate) {
    rate = dma.effective_GBps_per_engine * dma.compute_rate;
  }
  const auto bytes = static_cast<double>(plan.descriptor_bytes);
  double ns = dma.descriptor_ns + bytes / rate;
  if (plan.descriptor_bytes < dma.rmw_bytes) {
    ns *= 2;  // read-modify-write of a partial line
  }
  return bytes / ns;
}

}  // namespace

DmaPlan plan_dma(const spec::CoreSpec& core, const trace::Trace& trace,
                 const trace::Instruction& instruction) {
  const Side dst = side_of(trace, trace.outputs(instruction)[0]);
  const Side src = side_of(trace, trace.inputs(instruction)[0]);
  const std::uint64_t elements = dst.elements();
  const std::uint64_t dst_size = size_bytes(dst.pattern->dtype);
  const std::uint64_t src_size = size_bytes(src.pattern->dtype);
  // dma_compute reads every source; the last input of an indirect copy is its index.
  const std::uint64_t sources =
      instruction.opcode == Opcode::kDmaCompute ? trace.inputs(instruction).size() : 1;

  DmaPlan plan;
  plan.bytes = elements * std::max(dst_size, src_size) * sources;
  plan.hbm_read_bytes = src.hbm() ? elements * src_size * sources : 0;
  plan.hbm_write_bytes = dst.hbm() ? elements * dst_size : 0;
  std::uint64_t run = std::min(contiguous_elements(*dst.pattern), contiguous_elements(*src.pattern));
  const Side& chip = dst.hbm() ? src : dst;
  if (!chip.hbm()) {
    run = std::min(run, chip.pattern->elements());
  }
  plan.descriptor_bytes = std::min<std::uint64_t>(
      std::max<std::uint64_t>(1, run) * std::max(dst_size, src_size), core.dma.descriptor_max_bytes);
  if (chip.hbm()) {
    // No descriptor spans two engines' shares.
    plan.descriptor_bytes = std::min(
        plan.descriptor_bytes, (plan.bytes + core.dma.engines - 1) / core.dma.engines);
  }
  const bool any_hbm = dst.hbm() || src.hbm();
  plan.engine_GBps = engine_rate(core, plan, instruction.opcode,
                                 trace.attribute(instruction).accumulate, any_hbm);
  const bool cooperative = instruction.opcode == Opcode::kDmaTranspose || chip.hbm();
  if (cooperative) {
    equal_shares(plan, core.dma.engines);
  } else {
    partition_shares(plan, core.dma, chip.tensor->pinned_partition + chip.operand->partition_start,
                     chip.operand->partition_count);
  }
  if (any_hbm) {
    const Side& hbm = src.hbm() ? src : dst;
    const auto size = static_cast<std::int64_t>(size_bytes(hbm.pattern->dtype));
    plan.hbm_first_byte = static_cast<std::uint64_t>(hbm.operand->offset * size);
    if (!cooperative && hbm.pattern->num_dims > 0) {
      const std::int64_t stride = hbm.pattern->dims[0].stride * size;
      plan.hbm_row_stride_bytes = static_cast<std::uint64_t>(std::max<std::int64_t>(0, stride));
    }
  }
  return plan;
}

DmaPlan plan_tile_move(const spec::CoreSpec& core, std::uint32_t first_partition,
                       std::uint32_t partitions, std::uint64_t bytes_per_partition, bool to_hbm) {
  DmaPlan plan;
  plan.bytes = bytes_per_partition * partitions;
  plan.hbm_read_bytes = to_hbm ? 0 : plan.bytes;
  plan.hbm_write_bytes = to_hbm ? plan.bytes : 0;
  plan.descriptor_bytes =
      std::min<std::uint64_t>(bytes_per_partition, core.dma.descriptor_max_bytes);
  plan.engine_GBps = engine_rate(core, plan, Opcode::kDmaCopy, false, true);
  plan.hbm_row_stride_bytes = bytes_per_partition;
  partition_shares(plan, core.dma, first_partition, partitions);
  return plan;
}

DgeMode dge_mode(const spec::DmaSpec& dma, trace::DgeRequest request, Engine trigger, bool indirect,
                 bool casts) {
  if (indirect) {
    return DgeMode::kSoftware;
  }
  const bool hardware_possible = dma.dge_hardware_instances > 0 && !casts &&
                                 (trigger == Engine::kSync || trigger == Engine::kScalar);
  switch (request) {
    case trace::DgeRequest::kNone:
      return DgeMode::kStatic;
    case trace::DgeRequest::kSoftware:
      return DgeMode::kSoftware;
    case trace::DgeRequest::kHardware:
      return hardware_possible ? DgeMode::kHardware : DgeMode::kStatic;
    case trace::DgeRequest::kUnknown:
      break;
  }
  if (dma.default_dge == DgeMode::kHardware && hardware_possible) {
    return DgeMode::kHardware;
  }
  return trigger == Engine::kGpSimd ? DgeMode::kSoftware : DgeMode::kStatic;
}

double issue_ns(const spec::DmaSpec& dma, DgeMode mode) {
  switch (mode) {
    case DgeMode::kStatic:
      return dma.issue_static_ns;
    case DgeMode::kSoftware:
      return dma.issue_software_ns;
    case DgeMode::kHardware:
      return dma.issue_hardware_ns;
  }
  return 0;
}

double start_ns(const spec::DmaSpec& dma, const DmaPlan& plan, DgeMode mode) {
  const double read = plan.hbm_read_bytes > 0 ? dma.hbm_read_ns : 0;
  switch (mode) {
    case DgeMode::kStatic:
      return dma.start_static_ns + read;
    case DgeMode::kSoftware:
      return dma.start_software_ns + read;
    case DgeMode::kHardware:
      return dma.start_hardware_ns + read;
  }
  return 0;
}

TriggerTime trigger_time(const spec::DmaSpec& dma, const DmaPlan& plan, DgeMode mode) {
  if (mode != DgeMode::kSoftware) {
    return {0, issue_ns(dma, mode)};
  }
  const double writing_ns = dma.software_descriptor_ns * static_cast<double>(plan.descriptors);
  return {std::max(dma.software_prepare_ns, writing_ns), dma.software_interval_ns + writing_ns};
}

}  // namespace trnsim::timing
