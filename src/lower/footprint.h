// Bytes that one operand touches.
#pragma once

#include <cstdint>
#include <vector>

#include "trnsim/trace/ir.h"

namespace trnsim::lower {

struct Interval {
  std::uint64_t begin = 0;
  std::uint64_t end = 0;
  friend bool operator==(const Interval&, const Interval&) = default;
};

// Byte intervals of the walk, relative to the start of the partition (on chip) or tensor (HBM), exact up
// to kMaxIntervals separate pieces; beyond that one bounding interval (conservative: it can only add
// dependencies).
inline constexpr std::uint64_t kMaxIntervals = 1024;
void footprint(const trace::Pattern& pattern, std::int64_t offset_elements,
               std::vector<Interval>& out);

}  // namespace trnsim::lower
