// Uniform all-to-all: bytes a chip can send to all others per second (interconnect.md 1.4), from the
// routes and from the flows. Links at their raw rate.
#include <gtest/gtest.h>

#include <algorithm>

#include "support/systems.h"
#include "trnsim/fabric/flow_set.h"
#include "trnsim/fabric/movement.h"

namespace trnsim::fabric {
namespace {

struct Bound {
  const char* system;
  bool split;
  double GBps;
};

class AllToAll : public ::testing::TestWithParam<Bound> {
 protected:
  AllToAll() {
    spec::SystemSpec system = test::shipped(GetParam().system).spec;
    system.fabric.split_antipodal = GetParam().split;
    for (spec::LinkClassSpec& link : system.fabric.link_classes) {
      link.efficiency = 1;
    }
    plan.emplace(system, make_ranks(system, system.chip.neuron_cores));
    chips = system.chips();
    for (std::uint32_t from = 0; from < chips; ++from) {
      for (std::uint32_t to = 0; to < chips; ++to) {
        if (from != to) {
          uses.push_back(plan->uses({.from = from, .to = to}));
        }
      }
    }
  }

  // ns for one byte per pair on the busiest resource.
  double busiest() const {
    std::vector<double> load(plan->resources().size());
    for (const std::vector<Use>& list : uses) {
      for (const Use& use : list) {
        load[use.resource] += use.multiplicity / plan->resources()[use.resource].GBps;
      }
    }
    return *std::max_element(load.begin(), load.end());
  }

  std::optional<NetworkPlan> plan;
  std::uint32_t chips = 0;
  std::vector<std::vector<Use>> uses;
};

// 15 peers x 128 / 8 hops over each X link = 240 (without splitting 12 hops upwards: 160);
// 63 x 64 / 32 over Z = 126; 63 x 128 / 32 and 143 x 128 / 72 over the direct links.
TEST_P(AllToAll, HasThePublishedBound) {
  EXPECT_NEAR((chips - 1) / busiest(), GetParam().GBps, 0.01 * GetParam().GBps);
}

TEST_P(AllToAll, OfOneMebibytePerPairTakesAsLongAsItsBusiestLink) {
  constexpr std::uint64_t kBytes = 1 << 20;
  FlowSet flows(*plan);
  for (const std::vector<Use>& list : uses) {
    flows.add(Femtos{0}, list, kBytes);
  }
  Femtos now{0};
  std::size_t done = 0;
  while (flows.active() > 0) {
    flows.settle(now);
    now = flows.next_completion();
    ASSERT_NE(now, kNever);
    done += flows.take_completed(now).size();
  }
  flows.settle(now);
  EXPECT_EQ(done, std::size_t{chips} * (chips - 1));
  EXPECT_NEAR(now.ns(), busiest() * static_cast<double>(kBytes), 1e-6 * now.ns());
  // Every byte crossed what it had to.
  std::vector<double> expected(plan->resources().size());
  for (const std::vector<Use>& list : uses) {
    for (const Use& use : list) {
      expected[use.resource] += use.multiplicity * static_cast<double>(kBytes);
    }
  }
  for (std::uint32_t r = 0; r < expected.size(); ++r) {
    EXPECT_NEAR(flows.load(r, now).bytes, expected[r], 1e-9 * expected[r] + 1e-3);
    EXPECT_LE(flows.load(r, now).busy, now);
  }
}

INSTANTIATE_TEST_SUITE_P(Systems, AllToAll,
                         ::testing::Values(Bound{"trn2.48xlarge", true, 240},
                                           Bound{"trn2.48xlarge", false, 160},
                                           Bound{"trn2-ultraserver", true, 126},
                                           Bound{"trn3-ultraserver-gen1", true, 252},
                                           Bound{"trn3-ultraserver-gen2", true, 254}));

}  // namespace
}  // namespace trnsim::fabric
