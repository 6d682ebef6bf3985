// Generators: one collective of one group as a DAG of transfers. Sources: hardware.md 17.2,
// interconnect.md 1.2; what is a reconstruction is said in docs/collectives.md.
#pragma once

#include <cstdint>
#include <utility>
#include <vector>

#include "trnsim/collectives/dag.h"
#include "trnsim/collectives/group.h"

namespace trnsim::collectives {

struct Options {
  std::uint32_t slices = 2;            // pieces of a chunk, so that reducing and forwarding overlap
  std::uint32_t element_bytes = 1;     // parts end at elements
  Algorithm inner = Algorithm::kAuto;  // hierarchical: within a unit ...
  Algorithm outer = Algorithm::kAuto;  // ... and between units
  // permute: (from, to) as indices into the group; empty = to the next index. A rank may be left
  // out, but none may receive twice.
  std::vector<std::pair<std::uint32_t, std::uint32_t>> pairs;
};

struct Request {
  Op op = Op::kAllReduce;
  const Group& group;
  const fabric::Topology& topology;
  const fabric::RankMap& ranks;
  std::uint64_t bytes = 0;  // as in dag.h
  Options options;
};

// The collective by one algorithm (not kAuto: see select.h). Throws Error when the algorithm cannot
// do it for this group, with the one to use instead, and for bytes that are no whole number of
// elements.
[[nodiscard]] Dag make_dag(Op op, Algorithm algorithm, const Group& group,
                           const fabric::Topology& topology, const fabric::RankMap& ranks,
                           std::uint64_t bytes, const Options& options = {});

// Throws the Error that make_dag would for an algorithm that does not suit the collective or the
// group.
void require_suitable(const Request& request, Algorithm algorithm);

// One file each; arguments are checked by make_dag.
[[nodiscard]] Dag make_ring(const Request& request);
[[nodiscard]] Dag make_kangaring(const Request& request);
[[nodiscard]] Dag make_mesh(const Request& request);
[[nodiscard]] Dag make_single_step_mesh(const Request& request);
[[nodiscard]] Dag make_rdh(const Request& request);
[[nodiscard]] Dag make_hierarchical(const Request& request);
[[nodiscard]] Dag make_pod_mesh(const Request& request);
[[nodiscard]] Dag make_switch_mesh(const Request& request);
[[nodiscard]] Dag make_direct(const Request& request);

// Units of a hierarchical collective, each a list of indices into the group in which equal places
// correspond: NeuronLink domains when the group spans several, else the instances (z layers) of a
// torus. One unit when there is nothing to divide. Throws Error when the units do not correspond.
[[nodiscard]] std::vector<std::vector<std::uint32_t>> units_of(const Request& request);

}  // namespace trnsim::collectives
