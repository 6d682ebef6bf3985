// Movements cut into packets that pass one station after the other; clock-free: the caller says what
// time it is. No SystemC.
//
// Stations are the resources of the NetworkPlan, in the order of NetworkPlan::stages(). A station serves one
// packet at a time, whole (store and forward), for multiplicity x bytes / capacity, rounded to a
// femtosecond. It takes turns over the movements that wait there, a packet each; within a movement first in,
// first out; a lower priority number goes first at every station, without preemption. Where a movement has
// alternatives (ways, stacks), packets alternate so that the fractions hold.
// Credits are end to end: of one movement at most credit_bytes are on their way, from the start of the DMA
// channel's service to the last write; they return at once. Queues at stations have no other limit, so
// nothing waits for room and packets cannot deadlock.
// Source: interconnect.md 1.4, L2; hardware.md 16.4 for the credits.
#pragma once

#include <cstdint>
#include <map>
#include <vector>

#include "movement_key.h"
#include "trnsim/base/units.h"
#include "trnsim/fabric/flow_set.h"
#include "trnsim/fabric/movement.h"

namespace trnsim::models {

class PacketTransport {
 public:
  struct Options {
    std::uint32_t packet_bytes = 4096;
    std::uint32_t credit_bytes = 65536;    // >= packet_bytes
    bool link_latency = false;             // a packet arrives Link::latency after its last byte left
  };

  // `plan` must outlive this.
  PacketTransport(const fabric::NetworkPlan& plan, const Options& options);

  // Queues a movement at its channel. `tag` is the caller's; movement.bytes > 0.
  void add(const fabric::Movement& movement, std::uint64_t tag);
  // Idle stations begin with what waits there: once after all add() of an instant.
  void start(Femtos now);
  // kNever when nothing is under way.
  [[nodiscard]] Femtos next_event() const {
    return events_.empty() ? kNever : Femtos{events_.front().time};
  }
  // now == next_event(): everything that happens then, start() included. Tags of the movements whose
  // last byte is written; the reference holds until the next call.
  const std::vector<std::uint64_t>& advance(Femtos now);

  [[nodiscard]] fabric::ResourceLoad load(std::uint32_t resource, Femtos now) const;
  [[nodiscard]] std::uint64_t packets_served() const { return packets_served_; }

 private:
  struct Visit {
    std::uint32_t station = 0;
    std::uint32_t queue = 0;               // of the movement; 0 = channel
    double multiplicity = 1;
    double fs_per_byte = 0;
    std::uint64_t latency_fs = 0;          // behind the station
  };
  struct Alternative {
    double fraction = 1;
    std::uint32_t first = 0;               // visits
    std::uint32_t end = 0;
  };
  struct Step {
    std::uint32_t first = 0;               // alternatives
    std::uint32_t end = 0;
  };
  struct Route {
    std::vector<Visit> visits;
    std::vector<Alternative> alternatives;
    std::vector<Step> steps;
    std::uint32_t queues = 0;              // one per station
  };
  struct QueueRef {
    std::uint32_t movement = fabric::kNone;
    std::uint32_t queue = 0;
  };
  struct Queue {                           // packets of one movement at one station
    std::uint32_t head = fabric::kNone;
    std::uint32_t tail = fabric::kNone;
    QueueRef next;                         // in the station's ring
    bool in_ring = false;
  };
  struct Moving {
    const Route* route = nullptr;
    std::uint64_t tag = 0;
    std::uint64_t left = 0;                // bytes not yet begun
    std::uint64_t on_way = 0;
    std::uint8_t priority = 0;
    std::vector<double> owed;              // bytes of each alternative
    std::vector<Queue> queues;
  };
  struct Packet {
    std::uint32_t movement = 0;
    std::uint32_t bytes = 0;
    std::uint32_t step = 0;
    std::uint32_t visit = 0;
    std::uint32_t end = 0;                 // of the visits of its alternative
    std::uint32_t next = fabric::kNone;    // in its queue
  };
  struct Ring {
    QueueRef head;
    QueueRef tail;
  };
  struct Station {
    std::uint32_t packet = fabric::kNone;  // in service
    Femtos begun{0};
    Femtos ends{0};
    double load_bytes = 0;                 // of that packet
    double bytes = 0;
    Femtos busy{0};
    bool dirty = false;
    std::vector<Ring> rings;               // by priority
  };
  struct Event {
    std::uint64_t time = 0;
    std::uint32_t order = 0;               // station: service ends; stations + station: arrives behind it
    std::uint32_t packet = 0;
    friend bool operator>(const Event& a, const Event& b) {
      return a.time != b.time ? a.time > b.time : a.order > b.order;
    }
  };

  const Route& route(const fabric::Movement& movement);
  [[nodiscard]] Route make_route(const fabric::Movement& movement) const;
  [[nodiscard]] bool can_send(const Moving& moving) const;
  std::uint32_t make_packet(std::uint32_t movement);
  void enqueue_channel(std::uint32_t movement);
  void enqueue(std::uint32_t packet);
  void push_ring(Station& station, std::uint8_t priority, QueueRef ref);
  std::uint32_t take(Station& station);
  void mark(std::uint32_t station);
  void finish_service(std::uint32_t station, Femtos now);
  void pass_on(std::uint32_t packet);
  void enter_step(std::uint32_t packet);
  void deliver(std::uint32_t packet);
  void push_event(const Event& event);

  const fabric::NetworkPlan& plan_;
  const Options options_;
  std::map<fabric::Movement, Route, ByWay> routes_;
  std::vector<Station> stations_;
  std::vector<Moving> moving_;
  std::vector<std::uint32_t> free_moving_;
  std::vector<Packet> packets_;
  std::vector<std::uint32_t> free_packets_;
  std::vector<Event> events_;              // heap, earliest in front
  std::vector<std::uint32_t> dirty_;       // stations that may have to begin
  std::vector<std::uint64_t> done_;
  std::uint64_t added_ = 0;
  std::uint64_t packets_served_ = 0;
};

}  // namespace trnsim::models
