// What an algorithm costs without simulating it: bytes, steps and link loads, for reports, bounds
// and tests. Source: hardware.md 17.2, 17.3.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "trnsim/collectives/dag.h"
#include "trnsim/collectives/group.h"

namespace trnsim::collectives {

// Bus bandwidth = factor x bytes / time: all-reduce 2(r-1)/r; all-gather, reduce-scatter,
// all-to-all (r-1)/r; broadcast, permute 1. Zero for one rank where r-1 appears.
[[nodiscard]] double bus_factor(Op op, std::uint32_t ranks);

// Group of `chips` chips with `per_chip` ranks of the group on each.
struct Grid {
  std::uint32_t chips = 1;
  std::uint32_t per_chip = 1;

  [[nodiscard]] std::uint32_t ranks() const { return chips * per_chip; }
};

// For all_reduce, all_gather and reduce_scatter by ring, kangaring, mesh, single_step_mesh, rdh and
// switch_mesh; empty for everything else.
[[nodiscard]] std::optional<std::uint32_t> closed_form_steps(Op op, Algorithm algorithm,
                                                             const Grid& grid);
// Bytes that leave each chip, all its ranks together, over wires of any length.
[[nodiscard]] std::optional<double> closed_form_chip_bytes(Op op, Algorithm algorithm,
                                                           const Grid& grid, std::uint64_t bytes);

// Counted from the transfers. HBM touches are the bytes read and written: 2 per byte copied, one
// more for each of: reduce, also_to, also_from.
struct Traffic {
  std::vector<std::uint64_t> sent;  // by each rank to others; a crossing to two ranks counts once
  std::vector<std::uint64_t> left_chip;  // the part of `sent` to other chips
  std::uint64_t touched = 0;             // by all ranks
};
[[nodiscard]] Traffic traffic_of(const Dag& dag, const Group& group, const fabric::RankMap& ranks);

// Bytes over each directed link of the topology, by LinkId, all routes as in fabric/routing.h.
struct LinkLoad {
  std::vector<double> bytes;
  double max = 0;
  double mean = 0;        // over the links that carry something
  double slowest_us = 0;  // longest bytes / bandwidth: a lower bound of the time
};
[[nodiscard]] LinkLoad link_load(const Dag& dag, const Group& group,
                                 const fabric::Topology& topology, const fabric::RankMap& ranks,
                                 bool split_antipodal = true);

}  // namespace trnsim::collectives
