// Agenda around a FlowSet.
#include "flow_network.h"

#include <utility>

namespace trnsim::models {

FlowNetwork::FlowNetwork(const sc_core::sc_module_name& name, const fabric::NetworkPlan& plan,
                         std::vector<double> capacities, AgendaIf& agenda, UnitId id)
    : sc_module(name), plan_(plan), agenda_(agenda), id_(id), flows_(std::move(capacities)) {}

void FlowNetwork::share_with(ShareListener* listener, std::vector<std::uint32_t> resources) {
  listener_ = listener;
  shared_ = std::move(resources);
  shares_.assign(shared_.size(), 0.0);
}

fabric::RouteId FlowNetwork::route_of(const fabric::Movement& movement) {
  const auto known = routes_.find(movement);
  if (known != routes_.end()) {
    return known->second;
  }
  const fabric::RouteId route = flows_.route(plan_.uses(movement), 1, movement.priority);
  routes_.emplace(movement, route);
  return route;
}

void FlowNetwork::send(Femtos now, const fabric::Movement& movement, std::uint64_t token,
                       NetworkClient* client) {
  collect(now);
  const fabric::FlowId flow = flows_.add(now, route_of(movement), movement.bytes);
  if (sent_.empty()) {
    first_id_ = flow;
  }
  sent_.push_back({token, client});
  if (!arbitration_pending_) {
    arbitration_pending_ = true;
    agenda_.at(now, Phase::kArbitrate, id_, this);
  }
}

// Flows that end now leave before others change what they share.
void FlowNetwork::collect(Femtos now) {
  if (flows_.next_completion() != now) {
    return;
  }
  for (const fabric::FlowId flow : flows_.take_completed(now)) {
    Sent& sent = sent_[flow - first_id_];
    finished_.push_back(sent);
    sent.client = nullptr;
  }
  while (!sent_.empty() && sent_.front().client == nullptr) {
    sent_.pop_front();
    ++first_id_;
  }
}

void FlowNetwork::wake(Femtos now, Phase phase) {
  if (phase == Phase::kArbitrate) {
    arbitrate(now);
    return;
  }
  if (now != next_completion_) {
    return;  // the completion moved
  }
  collect(now);
  if (!arbitration_pending_) {
    arbitration_pending_ = true;
    agenda_.at(now, Phase::kArbitrate, id_, this);
  }
  const std::vector<Sent> finished = std::exchange(finished_, {});
  for (const Sent& sent : finished) {
    sent.client->on_moved(now, sent.token);
  }
}

void FlowNetwork::arbitrate(Femtos now) {
  arbitration_pending_ = false;
  flows_.settle(now);
  const Femtos next = flows_.next_completion();
  if (next != kNever) {
    next_completion_ = next;
    agenda_.at(next, Phase::kComplete, id_, this);
  }
  for (std::size_t i = 0; i < shared_.size(); ++i) {
    const double share = flows_.load(shared_[i], now).GBps;
    if (share != shares_[i]) {
      shares_[i] = share;
      listener_->on_share(now, shared_[i], share);
    }
  }
  if (listener_ != nullptr) {
    listener_->on_shares_told(now);
  }
}

std::vector<fabric::ResourceLoad> FlowNetwork::loads(Femtos now) const {
  std::vector<fabric::ResourceLoad> all;
  for (std::uint32_t r = 0; r < flows_.resources(); ++r) {
    all.push_back(flows_.load(r, now));
  }
  return all;
}

}  // namespace trnsim::models
