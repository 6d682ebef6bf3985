// Completion counters: what the hardware's semaphores are to the sequencers of one core.
//
// A completion is published as soon as its time is known, which for an engine instruction is when it
// starts. A waiter therefore learns the time it may go on without a wake-up of its own.
#pragma once

#include <cstdint>

#include <systemc>

#include "trnsim/base/units.h"
#include "trnsim/lower/program.h"

namespace trnsim::models {

class CounterWaiter {
 public:
  // The count this waiter subscribed to has been published.
  virtual void on_published(Femtos now) = 0;

 protected:
  ~CounterWaiter() = default;
};

class CountersIf : virtual public sc_core::sc_interface {
 public:
  // The next completion of `queue` is visible to waiters at `visible` (>= any earlier one).
  virtual void publish(Femtos now, lower::QueueId queue, Femtos visible) = 0;
  // Time at which `count` is visible; kNever if not yet known. Times already past may be returned as
  // any past time.
  [[nodiscard]] virtual Femtos visible_at(lower::Wait wait) const = 0;
  // Calls `waiter` once when `wait` is published. One subscription per waiter at a time.
  virtual void subscribe(lower::Wait wait, CounterWaiter* waiter) = 0;
};

}  // namespace trnsim::models
