// Workload files: kernels and traces that run one after the other (docs/cli.md).
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "trnsim/base/error.h"
#include "trnsim/workload/kernel_request.h"

namespace trnsim::workload {

struct WorkloadStep {
  std::string name;                          // of the step; default: the kernel
  std::unique_ptr<KernelRequest> kernel;     // or
  std::string trace_path;                    // a .trt or .jsonl file, relative to the workload file
  std::uint32_t copies = 1;                  // cores that run the trace, 0 = all
  std::uint32_t repeat = 1;                  // counted that often in the totals, simulated once
  Location where;
};

struct Workload {
  std::string name;
  std::vector<WorkloadStep> steps;
};

// Throws Error with all findings: unknown or missing keys, wrong values, each with file:line:column.
[[nodiscard]] Workload load_workload(const std::string& path);

}  // namespace trnsim::workload
