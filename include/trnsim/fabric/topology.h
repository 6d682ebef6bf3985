// Chips, switches and the directed links between them, as the system's fabric describes them. Pure.
//
//   ring, torus   the links of a chip on one axis divide evenly over its two neighbours
//   switched      tier 0 joins the chips of a sled by a switch, tier 1 those of a rack by a switch group,
//                 tier 2 the chips of equal position in all racks directly, its links divided over them
//   custom        the edges of the configuration; at most 4,096 chips and switches
//   EFA           when several NeuronLink domains make up the system: each chip has a link to the network
//                 and one from it; the network itself does not block
// Not modelled: which quadrant of a chip owns a link (16.3), what a chip that forwards spends on it.
// Source: hardware.md 16.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "trnsim/base/units.h"
#include "trnsim/spec/system_spec.h"

namespace trnsim::fabric {

using NodeId = std::uint32_t;   // chips first (0 .. chips - 1, server by server), then switches, EFA last
using LinkId = std::uint32_t;
inline constexpr std::uint32_t kNone = UINT32_MAX;

// All parallel links of one class between two nodes, in one direction.
struct Link {
  NodeId from = 0;
  NodeId to = 0;
  std::uint32_t link_class = 0;            // index into FabricSpec::link_classes; kNone = EFA
  double GBps_per_direction = 0;           // payload: raw rate x links x efficiency
  Femtos latency{0};                       // of one crossing, the switch behind it included
};

class Topology {
 public:
  // Throws Error for a fabric whose extents or edges do not make up the system's chips.
  explicit Topology(const spec::SystemSpec& system);

  [[nodiscard]] spec::FabricKind kind() const { return kind_; }
  [[nodiscard]] std::uint32_t chips() const { return chips_; }
  [[nodiscard]] std::uint32_t nodes() const { return static_cast<std::uint32_t>(names_.size()); }
  // "chip 3", "sled switch 0", "rack switch 1", "switch 2", "EFA".
  [[nodiscard]] const std::string& name(NodeId node) const { return names_[node]; }
  [[nodiscard]] const std::vector<Link>& links() const { return links_; }
  // Ascending by their far end.
  [[nodiscard]] const std::vector<LinkId>& outgoing(NodeId node) const { return outgoing_[node]; }
  // Chips that a NeuronLink wire (not a switch, not EFA) joins to this one, ascending.
  [[nodiscard]] std::vector<NodeId> neighbours(NodeId chip) const;
  [[nodiscard]] std::optional<LinkId> link_between(NodeId from, NodeId to) const;

  // Torus: position along each axis (x = column, y = row, z = instance). Ring, custom: {position, 0, 0}.
  // Switched: {place in the sled, sled in the rack, rack}. Within the chip's domain.
  [[nodiscard]] std::array<std::uint32_t, 3> coordinates(NodeId chip) const;
  [[nodiscard]] std::array<std::uint32_t, 3> extents() const { return extents_; }
  [[nodiscard]] NodeId chip_at(std::array<std::uint32_t, 3> coordinates,
                               std::uint32_t domain = 0) const;
  // NeuronLink domain of a chip: chips of different domains reach each other by EFA only.
  [[nodiscard]] std::uint32_t domain(NodeId chip) const { return chip / chips_per_domain_; }
  [[nodiscard]] std::uint32_t domains() const { return chips_ / chips_per_domain_; }
  [[nodiscard]] std::uint32_t chips_per_domain() const { return chips_per_domain_; }
  // Switch nodes; kNone if the fabric has none there.
  [[nodiscard]] NodeId sled_switch(NodeId chip) const;
  [[nodiscard]] NodeId rack_switch(NodeId chip) const;
  [[nodiscard]] NodeId network() const { return network_; }
  // Custom fabrics: links of a shortest way between two nodes, kNone if there is none.
  [[nodiscard]] std::uint32_t hops(NodeId from, NodeId to) const;

 private:
  void build_axes(const spec::FabricSpec& fabric);
  void build_switched(const spec::FabricSpec& fabric);
  void build_custom(const spec::FabricSpec& fabric);
  void build_network(const spec::FabricSpec& fabric);
  void count_hops();
  NodeId add_node(std::string name);
  void add_link(NodeId from, NodeId to, std::uint32_t link_class, double GBps, Femtos latency);
  void add_wire(NodeId from, NodeId to, const spec::FabricSpec& fabric, std::uint32_t link_class,
                double links);

  spec::FabricKind kind_;
  std::uint32_t chips_ = 0;
  std::uint32_t chips_per_domain_ = 1;
  std::array<std::uint32_t, 3> extents_{1, 1, 1};
  NodeId first_sled_switch_ = kNone;
  NodeId first_rack_switch_ = kNone;
  NodeId network_ = kNone;
  std::vector<std::string> names_;
  std::vector<Link> links_;
  std::vector<std::vector<LinkId>> outgoing_;
  std::vector<std::uint32_t> hops_;        // custom: [to][from]
};

}  // namespace trnsim::fabric
