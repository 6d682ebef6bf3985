// Fabrics given as a list of edges: routes of fewest links, switches, and what is refused.
#include <gtest/gtest.h>

#include "unit/spec/config_files.h"
#include "trnsim/fabric/movement.h"

namespace trnsim::fabric {
namespace {

class CustomFabric : public spec::ConfigFiles {
 protected:
  // Four chips in a square with one diagonal, each edge twice 10 GB/s.
  std::string square(const std::string& edges) const {
    return "base: trn2.48xlarge\nchips_per_server: 4\nfabric:\n"
           "  base: parts/fabric_none.yaml\n  kind: custom\n  link_classes:\n"
           "    wide: {links_per_chip: 2, GBps_per_direction_per_link: 10, hop_latency_ns: 100,\n"
           "           efficiency: 0.5}\n  switch_latency_ns: 30\n  edges:\n" +
           edges;
  }
};

constexpr const char* kSquare =
    "    a: {from: 0, to: 1, class: wide}\n"
    "    b: {from: 1, to: 2, class: wide}\n"
    "    c: {from: 2, to: 3, class: wide}\n"
    "    d: {from: 3, to: 0, class: wide}\n";

TEST_F(CustomFabric, RoutesEvenlyOverTheShortestWays) {
  const spec::SystemSpec system = spec::load_system(write("square.yaml", square(kSquare))).spec;
  const Topology topology(system);
  EXPECT_EQ(topology.links().size(), 8U);
  EXPECT_EQ(topology.links()[0].GBps_per_direction, 10);
  EXPECT_EQ(topology.neighbours(0), (std::vector<NodeId>{1, 3}));
  const std::vector<Path> ways = paths(topology, 0, 2, true);
  ASSERT_EQ(ways.size(), 2U);
  EXPECT_EQ(ways[0].fraction, 0.5);
  EXPECT_EQ(ways[0].links.size(), 2U);
  EXPECT_EQ(link_shares(topology, 0, 2, true).size(), 4U);
  EXPECT_EQ(paths(topology, 0, 1, true).size(), 1U);
  const NetworkPlan plan(system, make_ranks(system, 8));
  EXPECT_EQ(plan.latency(0, 2), from_ns(200));
}

TEST_F(CustomFabric, HasSwitchesBehindTheChips) {
  const spec::SystemSpec system =
      spec::load_system(write("star.yaml", square("    a: {from: 0, to: 4, class: wide}\n"
                                                  "    b: {from: 4, to: 1, class: wide}\n"
                                                  "    c: {from: 2, to: 4, class: wide}\n"
                                                  "    d: {from: 3, to: 4, class: wide}\n")))
          .spec;
  const NetworkPlan plan(system, make_ranks(system, 8));
  EXPECT_EQ(plan.topology().name(4), "switch 0");
  EXPECT_TRUE(plan.topology().neighbours(0).empty());
  EXPECT_EQ(plan.latency(0, 3), from_ns(230));
}

TEST_F(CustomFabric, OfATorusIsTheTorusUpToTheOrderOfAxes) {
  // A ring of four: shares of a link between opposite chips are those of the ring.
  const Topology custom(spec::load_system(write("square.yaml", square(kSquare))).spec);
  const spec::SystemSpec ring_system =
      spec::load_system("inf2.48xlarge",
                        {"chips_per_server=4", "fabric.link_classes.ring.extent=4"})
          .spec;
  const Topology ring(ring_system);
  for (NodeId from = 0; from < 4; ++from) {
    for (NodeId to = 0; to < 4; ++to) {
      const auto a = link_shares(custom, from, to, true);
      ASSERT_EQ(a.size(), link_shares(ring, from, to, true).size());
      for (const LinkShare& share : a) {
        EXPECT_EQ(share.fraction, (to + 4 - from) % 4 == 2 ? 0.5 : 1.0);
      }
    }
  }
}

TEST_F(CustomFabric, RefusesWhatIsNoFabric) {
  const auto load = [&](const std::string& edges) {
    return findings(write("my.yaml", square(edges)));
  };
  EXPECT_EQ(load(std::string(kSquare) + "    e: {from: 0, to: 0, class: wide}\n"),
            std::vector<std::string>{"my.yaml:15:22: an edge from 0 to itself"});
  EXPECT_EQ(load(std::string(kSquare) + "    e: {from: 0, to: 2, class: narrow}\n"),
            std::vector<std::string>{"my.yaml:15:32: no row 'narrow' in fabric.link_classes"});
  EXPECT_EQ(load(std::string(kSquare) + "    e: {from: 1, to: 0, class: wide}\n"),
            std::vector<std::string>{"my.yaml:15:8: edge 'a' joins 1 and 0 already"});
  EXPECT_EQ(findings("trn2.48xlarge", {"fabric.kind=custom"}),
            std::vector<std::string>{"--set fabric.kind=custom: a custom fabric needs edges"});
  const auto build = [&](const std::string& edges) {
    return Topology(spec::load_system(write("my.yaml", square(edges))).spec);
  };
  EXPECT_THROW(build("    a: {from: 0, to: 1, class: wide}\n"), Error);
  EXPECT_THROW(build(std::string(kSquare) + "    e: {from: 0, to: 2000000, class: wide}\n"), Error);
}

}  // namespace
}  // namespace trnsim::fabric
