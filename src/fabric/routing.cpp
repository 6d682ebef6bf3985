// Ways between two chips on each kind of fabric.
#include "trnsim/fabric/routing.h"

#include <algorithm>

#include "trnsim/base/error.h"

namespace trnsim::fabric {
namespace {

constexpr std::size_t kMostWays = 4096;

LinkId link_of(const Topology& topology, NodeId from, NodeId to) {
  const std::optional<LinkId> link = topology.link_between(from, to);
  TRNSIM_CHECK(link.has_value(), "no link from {} to {}", topology.name(from), topology.name(to));
  return *link;
}

// Appends `steps` links in one direction along an axis; returns where they end.
NodeId walk(const Topology& topology, NodeId from, std::size_t axis, std::uint32_t steps, bool up,
            std::vector<LinkId>& links) {
  const std::uint32_t extent = topology.extents()[axis];
  NodeId at = from;
  for (std::uint32_t step = 0; step < steps; ++step) {
    std::array<std::uint32_t, 3> next = topology.coordinates(at);
    next[axis] = (next[axis] + (up ? 1 : extent - 1)) % extent;
    const NodeId chip = topology.chip_at(next, topology.domain(at));
    links.push_back(link_of(topology, at, chip));
    at = chip;
  }
  return at;
}

std::vector<Path> axis_paths(const Topology& topology, NodeId from, NodeId to, bool split) {
  struct Partial {
    Path path;
    NodeId at = 0;
  };
  std::vector<Partial> partial{{{}, from}};
  const std::array<std::uint32_t, 3> source = topology.coordinates(from);
  const std::array<std::uint32_t, 3> target = topology.coordinates(to);
  for (std::size_t axis = 0; axis < source.size(); ++axis) {
    const std::uint32_t extent = topology.extents()[axis];
    const std::uint32_t up = (target[axis] + extent - source[axis]) % extent;
    const std::uint32_t down = extent - up;
    if (up == 0) {
      continue;
    }
    // With two chips on an axis both ways are one link.
    const bool both = split && up == down && extent > 2;
    std::vector<Partial> longer;
    for (const Partial& part : partial) {
      Partial first = part;
      first.at = walk(topology, part.at, axis, std::min(up, down), up <= down, first.path.links);
      first.path.fraction *= both ? 0.5 : 1;
      longer.push_back(std::move(first));
      if (both) {
        Partial second = part;
        second.at = walk(topology, part.at, axis, down, false, second.path.links);
        second.path.fraction *= 0.5;
        longer.push_back(std::move(second));
      }
    }
    partial = std::move(longer);
  }
  std::vector<Path> result;
  for (Partial& part : partial) {
    result.push_back(std::move(part.path));
  }
  return result;
}

// Links between two chips of one rack; none if they are the same.
void append_in_rack(const Topology& topology, NodeId from, NodeId to, std::vector<LinkId>& links) {
  if (from == to) {
    return;
  }
  const bool one_sled = topology.sled_switch(from) == topology.sled_switch(to);
  const NodeId through = one_sled ? topology.sled_switch(from) : topology.rack_switch(from);
  links.push_back(link_of(topology, from, through));
  links.push_back(link_of(topology, through, to));
}

std::vector<Path> switched_paths(const Topology& topology, NodeId from, NodeId to) {
  const std::array<std::uint32_t, 3> source = topology.coordinates(from);
  const std::array<std::uint32_t, 3> target = topology.coordinates(to);
  if (source[2] == target[2]) {
    Path path;
    append_in_rack(topology, from, to, path.links);
    return {path};
  }
  const NodeId beyond =
      topology.chip_at({source[0], source[1], target[2]}, topology.domain(from));
  if (beyond == to) {
    return {{1, {link_of(topology, from, to)}}};
  }
  const NodeId before =
      topology.chip_at({target[0], target[1], source[2]}, topology.domain(from));
  Path direct_first{0.5, {link_of(topology, from, beyond)}};
  append_in_rack(topology, beyond, to, direct_first.links);
  Path switch_first{0.5, {}};
  append_in_rack(topology, from, before, switch_first.links);
  switch_first.links.push_back(link_of(topology, before, to));
  return {direct_first, switch_first};
}

// Links from `at` that are on a shortest way to `to`.
std::vector<LinkId> next_links(const Topology& topology, NodeId at, NodeId to) {
  std::vector<LinkId> result;
  for (const LinkId link : topology.outgoing(at)) {
    if (topology.hops(topology.links()[link].to, to) + 1 == topology.hops(at, to)) {
      result.push_back(link);
    }
  }
  return result;
}

void extend_custom(const Topology& topology, NodeId at, NodeId to, Path& path,
                   std::vector<Path>& result) {
  if (at == to) {
    if (result.size() == kMostWays) {
      throw Error(fmt::format("more than {} shortest ways to {}", kMostWays, topology.name(to)));
    }
    result.push_back(path);
    return;
  }
  const double fraction = path.fraction;
  const std::vector<LinkId> links = next_links(topology, at, to);
  path.fraction = fraction / static_cast<double>(links.size());
  for (const LinkId link : links) {
    path.links.push_back(link);
    extend_custom(topology, topology.links()[link].to, to, path, result);
    path.links.pop_back();
  }
  path.fraction = fraction;
}

// Level by level towards `to`, each node passing on its share evenly.
std::vector<LinkShare> custom_shares(const Topology& topology, NodeId from, NodeId to) {
  std::vector<LinkShare> result;
  std::vector<std::pair<NodeId, double>> level{{from, 1}};
  while (level.front().first != to) {
    std::vector<std::pair<NodeId, double>> next;
    for (const auto& [node, share] : level) {
      const std::vector<LinkId> links = next_links(topology, node, to);
      for (const LinkId link : links) {
        const double part = share / static_cast<double>(links.size());
        result.push_back({link, part});
        const NodeId end = topology.links()[link].to;
        const auto known = std::find_if(next.begin(), next.end(),
                                        [&](const auto& entry) { return entry.first == end; });
        if (known == next.end()) {
          next.emplace_back(end, part);
        } else {
          known->second += part;
        }
      }
    }
    level = std::move(next);
  }
  return result;
}

}  // namespace

std::vector<Path> paths(const Topology& topology, NodeId from, NodeId to, bool split_antipodal) {
  if (from == to) {
    return {Path{}};
  }
  if (topology.domain(from) != topology.domain(to)) {
    return {{1,
             {link_of(topology, from, topology.network()),
              link_of(topology, topology.network(), to)}}};
  }
  if (topology.kind() == spec::FabricKind::kSwitched) {
    return switched_paths(topology, from, to);
  }
  if (topology.kind() == spec::FabricKind::kCustom) {
    std::vector<Path> result;
    Path path;
    extend_custom(topology, from, to, path, result);
    return result;
  }
  return axis_paths(topology, from, to, split_antipodal);
}

std::vector<LinkShare> link_shares(const Topology& topology, NodeId from, NodeId to,
                                   bool split_antipodal) {
  std::vector<LinkShare> shares;
  if (topology.kind() == spec::FabricKind::kCustom && from != to) {
    shares = custom_shares(topology, from, to);
  } else {
    for (const Path& path : paths(topology, from, to, split_antipodal)) {
      for (const LinkId link : path.links) {
        shares.push_back({link, path.fraction});
      }
    }
  }
  std::sort(shares.begin(), shares.end(),
            [](const LinkShare& a, const LinkShare& b) { return a.link < b.link; });
  std::vector<LinkShare> merged;
  for (const LinkShare& share : shares) {
    if (!merged.empty() && merged.back().link == share.link) {
      merged.back().fraction += share.fraction;
    } else {
      merged.push_back(share);
    }
  }
  return merged;
}

}  // namespace trnsim::fabric
