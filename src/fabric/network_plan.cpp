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
                          ranks_.ranks[rank].cores * fabric.collective_dma_engines_per_core *
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
                          ranks_.ranks[rank].cores * fabric.collective_sbuf_GBps_per_core});
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

Stage NetworkPlan::memory(std::uint32_t rank, Space space, double touches) const {
  if (space == Space::kSbuf) {
    return {{1, {{first_sbuf_ + rank, touches}}}};
  }
  const RankPlace& place = ranks_.ranks[rank];
  const std::uint32_t first = first_hbm_ + place.chip * stacks_per_chip_ + place.stack;
  Stage stage;
  for (std::uint32_t stack = 0; stack < place.stacks; ++stack) {
    stage.push_back({1.0 / place.stacks, {{first + stack, touches}}});
  }
  return stage;
}

// Share of the rank's memory on each die.
std::vector<double> NetworkPlan::dies_of(std::uint32_t rank) const {
  const RankPlace& place = ranks_.ranks[rank];
  std::vector<double> shares(dies_, 0);
  for (std::uint32_t stack = 0; stack < place.stacks; ++stack) {
    shares[(place.stack + stack) * dies_ / stacks_per_chip_] += 1.0 / place.stacks;
  }
  return shares;
}

// Two destinations on one die are one crossing.
void NetworkPlan::add_crossing(std::uint32_t from, const std::vector<std::uint32_t>& to,
                               std::vector<Stage>& stages) const {
  const std::vector<double> sources = dies_of(from);
  std::vector<double> targets(dies_, 0);
  for (const std::uint32_t rank : to) {
    const std::vector<double> shares = dies_of(rank);
    for (std::uint32_t die = 0; die < dies_ && rank != from; ++die) {
      targets[die] = std::max(targets[die], shares[die]);
    }
  }
  const std::uint32_t first = first_crossing_ + ranks_.ranks[from].chip * dies_ * (dies_ - 1);
  for (std::uint32_t a = 0; a < dies_; ++a) {
    for (std::uint32_t b = 0; b < dies_; ++b) {
      const double fraction = sources[a] * targets[b];
      if (a == b || fraction == 0) {
        continue;
      }
      Stage stage{{fraction, {{first + a * (dies_ - 1) + (b < a ? b : b - 1), 1}}}};
      if (fraction < 1) {
        stage.push_back({1 - fraction, {}});
      }
      stages.push_back(std::move(stage));
    }
  }
}

void NetworkPlan::check_places(const Movement& movement) const {
  const auto together = [&](std::uint32_t rank, std::uint32_t also) {
    TRNSIM_CHECK(also == kNone || ranks_.ranks[also].chip == ranks_.ranks[rank].chip,
                 "ranks {} and {} are not on one chip", rank, also);
  };
  together(movement.from, movement.also_from);
  together(movement.to, movement.also_to);
}

void NetworkPlan::add_sources(const Movement& movement, std::vector<Stage>& stages) const {
  const bool adds = movement.reduce || movement.also_from != kNone;
  stages.push_back({{1, {{first_channel_ + movement.from, adds ? reduce_cost_ : 1}}}});
  stages.push_back(memory(movement.from, movement.space, 1));
  if (movement.also_from != kNone) {
    // Read on the way: from its die to that of the first, then on.
    stages.push_back(memory(movement.also_from, movement.space, 1));
    add_crossing(movement.also_from, {movement.from}, stages);
  }
}

void NetworkPlan::add_destinations(const Movement& movement, std::vector<Stage>& stages) const {
  std::vector<std::uint32_t> targets{movement.to};
  if (movement.also_to != kNone) {
    targets.push_back(movement.also_to);
  }
  if (ranks_.ranks[movement.from].chip == ranks_.ranks[movement.to].chip) {
    add_crossing(movement.from, targets, stages);
  }
  for (const std::uint32_t rank : targets) {
    stages.push_back(memory(rank, movement.space, movement.reduce ? 2 : 1));
  }
}

std::vector<Stage> NetworkPlan::stages(const Movement& movement) const {
  check_places(movement);
  std::vector<Stage> stages;
  add_sources(movement, stages);
  const NodeId from = ranks_.ranks[movement.from].chip;
  const NodeId to = ranks_.ranks[movement.to].chip;
  if (from != to) {
    Stage& ways = stages.emplace_back();
    for (const Path& path : paths(from, to)) {
      Branch& way = ways.emplace_back();
      way.fraction = path.fraction;
      for (const LinkId link : path.links) {
        way.uses.push_back({link, 1});
      }
    }
  }
  add_destinations(movement, stages);
  return stages;
}

std::vector<Use> NetworkPlan::uses(const Movement& movement) const {
  check_places(movement);
  const NodeId from = ranks_.ranks[movement.from].chip;
  const NodeId to = ranks_.ranks[movement.to].chip;
  std::vector<Use> uses;
  for (const LinkShare& share : link_shares(topology_, from, to, split_antipodal_)) {
    uses.push_back({share.link, share.fraction});
  }
  std::vector<Stage> ends;
  add_sources(movement, ends);
  add_destinations(movement, ends);
  for (const Stage& stage : ends) {
    for (const Branch& branch : stage) {
      for (const Use& use : branch.uses) {
        uses.push_back({use.resource, branch.fraction * use.multiplicity});
      }
    }
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
