// The network between ranks as a collective engine sees it: one interface, three models (analytic, flow,
// packet), chosen per run.
#pragma once

#include <cstdint>
#include <vector>

#include <systemc>

#include "trnsim/base/units.h"
#include "trnsim/fabric/flow_set.h"
#include "trnsim/fabric/movement.h"

namespace trnsim::models {

class NetworkClient {
 public:
  // The movement sent with this token is complete: its last byte is written.
  virtual void on_moved(Femtos now, std::uint64_t token) = 0;

 protected:
  ~NetworkClient() = default;
};

class NetworkIf : virtual public sc_core::sc_interface {
 public:
  // Starts at `now`, in phase complete or issue of the agenda; set-up and hop times are the client's.
  // movement.bytes > 0. Any number may be under way.
  virtual void send(Femtos now, const fabric::Movement& movement, std::uint64_t token,
                    NetworkClient* client) = 0;
  // Bytes and busy time of every resource of the NetworkPlan until `now`.
  [[nodiscard]] virtual std::vector<fabric::ResourceLoad> loads(Femtos now) const = 0;
};

// Told when the share that the network takes of a resource changes (flow model only): HBM bandwidth and
// DMA engines that compute and communication share.
class ShareListener {
 public:
  virtual void on_share(Femtos now, std::uint32_t resource, double GBps) = 0;
  // All changes of this instant have been told.
  virtual void on_shares_told(Femtos now) = 0;

 protected:
  ~ShareListener() = default;
};

}  // namespace trnsim::models
