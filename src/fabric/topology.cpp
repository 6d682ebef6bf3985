// Builds the nodes and links of a system's fabric.
#include "trnsim/fabric/topology.h"

#include <algorithm>

#include "trnsim/base/error.h"

namespace trnsim::fabric {
namespace {

constexpr double kBitsPerByte = 8;
// Distances between all pairs of them are kept.
constexpr std::uint32_t kMostCustomNodes = 4096;

std::uint32_t extent_of(const spec::FabricSpec& fabric, std::size_t index) {
  return index < fabric.link_classes.size() ? fabric.link_classes[index].extent : 1;
}

// Chips of one NeuronLink domain.
std::uint64_t domain_size(const spec::SystemSpec& system) {
  const spec::FabricSpec& fabric = system.fabric;
  switch (fabric.kind) {
    case spec::FabricKind::kNone:
      return 1;
    case spec::FabricKind::kCustom:
      return system.chips();
    case spec::FabricKind::kSwitched: {
      const std::uint64_t rack = std::max(extent_of(fabric, 0), extent_of(fabric, 1));
      return rack * extent_of(fabric, 2);
    }
    case spec::FabricKind::kRing:
    case spec::FabricKind::kTorus:
      break;
  }
  return std::uint64_t{extent_of(fabric, 0)} * extent_of(fabric, 1) * extent_of(fabric, 2);
}

}  // namespace

Topology::Topology(const spec::SystemSpec& system)
    : kind_(system.fabric.kind), chips_(system.chips()) {
  const spec::FabricSpec& fabric = system.fabric;
  const std::uint64_t domain = domain_size(system);
  if (domain == 0 || domain > chips_ || chips_ % domain != 0) {
    throw Error(fmt::format("the fabric's link classes make domains of {} chips, the system has {}",
                            domain, chips_));
  }
  chips_per_domain_ = static_cast<std::uint32_t>(domain);
  if (domains() > 1 && fabric.efa_Gbps_per_chip <= 0) {
    throw Error(fmt::format("{} chips in domains of {} cannot exchange data without EFA", chips_,
                            chips_per_domain_),
                {}, "set fabric.efa_Gbps_per_chip");
  }
  for (std::uint32_t chip = 0; chip < chips_; ++chip) {
    add_node(fmt::format("chip {}", chip));
  }
  switch (kind_) {
    case spec::FabricKind::kNone:
      break;
    case spec::FabricKind::kRing:
    case spec::FabricKind::kTorus:
      build_axes(fabric);
      break;
    case spec::FabricKind::kSwitched:
      build_switched(fabric);
      break;
    case spec::FabricKind::kCustom:
      build_custom(fabric);
      break;
  }
  if (domains() > 1) {
    build_network(fabric);
  }
  for (std::vector<LinkId>& links : outgoing_) {
    std::sort(links.begin(), links.end(),
              [&](LinkId a, LinkId b) { return links_[a].to < links_[b].to; });
  }
}

void Topology::build_axes(const spec::FabricSpec& fabric) {
  for (std::size_t axis = 0; axis < fabric.link_classes.size(); ++axis) {
    extents_[axis] = fabric.link_classes[axis].extent;
  }
  for (NodeId chip = 0; chip < chips_; ++chip) {
    const std::array<std::uint32_t, 3> at = coordinates(chip);
    for (std::uint32_t axis = 0; axis < fabric.link_classes.size(); ++axis) {
      const std::uint32_t extent = extents_[axis];
      // On an axis of two the neighbours of both sides are one chip, with all the links.
      const std::uint32_t sides = extent > 2 ? 2 : extent - 1;
      const double links = extent > 2 ? fabric.link_classes[axis].links_per_chip / 2.0
                                      : fabric.link_classes[axis].links_per_chip;
      for (std::uint32_t side = 0; side < sides; ++side) {
        std::array<std::uint32_t, 3> next = at;
        next[axis] = (at[axis] + (side == 0 ? 1 : extent - 1)) % extent;
        add_wire(chip, chip_at(next, domain(chip)), fabric, axis, links);
      }
    }
  }
}

void Topology::build_switched(const spec::FabricSpec& fabric) {
  const std::uint32_t sled = extent_of(fabric, 0);
  const std::uint32_t rack = std::max(sled, extent_of(fabric, 1));
  if (rack % sled != 0) {
    throw Error(fmt::format("sleds of {} chips do not divide a rack of {}", sled, rack));
  }
  extents_ = {sled, rack / sled, extent_of(fabric, 2)};
  const Femtos switching = from_ns(fabric.switch_latency_ns);
  // Chips below a switch of `size` chips, joined by the links of `tier`.
  const auto add_tier = [&](std::uint32_t tier, std::uint32_t size, const char* label) {
    const NodeId first = nodes();
    for (std::uint32_t group = 0; group < chips_ / size; ++group) {
      add_node(fmt::format("{} switch {}", label, group));
    }
    const spec::LinkClassSpec& link = fabric.link_classes[tier];
    const double GBps =
        link.links_per_chip * link.GBps_per_direction_per_link * link.efficiency;
    const Femtos hop = from_ns(link.hop_latency_ns);
    for (NodeId chip = 0; chip < chips_; ++chip) {
      add_link(chip, first + chip / size, tier, GBps, hop + switching);
      add_link(first + chip / size, chip, tier, GBps, hop);
    }
    return first;
  };
  first_sled_switch_ = add_tier(0, sled, "sled");
  if (rack > sled) {
    first_rack_switch_ = add_tier(1, rack, "rack");
  }
  const std::uint32_t racks = extents_[2];
  for (NodeId chip = 0; racks > 1 && chip < chips_; ++chip) {
    const std::array<std::uint32_t, 3> at = coordinates(chip);
    for (std::uint32_t other = 0; other < racks; ++other) {
      if (other != at[2]) {
        add_wire(chip, chip_at({at[0], at[1], other}, domain(chip)), fabric, 2,
                 fabric.link_classes[2].links_per_chip / static_cast<double>(racks - 1));
      }
    }
  }
}

void Topology::build_custom(const spec::FabricSpec& fabric) {
  extents_ = {chips_, 1, 1};
  NodeId last = chips_ - 1;
  for (const spec::EdgeSpec& edge : fabric.edges) {
    last = std::max({last, edge.from, edge.to});
  }
  if (last >= kMostCustomNodes) {
    throw Error(fmt::format("a custom fabric has at most {} chips and switches, not {}",
                            kMostCustomNodes, last + 1));
  }
  for (NodeId node = chips_; node <= last; ++node) {
    add_node(fmt::format("switch {}", node - chips_));
  }
  for (const spec::EdgeSpec& edge : fabric.edges) {
    const auto found = std::find_if(
        fabric.link_classes.begin(), fabric.link_classes.end(),
        [&](const spec::LinkClassSpec& link) { return link.name == edge.link_class; });
    TRNSIM_CHECK(found != fabric.link_classes.end(), "edge '{}' is of class '{}'", edge.name,
                 edge.link_class);
    const spec::LinkClassSpec& link = *found;
    const auto index = static_cast<std::uint32_t>(found - fabric.link_classes.begin());
    const double GBps =
        link.links_per_chip * link.GBps_per_direction_per_link * link.efficiency;
    const auto latency = [&](NodeId to) {
      return from_ns(link.hop_latency_ns + (to < chips_ ? 0 : fabric.switch_latency_ns));
    };
    add_link(edge.from, edge.to, index, GBps, latency(edge.to));
    add_link(edge.to, edge.from, index, GBps, latency(edge.from));
  }
  count_hops();
  for (NodeId chip = 1; chip < chips_; ++chip) {
    if (hops(0, chip) == kNone) {
      throw Error(fmt::format("no way from chip 0 to chip {} along fabric.edges", chip), {},
                  "a custom fabric joins all chips of the system");
    }
  }
}

void Topology::count_hops() {
  const std::size_t count = nodes();
  hops_.assign(count * count, kNone);
  std::vector<NodeId> queue;
  for (NodeId to = 0; to < count; ++to) {
    std::uint32_t* const row = &hops_[to * count];
    queue.assign(1, to);
    row[to] = 0;
    // Every edge goes both ways, so ways to `to` are ways from it.
    for (std::size_t head = 0; head < queue.size(); ++head) {
      for (const LinkId link : outgoing_[queue[head]]) {
        const NodeId next = links_[link].to;
        if (row[next] == kNone) {
          row[next] = row[queue[head]] + 1;
          queue.push_back(next);
        }
      }
    }
  }
}

void Topology::build_network(const spec::FabricSpec& fabric) {
  network_ = add_node("EFA");
  const double GBps = fabric.efa_Gbps_per_chip / kBitsPerByte * fabric.efa_efficiency;
  for (NodeId chip = 0; chip < chips_; ++chip) {
    // The latency is that of HBM to HBM: all of it on the way in.
    add_link(chip, network_, kNone, GBps, from_ns(fabric.efa_latency_us * 1000));
    add_link(network_, chip, kNone, GBps, Femtos{0});
  }
}

NodeId Topology::add_node(std::string name) {
  names_.push_back(std::move(name));
  outgoing_.emplace_back();
  return nodes() - 1;
}

void Topology::add_link(NodeId from, NodeId to, std::uint32_t link_class, double GBps,
                        Femtos latency) {
  outgoing_[from].push_back(static_cast<LinkId>(links_.size()));
  links_.push_back({from, to, link_class, GBps, latency});
}

void Topology::add_wire(NodeId from, NodeId to, const spec::FabricSpec& fabric,
                        std::uint32_t link_class, double links) {
  const spec::LinkClassSpec& link = fabric.link_classes[link_class];
  add_link(from, to, link_class, links * link.GBps_per_direction_per_link * link.efficiency,
           from_ns(link.hop_latency_ns));
}

std::vector<NodeId> Topology::neighbours(NodeId chip) const {
  std::vector<NodeId> result;
  for (const LinkId link : outgoing_[chip]) {
    if (links_[link].to < chips_) {
      result.push_back(links_[link].to);
    }
  }
  return result;
}

std::optional<LinkId> Topology::link_between(NodeId from, NodeId to) const {
  const std::vector<LinkId>& links = outgoing_[from];
  const auto found = std::lower_bound(links.begin(), links.end(), to, [&](LinkId link, NodeId end) {
    return links_[link].to < end;
  });
  return found != links.end() && links_[*found].to == to ? std::optional(*found) : std::nullopt;
}

std::array<std::uint32_t, 3> Topology::coordinates(NodeId chip) const {
  const std::uint32_t position = chip % chips_per_domain_;
  return {position % extents_[0], position / extents_[0] % extents_[1],
          position / (extents_[0] * extents_[1])};
}

NodeId Topology::chip_at(std::array<std::uint32_t, 3> coordinates, std::uint32_t domain) const {
  return domain * chips_per_domain_ +
         (coordinates[2] * extents_[1] + coordinates[1]) * extents_[0] + coordinates[0];
}

NodeId Topology::sled_switch(NodeId chip) const {
  return first_sled_switch_ == kNone ? kNone : first_sled_switch_ + chip / extents_[0];
}

NodeId Topology::rack_switch(NodeId chip) const {
  return first_rack_switch_ == kNone ? kNone
                                     : first_rack_switch_ + chip / (extents_[0] * extents_[1]);
}

std::uint32_t Topology::hops(NodeId from, NodeId to) const {
  return hops_[std::size_t{to} * nodes() + from];
}

}  // namespace trnsim::fabric
