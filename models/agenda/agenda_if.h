// The phased agenda's interface: every timed wake-up of the model goes through it.
#pragma once

#include <cstdint>

#include "trnsim/base/units.h"

namespace trnsim::models {

// Order of simultaneous wake-ups: first everything that ends, then everything that starts, then the
// shared resources divide themselves among the requests of this instant.
enum class Phase : std::uint8_t { kComplete = 0, kIssue = 1, kArbitrate = 2 };

// Dense, in composition order: decides ties, so results do not depend on addresses or the kernel.
using UnitId = std::uint32_t;

class Wakeable {
 public:
  virtual void wake(Femtos now, Phase phase) = 0;

 protected:
  ~Wakeable() = default;
};

class AgendaIf {
 public:
  // Wakes `unit` at `when` in `phase`. when >= now(); at now() only the current phase or a later one.
  virtual void at(Femtos when, Phase phase, UnitId id, Wakeable* unit) = 0;
  [[nodiscard]] virtual Femtos now() const = 0;

 protected:
  ~AgendaIf() = default;
};

}  // namespace trnsim::models
