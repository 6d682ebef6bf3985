// The shared resources of a system and what a movement takes of them.
#include "trnsim/fabric/movement.h"

#include <algorithm>

#include "trnsim/base/error.h"

namespace trnsim::fabric {
namespace {

std::string link_name(const Topology& topology, const spec::FabricSpec& fabric, const Link& link) {
  return fmt::format("link {} -> {} ({})", topology.name(link.from), topology.name(link.to),
                     link.link_class == kNone ? "EFA" : fabric.link_classes[link.link_class].name);
}

}  // namespace

NetworkPlan::NetworkPlan(const spec::SystemSpec& system, RankMap ranks)
    : topology_(system),
      ranks_(std::move(ranks)),
      stacks_per_chip_(system.chip.hbm.stacks),
      dies_(system.chip.dies),
      reduce_cost_(1 / system.fabric.collective_reduce_rate),
      split_antipodal_(system.fabric.split_antipodal) {
  add_resources(system);
}

void NetworkPlan::add_resources(const spec::SystemSpec& system) {
  const spec::FabricSpec& fabric = system.fabric;
  const auto next = [&] { return static_cast<std::uint32_t>(resources_.size()); };
  for (const Link& link : topology_.links()) {
    resources_.push_back({link.link_class == kNone ? ResourceKind::kNic : ResourceKind::kLink,
                          link_name(topology_, fabric, link), link.GBps_per_direction});
  }
  first_channel_ = next();
  for (std::size_t rank = 0; rank < ranks_.ranks.size(); ++rank) {
    resources_.push_back({ResourceKind::kChannel, fmt::format("rank {} DMA", rank),
                          fabric.collective_dma_engines_per_rank *
                              system.chip.core.dma.stream_GBps_per_engine});
  }
  first_hbm_ = next();
  const spec::HbmSpec& hbm = system.chip.hbm;
  for (NodeId chip = 0; chip < topology_.chips(); ++chip) {
    for (std::uint32_t stack = 0; stack < hbm.stacks; ++stack) {
      resources_.push_back({ResourceKind::kHbm, fmt::format("chip {} HBM {}", chip, stack),
                            hbm.peak_GBps_per_stack * hbm.sustained_fraction});
    }
  }
  first_sbuf_ = next();
  for (std::size_t rank = 0; rank < ranks_.ranks.size(); ++rank) {
    resources_.push_back({ResourceKind::kSbuf, fmt::format("rank {} SBUF", rank),
                          fabric.collective_sbuf_GBps_per_rank});
  }
  first_crossing_ = next();
  for (NodeId chip = 0; chip < topology_.chips(); ++chip) {
    for (std::uint32_t from = 0; from < dies_; ++from) {
      for (std::uint32_t to = 0; to < dies_; ++to) {
        if (from != to) {
          resources_.push_back({ResourceKind::kDieToDie,
                                fmt::format("chip {} die {} -> die {}", chip, from, to),
                                system.chip.die_to_die_GBps_per_direction});
        }
      }
    }
  }
}

std::vector<Path> NetworkPlan::paths(NodeId from, NodeId to) const {
  return fabric::paths(topology_, from, to, split_antipodal_);
}

std::uint32_t NetworkPlan::memory_of(std::uint32_t rank, Space space) const {
  const RankPlace& place = ranks_.ranks[rank];
  return space == Space::kSbuf ? first_sbuf_ + rank
                               : first_hbm_ + place.chip * stacks_per_chip_ + place.stack;
}

std::uint32_t NetworkPlan::die_of(std::uint32_t rank) const {
  return ranks_.ranks[rank].stack * dies_ / stacks_per_chip_;
}

std::vector<Use> NetworkPlan::uses(const Movement& movement) const {
  const NodeId from = ranks_.ranks[movement.from].chip;
  const NodeId to = ranks_.ranks[movement.to].chip;
  TRNSIM_CHECK(movement.also_from == kNone || ranks_.ranks[movement.also_from].chip == from,
               "ranks {} and {} are not on one chip", movement.from, movement.also_from);
  TRNSIM_CHECK(movement.also_to == kNone || ranks_.ranks[movement.also_to].chip == to,
               "ranks {} and {} are not on one chip", movement.to, movement.also_to);
  std::vector<Use> uses;
  for (const LinkShare& share : link_shares(topology_, from, to, split_antipodal_)) {
    uses.push_back({share.link, share.fraction});
  }
  const bool adds = movement.reduce || movement.also_from != kNone;
  uses.push_back({first_channel_ + movement.from, adds ? reduce_cost_ : 1});
  // The second source is read on the way: from its die to that of the first, then on.
  std::vector<std::uint32_t> crossings;
  const auto cross = [&](NodeId chip, std::uint32_t a, std::uint32_t b) {
    if (a != b) {
      crossings.push_back(first_crossing_ + (chip * dies_ + a) * (dies_ - 1) + (b < a ? b : b - 1));
    }
  };
  uses.push_back({memory_of(movement.from, movement.space), 1});
  if (movement.also_from != kNone) {
    uses.push_back({memory_of(movement.also_from, movement.space), 1});
    cross(from, die_of(movement.also_from), die_of(movement.from));
  }
  const double writes = movement.reduce ? 2 : 1;
  for (const std::uint32_t rank : {movement.to, movement.also_to}) {
    if (rank != kNone) {
      uses.push_back({memory_of(rank, movement.space), writes});
      if (from == to) {
        cross(from, die_of(movement.from), die_of(rank));
      }
    }
  }
  // Two destinations on one die are one crossing.
  std::sort(crossings.begin(), crossings.end());
  crossings.erase(std::unique(crossings.begin(), crossings.end()), crossings.end());
  for (const std::uint32_t crossing : crossings) {
    uses.push_back({crossing, 1});
  }
  std::sort(uses.begin(), uses.end(),
            [](const Use& a, const Use& b) { return a.resource < b.resource; });
  std::vector<Use> merged;
  for (const Use& use : uses) {
    if (!merged.empty() && merged.back().resource == use.resource) {
      merged.back().multiplicity += use.multiplicity;
    } else {
      merged.push_back(use);
    }
  }
  return merged;
}

Femtos NetworkPlan::latency(NodeId from, NodeId to) const {
  Femtos longest{0};
  for (const Path& path : paths(from, to)) {
    Femtos sum{0};
    for (const LinkId link : path.links) {
      sum += topology_.links()[link].latency;
    }
    longest = max(longest, sum);
  }
  return longest;
}

}  // namespace trnsim::fabric
