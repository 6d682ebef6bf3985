// The network as closed formula: what is sent at one instant is a batch, and a movement of it takes as
// long as the most loaded of its own resources needs for the whole batch.
//
// Load of a resource = sum over the batch of multiplicity x bytes / capacity. Batches do not see each
// other, also when they overlap, and priorities are ignored; so a single step of a collective is exact when
// its bottleneck stays busy until the end, and overlapping collectives are optimistic.
// Source: interconnect.md 1.4, L0.
#pragma once

#include <map>
#include <vector>

#include "../agenda/agenda_if.h"
#include "movement_key.h"
#include "network_if.h"

namespace trnsim::models {

class AnalyticNetwork final : public sc_core::sc_module, public NetworkIf, public Wakeable {
 public:
  AnalyticNetwork(const sc_core::sc_module_name& name, const fabric::NetworkPlan& plan,
                  AgendaIf& agenda, UnitId id);

  void send(Femtos now, const fabric::Movement& movement, std::uint64_t token,
            NetworkClient* client) override;
  // A movement loads its resources evenly from start to end; the rate of overlapping batches can exceed the
  // capacity.
  [[nodiscard]] std::vector<fabric::ResourceLoad> loads(Femtos now) const override;
  void wake(Femtos now, Phase phase) override;

 private:
  using Uses = std::vector<fabric::Use>;
  struct Transfer {
    const Uses* uses = nullptr;
    std::uint64_t bytes = 0;
    std::uint64_t token = 0;
    NetworkClient* client = nullptr;
    double GBps = 0;
  };
  struct Due {
    Femtos time;
    std::uint64_t serial = 0;
    Transfer transfer;
    friend bool operator>(const Due& a, const Due& b) {
      return a.time != b.time ? a.time > b.time : a.serial > b.serial;
    }
  };
  struct Account {
    fabric::ResourceLoad load;
    std::uint64_t transfers = 0;
    Femtos since{0};
  };

  void close_batch(Femtos now);
  void complete(Femtos now);
  void change(Femtos now, const Transfer& transfer, bool begins);
  static void advance(Account& account, Femtos now);
  void arm();

  const fabric::NetworkPlan& plan_;
  AgendaIf& agenda_;
  const UnitId id_;
  std::map<fabric::Movement, Uses, ByWay> uses_;
  std::vector<Transfer> batch_;            // of this instant, in order of arrival
  std::vector<double> batch_ns_;           // load of each resource, zero between batches
  std::vector<Due> due_;                   // heap, earliest in front
  std::vector<Transfer> finished_;
  std::uint64_t next_serial_ = 0;
  Femtos armed_ = kNever;
  std::vector<Account> accounts_;
};

}  // namespace trnsim::models
