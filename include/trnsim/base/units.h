// Units that cross room borders: simulated time in integer femtoseconds and exact clock domains.
#pragma once

#include <compare>
#include <cstdint>

namespace trnsim {

// A point in simulated time or a span of it, in femtoseconds. Wraps at 5.12 h; arithmetic is checked
// only by the callers' invariants (shared/systemc.md section 10).
struct Femtos {
  std::uint64_t count = 0;

  friend constexpr auto operator<=>(Femtos, Femtos) = default;
  friend constexpr Femtos operator+(Femtos a, Femtos b) { return {a.count + b.count}; }
  friend constexpr Femtos operator-(Femtos a, Femtos b) { return {a.count - b.count}; }
  friend constexpr Femtos operator*(Femtos a, std::uint64_t n) { return {a.count * n}; }
  constexpr Femtos& operator+=(Femtos other) {
    count += other.count;
    return *this;
  }
  [[nodiscard]] constexpr double ns() const { return static_cast<double>(count) * 1e-6; }
  [[nodiscard]] constexpr double us() const { return static_cast<double>(count) * 1e-9; }
  [[nodiscard]] constexpr double seconds() const { return static_cast<double>(count) * 1e-15; }
};

inline constexpr Femtos kNever{UINT64_MAX};

[[nodiscard]] constexpr Femtos max(Femtos a, Femtos b) { return a < b ? b : a; }
[[nodiscard]] constexpr Femtos min(Femtos a, Femtos b) { return a < b ? a : b; }

// Rounds to the nearest femtosecond. ns >= 0.
[[nodiscard]] constexpr Femtos from_ns(double ns) {
  return {static_cast<std::uint64_t>(ns * 1e6 + 0.5)};
}

// Time to move `bytes` at `GBps` (10^9 bytes per second), rounded up to a femtosecond. GBps > 0.
[[nodiscard]] Femtos transfer_time(double bytes, double GBps);

// A clock whose edges are exact integers: edge(k) = floor(k * 1e15 / f) fs, so edges of different
// clocks that coincide mathematically coincide bit for bit (shared/systemc.md section 10).
class Clock {
 public:
  Clock() = default;
  // ghz >= 0.001; rounded to a whole number of kilohertz.
  explicit Clock(double ghz);

  // Time of edge k.
  [[nodiscard]] Femtos edge(std::uint64_t k) const {
    return {(k / den_) * num_ + (k % den_) * num_ / den_};
  }
  // Index of the first edge at or after `t`.
  [[nodiscard]] std::uint64_t cycle_at_or_after(Femtos t) const;
  // Length of `cycles` periods from time zero (rounded down to a femtosecond).
  [[nodiscard]] Femtos span(std::uint64_t cycles) const { return edge(cycles); }
  // First edge at or after `t`.
  [[nodiscard]] Femtos align(Femtos t) const { return edge(cycle_at_or_after(t)); }
  [[nodiscard]] double ghz() const {
    return static_cast<double>(den_) * 1e6 / static_cast<double>(num_);
  }

 private:
  std::uint64_t num_ = 1'000'000;  // femtoseconds
  std::uint64_t den_ = 1;          // cycles
};

}  // namespace trnsim
