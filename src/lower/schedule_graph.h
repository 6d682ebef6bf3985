// What a scheduler has to know of a stretch of instructions: what each waits for and what it costs where.
#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "trnsim/lower/options.h"
#include "trnsim/spec/core_spec.h"
#include "trnsim/trace/ir.h"

namespace trnsim::lower {

struct ScheduleNode {
  std::array<bool, trace::kEngineCount> may{};       // engines that can run it
  std::array<double, trace::kEngineCount> cost_ns{};  // there, until the next can start
  double lead_ns = 0;         // DMA: from its start to its first byte
  double transfer_ns = 0;     // DMA: on the engines that all share
  double after_ns = 0;        // beyond the cost, or the transfer, until its result is there
  double path_ns = 0;         // longest way to the end of the stretch, its own time included
  std::uint32_t missing = 0;  // predecessors
  bool dma = false;
  bool psum = false;          // touches PSUM
  std::vector<std::uint32_t> successors;  // ascending, relative to the stretch
};

// One id per storage: pinned tiles that share bytes are one storage, every other tensor is its own.
[[nodiscard]] std::vector<std::uint32_t> storages(const trace::Trace& trace);

// Nodes of instructions [begin, end), by a plain estimate of costs without contention. Dependencies are on
// bytes of logical tiles, so address reuse by the allocator does not restrict an order (overlapping pinned
// tiles do: the kernel reuses those bytes itself).
[[nodiscard]] std::vector<ScheduleNode> schedule_graph(const trace::Trace& trace,
                                                       const spec::CoreSpec& core,
                                                       const Options& options,
                                                       const std::vector<std::uint32_t>& storage,
                                                       std::uint32_t begin, std::uint32_t end);

}  // namespace trnsim::lower
