// Reduce-scatter and all-gather among some ranks of a group: the phases that algorithms are put
// together of.
#pragma once

#include <cstdint>
#include <vector>

#include "builder.h"
#include "trnsim/collectives/generate.h"

namespace trnsim::collectives {

using Ranges = std::vector<Range>;

// Before a reduce-scatter and after an all-gather every member has all parts; after and before it
// each has its own.
struct Phase {
  std::vector<std::uint32_t> members;  // indices into the group
  std::vector<Ranges> parts;           // of each member
};

struct Context {
  const Request& request;
  Builder& builder;

  [[nodiscard]] const fabric::RankPlace& place(std::uint32_t index) const {
    return request.ranks.ranks[request.group.ranks[index]];
  }
};

// Layout of some members; ChipMembers::members are places in `members`.
[[nodiscard]] Layout layout_of(const Context& context, const std::vector<std::uint32_t>& members);
[[nodiscard]] std::vector<fabric::NodeId> chips_of(const Layout& where);

// Steps are numbered from `step`; the result is the step after the last.
using PhaseFunction = std::uint32_t (*)(const Context&, const Phase&, std::uint32_t step);
struct PhasePair {
  PhaseFunction reduce_scatter = nullptr;
  PhaseFunction all_gather = nullptr;
};

[[nodiscard]] std::uint32_t ring_reduce_scatter(const Context&, const Phase&, std::uint32_t step);
[[nodiscard]] std::uint32_t ring_all_gather(const Context&, const Phase&, std::uint32_t step);
[[nodiscard]] std::uint32_t kangaring_reduce_scatter(const Context&, const Phase&,
                                                     std::uint32_t step);
[[nodiscard]] std::uint32_t kangaring_all_gather(const Context&, const Phase&, std::uint32_t step);
[[nodiscard]] std::uint32_t mesh_reduce_scatter(const Context&, const Phase&, std::uint32_t step);
[[nodiscard]] std::uint32_t mesh_all_gather(const Context&, const Phase&, std::uint32_t step);
[[nodiscard]] std::uint32_t rdh_reduce_scatter(const Context&, const Phase&, std::uint32_t step);
[[nodiscard]] std::uint32_t rdh_all_gather(const Context&, const Phase&, std::uint32_t step);
// One step: every member to every other directly.
[[nodiscard]] std::uint32_t flat_reduce_scatter(const Context&, const Phase&, std::uint32_t step);
[[nodiscard]] std::uint32_t flat_all_gather(const Context&, const Phase&, std::uint32_t step);

// Phases of an algorithm among members of one unit. Throws Error for an algorithm without phases.
[[nodiscard]] PhasePair phases_of(Algorithm algorithm);

// Parts of an all-reduce over `whole`: equal, in the order of the members, or (RDH) in an order
// that keeps every exchange in one run.
[[nodiscard]] std::vector<Ranges> all_reduce_parts(const Context& context, Algorithm algorithm,
                                                   const std::vector<std::uint32_t>& members,
                                                   Range whole);

// `source` (a member) has `range`; afterwards all members have it.
[[nodiscard]] std::uint32_t mesh_broadcast(const Context&,
                                           const std::vector<std::uint32_t>& members,
                                           std::uint32_t source, Range range, std::uint32_t step);
[[nodiscard]] std::uint32_t ring_broadcast(const Context&,
                                           const std::vector<std::uint32_t>& members,
                                           std::uint32_t source, Range range, std::uint32_t step);

// An algorithm made of one pair of phases over the whole group: reduce-scatter, all-gather, or
// both.
[[nodiscard]] Dag make_from_phases(const Request& request, Algorithm algorithm);

[[nodiscard]] Dag new_dag(const Request& request, Algorithm algorithm);

}  // namespace trnsim::collectives
