// The tensor engine's start-up limiter (hardware.md 18.1) as a clock-free state machine.
//
// Time is cut into windows on a fixed grid. The engine starts limited: a cycle of work takes
// 1 / floor_fraction cycles. At the end of a window whose busy share reaches release_busy_fraction the
// limit is lifted; at the end of one below rearm_busy_fraction it comes back.
#pragma once

#include <cstdint>

#include "trnsim/spec/core_spec.h"

namespace trnsim::timing {

class ActivityLimiter {
 public:
  // window_cycles and the first border after cycle 0 in cycles of the tensor clock; a disabled spec never
  // limits.
  ActivityLimiter(const spec::ActivityLimiterSpec& spec, std::uint64_t window_cycles,
                  std::uint64_t grid_offset_cycles = 0);

  // Runs `work` cycles of full-rate work from cycle `start` (not before the end of the previous run) and
  // returns the cycle at which they are done.
  [[nodiscard]] std::uint64_t run(std::uint64_t start, std::uint64_t work);

  // State at the cycle last returned by run().
  [[nodiscard]] bool limited() const { return limited_; }
  // Cycles of run() time spent limited, in all.
  [[nodiscard]] std::uint64_t limited_cycles() const { return limited_cycles_; }

 private:
  void close_windows_until(std::uint64_t grid_cycle);

  bool enabled_;
  std::uint64_t window_;
  std::uint64_t shift_;              // cycle + shift_ counts from a window border
  double floor_fraction_;
  std::uint64_t release_busy_;
  std::uint64_t rearm_busy_;
  bool limited_;
  std::uint64_t window_index_ = 0;   // window that busy_ belongs to
  std::uint64_t busy_ = 0;           // busy cycles in it
  std::uint64_t limited_cycles_ = 0;
};

}  // namespace trnsim::timing
