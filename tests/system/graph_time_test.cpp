// Kernels and collectives of ranks under one clock: order, shares of memory, where the time goes.
#include <gtest/gtest.h>

#include "support/graphs.h"
#include "trnsim/base/error.h"
#include "trnsim/sim/simulate.h"
#include "trnsim/trace/builder.h"

namespace trnsim {
namespace {

using collectives::Algorithm;
using collectives::Op;

constexpr std::uint64_t kMiB = 1 << 20;

// `count` loads of 512 KiB, nothing else.
trace::Trace loads(std::uint32_t count) {
  trace::TraceBuilder builder("loads", "test");
  const auto tile = builder.sbuf("tile", DType::kBFloat16, 128, {2048});
  for (std::uint32_t i = 0; i < count; ++i) {
    builder.dma(tile, builder.hbm("in", DType::kBFloat16, {128, 2048}, trace::Role::kInput),
                trace::Engine::kSync);
  }
  return builder.take();
}

// Stacks of 652.288 GB/s whose two cores ask for 2 x 16 x 23 = 736; collectives without set-up and hops.
spec::SystemSpec shared_memory() {
  spec::SystemSpec system = test::pinned_trn2("trn2.48xlarge");
  system.fabric.collective_setup_us = 0;
  system.fabric.collective_hop_on_chip_us = 0;
  system.fabric.collective_hop_intra_us = 0;
  for (spec::LinkClassSpec& link : system.fabric.link_classes) {
    link.GBps_per_direction_per_link = 128;
    link.efficiency = 1;
  }
  return system;
}

// A ring all-gather writes 4 x 128 GB/s into each chip and reads as much: 256 GB/s of each stack. It runs
// longer than the kernel.
class SharedMemory : public ::testing::Test {
 protected:
  sim::GraphRecord run(bool kernel, bool collective) const {
    test::JobBuilder builder(system, 8);
    if (kernel) {
      builder.kernel("loads", builder.trace(loads(64)));
    }
    if (collective) {
      builder.collective("gather", {Op::kAllGather, Algorithm::kRing, 128 * kMiB, {}, 0, 1});
    }
    const sim::GraphRecord record = builder.run();
    test::expect_divided(builder.job, record);
    test::expect_bytes_of_dags(system, builder.job, record);
    return record;
  }
  const spec::SystemSpec system = shared_memory();
};

TEST_F(SharedMemory, AKernelHasWhatACollectiveLeaves) {
  const sim::GraphRecord alone = run(true, false);
  const sim::GraphRecord both = run(true, true);
  const sim::GraphRecord gather = run(false, true);
  const double alone_ns = alone.nodes[0].last_end.ns();
  const double both_ns = both.nodes[0].last_end.ns();
  ASSERT_LT(both_ns, gather.time.ns());
  // 64 MiB through a stack; what is slower is the time in which the stack is busy.
  const double bytes = 2 * 64 * 524288.0;
  EXPECT_NEAR(both_ns - alone_ns, bytes / (652.288 - 256) - bytes / 652.288,
              0.02 * bytes / 652.288);
  // A collective takes what it needs first.
  EXPECT_EQ(both.nodes[1].last_end, gather.time);
  // The same bytes for kernels with and without.
  EXPECT_EQ(alone.hbm_bytes, 16 * 8 * 64 * 524288ULL);
  EXPECT_EQ(both.hbm_bytes, alone.hbm_bytes);
  EXPECT_EQ(gather.hbm_bytes, 0U);
  EXPECT_EQ(both.counted_flops, 0);
  // All of the kernel is hidden behind the collective or the other way round.
  EXPECT_EQ(both.rank_time.hidden_fs, both.rank_time.compute_fs);
  EXPECT_EQ(both.rank_time.idle_fs, 0U);
}

// Only the flow model knows rates at an instant.
TEST_F(SharedMemory, AnalyticAndPacketNetworksTakeNothing) {
  const double alone = run(true, false).time.ns();
  for (const sim::NetworkModel network : {sim::NetworkModel::kAnalytic, sim::NetworkModel::kPacket}) {
    test::JobBuilder builder(system, 8);
    builder.kernel("loads", builder.trace(loads(64)));
    builder.collective("gather", {Op::kAllGather, Algorithm::kRing, 8 * kMiB, {}, 0, 1});
    const sim::GraphRecord record = builder.run(true, network);
    EXPECT_NEAR(record.nodes[0].last_end.ns(), alone, 1e-3);
    test::expect_divided(builder.job, record);
  }
}

// A product, its all-reduce, a product that needs it, and one beside it that does not.
TEST(GraphTime, IsDividedOverComputeAndCommunication) {
  const spec::SystemSpec system = test::pinned_trn2("trn2.48xlarge");
  for (const std::uint32_t cores : {8U, 2U}) {
    test::JobBuilder builder(system, cores);
    const auto product = builder.gemm(512, 512, 256);
    const std::uint32_t a = builder.kernel("a", product, {}, {}, 1.5);
    const std::uint32_t sum = builder.collective(
        "sum", {Op::kAllReduce, Algorithm::kRdh, kMiB, {}, 0, 1}, {a});
    builder.kernel("beside", product);
    const std::uint32_t b = builder.kernel("b", product, {sum});
    const sim::GraphRecord record = builder.run();
    test::expect_divided(builder.job, record);
    test::expect_bytes_of_dags(system, builder.job, record);
    EXPECT_GT(record.rank_time.hidden_fs, 0U);
    EXPECT_GT(record.rank_time.exposed_fs, 0U);
    EXPECT_EQ(record.time, record.nodes[b].last_end);
    EXPECT_EQ(record.nodes[sum].first_start, record.nodes[a].first_end);
    EXPECT_EQ(record.nodes[b].first_start, record.nodes[sum].first_end);
    EXPECT_EQ(record.simulated_chips, 1U);
    // 2 x 512 x 512 x 256 on each rank, three times.
    EXPECT_EQ(record.counted_flops, 3.0 * record.ranks * 2 * 512 * 512 * 256);
  }
}

TEST(GraphTime, SoftwareBeforeAKernelIsItsOwn) {
  const spec::SystemSpec system = test::links_only();
  test::JobBuilder builder(system, 8);
  const std::uint32_t first = builder.software("first", 7);
  builder.software("second", 3, {first});
  const sim::GraphRecord record = builder.run();
  EXPECT_EQ(record.nodes[first].last_end.count, 7'000'000'001U);  // and a femtosecond
  EXPECT_EQ(record.time.count, 10'000'000'002U);
  test::expect_divided(builder.job, record);
}

// trn1: no activity limiter, so a kernel does not remember the one before.
TEST(GraphTime, KernelsInARowTakeTheSumOfTheirTimes) {
  const spec::SystemSpec& system = test::shipped("trn1.2xlarge").spec;
  test::JobBuilder both(system, 2);
  const auto a = both.gemm(512, 512, 512);
  const auto b = both.gemm(256, 1024, 256);
  both.kernel("a", a);
  both.kernel("b", b);
  const sim::GraphRecord record = both.run();
  const auto alone = [&](const test::JobBuilder::Programs& programs) {
    test::JobBuilder builder(system, 2);
    builder.kernel("it", programs);
    return builder.run();
  };
  const sim::GraphRecord first = alone(a);
  const sim::GraphRecord second = alone(b);
  EXPECT_EQ(record.nodes[0].last_end, first.time);
  // The second begins between clock edges: every wait may end up to a cycle (0.7 ns) apart.
  EXPECT_NEAR(record.time.ns(), first.time.ns() + second.time.ns(), 0.001 * second.time.ns());
  EXPECT_EQ(record.instructions, first.instructions + second.instructions);
  EXPECT_EQ(record.hbm_bytes, first.hbm_bytes + second.hbm_bytes);
  EXPECT_EQ(record.counted_flops, first.counted_flops + second.counted_flops);
  for (std::size_t e = 0; e < record.engines.size(); ++e) {
    EXPECT_EQ(record.engines[e].instructions, first.engines[e].instructions + second.engines[e].instructions);
  }
  test::expect_divided(both.job, record);
}

// A single kernel of a graph takes as long as on its own.
TEST(GraphTime, AKernelTakesAsLongAsWithoutAGraph) {
  const spec::SystemSpec system = test::pinned_trn2("trn2.3xlarge");
  test::JobBuilder builder(system, 8);
  const auto programs = builder.gemm(1024, 1024, 512);
  builder.kernel("it", programs);
  const sim::RunRecord plain = sim::simulate(system, {programs});
  EXPECT_EQ(builder.run().time, plain.time);
}

// The kernel of rank 1 waits for a queue that nothing fills, so rank 1 does not join.
TEST(GraphTime, ADeadlockNamesWhoWaitsAndWhoDoesNotCome) {
  auto stuck = std::make_shared<lower::Program>();
  lower::Step step;
  step.num_waits = 1;
  stuck->waits = {{static_cast<lower::QueueId>(trace::Engine::kScalar), 1}};
  stuck->streams[static_cast<std::size_t>(trace::Engine::kVector)] = {step};
  const spec::SystemSpec system = test::links_only();
  test::JobBuilder builder(system, 8);
  const std::uint32_t kernel =
      builder.kernel("stuck", test::JobBuilder::Programs(8, stuck), {}, {1});
  const std::uint32_t gather = builder.collective(
      "gather", {Op::kAllGather, Algorithm::kRing, kMiB, {{0, 1}}, 0, 1}, {kernel});
  builder.software("after", 1, {gather}, {0});
  try {
    (void)builder.run();
    ADD_FAILURE() << "no deadlock";
  } catch (const Error& error) {
    const std::string text = error.what();
    for (const char* part :
         {"deadlocks", "rank0 is in gather", "rank1 is in stuck", "waits for Scalar >= 1",
          "all_gather of 2 ranks: 1 have not triggered it"}) {
      EXPECT_NE(text.find(part), std::string::npos) << part << " is not in: " << text;
    }
  }
}

TEST(GraphTime, TheStopFlagInterrupts) {
  const spec::SystemSpec system = test::pinned_trn2("trn2.48xlarge");
  test::JobBuilder builder(system, 8);
  builder.kernel("a", builder.gemm(4096, 4096, 2048));
  const volatile std::sig_atomic_t flag = 1;
  sim::GraphOptions options;
  options.stop_flag = &flag;
  EXPECT_THROW((void)sim::simulate_graph(system, builder.job, options), sim::Interrupted);
  EXPECT_GT(builder.run().time, Femtos{0});  // the next run is not affected
}

}  // namespace
}  // namespace trnsim
