// Costs of algorithms: formulas, and counts over a DAG.
#include "trnsim/collectives/closed_form.h"

#include <algorithm>
#include <bit>
#include <map>

#include "trnsim/fabric/routing.h"

namespace trnsim::collectives {
namespace {

bool is_sum(Op op) {
  return op == Op::kAllReduce || op == Op::kAllGather || op == Op::kReduceScatter;
}

}  // namespace

double bus_factor(Op op, std::uint32_t ranks) {
  if (op == Op::kBroadcast || op == Op::kPermute) {
    return 1;
  }
  const double share = ranks == 0 ? 0 : static_cast<double>(ranks - 1) / ranks;
  return op == Op::kAllReduce ? 2 * share : share;
}

std::optional<std::uint32_t> closed_form_steps(Op op, Algorithm algorithm, const Grid& grid) {
  if (!is_sum(op)) {
    return std::nullopt;
  }
  const std::uint32_t phases = op == Op::kAllReduce ? 2 : 1;
  const std::uint32_t several = grid.ranks() > 1 ? 1 : 0;
  switch (algorithm) {
    case Algorithm::kRing:
      return phases * (grid.ranks() - 1);
    case Algorithm::kKangaRing:
      return phases * (grid.per_chip > 1 ? grid.chips : grid.chips - 1);
    case Algorithm::kMesh:
      return phases * ((grid.chips > 1 ? 1U : 0U) + (grid.per_chip > 1 ? 1U : 0U));
    case Algorithm::kRdh:
      return phases * static_cast<std::uint32_t>(std::countr_zero(grid.ranks()));
    case Algorithm::kSwitchMesh:
      return phases * several;
    case Algorithm::kSingleStepMesh:
      return op == Op::kAllReduce ? std::optional(several) : std::nullopt;
    default:
      return std::nullopt;
  }
}

std::optional<double> closed_form_chip_bytes(Op op, Algorithm algorithm, const Grid& grid,
                                             std::uint64_t bytes) {
  if (!is_sum(op)) {
    return std::nullopt;
  }
  const double phases = op == Op::kAllReduce ? 2 : 1;
  const double n = grid.ranks();
  const double chunk = static_cast<double>(bytes) / n;
  if (grid.chips == 1) {
    return 0.0;
  }
  switch (algorithm) {
    case Algorithm::kRing:
      return phases * (n - 1) * chunk;
    case Algorithm::kKangaRing:
    case Algorithm::kMesh:
    case Algorithm::kRdh:
      return phases * grid.per_chip * (grid.chips - 1) * chunk;
    case Algorithm::kSwitchMesh:
      return phases * grid.per_chip * (n - grid.per_chip) * chunk;
    case Algorithm::kSingleStepMesh:
      return op == Op::kAllReduce
                 ? std::optional(grid.per_chip * (n - grid.per_chip) * static_cast<double>(bytes))
                 : std::nullopt;
    default:
      return std::nullopt;
  }
}

Traffic traffic_of(const Dag& dag, const Group& group, const fabric::RankMap& ranks) {
  Traffic traffic{std::vector<std::uint64_t>(dag.ranks), std::vector<std::uint64_t>(dag.ranks), 0};
  const auto chip = [&](std::uint32_t index) { return ranks.ranks[group.ranks[index]].chip; };
  for (const Transfer& transfer : dag.transfers) {
    if (transfer.from != transfer.to) {
      traffic.sent[transfer.from] += transfer.bytes;
      traffic.left_chip[transfer.from] +=
          chip(transfer.from) != chip(transfer.to) ? transfer.bytes : 0;
    }
    const unsigned touches = 2U + (transfer.reduce ? 1U : 0U) +
                             (transfer.also_to != kNoRank ? 1U : 0U) +
                             (transfer.also_from != kNoRank ? 1U : 0U);
    traffic.touched += touches * transfer.bytes;
  }
  return traffic;
}

LinkLoad link_load(const Dag& dag, const Group& group, const fabric::Topology& topology,
                   const fabric::RankMap& ranks, bool split_antipodal) {
  std::map<std::pair<fabric::NodeId, fabric::NodeId>, std::uint64_t> between;
  for (const Transfer& transfer : dag.transfers) {
    const fabric::NodeId from = ranks.ranks[group.ranks[transfer.from]].chip;
    const fabric::NodeId to = ranks.ranks[group.ranks[transfer.to]].chip;
    if (from != to) {
      between[{from, to}] += transfer.bytes;
    }
  }
  LinkLoad load;
  load.bytes.resize(topology.links().size());
  for (const auto& [ends, bytes] : between) {
    for (const fabric::LinkShare& share :
         fabric::link_shares(topology, ends.first, ends.second, split_antipodal)) {
      load.bytes[share.link] += share.fraction * static_cast<double>(bytes);
    }
  }
  double sum = 0;
  std::size_t used = 0;
  for (std::size_t link = 0; link < load.bytes.size(); ++link) {
    const double bytes = load.bytes[link];
    sum += bytes;
    used += bytes > 0 ? 1 : 0;
    load.max = std::max(load.max, bytes);
    load.slowest_us =
        std::max(load.slowest_us, bytes / (topology.links()[link].GBps_per_direction * 1e3));
  }
  load.mean = used > 0 ? sum / static_cast<double>(used) : 0;
  return load;
}

}  // namespace trnsim::collectives
