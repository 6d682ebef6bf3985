// Neuron profiler exports (JSON, also gzip-compressed): the rows of one kernel execution, and the Trace
// they make. docs/profiles.md describes the fields that are used.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "trnsim/trace/ir.h"

namespace trnsim::trace {

// One instruction of the kernel as the profiler shows it.
struct ProfileRow {
  Engine engine = Engine::kUnassigned;
  std::string opcode;                 // the profiler's: "MATMUL", "ACTIVATE", ...
  std::string operands;               // as text
  std::string function;               // of ACTIVATE
  std::uint64_t id = 0;
  std::int64_t pc = 0;                // program order within the engine
  std::int64_t start_ns = 0;          // since the start of the capture
  std::int64_t duration_ns = 0;
  std::uint64_t psum_write_bytes = 0; // per partition
};

// The transfer of one DMA instruction.
struct ProfileDma {
  std::uint32_t row = 0;              // its DMA_DIRECT2D in Profile::rows
  std::int64_t first_ns = 0;          // start of its first packet
  std::int64_t last_ns = 0;           // end of its last
};

struct LimiterInterval {
  std::int64_t start_ns = 0;
  std::int64_t duration_ns = 0;
  double fraction = 1.0;              // of its clock the tensor engine runs at
};

struct Profile {
  std::vector<ProfileRow> rows;       // of the kernel, by engine, then pc
  std::vector<ProfileDma> dmas;       // those whose packets could be told apart, by row
  std::vector<LimiterInterval> limiter;
  std::int64_t total_ns = 0;          // of the capture, with pre-amble and tail
  std::string kernel;                 // name of the file without its extensions

  [[nodiscard]] std::int64_t first_ns() const;  // start of the first row
  [[nodiscard]] std::int64_t last_ns() const;   // end of the last row
};

struct ImportedProfile {
  Profile profile;
  Trace trace;
  std::vector<std::vector<std::uint32_t>> rows_of;  // per instruction: its rows, in order
  std::vector<std::string> warnings;
};

// Reads the rows of the kernel that ran. Throws Error: not a profile, fields missing, no kernel in it.
[[nodiscard]] Profile read_profile(const std::string& path);

// The Trace of a profile: program order of every engine, its semaphore waits as edges, addresses as
// pinned tensors. Throws Error naming the row that cannot be understood.
[[nodiscard]] ImportedProfile import_profile(const std::string& path);

}  // namespace trnsim::trace
