// Rings through the chips of a group.
#include "trnsim/collectives/cycles.h"

#include <map>
#include <set>

#include "helpers.h"

namespace trnsim::collectives {
namespace {

using fabric::LinkId;
using fabric::NodeId;

std::vector<NodeId> chips(std::initializer_list<NodeId> list) {
  return list;
}

std::vector<NodeId> first_chips(std::uint32_t count) {
  std::vector<NodeId> list(count);
  for (std::uint32_t i = 0; i < count; ++i) {
    list[i] = i;
  }
  return list;
}

// Uses of each directed link by all cycles, forth and back. Fails where a hop is no wire.
std::map<LinkId, int> uses_of(const fabric::Topology& topology, const ChipCycles& found) {
  std::map<LinkId, int> uses;
  for (const auto& cycle : found.cycles) {
    for (std::size_t i = 0; i < cycle.size(); ++i) {
      const NodeId next = cycle[(i + 1) % cycle.size()];
      const auto forth = topology.link_between(cycle[i], next);
      const auto back = topology.link_between(next, cycle[i]);
      EXPECT_TRUE(forth && back) << cycle[i] << " " << next;
      if (forth && back) {
        ++uses[*forth];
        ++uses[*back];
      }
    }
  }
  return uses;
}

void expect_cycles(const fabric::Topology& topology, const std::vector<NodeId>& list,
                   std::size_t count) {
  const ChipCycles found = chip_cycles(topology, list);
  EXPECT_TRUE(found.on_wires);
  EXPECT_TRUE(found.both_ways);
  ASSERT_EQ(found.cycles.size(), count);
  for (const auto& cycle : found.cycles) {
    EXPECT_EQ(std::set<NodeId>(cycle.begin(), cycle.end()),
              std::set<NodeId>(list.begin(), list.end()));
    EXPECT_EQ(cycle.size(), list.size());
  }
  for (const auto& [link, times] : uses_of(topology, found)) {
    EXPECT_EQ(times, 1) << "link " << link;
  }
}

TEST(ChipCycles, FourRingsUseEachOfThe64LinksOfTheTorusOnce) {
  const Machine machine("trn2.48xlarge", 1);
  expect_cycles(machine.topology, first_chips(16), 2);
  const auto uses = uses_of(machine.topology, chip_cycles(machine.topology, first_chips(16)));
  EXPECT_EQ(uses.size(), 64U);
}

TEST(ChipCycles, SecondServerHasItsOwn) {
  const Machine machine("trn2.48xlarge", 1, 2);
  std::vector<NodeId> list;
  for (NodeId chip = 16; chip < 32; ++chip) {
    list.push_back(chip);
  }
  expect_cycles(machine.topology, list, 2);
}

TEST(ChipCycles, UltraServerJoinsItsInstances) {
  const Machine machine("trn2-ultraserver", 1);
  expect_cycles(machine.topology, first_chips(64), 2);
  expect_cycles(machine.topology, first_chips(48), 2);
  expect_cycles(machine.topology, first_chips(32), 2);
}

TEST(ChipCycles, OneCycleOnRowsColumnsAndBlocks) {
  const Machine machine("trn2.48xlarge", 1);
  expect_cycles(machine.topology, chips({4, 5, 6, 7}), 1);
  expect_cycles(machine.topology, chips({2, 6, 10, 14}), 1);
  expect_cycles(machine.topology, chips({0, 1, 4, 5}), 1);
  expect_cycles(machine.topology, first_chips(8), 1);
  expect_cycles(machine.topology, first_chips(12), 1);
  const Machine ring("inf2.48xlarge", 1);
  expect_cycles(ring.topology, first_chips(12), 1);
}

TEST(ChipCycles, ChipsWithoutACycleKeepTheirOrder) {
  const Machine machine("trn2.48xlarge", 1);
  for (const auto& list :
       {chips({0, 1, 5}), chips({0, 1, 2, 4, 5, 6, 8, 9, 10})}) {  // 3 x 3: odd, not wrapping
    const ChipCycles found = chip_cycles(machine.topology, list);
    EXPECT_FALSE(found.on_wires);
    EXPECT_EQ(found.cycles, std::vector<std::vector<NodeId>>(1, list));
  }
}

TEST(ChipCycles, TwoChipsAndSwitchesNeedOneDirection) {
  const Machine machine("trn2.48xlarge", 1);
  const ChipCycles pair = chip_cycles(machine.topology, chips({0, 4}));
  EXPECT_TRUE(pair.on_wires);
  EXPECT_FALSE(pair.both_ways);
  EXPECT_FALSE(chip_cycles(machine.topology, chips({0, 5})).on_wires);
  const Machine switched("trn3-ultraserver-gen1", 1);
  const ChipCycles rack = chip_cycles(switched.topology, first_chips(16));
  EXPECT_EQ(rack.cycles.size(), 1U);
  EXPECT_FALSE(rack.both_ways);
}

}  // namespace
}  // namespace trnsim::collectives
