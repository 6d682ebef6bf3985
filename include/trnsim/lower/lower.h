// Trace -> Program.
#pragma once

#include <memory>
#include <vector>

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

// What a look-ahead of `options.window` instructions would issue, as instruction indices, and the engine of
// each that the kernel left open (kUnassigned, or empty: lower() chooses). Nothing crosses a fence or another
// control record. window 1 = program order, as is any trace with rolled loops, whose bodies are repeated.
struct IssueOrder {
  std::vector<std::uint32_t> order;
  std::vector<trace::Engine> engines;  // by instruction
};
[[nodiscard]] IssueOrder issue_order(const trace::Trace& trace, const spec::CoreSpec& core,
                                     const Options& options);

}  // namespace trnsim::lower
