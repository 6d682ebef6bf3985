// The three network models on the same collectives, and an all-to-all of 64 chips against its bound.
#include <gtest/gtest.h>

#include "support/graphs.h"
#include "trnsim/study/collective_sweep.h"

namespace trnsim {
namespace {

using collectives::Algorithm;
using collectives::Op;

constexpr std::uint64_t kMiB = 1 << 20;

struct Pattern {
  Op op;
  Algorithm algorithm;
  std::uint64_t bytes;
};

class Models : public ::testing::TestWithParam<Pattern> {};

// Steps of equal transfers that do not meet on a link: only packets on their way differ.
TEST_P(Models, AgreeWhereNothingIsContended) {
  const spec::SystemSpec system = test::links_only();
  test::JobBuilder builder(system, 8);
  builder.collective("it", {GetParam().op, GetParam().algorithm, GetParam().bytes, {}, 0, 1});
  const sim::GraphRecord flow = builder.run(true, sim::NetworkModel::kFlow);
  const sim::GraphRecord analytic = builder.run(true, sim::NetworkModel::kAnalytic);
  const sim::GraphRecord packet = builder.run(true, sim::NetworkModel::kPacket);
  EXPECT_NEAR(analytic.time.ns(), flow.time.ns(), 1e-6 * flow.time.ns());
  EXPECT_GE(packet.time.ns(), flow.time.ns());
  EXPECT_LE(packet.time.ns(), 1.05 * flow.time.ns());
  EXPECT_EQ(packet.transfers, flow.transfers);
  test::expect_bytes_of_dags(system, builder.job, flow);
  test::expect_bytes_of_dags(system, builder.job, analytic);
}

INSTANTIATE_TEST_SUITE_P(Trn2, Models,
                         ::testing::Values(Pattern{Op::kAllReduce, Algorithm::kRing, 64 * kMiB},
                                           Pattern{Op::kAllGather, Algorithm::kRing, 128 * kMiB},
                                           Pattern{Op::kAllReduce, Algorithm::kRdh, 16 * kMiB}));

// 63 peers over the 32 wires that cross the middle of z: 126 GB/s of each chip at full efficiency
// (tests/unit/fabric/bounds_test.cpp). 1 MiB per pair: set-up and hop are 1.3 % of it and come on top.
TEST(AllToAllOf64Chips, TakesTheTimeOfItsBound) {
  const spec::LoadedSystem& system = test::shipped("trn2-ultraserver");
  study::CollectiveRequest request;
  request.op = Op::kAllToAll;
  request.cores_per_rank = 8;
  request.sizes = {64 * kMiB};
  const study::CollectiveSweep sweep = study::sweep_collective(system, request);
  ASSERT_EQ(sweep.points.size(), 1U);
  EXPECT_EQ(sweep.group_size, 64U);
  EXPECT_EQ(sweep.points[0].transfers, 64U * 64U);  // a rank copies its own part
  const spec::FabricSpec& fabric = system.spec.fabric;
  const double bound_us = 63.0 * kMiB / (126e3 * fabric.link_classes.back().efficiency);
  const double software_us = fabric.collective_setup_us + fabric.collective_hop_intra_us;
  EXPECT_NEAR(sweep.points[0].time_us, software_us + bound_us, 0.01 * bound_us);
  EXPECT_NE(sweep.points[0].bottleneck.find("(z)"), std::string::npos) << sweep.points[0].bottleneck;
  EXPECT_GT(sweep.points[0].bottleneck_utilization, 0.97);
}

TEST(CollectiveSweep, CountsBandwidthAsNccomTestDoes) {
  const spec::LoadedSystem& system = test::shipped("trn2.48xlarge");
  study::CollectiveRequest request;
  request.sizes = {kMiB, 64 * kMiB};
  request.cores_per_rank = 8;
  const study::CollectiveSweep sweep = study::sweep_collective(system, request);
  ASSERT_EQ(sweep.points.size(), 2U);
  for (std::size_t i = 0; i < 2; ++i) {
    const study::CollectivePoint& point = sweep.points[i];
    EXPECT_EQ(point.bytes, request.sizes[i]);
    EXPECT_NEAR(point.algbw_GBps * point.time_us * 1e3, static_cast<double>(point.bytes), 1e-3);
    EXPECT_NEAR(point.busbw_GBps, point.algbw_GBps * 30 / 16, 1e-9 * point.busbw_GBps);
    EXPECT_LE(point.bottleneck_utilization, 1 + 1e-9);
  }
  EXPECT_LT(sweep.points[0].time_us, sweep.points[1].time_us);
}

}  // namespace
}  // namespace trnsim
