// Window bookkeeping of the limiter.
#include "trnsim/timing/activity_limiter.h"

#include <algorithm>
#include <cmath>

namespace trnsim::timing {

ActivityLimiter::ActivityLimiter(const spec::ActivityLimiterSpec& spec, std::uint64_t window_cycles,
                                 std::uint64_t grid_offset_cycles)
    : enabled_(spec.enable && window_cycles > 0 && spec.floor_fraction < 1.0),
      window_(window_cycles),
      shift_(enabled_ ? window_cycles - grid_offset_cycles % window_cycles : 0),
      floor_fraction_(spec.floor_fraction),
      release_busy_(static_cast<std::uint64_t>(
          std::ceil(spec.release_busy_fraction * static_cast<double>(window_cycles)))),
      rearm_busy_(static_cast<std::uint64_t>(
          std::ceil(spec.rearm_busy_fraction * static_cast<double>(window_cycles)))),
      limited_(enabled_) {}

void ActivityLimiter::close_windows_until(std::uint64_t grid_cycle) {
  const std::uint64_t target = grid_cycle / window_;
  if (window_index_ == target) {
    return;
  }
  // The first window to close holds busy_; any further ones were empty.
  if (busy_ >= release_busy_) {
    limited_ = false;
  } else if (busy_ < rearm_busy_) {
    limited_ = true;
  }
  if (target > window_index_ + 1 && rearm_busy_ > 0) {
    limited_ = true;
  }
  window_index_ = target;
  busy_ = 0;
}

std::uint64_t ActivityLimiter::run(std::uint64_t start, std::uint64_t work) {
  if (!enabled_) {
    return start + work;
  }
  std::uint64_t cycle = start + shift_;
  while (work > 0) {
    close_windows_until(cycle);
    const std::uint64_t left = (window_index_ + 1) * window_ - cycle;
    const double rate = limited_ ? floor_fraction_ : 1.0;
    const auto needed = static_cast<std::uint64_t>(std::ceil(static_cast<double>(work) / rate));
    const std::uint64_t spent = std::min(needed, left);
    work -= spent == needed
                ? work
                : std::min(work, static_cast<std::uint64_t>(static_cast<double>(spent) * rate));
    busy_ += spent;
    limited_cycles_ += limited_ ? spent : 0;
    cycle += spent;
  }
  return cycle - shift_;
}

}  // namespace trnsim::timing
