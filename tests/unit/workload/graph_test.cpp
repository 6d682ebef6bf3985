// Graph files: positions of findings, order, ranks and groups, the job made from them.
#include <unistd.h>

#include "trnsim/workload/graph.h"

#include <gtest/gtest.h>

#include <fstream>

#include "support/systems.h"
#include "trnsim/kernels/gemm.h"
#include "trnsim/trace/file.h"

namespace trnsim::workload {
namespace {

std::string shipped_workload(const std::string& name) {
  return std::string(TRNSIM_SOURCE_DIR) + "/configs/workloads/" + name;
}

std::string written(const std::string& text, const std::string& name = "graph_test.yaml") {
  const std::string path = testing::TempDir() + std::to_string(::getpid()) + name;
  std::ofstream(path) << text;
  return path;
}

// What `action` throws, with the file's path as "F".
template <typename Action>
std::string message_of(const std::string& path, const Action& action) {
  try {
    action();
  } catch (const Error& error) {
    std::string what = error.what();
    for (std::size_t at = what.find(path); at != std::string::npos; at = what.find(path)) {
      what.replace(at, path.size(), "F");
    }
    return what;
  }
  return "";
}

std::string load_message(const std::string& text, const std::string& name = "graph_test.yaml") {
  const std::string path = written(text, name);
  return message_of(path, [&] { static_cast<void>(load_graph(path)); });
}

std::string job_message(const std::string& text, const std::string& system = "trn2.48xlarge") {
  const std::string path = written(text);
  return message_of(
      path, [&] { static_cast<void>(make_job(load_graph(path), test::shipped(system).spec, {})); });
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

TEST(GraphFile, EveryFindingHasItsPlace) {
  EXPECT_EQ(load_message("nodes:\n"
                         "  - {name: a, kernel: gem, m: 8}\n"
                         "  - {name: b, collective: all_reduc, bytes: 0, grups: all}\n"
                         "  - {name: c, kernel: gemm, m: -1}\n"
                         "  - {kernel: gemm, trace: x}\n"
                         "  - {name: e, send: 0, bytes: 1 KiB}\n"
                         "rank: chips\n"),
            "F:2:23: unknown kernel 'gem'; did you mean 'gemm'?\n"
            "F:3:27: unknown collective 'all_reduc'; did you mean 'all_reduce'?\n"
            "F:3:45: 'bytes' must be a whole number of bytes above 0; write 268435456 or 256 MiB\n"
            "F:3:48: unknown key 'grups'; did you mean 'groups'?\n"
            "F:4:32: m '-1' is not a whole number from 0 to 4294967295\n"
            "F:5:5: 'name' is missing in a node\n"
            "F:5:5: node '' has both 'kernel' and 'trace'; make it two nodes\n"
            "F:6:5: 'receive' is missing in node 'e'; as many ranks as 'send' names\n"
            "F:7:7: rank 'chips' does not exist; did you mean 'chip'?");
}

TEST(GraphFile, NamesUnknownPredecessorsAndCycles) {
  EXPECT_EQ(load_message("nodes:\n"
                         "  - {name: a, work: {flops: 1}, after: [bb]}\n"
                         "  - {name: b, work: {flops: 1}}\n"),
            "F:2:5: node 'a' comes after 'bb', which does not exist; did you mean 'b'?");
  EXPECT_EQ(load_message("nodes:\n"
                         "  - {name: x, work: {flops: 1}}\n"
                         "  - {name: a, work: {flops: 1}, after: [c, x]}\n"
                         "  - {name: b, work: {flops: 1}, after: a}\n"
                         "  - {name: c, work: {flops: 1}, after: b}\n"),
            "F:3:5: nodes wait for each other: a -> b -> c -> a; remove one of these from 'after'");
}

TEST(GraphFile, SortsNodesButKeepsTheWrittenOrderOtherwise) {
  const Graph graph =
      load_graph(written("nodes:\n"
                         "  - {name: c, work: {flops: 1}, after: [a]}\n"
                         "  - {name: b, work: {flops: 1}}\n"
                         "  - {name: a, work: {flops: 1}}\n"));
  ASSERT_EQ(graph.nodes.size(), 3);
  EXPECT_EQ(graph.nodes[0].name + graph.nodes[1].name + graph.nodes[2].name, "bac");
}

TEST(GraphFile, JsonLinesGiveTheSameGraphAgain) {
  for (const char* name : {"tp_gemm_row_sp.yaml", "allgather_matmul.yaml", "qwen3_235b_moe.yaml",
                           "train_step_8b_1f1b.yaml"}) {
    SCOPED_TRACE(name);
    const Graph graph = load_graph(shipped_workload(name));
    const std::string text = to_jsonl(graph);
    const Graph again = load_graph(written(text, "again.jsonl"));
    EXPECT_TRUE(same_graph(graph, again));
    EXPECT_EQ(to_jsonl(again), text);
    EXPECT_TRUE(is_graph_file(written(text, "again.jsonl")));
  }
  EXPECT_FALSE(is_graph_file(shipped_workload("transformer_layer.yaml")));
}

TEST(GraphFile, JsonLinesNameTheLine) {
  EXPECT_EQ(load_message("{\"trnsim_graph\": 1, \"name\": \"g\"}\n"
                         "{\"name\": \"a\", \"work\": {\"flops\": 1}}\n"
                         "{\"name\": \"b\", \"work\": {\"flop\": 1}}\n",
                         "lines.jsonl"),
            "F:3:24: unknown key 'flop'; did you mean 'flops'?");
  EXPECT_EQ(load_message("{\"trnsim_graph\": 1}\nname: a\n", "lines.jsonl"),
            "F:2:2: this line is not JSON; one object per line");
}

// tp innermost: with tp 4 and dp 2 on eight ranks, tp groups are 0-3 and 4-7, dp groups 0,4 1,5 2,6
// 3,7.
TEST(GraphJob, AxesNameGroups) {
  const auto groups = [](const std::string& axis) {
    const Graph graph =
        load_graph(written("parallel: {tp: 4, dp: 2, ep: 2, etp: 2}\nnodes:\n  - {name: a, "
                           "collective: all_reduce, bytes: 1 MiB, groups: " +
                           axis + "}\n"));
    std::string text;
    const GraphJob job = make_job(graph, test::shipped("trn2.48xlarge").spec, {});
    for (const GroupRun& run : job.nodes[0].groups) {
      for (const std::uint32_t rank : run.group.ranks) {
        text += std::to_string(rank);
      }
      text += ' ';
    }
    return text;
  };
  EXPECT_EQ(groups("tp"), "0123 4567 ");
  EXPECT_EQ(groups("dp"), "04 15 26 37 ");
  EXPECT_EQ(groups("etp"), "01 23 45 67 ");
  EXPECT_EQ(groups("ep"), "02 13 46 57 ");
}

TEST(GraphJob, GroupsThatCannotBeNameTheirPlace) {
  EXPECT_EQ(job_message("nodes:\n  - {name: a, collective: all_reduce, bytes: 64, groups: 0-16}\n"),
            "F:2:58: node 'a': rank 16 in replica groups '0-16' does not exist; ranks are 0 to 15");
  EXPECT_EQ(job_message("nodes:\n  - {name: a, send: 0-1, receive: '1,1', bytes: 64}\n"),
            "F:2:21: node 'a': rank 1 sends to itself");
  EXPECT_EQ(job_message("parallel: {tp: 16}\nnodes:\n  - {name: a, kernel: gemm, stage: 1}\n"),
            "F:3:5: node 'a': ranks 'stage:1': no such pipeline stage; stages are stage:0 to "
            "stage:0 (pp: 1)");
}

TEST(GraphJob, TransfersPairRanksOneByOne) {
  const Graph graph = load_graph(written(
      "parallel: {tp: 2, pp: 2}\nnodes:\n"
      "  - {name: f, kernel: gemm, m: 128, n: 128, k: 128, stage: 0}\n"
      "  - {name: t, send: stage:0, receive: stage:1, bytes: 1 MiB, after: f, stream: 1}\n"));
  const GraphJob job = make_job(graph, test::shipped("trn2.48xlarge").spec, {});
  EXPECT_EQ(job.nodes[0].ranks, (std::vector<std::uint32_t>{0, 1}));
  const JobNode& node = job.nodes[1];
  EXPECT_TRUE(node.ranks.empty());
  ASSERT_EQ(node.groups.size(), 2);
  EXPECT_EQ(node.groups[1].group.ranks, (std::vector<std::uint32_t>{1, 3}));
  ASSERT_EQ(node.groups[1].dag->transfers.size(), 1);
  EXPECT_EQ(node.groups[1].dag->transfers[0].bytes, 1U << 20);
  EXPECT_EQ(node.stream, 1);
}

// Eight cores of 2.4 GHz x 128 x 128 x 2; the share of HBM is the whole chip's.
TEST(GraphJob, WorkTakesTheLongerOfComputeAndMemory) {
  const spec::SystemSpec system = test::pinned_trn2("trn2.48xlarge");
  const Graph graph =
      load_graph(written("nodes:\n  - {name: a, work: {flops: 6.29145600e11}}\n"
                         "  - {name: b, work: {bytes: 2609152000, flops: 1}}\n"));
  const GraphJob job = make_job(graph, system, {});
  // 128 x 128 x 2 x 2.4e9 x 8 = 6.291456e14 per second.
  EXPECT_NEAR(job.nodes[0].overhead_us, 1000, 1e-6);
  EXPECT_EQ(job.nodes[0].programs, std::vector<std::shared_ptr<const lower::Program>>(8));
  // Four stacks of 652.288 GB/s.
  EXPECT_NEAR(job.nodes[1].overhead_us, 1000, 1e-6);
}

// A logical core has two physical ones: the trace runs on both, 2 x 128^3 FLOPs on each.
TEST(GraphJob, ATraceRunsOnEveryCoreOfARank) {
  const spec::SystemSpec& system = test::shipped("trn2.3xlarge").spec;
  kernels::GemmOptions options;
  options.m = options.n = options.k = 128;
  trace::write_trt(kernels::gemm(options, system.chip.core), testing::TempDir() + "graph_test.trt");
  const Graph graph =
      load_graph(written("rank: logical_core\nnodes:\n"
                         "  - {name: t, trace: graph_test.trt, ranks: 0-1}\n"));
  const GraphJob job = make_job(graph, system, {});
  EXPECT_EQ(job.ranks.ranks.size(), 4);
  ASSERT_EQ(job.nodes[0].programs.size(), 2);
  EXPECT_EQ(job.nodes[0].programs[0], job.nodes[0].programs[1]);
  EXPECT_NE(job.nodes[0].programs[0], nullptr);
  EXPECT_EQ(job.nodes[0].flops, 2 * 2.0 * 128 * 128 * 128);
  EXPECT_EQ(job.nodes[0].ranks, (std::vector<std::uint32_t>{0, 1}));
}

TEST(GraphJob, EqualKernelsAndCollectivesAreMadeOnce) {
  const Graph graph = load_graph(shipped_workload("allgather_matmul.yaml"));
  const GraphJob job = make_job(graph, test::shipped("trn2.48xlarge").spec, {});
  EXPECT_EQ(job.nodes[0].groups[0].dag, job.nodes[2].groups[0].dag);
  const auto programs_of = [&](const char* name) {
    for (const JobNode& node : job.nodes) {
      if (node.name == name) {
        return node.programs;
      }
    }
    return job.nodes[0].programs;
  };
  EXPECT_EQ(programs_of("gemm0"), programs_of("gemm3"));
  EXPECT_EQ(programs_of("gemm0").size(), 8);
}

TEST(TransformerFile, FindingsNameTheKey) {
  EXPECT_EQ(load_message("parallel: {tp: 16}\n"
                         "transformer:\n"
                         "  model: llama-3.1-8b\n"
                         "  phase: decode\n"
                         "  tokens: 4\n"
                         "  moe: {skew: 1}\n"),
            "F:5:3: unknown key 'tokens'; keys here: model, phase, layers, whole_model, dtype, "
            "layer_overhead_us, batch, context, kv_splits, kv_sharded, moe\n"
            "F:6:8: llama-3.1-8b has no experts");
  EXPECT_EQ(load_message("parallel: {tp: 64}\n"
                         "transformer: {model: llama-3.1-8b, phase: prefill, tokens: 8192}\n"),
            "F:2:14: 32 heads cannot be divided by tp 64");
  EXPECT_EQ(load_message("parallel: {tp: 16, ep: 3}\n"
                         "transformer: {model: llama-3.1-9b, phase: prefil, tokens: 8192}\n"),
            "F:1:11: ep 3 x etp 1 does not divide the 16 ranks of a stage (tp x cp x dp)\n"
            "F:2:22: model 'llama-3.1-9b' does not exist; did you mean 'llama-3.1-8b'?\n"
            "F:2:43: phase 'prefil' does not exist; did you mean 'prefill'?");
}

}  // namespace
}  // namespace trnsim::workload
