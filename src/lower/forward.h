// Copies that a compiler leaves out.
#pragma once

#include <cstdint>
#include <vector>

#include "trnsim/spec/core_spec.h"
#include "trnsim/trace/ir.h"

namespace trnsim::lower {

struct Forwarded {
  trace::Trace trace;                   // without edges
  std::vector<std::uint32_t> original;  // index of each instruction in the trace it was made of
};

// The trace without the copies out of PSUM whose readers can take their operands from there: Vector and
// Scalar instructions that stay legal, never a matmul or a transfer. Same type, same partitions, and in program
// order no more banks in use at a time than there are. In the profiles of trainium-kernel-fusion scores that the
// kernel copies to SBUF stay in PSUM. Nor products and transposes that nobody
// reads.
[[nodiscard]] Forwarded forward_copies(const trace::Trace& trace, const spec::CoreSpec& core);

}  // namespace trnsim::lower
