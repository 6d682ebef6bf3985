// Graph files: positions of findings, order, ranks and groups, the job made from them.
#include <gtest/gtest.h>

#include "support/systems.h"
#include "trnsim/workload/graph.h"

namespace trnsim::workload {
namespace {

std::string shipped_workload(const std::string& name) {
  return std::string(TRNSIM_SOURCE_DIR) + "/configs/workloads/" + name;
}

TEST(GraphJob, RowParallelGemmHasOneProgramPerBlockShapeAndOneGroup) {
  const Graph graph = load_graph(shipped_workload("tp_gemm_row.yaml"));
  const GraphJob job = make_job(graph, test::shipped("trn2.48xlarge").spec, {});
  EXPECT_EQ(job.cores_per_rank, 8);
  ASSERT_EQ(job.ranks.ranks.size(), 16);
  ASSERT_EQ(job.nodes.size(), 2);
  EXPECT_EQ(job.nodes[0].programs.size(), 8);
  EXPECT_EQ(job.nodes[0].flops, 2.0 * 8192 * 16384 * 1024);
  EXPECT_EQ(job.model_flops, 16 * 2.0 * 8192 * 16384 * 1024);
  EXPECT_EQ(job.nodes[1].after, std::vector<std::uint32_t>{0});
  ASSERT_EQ(job.nodes[1].groups.size(), 1);
  EXPECT_EQ(job.nodes[1].groups[0].group.size(), 16);
  EXPECT_EQ(job.nodes[1].bytes, 8192ULL * 16384 * 2);
  EXPECT_TRUE(job.nodes[1].ranks.empty());
}

}  // namespace
}  // namespace trnsim::workload
