// The network packet by packet (packet_transport.h), driven by the agenda. For small messages, small
// systems, and as the check of the flow model. Movements sent at one instant take turns in the order of
// send().
#pragma once

#include <vector>

#include "../agenda/agenda_if.h"
#include "network_if.h"
#include "packet_transport.h"

namespace trnsim::models {

class PacketNetwork final : public sc_core::sc_module, public NetworkIf, public Wakeable {
 public:
  // link_latency: the network adds Link::latency itself; off because clients add hop times.
  PacketNetwork(const sc_core::sc_module_name& name, const fabric::NetworkPlan& plan,
                const spec::FabricSpec& spec, AgendaIf& agenda, UnitId id,
                bool link_latency = false);

  void send(Femtos now, const fabric::Movement& movement, std::uint64_t token,
            NetworkClient* client) override;
  [[nodiscard]] std::vector<fabric::ResourceLoad> loads(Femtos now) const override;
  void wake(Femtos now, Phase phase) override;

  [[nodiscard]] const PacketTransport& transport() const { return transport_; }

 private:
  struct Receiver {
    std::uint64_t token = 0;
    NetworkClient* client = nullptr;
  };
  struct Pending {
    fabric::Movement movement;
    Receiver receiver;
  };

  void admit(Femtos now);
  void advance(Femtos now);
  void arm();

  const std::uint32_t resources_;
  AgendaIf& agenda_;
  const UnitId id_;
  PacketTransport transport_;
  std::vector<Pending> pending_;           // of this instant
  std::vector<Receiver> receivers_;        // by tag
  std::vector<std::uint64_t> free_tags_;
  std::vector<Receiver> finished_;
  Femtos armed_ = kNever;
};

}  // namespace trnsim::models
