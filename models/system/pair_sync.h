// Meetings of the two cores of a logical NeuronCore: core_barrier and the hand-shake of sendrecv
// (hardware.md 13, 15). The k-th meeting of one program belongs to the k-th of the other.
#pragma once

#include <array>
#include <map>

#include "pair_sync_if.h"

namespace trnsim::models {

class PairSync final : public sc_core::sc_module, public PairSyncIf {
 public:
  explicit PairSync(const sc_core::sc_module_name& name);

  Femtos arrive(Femtos now, std::uint32_t side, std::uint32_t index, Femtos latency,
                PairWaiter* waiter) override;

 private:
  struct Meeting {
    std::uint32_t side = 0;       // who is there
    PairWaiter* waiter = nullptr;
  };
  std::map<std::uint32_t, Meeting> open_;
};

}  // namespace trnsim::models
