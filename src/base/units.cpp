// Exact clock arithmetic.
#include "trnsim/base/units.h"

#include <cmath>
#include <numeric>

namespace trnsim {

Femtos transfer_time(double bytes, double GBps) {
  return {static_cast<std::uint64_t>(std::ceil(bytes / GBps * 1e6))};
}

Clock::Clock(double ghz) {
  constexpr std::uint64_t kFemtosPerSecond = 1'000'000'000'000'000;
  // Whole kilohertz keep every product of edge() below 2^64.
  const auto hertz = static_cast<std::uint64_t>(std::llround(ghz * 1e6)) * 1000;
  const std::uint64_t divisor = std::gcd(kFemtosPerSecond, hertz);
  num_ = kFemtosPerSecond / divisor;
  den_ = hertz / divisor;
}

std::uint64_t Clock::cycle_at_or_after(Femtos t) const {
  // Smallest k with edge(k) >= t. t * den / num in split arithmetic, then at most one step up.
  std::uint64_t k = (t.count / num_) * den_ + (t.count % num_) * den_ / num_;
  while (edge(k) < t) {
    ++k;
  }
  return k;
}

}  // namespace trnsim
