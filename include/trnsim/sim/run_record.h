// Everything a run measured, before any view of it. Integers in femtoseconds and bytes; derived figures
// are analysis/.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "trnsim/base/units.h"
#include "trnsim/lower/program.h"

namespace trnsim::sim {

// Order of the idle causes; names in idle_cause_names().
inline constexpr int kIdleCauses = 11;
[[nodiscard]] const std::array<std::string, kIdleCauses>& idle_cause_names();

// Sums over all cores that ran a program. busy + sum(idle) = cores x run time, exactly.
struct EngineRecord {
  std::uint64_t instructions = 0;   // hardware instructions
  double flops = 0;
  std::uint64_t busy_fs = 0;
  std::array<std::uint64_t, kIdleCauses> idle_fs{};
  std::uint64_t limited_fs = 0;     // tensor: under the activity limiter
  std::uint64_t table_loads = 0;    // scalar
};

struct DmaQueueRecord {
  std::string name;
  std::uint64_t requests = 0;
  std::uint64_t bytes = 0;
};

struct DmaRecord {
  std::uint64_t engines = 0;        // of the cores that ran
  std::uint64_t bytes = 0;
  std::uint64_t transfers = 0;      // engine shares of requests
  std::uint64_t busy_fs = 0;        // summed over engines
  std::vector<DmaQueueRecord> queues;
};

struct HbmRecord {
  std::uint64_t stacks = 0;         // of the cores that ran
  std::uint64_t read_bytes = 0;
  std::uint64_t write_bytes = 0;
  std::uint64_t busy_fs = 0;        // summed over stacks
  std::uint64_t saturated_fs = 0;   // `bandwidth` model: demand above what the stack sustains
  std::uint64_t row_hits = 0;       // `banked` model
  std::uint64_t row_misses = 0;
};

// One slice of the timeline.
struct TimelineSlice {
  std::uint32_t core = 0;           // index into the system's cores
  std::string track;                // "Tensor", "LDWEIGHTS", "qSyncLoad", ...
  std::string name;                 // "nc_matmul", ...
  Femtos ready{0};                  // last wait satisfied
  Femtos start{0};
  Femtos end{0};
  std::string waited_for;           // "qSyncLoad >= 3", "" = nothing
  std::uint32_t trace_instruction = UINT32_MAX;
  std::uint64_t bytes = 0;          // DMA
};

// One line of the kernel's source on one engine of the first core that ran. Busy and idle of all lines
// of an engine add up to the time until its last instruction.
struct LineRecord {
  std::string file;                 // "" = no source in the trace
  std::uint32_t line = 0;
  trace::Engine engine = trace::Engine::kSync;
  std::uint64_t steps = 0;
  std::uint64_t busy_fs = 0;
  std::uint64_t idle_fs = 0;        // spent waiting in front of its instructions
  // Longest part of idle_fs by what was waited for: a line (of the instruction waited for) and its
  // queue, "" = no dependency.
  std::string waited_queue;
  std::string waited_file;
  std::uint32_t waited_line = 0;
  std::uint64_t waited_fs = 0;
};

struct RunRecord {
  Femtos time{0};                   // launch of the kernel to its last visible completion
  std::uint32_t cores_used = 0;     // cores that ran a program
  std::array<EngineRecord, trace::kEngineCount> engines{};
  DmaRecord dma;
  HbmRecord hbm;
  double model_flops = 0;           // of the mathematical problem
  double counted_flops = 0;         // what the tensor engines did (transposes not counted)
  DType dtype = DType::kBFloat16;   // of most FLOPs
  std::uint64_t instructions = 0;   // hardware instructions executed
  std::uint64_t trace_instructions = 0;
  lower::AllocReport alloc;         // largest over the programs
  std::uint32_t elided_memsets = 0;
  std::uint64_t requested_hbm_read_bytes = 0;   // what the programs asked for
  std::uint64_t requested_hbm_write_bytes = 0;
  std::string lowering;             // policies
  std::vector<TimelineSlice> timeline;
  std::vector<LineRecord> lines;    // if asked for; by engine, then by first appearance
  std::uint64_t wakeups = 0;        // of the agenda
  double wall_seconds = 0;          // of the simulation alone; not part of the deterministic content
};

}  // namespace trnsim::sim
