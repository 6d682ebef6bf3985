// Distribution of one kernel over the cores of a system (a later floor adds collectives between them).
//
// Operands are taken to lie in the HBM next to the core that reads them; results stay where they are
// computed.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "trnsim/kernels/attention.h"
#include "trnsim/kernels/elementwise.h"
#include "trnsim/kernels/gemm.h"
#include "trnsim/lower/lower.h"
#include "trnsim/spec/system_spec.h"

namespace trnsim::workload {

struct Placement {
  std::string label;                                  // "gemm 2048x2048x2048 bfloat16 best"
  nlohmann::ordered_json description;                 // kernel, parameters, grid, distinct programs
  std::vector<std::shared_ptr<const lower::Program>> programs;  // one per core, null = idle
};

// C over a grid of physical cores: blocks of M x N, whole K on each. With LNC=2 the two cores of a
// logical core are neighbours along M where the grid allows it (else along N). The grid minimises the larger of tensor-engine
// time and HBM time of the largest block, then traffic. Throws Error as kernels::gemm.
[[nodiscard]] Placement place_gemm(const spec::SystemSpec& system,
                                   const kernels::GemmOptions& options,
                                   const lower::Options& lowering);

// batch x heads first; where there are more cores than that, query rows are split so that each core gets
// about the same number of unmasked scores. Throws Error as kernels::attention.
[[nodiscard]] Placement place_attention(const spec::SystemSpec& system,
                                        const kernels::AttentionOptions& options,
                                        const lower::Options& lowering);

// Tokens divided over the cores. Throw Error as the kernels.
[[nodiscard]] Placement place_rmsnorm(const spec::SystemSpec& system,
                                      const kernels::RmsNormOptions& options,
                                      const lower::Options& lowering);
[[nodiscard]] Placement place_swiglu(const spec::SystemSpec& system,
                                     const kernels::SwigluOptions& options,
                                     const lower::Options& lowering);

// Traces on the first `copies` logical cores (0 = all). One trace: every physical core of them runs it.
// Two: programs 0 and 1 of an LNC=2 kernel, side by side on each pair. Throws Error: more copies than
// cores, LNC of the trace and of the system.
[[nodiscard]] Placement place_traces(const spec::SystemSpec& system,
                                     const std::vector<trace::Trace>& traces, std::uint32_t copies,
                                     const lower::Options& lowering);

// Who decides the order of a trace's instructions.
enum class Scheduling : std::uint8_t {
  kAuthor,    // a built-in kernel, or one that chooses addresses itself
  kCompiler,  // NKI beta 1: its compiler takes loops apart and reorders
  kUnknown,   // NKI since 0.2: program order or something better
};
[[nodiscard]] Scheduling scheduling_of(const trace::Trace& trace);

// Grid of a GEMM: rows of cores along M, columns along N.
struct GemmGrid {
  std::uint32_t rows = 1;
  std::uint32_t columns = 1;
  std::uint32_t block_m = 0;  // of all but the last row
  std::uint32_t block_n = 0;
  bool pair_splits_m = false;  // LNC=2: the two cores of a logical core share columns, else rows
};
[[nodiscard]] GemmGrid choose_gemm_grid(const spec::SystemSpec& system,
                                        const kernels::GemmOptions& options);

}  // namespace trnsim::workload
