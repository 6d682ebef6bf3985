// Cost of nc_matmul, nc_matmul_mx and tensor-engine nc_transpose as LDWEIGHTS + MATMUL pairs
// (hardware.md 5.2). Cycles of the tensor engine.
#pragma once

#include <cstdint>

#include "trnsim/spec/core_spec.h"
#include "trnsim/timing/shape.h"

namespace trnsim::timing {

struct MatmulCost {
  std::uint32_t pairs = 1;            // LDWEIGHTS + MATMUL pairs (2 for fp32 on v3, v4)
  std::uint64_t load_cycles = 0;      // LDWEIGHTS of one pair, hidden behind the previous MATMUL
  std::uint64_t load_latency_cycles = 0;  // duration a profiler shows for that LDWEIGHTS
  std::uint64_t stream_cycles = 0;    // MATMUL of one pair: passes x max(columns, init latency)
  std::uint64_t latency_cycles = 0;   // MATMUL start to PSUM written: passes x columns + pipeline
  double flops = 0;                   // of all pairs: 2 K M N; 0 for transposes
  double pe_utilization = 0;          // share of the PE array in use, 0..1 (double_row and MX count as 1)
};

[[nodiscard]] MatmulCost matmul_cost(const spec::CoreSpec& core, const InstructionShape& shape);

}  // namespace trnsim::timing
