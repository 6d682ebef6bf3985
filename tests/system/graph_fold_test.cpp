// Chips that run the same are simulated once: the same times as all of them, or an error.
#include <gtest/gtest.h>

#include "support/graphs.h"
#include "trnsim/base/error.h"
#include "trnsim/report/graph_report.h"
#include "trnsim/workload/graph.h"

namespace trnsim {
namespace {

using collectives::Algorithm;
using collectives::Op;

constexpr std::uint64_t kMiB = 1 << 20;

void expect_near(Femtos a, Femtos b, const std::string& what) {
  EXPECT_LE((max(a, b) - min(a, b)).count, 1000U) << what << ": " << a.ns() << " and " << b.ns();
}

void expect_equal(const workload::GraphJob& job, const sim::GraphRecord& folded,
                  const sim::GraphRecord& all) {
  EXPECT_LT(folded.simulated_chips, all.simulated_chips);
  EXPECT_LT(folded.wakeups, all.wakeups);
  expect_near(folded.time, all.time, "time");
  for (std::size_t n = 0; n < job.nodes.size(); ++n) {
    const std::string& name = job.nodes[n].name;
    EXPECT_EQ(folded.nodes[n].ranks, all.nodes[n].ranks) << name;
    expect_near(folded.nodes[n].first_start, all.nodes[n].first_start, name);
    expect_near(folded.nodes[n].last_start, all.nodes[n].last_start, name);
    expect_near(folded.nodes[n].first_end, all.nodes[n].first_end, name);
    expect_near(folded.nodes[n].last_end, all.nodes[n].last_end, name);
  }
  EXPECT_EQ(folded.hbm_bytes, all.hbm_bytes);
  EXPECT_EQ(folded.counted_flops, all.counted_flops);
  EXPECT_EQ(folded.transfers, all.transfers);
  for (std::size_t e = 0; e < all.engines.size(); ++e) {
    EXPECT_EQ(folded.engines[e].flops, all.engines[e].flops);
    EXPECT_NEAR(static_cast<double>(folded.engines[e].busy_fs), static_cast<double>(all.engines[e].busy_fs),
                1e-6 * static_cast<double>(all.engines[e].busy_fs));
  }
  ASSERT_EQ(folded.resources.size(), all.resources.size());
  for (std::size_t r = 0; r < all.resources.size(); ++r) {
    EXPECT_NEAR(folded.resources[r].bytes, all.resources[r].bytes, 1e-6 * all.resources[r].bytes);
  }
}

class Folded : public ::testing::Test {
 protected:
  const spec::SystemSpec& system = test::shipped("trn2.48xlarge").spec;

  void expect_exact(const test::JobBuilder& builder, std::uint32_t classes) const {
    const sim::GraphRecord folded = builder.run(true);
    const sim::GraphRecord all = builder.run(false);
    EXPECT_EQ(folded.simulated_chips, classes);
    EXPECT_EQ(all.simulated_chips, 16U);
    expect_equal(builder.job, folded, all);
    for (const sim::GraphRecord* record : {&folded, &all}) {
      test::expect_divided(builder.job, *record);
      test::expect_bytes_of_dags(system, builder.job, *record);
    }
  }
  // Same job, refused folded, fine with all chips.
  static std::string refusal(const test::JobBuilder& builder,
                             sim::NetworkModel network = sim::NetworkModel::kFlow) {
    EXPECT_GT(builder.run(false, network).time, Femtos{0});
    try {
      (void)builder.run(true, network);
    } catch (const Error& error) {
      return error.what();
    }
    return "";
  }
};

TEST_F(Folded, ProductsAndAllReduceOfChips) {
  test::JobBuilder builder(system, 8);
  const auto product = builder.gemm(512, 1024, 512);
  const std::uint32_t a = builder.kernel("a", product);
  const std::uint32_t sum =
      builder.collective("sum", {Op::kAllReduce, Algorithm::kRing, 8 * kMiB, {}, 0, 2}, {a});
  const std::uint32_t b = builder.kernel("b", product, {sum}, {}, 2);
  builder.collective("sum2", {Op::kAllReduce, Algorithm::kRdh, kMiB, {}, 0, 1}, {b});
  expect_exact(builder, 1);
}

TEST_F(Folded, ProductsAndAllReduceOfLogicalCores) {
  test::JobBuilder builder(system, 2);
  const auto product = builder.gemm(256, 1024, 256);
  std::uint32_t last = builder.kernel("a", product);
  for (const Algorithm algorithm : {Algorithm::kKangaRing, Algorithm::kRdh, Algorithm::kMesh}) {
    last = builder.collective(std::string("sum ") + collectives::name(algorithm),
                              {Op::kAllReduce, algorithm, kMiB, {}, 0, 1}, {last});
    last = builder.kernel(std::string("after ") + collectives::name(algorithm), product, {last});
  }
  expect_exact(builder, 1);
}

// The product and the all-gather share HBM all the time.
TEST_F(Folded, ProductBesideAnAllGather) {
  for (const std::uint32_t cores : {8U, 2U}) {
    test::JobBuilder builder(system, cores);
    builder.collective("gather", {Op::kAllGather, Algorithm::kRing, 32 * kMiB, {}, 1, 2});
    builder.kernel("a", builder.gemm(512, 1024, 512));
    expect_exact(builder, 1);
  }
}

// Rows of the torus, each a group of its own.
TEST_F(Folded, GroupsOfChips) {
  test::JobBuilder builder(system, 8);
  const auto product = builder.gemm(512, 512, 512);
  const std::uint32_t a = builder.kernel("a", product);
  const std::uint32_t gather = builder.collective(
      "gather",
      {Op::kAllGather, Algorithm::kRing, 4 * kMiB,
       {{0, 1, 2, 3}, {4, 5, 6, 7}, {8, 9, 10, 11}, {12, 13, 14, 15}}, 0, 1},
      {a});
  builder.kernel("b", product, {gather});
  expect_exact(builder, 1);
}

// Eight chips compute, send to the chip across, and that one computes: two classes.
TEST_F(Folded, PipelineOfTwoStages) {
  test::JobBuilder builder(system, 8);
  std::vector<std::uint32_t> first;
  std::vector<std::uint32_t> second;
  std::vector<std::vector<std::uint32_t>> pairs;
  for (std::uint32_t rank = 0; rank < 8; ++rank) {
    first.push_back(rank);
    second.push_back(rank + 8);
    pairs.push_back({rank, rank + 8});
  }
  const auto product = builder.gemm(512, 512, 512);
  std::uint32_t before = 0;
  for (int micro = 0; micro < 2; ++micro) {
    const std::string number = std::to_string(micro);
    const std::uint32_t a = builder.kernel("stage0." + number, product, {}, first);
    const std::uint32_t send = builder.collective(
        "send." + number, {Op::kPermute, Algorithm::kDirect, 2 * kMiB, pairs, 0, 1, {{0, 1}}}, {a});
    before = builder.kernel("stage1." + number, product, {send}, second);
  }
  expect_exact(builder, 2);
  EXPECT_GT(before, 0U);
}

// Three chips have more to do than the others.
TEST_F(Folded, ChipsThatDifferAreNotFolded) {
  test::JobBuilder builder(system, 8);
  const auto product = builder.gemm(512, 512, 512);
  const std::uint32_t extra = builder.kernel("extra", product, {}, {1, 5, 7});
  const std::uint32_t sum =
      builder.collective("sum", {Op::kAllReduce, Algorithm::kRing, kMiB, {}, 0, 1}, {extra});
  builder.kernel("b", product, {sum}, {}, 1);
  const sim::GraphRecord folded = builder.run(true);
  EXPECT_EQ(folded.simulated_chips, 2U);
  EXPECT_EQ(builder.run(false).simulated_chips, 16U);
}

// As many kernels, but others, or the same in other places of the chip.
TEST_F(Folded, ChipsAreAlikeOnlyWithTheSameKernelsInTheSamePlaces) {
  test::JobBuilder kernels(system, 8);
  kernels.kernel("small", kernels.gemm(256, 512, 256), {}, {0, 2, 4, 6, 8, 10, 12, 14});
  kernels.kernel("large", kernels.gemm(1024, 512, 256), {}, {1, 3, 5, 7, 9, 11, 13, 15});
  expect_exact(kernels, 2);
  // Four ranks on a chip: the first of eight chips computes, the second of the others.
  test::JobBuilder places(system, 2);
  std::vector<std::uint32_t> ranks;
  for (std::uint32_t chip = 0; chip < 16; ++chip) {
    ranks.push_back(4 * chip + chip % 2);
  }
  places.kernel("a", places.gemm(256, 512, 256), {}, ranks);
  expect_exact(places, 2);
}

// A chain from chip 0: the ranks are done one after the other.
TEST_F(Folded, KernelsBehindABroadcastAreRefused) {
  test::JobBuilder builder(system, 8);
  const std::uint32_t cast =
      builder.collective("cast", {Op::kBroadcast, Algorithm::kRing, 4 * kMiB, {}, 0, 1});
  builder.kernel("a", builder.gemm(256, 512, 256), {cast});
  const std::string text = refusal(builder);
  EXPECT_NE(text.find("cores: folded does not hold here"), std::string::npos) << text;
  EXPECT_NE(text.find("--cores all"), std::string::npos) << text;
}

// The analytic network takes nothing of memories: what is refused is the time of the start, whether it
// comes behind the end of the leader's kernel or before it.
TEST_F(Folded, SoftwareBehindABroadcastIsRefused) {
  for (const double us : {0.5, 500.0}) {
    test::JobBuilder builder(system, 8);
    const std::uint32_t cast =
        builder.collective("cast", {Op::kBroadcast, Algorithm::kRing, 4096, {}, 0, 1});
    builder.software("after", us, {cast});
    const std::string text = refusal(builder, sim::NetworkModel::kAnalytic);
    EXPECT_NE(text.find("would start after at another time than rank0"), std::string::npos)
        << us << ": " << text;
  }
}

// The kernel depends on nothing, but a chip in the middle of the chain has less of its memory than the
// first.
TEST_F(Folded, KernelsBesideABroadcastAreRefused) {
  test::JobBuilder builder(system, 8);
  builder.collective("cast", {Op::kBroadcast, Algorithm::kRing, 16 * kMiB, {}, 0, 1});
  builder.kernel("a", builder.gemm(512, 1024, 512));
  const std::string text = refusal(builder);
  EXPECT_NE(text.find("other shares of memory"), std::string::npos) << text;
}

// Collectives alone are simulated for all ranks anyway.
TEST_F(Folded, ABroadcastAloneIsExact) {
  test::JobBuilder builder(system, 8);
  builder.collective("cast", {Op::kBroadcast, Algorithm::kRing, 16 * kMiB, {}, 0, 1});
  const sim::GraphRecord folded = builder.run(true);
  const sim::GraphRecord all = builder.run(false);
  EXPECT_EQ(folded.time, all.time);
  EXPECT_EQ(folded.nodes[0].first_end, all.nodes[0].first_end);
}

class Shipped : public ::testing::TestWithParam<const char*> {};

TEST_P(Shipped, IsExact) {
  const workload::Graph graph = workload::load_graph(std::string(TRNSIM_SOURCE_DIR "/configs/workloads/") +
                                                     GetParam() + ".yaml");
  const spec::LoadedSystem& system = test::shipped(graph.system);
  const workload::GraphJob job = workload::make_job(graph, system.spec, {});
  sim::GraphOptions options;
  const sim::GraphRecord folded = sim::simulate_graph(system.spec, job, options);
  const sim::GraphRecord again = sim::simulate_graph(system.spec, job, options);
  options.folded = false;
  const sim::GraphRecord all = sim::simulate_graph(system.spec, job, options);
  expect_equal(job, folded, all);
  test::expect_divided(job, folded);
  test::expect_divided(job, all);
  test::expect_bytes_of_dags(system.spec, job, folded);
  // The same run again: the same record, but for the time it took.
  nlohmann::ordered_json first = report::graph_json(system, {job, folded});
  nlohmann::ordered_json second = report::graph_json(system, {job, again});
  first.erase("wall_seconds");
  second.erase("wall_seconds");
  EXPECT_EQ(first.dump(), second.dump());
}

INSTANTIATE_TEST_SUITE_P(Workloads, Shipped,
                         ::testing::Values("allgather_matmul", "matmul_reduce_scatter", "tp_gemm_row"));

}  // namespace
}  // namespace trnsim
