// The graphs of the shipped systems against the published adjacency (hardware.md 16.3, 16.5).
#include "trnsim/fabric/topology.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <set>

#include "support/systems.h"
#include "trnsim/base/error.h"

namespace trnsim::fabric {
namespace {

using Nodes = std::vector<NodeId>;

Topology topology_of(const std::string& system) {
  return Topology(test::shipped(system).spec);
}

// Payload share of the links pinned to 0.9.
Topology pinned_topology_of(const std::string& name) {
  spec::SystemSpec system = test::shipped(name).spec;
  for (spec::LinkClassSpec& link : system.fabric.link_classes) {
    link.efficiency = 0.9;
  }
  return Topology(system);
}

// hardware.md 16.3, driver v3: the chip that each quadrant's link of a trn2 reaches.
constexpr std::array<std::array<NodeId, 4>, 16> kQuadrantNeighbour = {{
    {12, 1, 3, 4},   {0, 13, 5, 2},  {14, 3, 1, 6},  {2, 15, 7, 0},
    {8, 5, 7, 0},    {4, 9, 1, 6},   {10, 7, 5, 2},  {6, 11, 3, 4},
    {4, 9, 11, 12},  {8, 5, 13, 10}, {6, 11, 9, 14}, {10, 7, 15, 8},
    {0, 13, 15, 8},  {12, 1, 9, 14}, {2, 15, 13, 10}, {14, 3, 11, 12},
}};

TEST(Topology, OfATorusIsTheDriversNeighbourTable) {
  for (const char* system : {"trn1.32xlarge", "trn2.48xlarge"}) {
    const Topology topology = topology_of(system);
    ASSERT_EQ(topology.chips(), 16U);
    for (NodeId chip = 0; chip < 16; ++chip) {
      Nodes table(kQuadrantNeighbour[chip].begin(), kQuadrantNeighbour[chip].end());
      std::sort(table.begin(), table.end());
      EXPECT_EQ(topology.neighbours(chip), table) << system << " chip " << chip;
      for (const NodeId other : table) {
        const auto& back = kQuadrantNeighbour[other];
        EXPECT_NE(std::find(back.begin(), back.end(), chip), back.end());
      }
    }
  }
}

TEST(Topology, OfATorusIsTheListOfTheSdk) {
  // runtime-performance-tips.rst: 0:{12,3,4,1}.
  EXPECT_EQ(topology_of("trn2.48xlarge").neighbours(0), (Nodes{1, 3, 4, 12}));
}

TEST(Topology, LinksOfATorusHaveTheRateOfEachNeighbour) {
  // 128 GB/s x 0.9; the instance dimension 2 links of 32 GB/s to each neighbour.
  const Topology topology = pinned_topology_of("trn2-ultraserver");
  EXPECT_EQ(topology.links().size(), 384U);
  for (const Link& link : topology.links()) {
    EXPECT_NEAR(link.GBps_per_direction, link.link_class == 2 ? 57.6 : 115.2, 1e-9);
    EXPECT_EQ(link.latency, from_ns(500));
    EXPECT_TRUE(topology.link_between(link.to, link.from).has_value());
  }
  // 48 GB/s x 0.9.
  EXPECT_NEAR(pinned_topology_of("trn1.32xlarge").links()[0].GBps_per_direction, 43.2, 1e-9);
}

TEST(Topology, ChipsOfEqualPlaceInTheServersFormRings) {
  const Topology topology = topology_of("trn2-ultraserver");
  EXPECT_EQ(topology.extents(), (std::array<std::uint32_t, 3>{4, 4, 4}));
  // Chip 7 = row 1, column 3 of server 0.
  EXPECT_EQ(topology.coordinates(7), (std::array<std::uint32_t, 3>{3, 1, 0}));
  EXPECT_EQ(topology.neighbours(7), (Nodes{3, 4, 6, 11, 23, 55}));
  for (NodeId chip = 0; chip < 64; ++chip) {
    EXPECT_EQ(topology.chip_at(topology.coordinates(chip)), chip);
    EXPECT_TRUE(topology.link_between(chip, (chip + 16) % 64).has_value());
    EXPECT_FALSE(topology.link_between(chip, (chip + 32) % 64).has_value());
  }
}

TEST(Topology, OfInferentiaIsARingOfTwelve) {
  const Topology topology = topology_of("inf2.48xlarge");
  EXPECT_EQ(topology.links().size(), 24U);
  EXPECT_EQ(topology.neighbours(0), (Nodes{1, 11}));
  EXPECT_EQ(topology.neighbours(5), (Nodes{4, 6}));
}

TEST(Topology, TiersOfASwitchedFabric) {
  // Sled 4 x 64, rack 5 x 64, direct 2 x 64 GB/s, all x 0.8. Gen2: sleds of 4, racks of 72.
  const Topology topology = topology_of("trn3-ultraserver-gen2");
  ASSERT_EQ(topology.chips(), 144U);
  EXPECT_EQ(topology.nodes(), 144U + 36U + 2U);
  EXPECT_EQ(topology.links().size(), 720U);
  EXPECT_EQ(topology.neighbours(5), (Nodes{77}));
  EXPECT_EQ(topology.name(topology.sled_switch(75)), "sled switch 18");
  EXPECT_EQ(topology.name(topology.rack_switch(75)), "rack switch 1");
  const auto rate = [&](NodeId from, NodeId to) {
    return topology.links()[topology.link_between(from, to).value()].GBps_per_direction;
  };
  EXPECT_NEAR(rate(5, topology.sled_switch(5)), 204.8, 1e-9);
  EXPECT_NEAR(rate(topology.rack_switch(5), 5), 256, 1e-9);
  EXPECT_NEAR(rate(77, 5), 102.4, 1e-9);
  EXPECT_EQ(topology.coordinates(77), (std::array<std::uint32_t, 3>{1, 1, 1}));
}

TEST(Topology, Gen1JoinsTheServersPairwise) {
  // Servers 0 and 1 share a switch group, 2 and 3 the other; same place in 0 and 2, in 1 and 3.
  const Topology topology = topology_of("trn3-ultraserver-gen1");
  EXPECT_EQ(topology.rack_switch(0), topology.rack_switch(31));
  EXPECT_NE(topology.rack_switch(31), topology.rack_switch(32));
  EXPECT_EQ(topology.neighbours(3), (Nodes{35}));
  EXPECT_EQ(topology.neighbours(20), (Nodes{52}));
}

TEST(Topology, ServersWithoutLinksBetweenThemMeetByEfa) {
  const spec::LoadedSystem loaded = spec::load_system("trn2.48xlarge", {"servers=4"});
  EXPECT_TRUE(loaded.warnings.empty());
  const Topology topology(loaded.spec);
  EXPECT_EQ(topology.domains(), 4U);
  EXPECT_EQ(topology.chips_per_domain(), 16U);
  EXPECT_EQ(topology.neighbours(16), (Nodes{17, 19, 20, 28}));
  EXPECT_EQ(topology.domain(16), 1U);
  EXPECT_EQ(topology.chip_at({3, 3, 0}, 2), 47U);
  EXPECT_EQ(topology.links().size(), 4U * 64 + 2 * 64);
  // 200 Gb/s = 25 GB/s, x 0.9; 15 us from HBM to HBM.
  const Link& out = topology.links()[topology.link_between(5, topology.network()).value()];
  EXPECT_NEAR(out.GBps_per_direction, 22.5, 1e-9);
  EXPECT_EQ(out.link_class, kNone);
  EXPECT_EQ(out.latency, from_ns(15000));
}

TEST(Topology, DomainsNeedEfa) {
  EXPECT_THROW(
      static_cast<void>(spec::load_system("inf2.48xlarge", {"servers=2"})), Error);
  spec::SystemSpec system = test::shipped("inf2.48xlarge").spec;
  system.servers = 2;
  EXPECT_THROW(Topology{system}, Error);
  system.servers = 1;
  system.chips_per_server = 11;
  EXPECT_THROW(Topology{system}, Error);
}

TEST(Topology, AnAxisOfTwoHasAllLinksToItsOneNeighbour) {
  const spec::LoadedSystem loaded = spec::load_system(
      "trn2.48xlarge", {"chips_per_server=8", "fabric.link_classes.y.extent=2"});
  const Topology topology(loaded.spec);
  EXPECT_EQ(topology.neighbours(1), (Nodes{0, 2, 5}));
  EXPECT_NEAR(topology.links()[topology.link_between(1, 5).value()].GBps_per_direction, 204.8,
              1e-9);
  EXPECT_THROW(static_cast<void>(spec::load_system("trn2.48xlarge",
                                                   {"fabric.link_classes.x.links_per_chip=3"})),
               Error);
}

TEST(Topology, OneChipHasNoLinks) {
  const Topology topology = topology_of("trn2.3xlarge");
  EXPECT_EQ(topology.nodes(), 1U);
  EXPECT_TRUE(topology.links().empty());
}

}  // namespace
}  // namespace trnsim::fabric
