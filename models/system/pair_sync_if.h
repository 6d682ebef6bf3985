// What the two cores of a logical NeuronCore (LNC=2) use to meet.
#pragma once

#include <cstdint>

#include <systemc>

#include "trnsim/base/units.h"

namespace trnsim::models {

class PairWaiter {
 public:
  // The other core has arrived; this one may go on at `release` (>= now).
  virtual void on_released(Femtos now, Femtos release) = 0;

 protected:
  ~PairWaiter() = default;
};

class PairSyncIf : virtual public sc_core::sc_interface {
 public:
  // Core `side` (0 or 1) has reached meeting `index` of its program. Returns the time at which it may go
  // on if the other is there already, else kNever: `waiter` is called then.
  virtual Femtos arrive(Femtos now, std::uint32_t side, std::uint32_t index, Femtos latency,
                        PairWaiter* waiter) = 0;
};

}  // namespace trnsim::models
