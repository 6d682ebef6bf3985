// Views of a collective sweep that was made by hand.
#include <gtest/gtest.h>

#include <algorithm>
#include <sstream>

#include "support/systems.h"
#include "trnsim/study/collective_sweep.h"

namespace trnsim::study {
namespace {

class CollectiveReport : public ::testing::Test {
 protected:
  CollectiveReport() {
    request.op = collectives::Op::kAllReduce;
    sweep.ranks = 64;
    sweep.group_size = 16;
    sweep.groups = 4;
    sweep.shape = "line";
    CollectivePoint point;
    point.bytes = 3 << 20;
    point.time_us = 50;
    point.algbw_GBps = 62.91456;
    point.busbw_GBps = 117.9648;
    point.selection.algorithm = collectives::Algorithm::kRdh;
    point.selection.reason = "from 1 MB on";
    point.steps = 8;
    point.transfers = 512;
    point.bottleneck = "link chip 0 -> chip 1 (x)";
    point.bottleneck_utilization = 0.75;
    sweep.points.push_back(point);
    point.bytes = 1000;
    point.time_us = 10;
    sweep.points.push_back(point);
  }
  [[nodiscard]] std::string text(const std::vector<MeasuredCollective>& measured = {}) const {
    // One space where there are several: columns may become wider or narrower.
    std::string all = collective_text(system, request, sweep, measured);
    all.erase(std::unique(all.begin(), all.end(), [](char a, char b) { return a == ' ' && b == ' '; }),
              all.end());
    return all;
  }
  static void expect_in(const std::string& text, const std::string& part) {
    EXPECT_NE(text.find(part), std::string::npos) << part << " is not in:\n" << text;
  }

  const spec::LoadedSystem& system = test::shipped("trn2.48xlarge");
  CollectiveRequest request;
  CollectiveSweep sweep;
};

TEST_F(CollectiveReport, TextNamesWhatRanAndWhatBinds) {
  expect_in(text(), "all_reduce over 16 ranks, 4 groups at a time on trn2.48xlarge (line, flow network)");
  expect_in(text(), "\n 3 MiB 50.00 62.91 117.96 rdh 75 % ");
  expect_in(text(), "chip 0 -> chip 1");
  expect_in(text(), "\n 1000 B 10.00 ");
  expect_in(text(), "depends on collective_setup_us");
  EXPECT_EQ(text().find("slow path"), std::string::npos);
  EXPECT_EQ(text().find("mean error"), std::string::npos);
}

TEST_F(CollectiveReport, TextSaysWhyAGroupIsSlow) {
  sweep.points.front().selection.legality = {false, "irregular groups are slow"};
  expect_in(text(), " slow path irregular groups are slow\n");
}

// 50 / 40 = 1.25 and 10 / 10: the mean error is 12.5 %.
TEST_F(CollectiveReport, TextComparesWithMeasurements) {
  const std::string compared = text({{3 << 20, 40}, {1000, 10}});
  expect_in(compared, " 40.0 1.250\n");
  expect_in(compared, " 10.0 1.000\n");
  expect_in(compared, " mean error 12.5 % over 2 sizes\n");
  expect_in(text({{77, 1}}), "no size is in both");
  // One size of two.
  expect_in(text({{3 << 20, 40}}), " mean error 25.0 % over 1 sizes\n");
}

TEST_F(CollectiveReport, JsonHasEverything) {
  const nlohmann::ordered_json json = collective_json(system, request, sweep, {{3 << 20, 40}});
  EXPECT_EQ(json["format"], "trnsim-collective");
  EXPECT_EQ(json["group_size"], 16);
  EXPECT_EQ(json["groups"], 4);
  EXPECT_EQ(json["space"], "hbm");
  EXPECT_EQ(json["network"], "flow");
  ASSERT_EQ(json["points"].size(), 2U);
  EXPECT_EQ(json["points"][0]["algorithm"], "rdh");
  EXPECT_EQ(json["points"][0]["ratio"], 1.25);
  EXPECT_EQ(json["points"][0]["bottleneck"], "link chip 0 -> chip 1 (x)");
  EXPECT_FALSE(json["points"][1].contains("measured_us"));
}

TEST_F(CollectiveReport, CsvHasALinePerSize) {
  std::ostringstream out;
  collective_csv(request, sweep, out);
  EXPECT_EQ(out.str(),
            "op,group_size,bytes,time_us,algbw_GBps,busbw_GBps,algorithm,steps,bottleneck,"
            "bottleneck_utilization\n"
            "all_reduce,16,3145728,50,62.91456,117.9648,rdh,8,link chip 0 -> chip 1 (x),0.75\n"
            "all_reduce,16,1000,10,62.91456,117.9648,rdh,8,link chip 0 -> chip 1 (x),0.75\n");
}

}  // namespace
}  // namespace trnsim::study
