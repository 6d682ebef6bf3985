// The flow model: every movement is a flow that shares links, DMA channels and memories max-min fairly
// with the others (interconnect.md 1.4).
#pragma once

#include <deque>
#include <map>
#include <vector>

#include "../agenda/agenda_if.h"
#include "movement_key.h"
#include "network_if.h"

namespace trnsim::models {

class FlowNetwork final : public sc_core::sc_module, public NetworkIf, public Wakeable {
 public:
  // `capacities` in GB/s, one per resource of the plan.
  FlowNetwork(const sc_core::sc_module_name& name, const fabric::NetworkPlan& plan,
              std::vector<double> capacities, AgendaIf& agenda, UnitId id);

  // `listener` hears of the given resources.
  void share_with(ShareListener* listener, std::vector<std::uint32_t> resources);

  void send(Femtos now, const fabric::Movement& movement, std::uint64_t token,
            NetworkClient* client) override;
  [[nodiscard]] std::vector<fabric::ResourceLoad> loads(Femtos now) const override;
  void wake(Femtos now, Phase phase) override;

 private:
  struct Sent {
    std::uint64_t token = 0;
    NetworkClient* client = nullptr;
  };

  [[nodiscard]] fabric::RouteId route_of(const fabric::Movement& movement);
  void collect(Femtos now);
  void arbitrate(Femtos now);

  const fabric::NetworkPlan& plan_;
  AgendaIf& agenda_;
  const UnitId id_;
  fabric::FlowSet flows_;
  std::map<fabric::Movement, fabric::RouteId, ByWay> routes_;
  std::deque<Sent> sent_;              // by flow id, from first_id_ on
  fabric::FlowId first_id_ = 0;
  std::vector<Sent> finished_;         // taken out of flows_, not yet delivered
  Femtos next_completion_ = kNever;
  bool arbitration_pending_ = false;
  ShareListener* listener_ = nullptr;
  std::vector<std::uint32_t> shared_;
  std::vector<double> shares_;         // last told, GB/s
};

}  // namespace trnsim::models
