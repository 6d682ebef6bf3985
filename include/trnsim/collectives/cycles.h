// Rings through chips: the orders in which ring algorithms visit the chips of a group.
// Source: hardware.md 16.3 (two edge-disjoint Hamiltonian cycles cover the torus of an instance).
#pragma once

#include <vector>

#include "trnsim/fabric/topology.h"

namespace trnsim::collectives {

struct ChipCycles {
  std::vector<std::vector<fabric::NodeId>>
      cycles;              // each visits every chip once; no wire is in two of them
  bool on_wires = false;   // every hop of every cycle is one wire
  bool both_ways = false;  // worth using in both directions: wires, more than two chips
};

// `chips` ascending, at least one. Two cycles on an n x n torus and on blocks of several such tori
// joined along z; one cycle elsewhere. Chips without a cycle of wires, or below switches, keep
// their order.
[[nodiscard]] ChipCycles chip_cycles(const fabric::Topology& topology,
                                     const std::vector<fabric::NodeId>& chips);

}  // namespace trnsim::collectives
