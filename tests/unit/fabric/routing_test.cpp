// Routes: lengths, fractions, and which links they take.
#include "trnsim/fabric/routing.h"

#include <gtest/gtest.h>

#include "support/systems.h"

namespace trnsim::fabric {
namespace {

Topology topology_of(const std::string& system) {
  return Topology(test::shipped(system).spec);
}

// Nodes a path visits.
std::vector<NodeId> nodes_of(const Topology& topology, const Path& path) {
  std::vector<NodeId> nodes;
  for (const LinkId link : path.links) {
    if (nodes.empty()) {
      nodes.push_back(topology.links()[link].from);
    }
    EXPECT_EQ(topology.links()[link].from, nodes.back());
    nodes.push_back(topology.links()[link].to);
  }
  return nodes;
}

TEST(Routing, IsConnectedAndCarriesEverythingOnce) {
  for (const char* system : {"inf2.48xlarge", "trn2.48xlarge", "trn2-ultraserver",
                             "trn3-ultraserver-gen1"}) {
    const Topology topology = topology_of(system);
    for (NodeId from = 0; from < topology.chips(); ++from) {
      for (NodeId to = 0; to < topology.chips(); ++to) {
        double sum = 0;
        for (const Path& path : paths(topology, from, to, true)) {
          sum += path.fraction;
          if (from != to) {
            const std::vector<NodeId> nodes = nodes_of(topology, path);
            EXPECT_EQ(nodes.front(), from);
            EXPECT_EQ(nodes.back(), to);
          }
        }
        EXPECT_EQ(sum, 1) << system << " " << from << " to " << to;
      }
    }
  }
}

// hardware.md 16.3: 32/15 = 2.13 hops on 4x4, 192/63 = 3.05 on 4x4x4.
TEST(Routing, HasThePublishedMeanDistances) {
  const auto total_hops = [](const std::string& system) {
    const Topology topology = topology_of(system);
    double hops = 0;
    for (NodeId to = 1; to < topology.chips(); ++to) {
      for (const LinkShare& share : link_shares(topology, 0, to, true)) {
        hops += share.fraction;
      }
    }
    return hops;
  };
  EXPECT_NEAR(total_hops("trn2.48xlarge"), 32, 1e-12);
  EXPECT_NEAR(total_hops("trn2-ultraserver"), 192, 1e-12);
}

TEST(Routing, GoesAlongXThenY) {
  const Topology topology = topology_of("trn2.48xlarge");
  // 0 = (0,0), 7 = (3,1): one step down round the row, one up.
  const std::vector<Path> ways = paths(topology, 0, 7, true);
  ASSERT_EQ(ways.size(), 1U);
  EXPECT_EQ(nodes_of(topology, ways[0]), (std::vector<NodeId>{0, 3, 7}));
}

TEST(Routing, SplitsEachDimensionBetweenOppositeChips) {
  const Topology topology = topology_of("trn2.48xlarge");
  // 0 to 10 = (2,2): two ways in x times two in y.
  const std::vector<Path> ways = paths(topology, 0, 10, true);
  ASSERT_EQ(ways.size(), 4U);
  for (const Path& path : ways) {
    EXPECT_EQ(path.fraction, 0.25);
    EXPECT_EQ(path.links.size(), 4U);
  }
  EXPECT_EQ(nodes_of(topology, ways[0]), (std::vector<NodeId>{0, 1, 2, 6, 10}));
  EXPECT_EQ(nodes_of(topology, ways[3]), (std::vector<NodeId>{0, 3, 2, 14, 10}));
  ASSERT_EQ(paths(topology, 0, 10, false).size(), 1U);
  EXPECT_EQ(paths(topology_of("trn2-ultraserver"), 0, 42, true).size(), 8U);
}

TEST(Routing, GoesTheShorterWayRoundTheRing) {
  const Topology topology = topology_of("inf2.48xlarge");
  EXPECT_EQ(nodes_of(topology, paths(topology, 1, 9, true)[0]),
            (std::vector<NodeId>{1, 0, 11, 10, 9}));
  EXPECT_EQ(paths(topology, 1, 7, true).size(), 2U);
}

TEST(Routing, PassesTheSwitchOfTheSledOrTheRack) {
  const Topology topology = topology_of("trn3-ultraserver-gen2");
  EXPECT_EQ(nodes_of(topology, paths(topology, 0, 3, true)[0]),
            (std::vector<NodeId>{0, topology.sled_switch(0), 3}));
  EXPECT_EQ(nodes_of(topology, paths(topology, 0, 4, true)[0]),
            (std::vector<NodeId>{0, topology.rack_switch(0), 4}));
}

TEST(Routing, CrossesToTheOtherRackFirstOrLast) {
  const Topology topology = topology_of("trn3-ultraserver-gen2");
  EXPECT_EQ(nodes_of(topology, paths(topology, 5, 77, true)[0]), (std::vector<NodeId>{5, 77}));
  const std::vector<Path> ways = paths(topology, 5, 143, true);
  ASSERT_EQ(ways.size(), 2U);
  EXPECT_EQ(ways[0].fraction, 0.5);
  EXPECT_EQ(nodes_of(topology, ways[0]),
            (std::vector<NodeId>{5, 77, topology.rack_switch(143), 143}));
  EXPECT_EQ(nodes_of(topology, ways[1]),
            (std::vector<NodeId>{5, topology.rack_switch(5), 71, 143}));
  // 4 and 5 are of one sled: its switch, not the rack's.
  EXPECT_EQ(nodes_of(topology, paths(topology, 5, 76, true)[1]),
            (std::vector<NodeId>{5, topology.sled_switch(5), 4, 76}));
}

TEST(Routing, LeavesADomainByEfa) {
  const Topology topology(spec::load_system("trn2.48xlarge", {"servers=2"}).spec);
  const std::vector<Path> ways = paths(topology, 5, 20, true);
  ASSERT_EQ(ways.size(), 1U);
  EXPECT_EQ(nodes_of(topology, ways[0]), (std::vector<NodeId>{5, topology.network(), 20}));
}

}  // namespace
}  // namespace trnsim::fabric
