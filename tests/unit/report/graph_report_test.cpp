// Views of a distributed run that was made by hand: two ranks, a kernel and a collective.
#include "trnsim/report/graph_report.h"

#include <gtest/gtest.h>

#include <sstream>

#include "support/systems.h"
#include "trnsim/spec/peaks.h"

namespace trnsim::report {
namespace {

// Each of two ranks of eight cores: a kernel from 0 to 60 us, an all-reduce from 40 to 90, the run ends at
// 100 (a second kernel of rank 1 from 90 on).
class GraphReport : public ::testing::Test {
 protected:
  GraphReport() {
    job.label = "two ranks";
    job.cores_per_rank = 8;
    job.tokens = 4096;
    job.layers_scale = 2;
    job.rate_name = "TTFT";
    workload::JobNode kernel;
    kernel.name = "gemm";
    kernel.flops = 6e9;
    kernel.overhead_us = 1.5;
    workload::JobNode sum;
    sum.name = "sum";
    sum.kind = workload::JobKind::kCollective;
    sum.bytes = 2'500'000;
    sum.stream = 2;
    sum.selection.algorithm = collectives::Algorithm::kRdh;
    sum.selection.reason = "from 1 MB on";
    sum.groups.push_back({{{0, 1}}, nullptr});
    workload::JobNode last;
    last.name = "a_kernel_with_a_name_that_is_too_long_for_the_table";
    last.ranks = {1};
    job.nodes = {kernel, sum, last};

    record.time = from_ns(100e3);
    record.ranks = 2;
    record.simulated_chips = 1;
    record.chips = 16;
    record.folded = true;
    record.model_flops = 12e9;
    record.transfers = 6;
    record.rank_time = {130'000'000'000, 40'000'000'000, 60'000'000'000, 10'000'000'000};
    record.nodes.resize(3);
    set(0, 0, 60, 2, 0);
    set(1, 40, 90, 2, 5);
    set(2, 90, 100, 1, 0);
    record.engines[0].busy_fs = 400'000'000'000;  // a quarter of 16 cores x 100 us
    record.resources = {{"link chip 0 -> chip 1 (x)", fabric::ResourceKind::kLink, 128, 6.4e6, 50'000'000'000},
                        {"rank 0 DMA", fabric::ResourceKind::kChannel, 1024, 6.4e6, 50'000'000'000},
                        {"link chip 1 -> chip 0 (x)", fabric::ResourceKind::kLink, 128, 0, 0}};
    record.timeline = {{0, 0, {}, {}, from_ns(60e3)},
                       {0, 1, from_ns(40e3), from_ns(40e3), from_ns(90e3)},
                       {1, 2, from_ns(80e3), from_ns(90e3), from_ns(100e3)}};
  }
  void set(std::size_t n, double start_us, double end_us, std::uint32_t ranks, double waited_us) {
    sim::NodeRecord& node = record.nodes[n];
    node.first_start = node.last_start = from_ns(start_us * 1e3);
    node.first_end = node.last_end = from_ns(end_us * 1e3);
    node.ranks = ranks;
    node.busy_fs = ranks * (node.last_end - node.last_start).count;
    node.wait_fs = ranks * from_ns(waited_us * 1e3).count;
  }
  [[nodiscard]] std::string text() const { return graph_text(system, {job, record}); }
  void expect_in_text(const std::string& part) const {
    EXPECT_NE(text().find(part), std::string::npos) << part << " is not in:\n" << text();
  }

  const spec::LoadedSystem& system = test::shipped("trn2.48xlarge");
  workload::GraphJob job;
  sim::GraphRecord record;
};

TEST_F(GraphReport, RatesAndShares) {
  const GraphMetrics metrics = graph_metrics(system.spec, {job, record});
  EXPECT_DOUBLE_EQ(metrics.time_us, 100);
  EXPECT_DOUBLE_EQ(metrics.scaled_us, 200);
  EXPECT_DOUBLE_EQ(metrics.tokens_per_second, 4096 / 200e-6);
  EXPECT_DOUBLE_EQ(metrics.pflops, 12e9 / 100e-6 * 1e-15);
  EXPECT_DOUBLE_EQ(metrics.peak_pflops,
                   16 * spec::core_peak_tflops(system.spec.chip.core, DType::kBFloat16) * 1e-3);
  EXPECT_DOUBLE_EQ(metrics.mfu, metrics.pflops / metrics.peak_pflops);
  EXPECT_DOUBLE_EQ(metrics.compute_share, 0.65);
  EXPECT_DOUBLE_EQ(metrics.exposed_share, 0.3);
  EXPECT_DOUBLE_EQ(metrics.idle_share, 0.05);
  EXPECT_DOUBLE_EQ(metrics.hidden_share, 0.4);
}

TEST_F(GraphReport, ARunThatTakesNoTimeHasNoRates) {
  record = {};
  const GraphMetrics metrics = graph_metrics(system.spec, {job, record});
  EXPECT_EQ(metrics.pflops, 0);
  EXPECT_EQ(metrics.tokens_per_second, 0);
  EXPECT_EQ(metrics.hidden_share, 0);
}

TEST_F(GraphReport, TextSaysHowRanksSpendTheirTime) {
  expect_in_text("two ranks\non trn2.48xlarge: 2 ranks of 8 cores, flow network, 1 of 16 chips simulated");
  expect_in_text("  time        100.00 us\n");
  expect_in_text("  TTFT        200.00 us   this time x 2\n");
  expect_in_text("  rate        20480000 tokens/s\n");
  expect_in_text("compute 65.0 %, exposed communication 30.0 %, waiting 5.0 %");
  expect_in_text("40.0 % of the time in communication is hidden by compute");
  expect_in_text("Tensor 25.0");
  // 6 GFLOP in 60 us; 2.5 MB.
  expect_in_text("0.0       60.00      2  100.0 TFLOPS\n");
  expect_in_text("40.0       50.00      2  2.5 MB rdh\n");
  expect_in_text("a_kernel_with_a_name_that~");
  // 6.4 MB of 12.8 that pass in 100 us; the other link is idle.
  expect_in_text("25.0 % used on average");
  expect_in_text(" 50.0 %      6.40 MB\n");
}

TEST_F(GraphReport, JsonHasEveryNode) {
  const nlohmann::ordered_json json = graph_json(system, {job, record});
  EXPECT_EQ(json["schema"], kGraphSchema);
  EXPECT_EQ(json["cores"], "folded");
  EXPECT_EQ(json["simulated_chips"], 1);
  EXPECT_DOUBLE_EQ(json["rank_time_us"]["compute"], 130);
  EXPECT_DOUBLE_EQ(json["rank_time_us"]["hidden_communication"], 40);
  ASSERT_EQ(json["nodes"].size(), 3U);
  EXPECT_EQ(json["nodes"][0]["kind"], "kernel");
  EXPECT_DOUBLE_EQ(json["nodes"][0]["overhead_us"], 1.5);
  EXPECT_EQ(json["nodes"][1]["algorithm"], "rdh");
  EXPECT_EQ(json["nodes"][1]["group_size"], 2);
  EXPECT_DOUBLE_EQ(json["nodes"][1]["mean_wait_for_ranks_us"], 5);
  EXPECT_DOUBLE_EQ(json["nodes"][1]["mean_us"], 50);
  // Resources that carried something.
  ASSERT_EQ(json["resources"].size(), 2U);
  EXPECT_EQ(json["resources"][0]["kind"], "link");
  EXPECT_EQ(json["resources"][1]["kind"], "channel");
  EXPECT_TRUE(json["config"].is_object());
}

TEST_F(GraphReport, TheTimelineHasATrackPerStream) {
  std::ostringstream out;
  graph_perfetto({job, record}, out);
  const nlohmann::json json = nlohmann::json::parse(out.str());
  std::vector<nlohmann::json> slices;
  std::size_t processes = 0;
  for (const nlohmann::json& event : json["traceEvents"]) {
    if (event["ph"] == "X") {
      slices.push_back(event);
    }
    processes += event["name"] == "process_name" ? 1U : 0U;
  }
  EXPECT_EQ(processes, 2U);
  ASSERT_EQ(slices.size(), 3U);
  EXPECT_EQ(slices[0]["tid"], 0);
  EXPECT_EQ(slices[1]["tid"], 3);  // stream 2
  EXPECT_EQ(slices[1]["cat"], "collective");
  EXPECT_DOUBLE_EQ(slices[1]["ts"], 40);
  EXPECT_DOUBLE_EQ(slices[1]["dur"], 50);
  EXPECT_EQ(slices[2]["pid"], 1);
  EXPECT_DOUBLE_EQ(slices[2]["args"]["ready_us"], 80);
}

}  // namespace
}  // namespace trnsim::report
