// One instruction of an imported profile: the rows it is made of, what it touches and waits for.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "profile_access.h"
#include "trnsim/trace/profile.h"

namespace trnsim::trace {

struct PendingInstruction {
  Opcode opcode = Opcode::kEventSemaphore;
  Engine engine = Engine::kUnassigned;
  Attributes attributes;
  std::vector<std::uint32_t> rows;                    // into Profile::rows, consecutive
  std::vector<ProfileAccess> outputs;
  std::vector<ProfileAccess> inputs;
  std::vector<SemaphoreWait> waits;
  std::vector<std::pair<std::uint32_t, std::uint64_t>> raises;  // semaphore, by how much in all
};

// What could only be approximated, and in how many rows.
using ImportWarnings = std::map<std::string, std::uint32_t>;

// The instruction that starts with row `first`: one row, or the LDWEIGHTS and MATMUL rows of a matmul.
// Throws Error (no location) for operands that cannot be read.
[[nodiscard]] PendingInstruction take_instruction(const std::vector<ProfileRow>& rows,
                                                  std::uint32_t first, ImportWarnings& warnings);

}  // namespace trnsim::trace
