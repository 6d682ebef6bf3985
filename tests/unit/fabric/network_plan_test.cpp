// What one movement takes of which resource.
#include <gtest/gtest.h>

#include <array>
#include <map>

#include "support/systems.h"
#include "trnsim/base/error.h"
#include "trnsim/fabric/movement.h"

namespace trnsim::fabric {
namespace {

using Named = std::map<std::string, double>;

Named named(const NetworkPlan& plan, const Movement& movement) {
  Named result;
  std::uint32_t last = 0;
  for (const Use& use : plan.uses(movement)) {
    EXPECT_TRUE(result.empty() || use.resource > last) << "sorted, each once";
    last = use.resource;
    result[plan.resources()[use.resource].name] = use.multiplicity;
  }
  return result;
}

NetworkPlan plan_of(const std::string& name, std::uint32_t cores_per_rank) {
  const spec::SystemSpec& system = test::shipped(name).spec;
  return NetworkPlan(system, make_ranks(system, cores_per_rank));
}

TEST(Ranks, AreRunsOfCoresNextToTheirStack) {
  const spec::SystemSpec& system = test::shipped("trn2.48xlarge").spec;
  const RankMap map = make_ranks(system, 2);
  ASSERT_EQ(map.ranks.size(), 64U);
  EXPECT_EQ(map.ranks_per_chip, 4U);
  EXPECT_EQ(map.ranks[7].chip, 1U);
  EXPECT_EQ(map.ranks[7].first_core, 6U);
  EXPECT_EQ(map.ranks[7].stack, 3U);
  EXPECT_EQ(map.ranks[7].index_on_chip, 3U);
  EXPECT_EQ(make_ranks(system, 1, 5).ranks.size(), 5U);
  EXPECT_EQ(map.ranks[7].stacks, 1U);
  EXPECT_EQ(make_ranks(system, 1).ranks[3].stack, 1U);
  EXPECT_EQ(make_ranks(system, 1).ranks[3].stacks, 1U);
  EXPECT_EQ(make_ranks(system, 8).ranks[1].stack, 0U);
  EXPECT_EQ(make_ranks(system, 8).ranks[1].stacks, 4U);
  EXPECT_THROW(static_cast<void>(make_ranks(system, 3)), Error);
  EXPECT_THROW(static_cast<void>(make_ranks(system, 8, 17)), Error);
}

TEST(NetworkPlan, LinksHaveTheIndexOfTheirLinkId) {
  const NetworkPlan plan = plan_of("trn2.48xlarge", 2);
  const std::vector<Link>& links = plan.topology().links();
  for (std::size_t i = 0; i < links.size(); ++i) {
    EXPECT_EQ(plan.resources()[i].kind, ResourceKind::kLink);
    EXPECT_EQ(plan.resources()[i].GBps, links[i].GBps_per_direction);
  }
  // 64 links, 64 ranks, 64 stacks, 64 SBUFs, two directions between the dies of 16 chips.
  EXPECT_EQ(plan.resources().size(), 64U + 64 + 64 + 64 + 32);
}

TEST(NetworkPlan, CapacitiesAreThoseOfTheSpec) {
  const spec::SystemSpec system = test::pinned_trn2("trn2.3xlarge");
  const NetworkPlan plan(system, make_ranks(system, 2));
  std::map<std::string, double> GBps;
  for (const Resource& resource : plan.resources()) {
    GBps[resource.name] = resource.GBps;
  }
  EXPECT_NEAR(GBps.at("rank 1 DMA"), 2 * 8 * 23, 1e-9);
  EXPECT_NEAR(GBps.at("chip 0 HBM 3"), 652.288, 1e-9);
  EXPECT_EQ(GBps.at("rank 2 SBUF"), 2 * 1229);
  EXPECT_EQ(GBps.at("chip 0 die 1 -> die 0"), 1000);
}

TEST(NetworkPlan, ATransferToTheNextChip) {
  // Ranks 0 and 4 are the first of chips 0 and 1: read 1, write 1, one link.
  const NetworkPlan plan = plan_of("trn2.48xlarge", 2);
  EXPECT_EQ(named(plan, {.from = 0, .to = 4}),
            (Named{{"link chip 0 -> chip 1 (x)", 1},
                   {"rank 0 DMA", 1},
                   {"chip 0 HBM 0", 1},
                   {"chip 1 HBM 0", 1}}));
}

TEST(NetworkPlan, TouchesOfRingAndKangaRing) {
  // hardware.md 17.2, per two ranks: all-gather 4 (ring) and 3, reduce-scatter 6 and 4.
  const NetworkPlan plan = plan_of("trn2.48xlarge", 2);
  const auto touches = [&](const Movement& movement) {
    double sum = 0;
    for (const Use& use : plan.uses(movement)) {
      sum += plan.resources()[use.resource].kind == ResourceKind::kHbm ? use.multiplicity : 0;
    }
    return sum;
  };
  EXPECT_EQ(2 * touches({.from = 0, .to = 4}), 4);
  EXPECT_EQ(touches({.from = 0, .to = 4, .also_to = 5}), 3);
  EXPECT_EQ(2 * touches({.from = 0, .to = 4, .reduce = true}), 6);
  EXPECT_EQ(touches({.from = 0, .to = 4, .also_from = 1, .reduce = true}), 4);
}

TEST(NetworkPlan, ReducingTakesTwiceTheDmaTimeUntilTrainium3) {
  const Movement reduce{.from = 0, .to = 4, .reduce = true};
  EXPECT_EQ(named(plan_of("trn2.48xlarge", 2), reduce).at("rank 0 DMA"), 2);
  EXPECT_EQ(named(plan_of("trn1.32xlarge", 1), reduce).at("rank 0 DMA"), 2);
  EXPECT_EQ(named(plan_of("trn3-ultraserver-gen1", 2), reduce).at("rank 0 DMA"), 1);
}

TEST(NetworkPlan, WithinARankOnlyItsChannelAndMemory) {
  const NetworkPlan plan = plan_of("trn2.48xlarge", 2);
  EXPECT_EQ(named(plan, {.from = 3, .to = 3}), (Named{{"rank 3 DMA", 1}, {"chip 0 HBM 3", 2}}));
  EXPECT_EQ(named(plan, {.from = 3, .to = 3, .reduce = true}),
            (Named{{"rank 3 DMA", 2}, {"chip 0 HBM 3", 3}}));
  EXPECT_EQ(named(plan, {.from = 3, .to = 3, .space = Space::kSbuf}),
            (Named{{"rank 3 DMA", 1}, {"rank 3 SBUF", 2}}));
}

TEST(NetworkPlan, BetweenTheDiesOfAChip) {
  // Stacks 0, 1 are on die 0 and 2, 3 on die 1; rank r of four has stack r.
  const NetworkPlan plan = plan_of("trn2.48xlarge", 2);
  EXPECT_EQ(named(plan, {.from = 0, .to = 1}),
            (Named{{"rank 0 DMA", 1}, {"chip 0 HBM 0", 1}, {"chip 0 HBM 1", 1}}));
  EXPECT_EQ(named(plan, {.from = 6, .to = 5}),
            (Named{{"rank 6 DMA", 1},
                   {"chip 1 HBM 1", 1},
                   {"chip 1 HBM 2", 1},
                   {"chip 1 die 1 -> die 0", 1}}));
  // Both copies cross together.
  EXPECT_EQ(named(plan, {.from = 0, .to = 2, .also_to = 3}).at("chip 0 die 0 -> die 1"), 1);
  // Between chips no die is counted.
  EXPECT_EQ(named(plan, {.from = 0, .to = 6}).count("chip 1 die 0 -> die 1"), 0U);
}

TEST(NetworkPlan, ARankOfSeveralStacksSpreadsItsTouches) {
  // A rank of 8 cores has the 4 stacks of its chip and 8 x 8 engines of 23 GB/s.
  const spec::SystemSpec system = test::pinned_trn2("trn2.48xlarge");
  const NetworkPlan plan(system, make_ranks(system, 8));
  const Named reduce = named(plan, {.from = 0, .to = 1, .reduce = true});
  for (const char* stack : {"0", "1", "2", "3"}) {
    EXPECT_EQ(reduce.at(fmt::format("chip 0 HBM {}", stack)), 0.25);
    EXPECT_EQ(reduce.at(fmt::format("chip 1 HBM {}", stack)), 0.5);
  }
  const std::uint32_t channel = static_cast<std::uint32_t>(plan.topology().links().size());
  EXPECT_NEAR(plan.resources()[channel].GBps, 8 * 8 * 23, 1e-9);
  // On its own memory each stack reads and writes its quarter; no die is crossed.
  const Named own = named(plan, {.from = 0, .to = 0});
  EXPECT_EQ(own.size(), 5U);
  EXPECT_EQ(own.at("chip 0 HBM 2"), 0.5);
}

TEST(NetworkPlan, RanksOverBothDiesCrossWithTheFractionOfPairs) {
  // Three cores each: rank 0 has stacks 0, 1 (die 0), rank 1 cores 3 to 5 on stacks 1, 2 (both dies).
  const spec::SystemSpec system =
      spec::load_system("trn2.3xlarge", {"cores_per_chip_used=6", "lnc=1"}).spec;
  const NetworkPlan plan(system, make_ranks(system, 3));
  EXPECT_EQ(named(plan, {.from = 0, .to = 1}),
            (Named{{"rank 0 DMA", 1},
                   {"chip 0 HBM 0", 0.5},
                   {"chip 0 HBM 1", 1},
                   {"chip 0 HBM 2", 0.5},
                   {"chip 0 die 0 -> die 1", 0.5}}));
  EXPECT_EQ(named(plan, {.from = 1, .to = 0}).at("chip 0 die 1 -> die 0"), 0.5);
}

TEST(NetworkPlan, StagesAreTheUsesInOrderOfPassage) {
  // 0 to 2 of a row of four: two ways of two links; the kinds in order, and the same sums as uses().
  for (const std::uint32_t cores : {2U, 8U}) {
    const NetworkPlan plan = plan_of("trn2.48xlarge", cores);
    const std::uint32_t per_chip = 8 / cores;
    const Movement movement{.from = 0, .to = 2 * per_chip, .reduce = true};
    const std::vector<Stage> stages = plan.stages(movement);
    ASSERT_EQ(stages.size(), 4U);
    const std::array kinds{ResourceKind::kChannel, ResourceKind::kHbm, ResourceKind::kLink,
                           ResourceKind::kHbm};
    std::map<std::uint32_t, double> sums;
    for (std::size_t i = 0; i < stages.size(); ++i) {
      double fractions = 0;
      for (const Branch& branch : stages[i]) {
        fractions += branch.fraction;
        for (const Use& use : branch.uses) {
          EXPECT_EQ(plan.resources()[use.resource].kind, kinds[i]);
          sums[use.resource] += branch.fraction * use.multiplicity;
        }
      }
      EXPECT_EQ(fractions, 1);
    }
    ASSERT_EQ(stages[2].size(), 2U);
    EXPECT_EQ(plan.topology().links()[stages[2][0].uses[1].resource].to, 2U);
    for (const Use& use : plan.uses(movement)) {
      EXPECT_EQ(sums.at(use.resource), use.multiplicity);
    }
  }
}

TEST(NetworkPlan, SplitWaysAddUpOnALink) {
  // 0 to 2 of a row of four: half over 1, half over 3.
  const NetworkPlan plan = plan_of("trn2.48xlarge", 8);
  const Named uses = named(plan, {.from = 0, .to = 2});
  EXPECT_EQ(uses.at("link chip 0 -> chip 1 (x)"), 0.5);
  EXPECT_EQ(uses.at("link chip 3 -> chip 2 (x)"), 0.5);
  spec::SystemSpec system = test::shipped("trn2.48xlarge").spec;
  system.fabric.split_antipodal = false;
  const NetworkPlan up(system, make_ranks(system, 8));
  EXPECT_EQ(named(up, {.from = 0, .to = 2}).at("link chip 1 -> chip 2 (x)"), 1);
}

TEST(NetworkPlan, EfaIsAResourceOfEachChipAndDirection) {
  const spec::SystemSpec system = spec::load_system("trn2.48xlarge", {"servers=2"}).spec;
  const NetworkPlan plan(system, make_ranks(system, 8));
  const Named uses = named(plan, {.from = 3, .to = 19});
  EXPECT_EQ(uses.at("link chip 3 -> EFA (EFA)"), 1);
  EXPECT_EQ(uses.at("link EFA -> chip 19 (EFA)"), 1);
  EXPECT_EQ(plan.resources()[plan.uses({.from = 3, .to = 19})[0].resource].kind,
            ResourceKind::kNic);
  EXPECT_EQ(plan.latency(3, 19), from_ns(15000));
}

TEST(NetworkPlan, LatencyIsThatOfTheLongestWay) {
  // 500 ns per link, 300 per switch: 4 links on the torus; wire, switch, wire; the same and a direct link.
  const NetworkPlan torus = plan_of("trn2.48xlarge", 8);
  EXPECT_EQ(torus.latency(0, 10), from_ns(2000));
  EXPECT_EQ(torus.latency(5, 5), Femtos{0});
  const NetworkPlan switched = plan_of("trn3-ultraserver-gen2", 8);
  EXPECT_EQ(switched.latency(0, 1), from_ns(1300));
  EXPECT_EQ(switched.latency(0, 72), from_ns(500));
  EXPECT_EQ(switched.latency(0, 143), from_ns(1800));
}

}  // namespace
}  // namespace trnsim::fabric
