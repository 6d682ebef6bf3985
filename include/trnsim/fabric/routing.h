// The ways a transfer takes between two chips. Pure.
//
//   ring, torus   dimension by dimension in the order of the axes, the shorter way round; between chips
//                 opposite on an even ring half goes each way (`split_antipodal`), else all goes up
//   switched      same sled: sled switch; same rack: rack switch; other rack: half of it direct link
//                 first and then the far side's switch, half switch first
//   custom        fewest links; at every node evenly over the next hops that are on a shortest way
//   other domain  EFA of both chips
// Route choice is not public (hardware.md 16.4); all of this is the model's assumption.
#pragma once

#include <vector>

#include "trnsim/fabric/topology.h"

namespace trnsim::fabric {

// One of the ways; the fractions of all of them add up to 1.
struct Path {
  double fraction = 1;
  std::vector<LinkId> links;               // in order; empty on one chip
};

// Share of a transfer that crosses a link.
struct LinkShare {
  LinkId link = 0;
  double fraction = 0;
};

// Every way with its fraction. Throws Error for a custom fabric with more than 4,096 of them.
[[nodiscard]] std::vector<Path> paths(const Topology& topology, NodeId from, NodeId to,
                                      bool split_antipodal);
// The same summed over links, sorted by link; does not list the ways of a custom fabric one by one.
[[nodiscard]] std::vector<LinkShare> link_shares(const Topology& topology, NodeId from, NodeId to,
                                                 bool split_antipodal);

}  // namespace trnsim::fabric
