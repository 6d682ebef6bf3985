// Wake-ups of the packet model.
#include "packet_network.h"

#include "trnsim/base/error.h"

namespace trnsim::models {

PacketNetwork::PacketNetwork(const sc_core::sc_module_name& name, const fabric::NetworkPlan& plan,
                             const spec::FabricSpec& spec, AgendaIf& agenda, UnitId id,
                             bool link_latency)
    : sc_module(name),
      resources_(static_cast<std::uint32_t>(plan.resources().size())),
      agenda_(agenda),
      id_(id),
      transport_(plan, {spec.packet_bytes, spec.credit_bytes, link_latency}) {}

void PacketNetwork::send(Femtos now, const fabric::Movement& movement, std::uint64_t token,
                         NetworkClient* client) {
  TRNSIM_CHECK(movement.bytes > 0, "{}: movement of no bytes", name());
  if (pending_.empty()) {
    agenda_.at(now, Phase::kArbitrate, id_, this);
  }
  pending_.push_back({movement, {token, client}});
}

void PacketNetwork::admit(Femtos now) {
  for (const Pending& pending : pending_) {
    std::uint64_t tag = receivers_.size();
    if (free_tags_.empty()) {
      receivers_.push_back(pending.receiver);
    } else {
      tag = free_tags_.back();
      free_tags_.pop_back();
      receivers_[tag] = pending.receiver;
    }
    transport_.add(pending.movement, tag);
  }
  pending_.clear();
  transport_.start(now);
  arm();
}

void PacketNetwork::advance(Femtos now) {
  finished_.clear();
  for (const std::uint64_t tag : transport_.advance(now)) {
    finished_.push_back(receivers_[tag]);
    free_tags_.push_back(tag);
  }
  // Clients may send; finished_ is not touched by send().
  for (const Receiver& receiver : finished_) {
    receiver.client->on_moved(now, receiver.token);
  }
  arm();
}

void PacketNetwork::arm() {
  if (transport_.next_event() < armed_) {
    armed_ = transport_.next_event();
    agenda_.at(armed_, Phase::kComplete, id_, this);
  }
}

void PacketNetwork::wake(Femtos now, Phase phase) {
  if (phase == Phase::kArbitrate) {
    admit(now);
  } else if (now == armed_) {  // else overtaken by an earlier event
    armed_ = kNever;
    advance(now);
  }
}

std::vector<fabric::ResourceLoad> PacketNetwork::loads(Femtos now) const {
  std::vector<fabric::ResourceLoad> loads;
  loads.reserve(resources_);
  for (std::uint32_t resource = 0; resource < resources_; ++resource) {
    loads.push_back(transport_.load(resource, now));
  }
  return loads;
}

}  // namespace trnsim::models
