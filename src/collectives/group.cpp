// Shape and legality of a group of ranks.
#include "trnsim/collectives/group.h"

#include <algorithm>
#include <map>
#include <set>

#include "trnsim/base/error.h"

namespace trnsim::collectives {
namespace {

using fabric::NodeId;
using fabric::Topology;

// Coordinates along one axis as a cyclic interval; wraps only where the fabric does (torus, ring).
bool interval(const std::set<std::uint32_t>& values, std::uint32_t extent, std::uint32_t& start) {
  const auto count = static_cast<std::uint32_t>(values.size());
  for (const std::uint32_t first : values) {
    std::uint32_t run = 0;
    while (run < count && values.contains((first + run) % extent)) {
      ++run;
    }
    if (run == count) {
      start = first;
      return true;
    }
  }
  return false;
}

bool is_whole_domain(const Topology& topology, const Layout& where) {
  return where.domains == 1 && where.chips.size() == topology.chips_per_domain();
}

Shape shape_of(const Topology& topology, const Layout& where) {
  if (where.chips.size() == 1) {
    return Shape::kOneChip;
  }
  if (where.domains > 1) {
    return Shape::kSeveralDomains;
  }
  if (is_whole_domain(topology, where)) {
    return Shape::kDomain;
  }
  if (topology.kind() == spec::FabricKind::kSwitched ||
      topology.kind() == spec::FabricKind::kCustom) {
    return Shape::kBlock;  // no rule is known
  }
  std::vector<NodeId> chips;
  for (const ChipMembers& chip : where.chips) {
    chips.push_back(chip.chip);
  }
  if (chips.size() == 2 && topology.link_between(chips[0], chips[1])) {
    return Shape::kAdjacentPair;
  }
  const Block block = block_of(topology, chips);
  if (!block.rectangular) {
    return Shape::kIrregular;
  }
  for (std::size_t axis = 0; axis < 3; ++axis) {
    if (block.size[axis] == chips.size() && chips.size() == topology.extents()[axis]) {
      return Shape::kLine;
    }
  }
  return Shape::kBlock;
}

void require_possible(const fabric::RankMap& ranks, const Group& group) {
  if (group.ranks.empty()) {
    throw Error("a collective needs at least one rank");
  }
  std::vector<std::uint32_t> sorted = group.ranks;
  std::sort(sorted.begin(), sorted.end());
  if (sorted.back() >= ranks.ranks.size()) {
    throw Error(fmt::format("rank {} of the replica group does not exist", sorted.back()), {},
                fmt::format("ranks are 0 to {}", ranks.ranks.size() - 1));
  }
  const auto twice = std::adjacent_find(sorted.begin(), sorted.end());
  if (twice != sorted.end()) {
    throw Error(fmt::format("rank {} is in the replica group twice", *twice));
  }
}

}  // namespace

const char* name(Shape shape) {
  constexpr std::array names{"one chip",          "adjacent pair of chips", "full row or column",
                             "rectangular block", "whole domain",           "several domains",
                             "irregular"};
  return names[static_cast<std::size_t>(shape)];
}

Block block_of(const Topology& topology, const std::vector<NodeId>& chips) {
  Block block;
  std::array<std::set<std::uint32_t>, 3> values;
  for (const NodeId chip : chips) {
    const auto at = topology.coordinates(chip);
    for (std::size_t axis = 0; axis < 3; ++axis) {
      values[axis].insert(at[axis]);
    }
  }
  std::size_t cells = 1;
  block.rectangular = true;
  for (std::size_t axis = 0; axis < 3; ++axis) {
    cells *= values[axis].size();
    block.size[axis] = static_cast<std::uint32_t>(values[axis].size());
    block.rectangular &= interval(values[axis], topology.extents()[axis], block.start[axis]);
  }
  block.rectangular &= cells == chips.size();
  return block;
}

Layout layout(const Topology& topology, const fabric::RankMap& ranks, const Group& group) {
  Layout where;
  std::vector<std::uint32_t> order(group.size());
  for (std::uint32_t i = 0; i < group.size(); ++i) {
    order[i] = i;
  }
  const auto place = [&](std::uint32_t index) -> const fabric::RankPlace& {
    return ranks.ranks[group.ranks[index]];
  };
  std::sort(order.begin(), order.end(), [&](std::uint32_t a, std::uint32_t b) {
    return std::pair(place(a).chip, place(a).index_on_chip) <
           std::pair(place(b).chip, place(b).index_on_chip);
  });
  std::set<std::uint32_t> domains;
  for (const std::uint32_t index : order) {
    const NodeId chip = place(index).chip;
    if (where.chips.empty() || where.chips.back().chip != chip) {
      where.chips.push_back({chip, {}});
      domains.insert(topology.domain(chip));
    }
    where.chips.back().members.push_back(index);
  }
  where.domains = static_cast<std::uint32_t>(domains.size());
  const std::vector<std::uint32_t>& first = where.chips.front().members;
  where.per_chip = static_cast<std::uint32_t>(first.size());
  where.same_offsets = true;
  for (const ChipMembers& chip : where.chips) {
    if (chip.members.size() != first.size()) {
      where.per_chip = 0;
      where.same_offsets = false;
      break;
    }
    for (std::size_t i = 0; i < first.size(); ++i) {
      where.same_offsets &= place(chip.members[i]).index_on_chip == place(first[i]).index_on_chip;
    }
  }
  where.whole_chips = where.per_chip == ranks.ranks_per_chip;
  where.shape = shape_of(topology, where);
  return where;
}

Legality check_group(const Topology& topology, const fabric::RankMap& ranks, const Group& group,
                     Op op) {
  require_possible(ranks, group);
  const std::uint32_t size = group.size();
  if (op == Op::kAllToAll && size != 4 && size != 8 && size != 16 && size % 32 != 0) {
    return {false, fmt::format("all-to-all of {} ranks: 4, 8, 16 or a multiple of 32 are supported",
                               size)};
  }
  if (op == Op::kPermute) {
    return {};
  }
  const Layout where = layout(topology, ranks, group);
  if (where.shape == Shape::kIrregular) {
    return {
        false,
        fmt::format(
            "the group's {} chips are no adjacent pair, full row or column, or rectangular block",
            where.chips.size())};
  }
  std::map<std::uint32_t, std::size_t> chips_of_domain;
  for (const ChipMembers& chip : where.chips) {
    ++chips_of_domain[topology.domain(chip.chip)];
  }
  for (const auto& [domain, chips] : chips_of_domain) {
    if (chips != chips_of_domain.begin()->second) {
      return {false,
              fmt::format("the group takes {} chips of one NeuronLink domain and {} of another",
                          chips_of_domain.begin()->second, chips)};
    }
  }
  if (where.shape != Shape::kOneChip && !where.same_offsets) {
    return {false, "the group does not take the same cores of each of its chips"};
  }
  return {};
}

Legality check_groups(const Topology& topology, const fabric::RankMap& ranks,
                      const std::vector<Group>& groups, Op op) {
  if (groups.empty()) {
    throw Error("a collective needs at least one replica group");
  }
  Legality result;
  std::set<std::uint32_t> taken;
  for (const Group& group : groups) {
    Legality legality = check_group(topology, ranks, group, op);
    if (group.size() != groups.front().size()) {
      throw Error(fmt::format("replica groups of one collective have {} and {} ranks",
                              groups.front().size(), group.size()),
                  {}, "make all groups the same size");
    }
    for (const std::uint32_t rank : group.ranks) {
      if (!taken.insert(rank).second) {
        throw Error(fmt::format("rank {} is in two replica groups of one collective", rank));
      }
    }
    if (result.fast && !legality.fast) {
      result = std::move(legality);
    }
  }
  return result;
}

}  // namespace trnsim::collectives
