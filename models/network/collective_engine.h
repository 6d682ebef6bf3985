// The CC-cores of the system: they run collectives as DAGs of transfers over the network
// (hardware.md 17.1).
//
// A collective is triggered by each rank of its group. Streams of a rank are first come, first served;
// a collective starts when it is at the front of its stream on all its ranks, `setup` later its first
// transfers go out. A transfer goes out one hop time after what it depends on; a rank is done when
// everything that it sends and receives is.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <vector>

#include "../agenda/agenda_if.h"
#include "network_if.h"
#include "trnsim/collectives/dag.h"

namespace trnsim::models {

class CollectiveClient {
 public:
  // The rank's part is complete and visible.
  virtual void on_collective_done(Femtos now, std::uint32_t collective, std::uint32_t member) = 0;

 protected:
  ~CollectiveClient() = default;
};

struct CollectiveTimes {
  Femtos setup{0};         // trigger, set-up and completion together
  Femtos hop_on_chip{0};   // from what a transfer depends on to its first byte
  Femtos hop_intra{0};     // the same between chips of one domain
  Femtos hop_inter{0};     // over EFA
};

struct CollectiveRequest {
  std::shared_ptr<const collectives::Dag> dag;
  std::vector<std::uint32_t> ranks;      // by index in the group
  fabric::Space space = fabric::Space::kHbm;
  std::uint8_t priority = 0;
  std::uint32_t stream = 0;
};

struct CollectiveTimesRecord {
  Femtos first_trigger = kNever;
  Femtos last_trigger{0};
  Femtos start{0};                       // of its set-up
  Femtos end{0};
};

class CollectiveEngine final : public sc_core::sc_module, public Wakeable, public NetworkClient {
 public:
  CollectiveEngine(const sc_core::sc_module_name& name, const fabric::NetworkPlan& plan,
                   const CollectiveTimes& times, AgendaIf& agenda, UnitId id);

  // Returns its number; before the simulation starts.
  std::uint32_t add(CollectiveRequest request);
  void trigger(Femtos now, std::uint32_t collective, std::uint32_t member, CollectiveClient* client);

  void wake(Femtos now, Phase phase) override;
  void on_moved(Femtos now, std::uint64_t token) override;

  [[nodiscard]] const CollectiveTimesRecord& record(std::uint32_t collective) const {
    return runs_[collective].record;
  }
  [[nodiscard]] std::uint64_t transfers() const { return transfers_; }
  // "all_reduce of 64 ranks: 3 have not triggered it", for deadlock reports; empty when all are done.
  [[nodiscard]] std::vector<std::string> unfinished() const;

  sc_core::sc_port<NetworkIf> network{"network"};

 private:
  struct Run {
    CollectiveRequest request;
    std::vector<CollectiveClient*> clients;     // by member, null = not triggered
    std::uint32_t triggered = 0;
    std::uint32_t at_front = 0;                 // members whose stream it heads
    std::vector<std::uint32_t> waits;           // open dependencies of each transfer
    std::vector<std::uint32_t> first_next;      // successors of each transfer: CSR
    std::vector<std::uint32_t> next;
    std::vector<std::uint32_t> member_left;     // transfers that concern a member
    std::uint32_t transfers_left = 0;
    bool started = false;
    CollectiveTimesRecord record;
  };
  using Stream = std::deque<std::uint32_t>;     // runs that were triggered, in order

  void front_of_stream(Femtos now, std::uint32_t run);
  void prepare(Run& run);
  void begin(Femtos now, std::uint32_t run);
  void ready(Femtos now, std::uint32_t run, std::uint32_t transfer);
  void send(Femtos now, std::uint32_t run, std::uint32_t transfer);
  void complete(Femtos now, std::uint32_t run, std::uint32_t transfer);
  void member_done(Femtos now, std::uint32_t run, std::uint32_t member);
  [[nodiscard]] Femtos hop(const Run& run, const collectives::Transfer& transfer) const;
  Stream& stream_of(const Run& run, std::uint32_t member);
  void at(Femtos when, std::uint32_t run, std::uint32_t transfer);

  static constexpr std::uint32_t kBegin = UINT32_MAX;   // in place of a transfer: the run begins

  const fabric::NetworkPlan& plan_;
  const CollectiveTimes times_;
  AgendaIf& agenda_;
  const UnitId id_;
  std::vector<Run> runs_;
  std::map<std::pair<std::uint32_t, std::uint32_t>, Stream> streams_;  // by rank and number
  std::map<std::uint64_t, std::vector<std::pair<std::uint32_t, std::uint32_t>>> due_;  // by time
  std::uint64_t transfers_ = 0;
};

}  // namespace trnsim::models
