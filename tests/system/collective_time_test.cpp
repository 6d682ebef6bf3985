// Collectives of chips with links as the only bottleneck: closed forms.
#include <gtest/gtest.h>

#include "support/graphs.h"

namespace trnsim {
namespace {

using collectives::Algorithm;
using collectives::Op;

constexpr double kSetup = 5000;  // ns
constexpr double kHop = 2000;
constexpr double kRate = 128;    // GB/s of a link
constexpr std::uint64_t kMiB = 1 << 20;

double time_ns(const spec::SystemSpec& system, const test::Exchange& what) {
  test::JobBuilder builder(system, system.chip.neuron_cores);
  builder.collective("it", what);
  const sim::GraphRecord record = builder.run();
  test::expect_bytes_of_dags(system, builder.job, record);
  EXPECT_EQ(record.rank_time.compute_fs, 0U);
  return record.time.ns();
}

struct Form {
  Op op;
  Algorithm algorithm;
  std::uint64_t bytes;
  double ns;
};

class ClosedForm : public ::testing::TestWithParam<Form> {};

TEST_P(ClosedForm, IsTheSimulatedTime) {
  const Form& form = GetParam();
  const double ns = time_ns(test::links_only(), {form.op, form.algorithm, form.bytes, {}, 0, 1});
  EXPECT_NEAR(ns, form.ns, 1e-6 * form.ns);
}

// Sixteen chips have four rings: two cycles of wires, each in both directions. A step moves a sixteenth of
// each quarter.
double ring(double bytes, double steps) {
  return kSetup + steps * (kHop + bytes / 64 / kRate);
}
// Halves, quarters, ... of the data to a neighbour in four exchanges.
double rdh(double bytes) {
  return 4 * kHop + 15.0 / 16 * bytes / kRate;
}

INSTANTIATE_TEST_SUITE_P(
    Trn2, ClosedForm,
    ::testing::Values(
        Form{Op::kAllGather, Algorithm::kRing, 64 * kMiB, ring(64 * kMiB, 15)},
        Form{Op::kReduceScatter, Algorithm::kRing, 64 * kMiB, ring(64 * kMiB, 15)},
        Form{Op::kAllReduce, Algorithm::kRing, 64 * kMiB, ring(64 * kMiB, 30)},
        Form{Op::kAllReduce, Algorithm::kRing, 64 * 1024, ring(64 * 1024, 30)},
        Form{Op::kAllReduce, Algorithm::kRdh, 16 * kMiB, kSetup + 2 * rdh(16 * kMiB)},
        Form{Op::kAllReduce, Algorithm::kRdh, 16 * 1024, kSetup + 2 * rdh(16 * 1024)},
        Form{Op::kReduceScatter, Algorithm::kRdh, 16 * kMiB, kSetup + rdh(16 * kMiB)},
        Form{Op::kAllGather, Algorithm::kRdh, 16 * kMiB, kSetup + rdh(16 * kMiB)}));

// Twice the efficiency, half the time on links; set-up and hops stay.
TEST(CollectiveTime, EfficiencyScalesLinksAlone) {
  spec::SystemSpec system = test::links_only();
  for (spec::LinkClassSpec& link : system.fabric.link_classes) {
    link.efficiency = 0.5;
  }
  EXPECT_NEAR(time_ns(system, {.op = Op::kAllGather, .bytes = 64 * kMiB}),
              ring(2 * 64 * kMiB, 15), 1);
}

// A reducing DMA is half as fast. One ring of two neighbours has a 128 GB/s link, the channel is made
// 100 GB/s: a copied byte takes 10 ps, a reduced one 20.
TEST(CollectiveTime, TheChannelBindsWhereItIsNarrower) {
  spec::SystemSpec system = test::links_only();
  system.chip.core.dma.stream_GBps_per_engine = 100.0 / 64;
  const std::vector<std::vector<std::uint32_t>> pair{{0, 1}};
  EXPECT_NEAR(time_ns(system, {Op::kAllGather, Algorithm::kRing, 2 * kMiB, pair, 0, 1}),
              kSetup + kHop + kMiB / 100.0, 0.1);
  EXPECT_NEAR(time_ns(system, {Op::kReduceScatter, Algorithm::kRing, 2 * kMiB, pair, 0, 1}),
              kSetup + kHop + kMiB / 50.0, 0.1);
}

TEST(CollectiveTime, AGroupOfOneTakesSetUpOnly) {
  EXPECT_EQ(time_ns(test::links_only(), {.op = Op::kAllReduce, .groups = {{3}}}), kSetup);
}

// The reason to have several replica groups in one node: they run at the same time. Rows of the torus
// do not share wires.
TEST(CollectiveTime, GroupsOnOwnLinksDoNotSlowEachOther) {
  const spec::SystemSpec system = test::links_only();
  const std::vector<std::vector<std::uint32_t>> rows{
      {0, 1, 2, 3}, {4, 5, 6, 7}, {8, 9, 10, 11}, {12, 13, 14, 15}};
  test::Exchange one{Op::kAllGather, Algorithm::kRing, 8 * kMiB, {rows[0]}, 0, 1};
  test::Exchange all{Op::kAllGather, Algorithm::kRing, 8 * kMiB, rows, 0, 1};
  // One cycle in both directions: a step moves an eighth.
  EXPECT_NEAR(time_ns(system, one), kSetup + 3 * (kHop + 8192), 0.1);
  EXPECT_NEAR(time_ns(system, all), kSetup + 3 * (kHop + 8192), 0.1);
}

class Streams : public ::testing::Test {
 protected:
  const spec::SystemSpec system = test::links_only();
  test::JobBuilder builder{system, 8};
  const test::Exchange exchange{Op::kAllGather, Algorithm::kRing, 64 * kMiB, {}, 0, 1};
  const double alone = ring(64 * kMiB, 15);
};

TEST_F(Streams, OneStreamRunsThemOneAfterTheOther) {
  builder.collective("a", exchange);
  builder.collective("b", exchange);
  const sim::GraphRecord record = builder.run();
  EXPECT_NEAR(record.nodes[0].last_end.ns(), alone, 0.1);
  EXPECT_NEAR(record.nodes[1].first_end.ns(), 2 * alone, 0.2);
  EXPECT_NEAR(record.time.ns(), 2 * alone, 0.2);
  test::expect_bytes_of_dags(system, builder.job, record);
}

// Both are in step: each has half of every link, hops and set-up overlap.
TEST_F(Streams, TwoStreamsShareLinks) {
  builder.collective("a", exchange);
  test::Exchange other = exchange;
  other.stream = 1;
  builder.collective("b", other);
  const sim::GraphRecord record = builder.run();
  const double shared = ring(2 * 64 * kMiB, 15);
  EXPECT_NEAR(record.nodes[0].last_end.ns(), shared, 0.2);
  EXPECT_NEAR(record.nodes[1].last_end.ns(), shared, 0.2);
  test::expect_bytes_of_dags(system, builder.job, record);
}

TEST_F(Streams, ALateRankHoldsTheOthers) {
  const std::uint32_t late = builder.software("late", 300, {}, {5});
  const std::uint32_t it = builder.collective("it", exchange, {late});
  const sim::GraphRecord record = builder.run(false);
  EXPECT_NEAR(record.nodes[it].last_start.ns(), 300000, 1e-3);
  EXPECT_NEAR(record.nodes[it].first_end.ns(), 300000 + alone, 0.2);
  // Fifteen ranks wait and exchange, one computes first.
  EXPECT_EQ(record.rank_time.exposed_fs + record.rank_time.idle_fs,
            16 * record.time.count - record.rank_time.compute_fs);
  EXPECT_NEAR(static_cast<double>(record.rank_time.compute_fs) * 1e-6, 300000, 1e-3);
}

// Broadcasts of two chips to each other share no wire; the second waits for nothing but its stream.
TEST_F(Streams, ARankWithoutPartIsNotHeld) {
  const std::uint32_t first = builder.collective(
      "first", {Op::kAllGather, Algorithm::kRing, 2 * kMiB, {{0, 1}}, 0, 1});
  const std::uint32_t second = builder.collective(
      "second", {Op::kAllGather, Algorithm::kRing, 2 * kMiB, {{8, 9}}, 0, 1}, {first});
  const sim::GraphRecord record = builder.run();
  EXPECT_NEAR(record.nodes[first].last_end.ns(), 15192, 0.01);
  EXPECT_NEAR(record.nodes[second].last_end.ns(), 15192, 0.01);
}

}  // namespace
}  // namespace trnsim
