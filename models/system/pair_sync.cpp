// Rendezvous by index.
#include "pair_sync.h"

#include "trnsim/base/error.h"

namespace trnsim::models {

PairSync::PairSync(const sc_core::sc_module_name& name) : sc_module(name) {}

Femtos PairSync::arrive(Femtos now, std::uint32_t side, std::uint32_t index, Femtos latency,
                        PairWaiter* waiter) {
  const auto meeting = open_.find(index);
  if (meeting == open_.end()) {
    open_.emplace(index, Meeting{side, waiter});
    return kNever;
  }
  TRNSIM_CHECK(meeting->second.side != side, "{}: core {} meets itself at {}", name(), side, index);
  PairWaiter* other = meeting->second.waiter;
  open_.erase(meeting);
  const Femtos release = now + latency;
  other->on_released(now, release);
  return release;
}

}  // namespace trnsim::models
