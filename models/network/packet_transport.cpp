// Queues, turns and credits of packets.
#include "packet_transport.h"

#include <algorithm>
#include <functional>

#include "trnsim/base/error.h"

namespace trnsim::models {

using fabric::kNone;

PacketTransport::PacketTransport(const fabric::NetworkPlan& plan, const Options& options)
    : plan_(plan), options_(options), stations_(plan.resources().size()) {
  TRNSIM_CHECK(options.packet_bytes > 0 && options.credit_bytes >= options.packet_bytes,
               "credits of {} bytes for packets of {}", options.credit_bytes,
               options.packet_bytes);
}

PacketTransport::Route PacketTransport::make_route(const fabric::Movement& movement) const {
  Route route;
  std::vector<std::uint32_t> stations;     // of each queue
  const auto queue_of = [&](std::uint32_t station) {
    const auto found = std::find(stations.begin(), stations.end(), station);
    const auto index = static_cast<std::uint32_t>(found - stations.begin());
    if (found == stations.end()) {
      stations.push_back(station);
    }
    return index;
  };
  const auto size = [](const auto& list) { return static_cast<std::uint32_t>(list.size()); };
  for (const fabric::Stage& stage : plan_.stages(movement)) {
    Step step{size(route.alternatives), 0};
    for (const fabric::Branch& branch : stage) {
      Alternative alternative{branch.fraction, size(route.visits), 0};
      for (const fabric::Use& use : branch.uses) {
        Visit visit{use.resource, queue_of(use.resource), use.multiplicity,
                    use.multiplicity * 1e6 / plan_.resources()[use.resource].GBps, 0};
        if (options_.link_latency && use.resource < plan_.topology().links().size()) {
          visit.latency_fs = plan_.topology().links()[use.resource].latency.count;
        }
        route.visits.push_back(visit);
      }
      alternative.end = size(route.visits);
      route.alternatives.push_back(alternative);
    }
    step.end = size(route.alternatives);
    route.steps.push_back(step);
  }
  route.queues = size(stations);
  return route;
}

const PacketTransport::Route& PacketTransport::route(const fabric::Movement& movement) {
  auto found = routes_.find(movement);
  if (found == routes_.end()) {
    found = routes_.emplace(movement, make_route(movement)).first;
  }
  return found->second;
}

void PacketTransport::add(const fabric::Movement& movement, std::uint64_t tag) {
  TRNSIM_CHECK(movement.bytes > 0, "movement from rank {} to {} of no bytes", movement.from,
               movement.to);
  std::uint32_t slot = static_cast<std::uint32_t>(moving_.size());
  if (free_moving_.empty()) {
    moving_.emplace_back();
  } else {
    slot = free_moving_.back();
    free_moving_.pop_back();
  }
  Moving& moving = moving_[slot];
  moving.route = &route(movement);
  moving.tag = tag;
  moving.left = movement.bytes;
  moving.on_way = 0;
  moving.priority = movement.priority;
  moving.owed.assign(moving.route->alternatives.size(), 0);
  // Movements begin with different alternatives, else those of one packet would all take the first.
  for (const Step& step : moving.route->steps) {
    moving.owed[step.first + added_ % (step.end - step.first)] = 0.5;
  }
  ++added_;
  moving.queues.assign(moving.route->queues, Queue{});
  enqueue_channel(slot);
}

bool PacketTransport::can_send(const Moving& moving) const {
  const std::uint64_t next = std::min<std::uint64_t>(moving.left, options_.packet_bytes);
  return next > 0 && moving.on_way + next <= options_.credit_bytes;
}

// A movement waits at its channel as a whole; its packets are made when their turn comes.
void PacketTransport::enqueue_channel(std::uint32_t movement) {
  Moving& moving = moving_[movement];
  if (!moving.queues[0].in_ring && can_send(moving)) {
    const std::uint32_t channel = moving.route->visits.front().station;
    push_ring(stations_[channel], moving.priority, {movement, 0});
    mark(channel);
  }
}

std::uint32_t PacketTransport::make_packet(std::uint32_t movement) {
  Moving& moving = moving_[movement];
  std::uint32_t index = static_cast<std::uint32_t>(packets_.size());
  if (free_packets_.empty()) {
    packets_.emplace_back();
  } else {
    index = free_packets_.back();
    free_packets_.pop_back();
  }
  Packet& packet = packets_[index];
  packet.movement = movement;
  packet.bytes = static_cast<std::uint32_t>(
      std::min<std::uint64_t>(moving.left, options_.packet_bytes));
  packet.step = 0;
  packet.visit = 0;
  packet.end = moving.route->alternatives.front().end;
  packet.next = kNone;
  moving.left -= packet.bytes;
  moving.on_way += packet.bytes;
  return index;
}

void PacketTransport::push_ring(Station& station, std::uint8_t priority, QueueRef ref) {
  if (station.rings.size() <= priority) {
    station.rings.resize(priority + std::size_t{1});
  }
  Ring& ring = station.rings[priority];
  Queue& queue = moving_[ref.movement].queues[ref.queue];
  queue.in_ring = true;
  queue.next = {};
  if (ring.head.movement == kNone) {
    ring.head = ref;
  } else {
    moving_[ring.tail.movement].queues[ring.tail.queue].next = ref;
  }
  ring.tail = ref;
}

void PacketTransport::enqueue(std::uint32_t index) {
  Packet& packet = packets_[index];
  Moving& moving = moving_[packet.movement];
  const Visit& visit = moving.route->visits[packet.visit];
  Queue& queue = moving.queues[visit.queue];
  packet.next = kNone;
  if (queue.head == kNone) {
    queue.head = index;
  } else {
    packets_[queue.tail].next = index;
  }
  queue.tail = index;
  if (!queue.in_ring) {
    push_ring(stations_[visit.station], moving.priority, {packet.movement, visit.queue});
  }
  mark(visit.station);
}

// Next packet of the station; kNone if nothing waits.
std::uint32_t PacketTransport::take(Station& station) {
  for (std::size_t priority = 0; priority < station.rings.size(); ++priority) {
    Ring& ring = station.rings[priority];
    if (ring.head.movement == kNone) {
      continue;
    }
    const QueueRef ref = ring.head;
    Moving& moving = moving_[ref.movement];
    Queue& queue = moving.queues[ref.queue];
    ring.head = queue.next;
    queue.in_ring = false;
    std::uint32_t packet = queue.head;
    bool more = false;
    if (ref.queue == 0) {
      packet = make_packet(ref.movement);
      more = can_send(moving);
    } else {
      queue.head = packets_[packet].next;
      more = queue.head != kNone;
    }
    if (more) {
      push_ring(station, static_cast<std::uint8_t>(priority), ref);
    }
    return packet;
  }
  return kNone;
}

void PacketTransport::mark(std::uint32_t station) {
  if (!stations_[station].dirty) {
    stations_[station].dirty = true;
    dirty_.push_back(station);
  }
}

void PacketTransport::push_event(const Event& event) {
  events_.push_back(event);
  std::push_heap(events_.begin(), events_.end(), std::greater<>());
}

void PacketTransport::start(Femtos now) {
  for (const std::uint32_t index : dirty_) {
    Station& station = stations_[index];
    station.dirty = false;
    if (station.packet != kNone) {
      continue;
    }
    station.packet = take(station);
    if (station.packet == kNone) {
      continue;
    }
    const Packet& packet = packets_[station.packet];
    const Visit& visit = moving_[packet.movement].route->visits[packet.visit];
    const auto fs = static_cast<std::uint64_t>(packet.bytes * visit.fs_per_byte + 0.5);
    station.begun = now;
    station.ends = now + Femtos{std::max<std::uint64_t>(fs, 1)};
    station.load_bytes = packet.bytes * visit.multiplicity;
    push_event({station.ends.count, index, station.packet});
  }
  dirty_.clear();
}

const std::vector<std::uint64_t>& PacketTransport::advance(Femtos now) {
  done_.clear();
  const auto stations = static_cast<std::uint32_t>(stations_.size());
  while (!events_.empty() && events_.front().time == now.count) {
    const Event event = events_.front();
    std::pop_heap(events_.begin(), events_.end(), std::greater<>());
    events_.pop_back();
    if (event.order < stations) {
      finish_service(event.order, now);
    } else {
      pass_on(event.packet);
    }
  }
  start(now);
  return done_;
}

void PacketTransport::finish_service(std::uint32_t index, Femtos now) {
  Station& station = stations_[index];
  const std::uint32_t packet = station.packet;
  station.packet = kNone;
  station.bytes += station.load_bytes;
  station.busy += station.ends - station.begun;
  ++packets_served_;
  mark(index);
  const Packet& served = packets_[packet];
  const std::uint64_t latency = moving_[served.movement].route->visits[served.visit].latency_fs;
  if (latency > 0) {
    push_event({now.count + latency, static_cast<std::uint32_t>(stations_.size()) + index, packet});
  } else {
    pass_on(packet);
  }
}

void PacketTransport::pass_on(std::uint32_t index) {
  Packet& packet = packets_[index];
  ++packet.visit;
  if (packet.visit < packet.end) {
    enqueue(index);
    return;
  }
  ++packet.step;
  enter_step(index);
}

void PacketTransport::enter_step(std::uint32_t index) {
  Packet& packet = packets_[index];
  Moving& moving = moving_[packet.movement];
  const Route& route = *moving.route;
  for (; packet.step < route.steps.size(); ++packet.step) {
    const Step& step = route.steps[packet.step];
    std::uint32_t chosen = step.first;
    if (step.end - step.first > 1) {
      for (std::uint32_t i = step.first; i < step.end; ++i) {
        moving.owed[i] += route.alternatives[i].fraction * packet.bytes;
        chosen = moving.owed[i] > moving.owed[chosen] ? i : chosen;
      }
      moving.owed[chosen] -= packet.bytes;
    }
    const Alternative& alternative = route.alternatives[chosen];
    if (alternative.first < alternative.end) {
      packet.visit = alternative.first;
      packet.end = alternative.end;
      enqueue(index);
      return;
    }
  }
  deliver(index);
}

void PacketTransport::deliver(std::uint32_t index) {
  const Packet& packet = packets_[index];
  Moving& moving = moving_[packet.movement];
  moving.on_way -= packet.bytes;
  free_packets_.push_back(index);
  if (moving.left == 0 && moving.on_way == 0) {
    done_.push_back(moving.tag);
    free_moving_.push_back(packet.movement);
  } else {
    enqueue_channel(packet.movement);
  }
}

fabric::ResourceLoad PacketTransport::load(std::uint32_t resource, Femtos now) const {
  const Station& station = stations_[resource];
  fabric::ResourceLoad load{0, station.bytes, station.busy};
  if (station.packet != kNone) {
    load.GBps = station.load_bytes / (station.ends - station.begun).ns();
    load.bytes += load.GBps * (now - station.begun).ns();
    load.busy += now - station.begun;
  }
  return load;
}

}  // namespace trnsim::models
