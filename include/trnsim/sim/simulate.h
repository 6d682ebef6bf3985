// Builds the module tree of a system, runs Programs on it, fills a RunRecord.
#pragma once

#include <csignal>
#include <memory>
#include <vector>

#include "trnsim/lower/program.h"
#include "trnsim/sim/run_record.h"
#include "trnsim/spec/system_spec.h"

namespace trnsim::sim {

// Program of each core of the system, in composition order (server, chip, core); null = idle.
struct Job {
  std::vector<std::shared_ptr<const lower::Program>> programs;
};

struct Options {
  std::vector<std::uint32_t> timeline_cores;                 // cores to record
  bool by_line = false;                                      // of the first core that runs something
  const volatile std::sig_atomic_t* stop_flag = nullptr;     // polled; non-zero ends the run
};

// The run was stopped by the stop flag.
class Interrupted : public std::runtime_error {
 public:
  Interrupted() : std::runtime_error("interrupted") {}
};

// Deterministic: same spec and job, same record (wall_seconds aside). May be called again in the same
// process, one at a time. Throws Error (a kernel that deadlocks names every waiting engine; a kernel
// larger than its HBM share), Interrupted, InternalError.
[[nodiscard]] RunRecord simulate(const spec::SystemSpec& system, const Job& job,
                                 const Options& options = {});

}  // namespace trnsim::sim
