// Trace -> Program.
#pragma once

#include <memory>

#include "trnsim/lower/options.h"
#include "trnsim/lower/program.h"
#include "trnsim/spec/core_spec.h"
#include "trnsim/trace/ir.h"

namespace trnsim::lower {

// Binds a valid Trace to a core: engine of each instruction, SBUF/PSUM addresses, DMA queues, exact-byte
// dependencies as counter waits, costs. Deterministic. Throws Error for what this device cannot run
// (instruction not on this generation, tile larger than the memory, operand shape over a hardware limit),
// naming the instruction.
[[nodiscard]] std::shared_ptr<const Program> lower(const trace::Trace& trace,
                                                   const spec::CoreSpec& core,
                                                   const Options& options = {});

// The order in which a look-ahead of `window` instructions per engine would issue the trace, as
// instruction indices; nothing crosses a fence. window 1 = program order, as
// is any trace with rolled loops, whose bodies are repeated.
[[nodiscard]] std::vector<std::uint32_t> issue_order(const trace::Trace& trace,
                                                     const spec::CoreSpec& core,
                                                     std::uint32_t window);

}  // namespace trnsim::lower
