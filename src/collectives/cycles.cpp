// Hamiltonian cycles on blocks of a torus or ring.
#include "trnsim/collectives/cycles.h"

#include <algorithm>
#include <map>
#include <set>

#include "trnsim/collectives/group.h"

namespace trnsim::collectives {
namespace {

using fabric::NodeId;
using fabric::Topology;
using Cycle = std::vector<NodeId>;

// Larger blocks are joined from their layers instead.
constexpr std::size_t kSearchedChips = 16;
// A block of 16 chips with a cycle needs a few hundred tries; one without (odd, not wrapping) ends
// here.
constexpr int kMostTries = 200'000;

bool adjacent(const Topology& topology, NodeId a, NodeId b) {
  return topology.domain(a) == topology.domain(b) && topology.link_between(a, b).has_value();
}

class Search {
 public:
  Search(const Topology& topology, const Cycle& chips)
      : topology_(topology), chips_(chips.begin(), chips.end()) {}

  // Empty if there is no cycle.
  Cycle run() {
    cycle_ = {*chips_.begin()};
    used_ = {*chips_.begin()};
    return extend() ? cycle_ : Cycle{};
  }

 private:
  bool extend() {
    if (cycle_.size() == chips_.size()) {
      return adjacent(topology_, cycle_.back(), cycle_.front());
    }
    for (const NodeId next : topology_.neighbours(cycle_.back())) {
      if (!chips_.contains(next) || used_.contains(next) || ++tries_ > kMostTries) {
        continue;
      }
      cycle_.push_back(next);
      used_.insert(next);
      if (extend()) {
        return true;
      }
      used_.erase(next);
      cycle_.pop_back();
    }
    return false;
  }

  const Topology& topology_;
  std::set<NodeId> chips_;
  std::set<NodeId> used_;
  Cycle cycle_;
  int tries_ = 0;
};

// n x n torus: n - 1 steps along each row, then one down; and the same with rows and columns
// exchanged. The first leaves out the row wire that closes each row and uses the column wire below
// it, which is the very column wire that the second leaves out.
std::vector<Cycle> square_torus(const Topology& topology, std::uint32_t z, std::uint32_t domain) {
  const std::uint32_t n = topology.extents()[0];
  std::vector<Cycle> cycles(2);
  std::uint32_t along = 0;
  for (std::uint32_t across = 0; across < n; ++across) {
    for (std::uint32_t step = 0; step < n; ++step) {
      cycles[0].push_back(topology.chip_at({along, across, z}, domain));
      cycles[1].push_back(topology.chip_at({across, along, z}, domain));
      along = step + 1 < n ? (along + 1) % n : along;
    }
  }
  return cycles;
}

// A tour of all layers: the cycle of each layer is opened at one of its wires and joined to the
// next layer by the two z wires at that wire's ends. Opened wires of a layer share no chip, and
// cycles no z wire.
Cycle join_layers(const Topology& topology, const std::vector<Cycle>& layers,
                  std::set<NodeId>& taken) {
  const std::size_t n = layers[0].size();
  std::vector<std::size_t> openings;  // places in the layer's cycle, same in all layers
  const auto key = [&](std::size_t i) { return layers[0][i % n]; };
  for (std::size_t i = 0; i < n && openings.size() < 2; ++i) {
    if (!taken.contains(key(i)) && !taken.contains(key(i + 1))) {
      openings.push_back(i);
      taken.insert(key(i));
      taken.insert(key(i + 1));
    }
  }
  if (openings.size() < 2) {
    return {};
  }
  Cycle tour = layers[0];
  for (std::size_t z = 1; z < layers.size(); ++z) {
    const std::size_t open = openings[z % 2];
    const NodeId from = layers[z - 1][open];
    const NodeId to = layers[z - 1][(open + 1) % n];
    // The wire from -> to of the previous layer is still in the tour, in one of its two directions.
    const auto at = std::find(tour.begin(), tour.end(), from);
    const bool forward = *(std::next(at) == tour.end() ? tour.begin() : std::next(at)) == to;
    std::vector<NodeId> detour;  // from `from`'s twin the long way round to `to`'s twin
    for (std::size_t i = 0; i < n; ++i) {
      detour.push_back(layers[z][(open + n - i) % n]);
    }
    if (!adjacent(topology, from, detour.front()) || !adjacent(topology, to, detour.back())) {
      return {};
    }
    if (forward) {
      tour.insert(std::next(at), detour.begin(), detour.end());
    } else {
      tour.insert(at, detour.rbegin(), detour.rend());
    }
  }
  return tour;
}

std::vector<Cycle> torus_cycles(const Topology& topology, const Cycle& chips) {
  const auto extents = topology.extents();
  std::map<std::uint32_t, Cycle> by_layer;
  for (const NodeId chip : chips) {
    by_layer[topology.coordinates(chip)[2]].push_back(chip);
  }
  const std::size_t per_layer = chips.size() / by_layer.size();
  const bool whole_layers =
      topology.kind() == spec::FabricKind::kTorus && extents[0] == extents[1] && extents[0] > 2 &&
      per_layer == extents[0] * extents[1] && block_of(topology, chips).rectangular;
  if (!whole_layers) {
    if (chips.size() > kSearchedChips) {
      return {};
    }
    Cycle cycle = Search(topology, chips).run();
    return cycle.empty() ? std::vector<Cycle>{} : std::vector<Cycle>{std::move(cycle)};
  }
  const Block block = block_of(topology, chips);
  std::vector<std::vector<Cycle>> layers(2);  // of each cycle
  for (std::uint32_t i = 0; i < block.size[2]; ++i) {
    const std::vector<Cycle> pair =
        square_torus(topology, (block.start[2] + i) % extents[2], topology.domain(chips.front()));
    layers[0].push_back(pair[0]);
    layers[1].push_back(pair[1]);
  }
  if (block.size[2] == 1) {
    return {layers[0][0], layers[1][0]};
  }
  std::set<NodeId> taken;
  std::vector<Cycle> cycles{join_layers(topology, layers[0], taken),
                            join_layers(topology, layers[1], taken)};
  return cycles[0].empty() || cycles[1].empty() ? std::vector<Cycle>{} : cycles;
}

}  // namespace

ChipCycles chip_cycles(const Topology& topology, const std::vector<NodeId>& chips) {
  if (chips.size() == 1) {
    return {{chips}, true, false};
  }
  if (chips.size() == 2) {
    return {{chips}, adjacent(topology, chips[0], chips[1]), false};
  }
  const bool wires = topology.kind() != spec::FabricKind::kSwitched;
  const bool one_domain = topology.domain(chips.front()) == topology.domain(chips.back());
  if (wires && one_domain) {
    std::vector<Cycle> cycles = torus_cycles(topology, chips);
    if (!cycles.empty()) {
      return {std::move(cycles), true, true};
    }
  }
  // Below switches one direction fills a chip's links already; routed hops share wires either way.
  return {{chips}, false, wires && one_domain};
}

}  // namespace trnsim::collectives
