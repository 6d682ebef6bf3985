// Chips, switches and the directed links between them, as the system's fabric describes them. Pure.
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

using NodeId = std::uint32_t;   // chips first (0 .. chips - 1, server by server), then switches
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
  // Throws Error for a fabric whose extents do not make up the system's chips.
  explicit Topology(const spec::SystemSpec& system);

  [[nodiscard]] spec::FabricKind kind() const { return kind_; }
  [[nodiscard]] std::uint32_t chips() const { return chips_; }
  [[nodiscard]] std::uint32_t nodes() const { return static_cast<std::uint32_t>(names_.size()); }
  [[nodiscard]] const std::string& name(NodeId node) const { return names_[node]; }
  [[nodiscard]] const std::vector<Link>& links() const { return links_; }
  // Chips that a NeuronLink wire (not a switch, not EFA) joins to this one, ascending.
  [[nodiscard]] std::vector<NodeId> neighbours(NodeId chip) const;
  [[nodiscard]] std::optional<LinkId> link_between(NodeId from, NodeId to) const;
  // Torus: position along each axis (x = column, y = row, z = instance). Ring: {position, 0, 0}.
  // Switched: {place in the sled, sled in the rack, rack}.
  [[nodiscard]] std::array<std::uint32_t, 3> coordinates(NodeId chip) const;
  [[nodiscard]] std::array<std::uint32_t, 3> extents() const { return extents_; }
  [[nodiscard]] NodeId chip_at(std::array<std::uint32_t, 3> coordinates) const;
  // NeuronLink domain of a chip: chips of different domains reach each other by EFA only.
  [[nodiscard]] std::uint32_t domain(NodeId chip) const { return chip / chips_per_domain_; }
  [[nodiscard]] std::uint32_t chips_per_domain() const { return chips_per_domain_; }

 private:
  spec::FabricKind kind_;
  std::uint32_t chips_ = 0;
  std::uint32_t chips_per_domain_ = 1;
  std::array<std::uint32_t, 3> extents_{1, 1, 1};
  std::vector<std::string> names_;
  std::vector<Link> links_;
  std::vector<std::vector<LinkId>> outgoing_;
};

}  // namespace trnsim::fabric
