// Shapes and bytes of transformer layers against the tables of interconnect.md 2.3, and the
// pipeline schedule.
#include "trnsim/workload/transformer.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <map>

#include "support/systems.h"
#include "trnsim/base/error.h"

namespace trnsim::workload {
namespace {

const GraphNode& node_of(const Graph& graph, const std::string& name) {
  const auto found = std::find_if(graph.nodes.begin(), graph.nodes.end(),
                                  [&](const GraphNode& node) { return node.name == name; });
  if (found == graph.nodes.end()) {
    throw Error("no node " + name);
  }
  return *found;
}

std::string argument(const GraphNode& node, const std::string& name) {
  for (const auto& [key, value] : node.arguments) {
    if (key == name) {
      return value;
    }
  }
  return "";
}

std::string shape(const Graph& graph, const std::string& name) {
  const GraphNode& node = node_of(graph, name);
  return argument(node, "m") + "x" + argument(node, "n") + "x" + argument(node, "k");
}

Graph prefill(const std::string& model, std::uint32_t tp, bool sp = false) {
  TransformerOptions options;
  options.tokens = 8192;
  options.sequence_parallel = sp;
  Parallel parallel;
  parallel.tp = tp;
  return transformer_graph(load_model(model), options, parallel);
}

struct Shapes {
  const char* model;
  std::uint32_t tp;
  const char* qkv;
  const char* o;
  const char* gate_up;
  const char* down;
  std::uint64_t ar_mib;  // both
  double gflop;          // of a chip
};

TEST(Transformer, LayersHaveTheShapesOfTheTable) {
  constexpr Shapes kTable[] = {{"llama-3.1-8b", 1, "8192x6144x4096", "8192x4096x4096",
                                "8192x28672x4096", "8192x4096x14336", 0, 4123},
                               {"llama-3.1-8b", 16, "8192x512x4096", "8192x4096x256",
                                "8192x1792x4096", "8192x4096x896", 128, 266},
                               {"llama-3.1-70b", 4, "8192x2560x8192", "8192x8192x2048",
                                "8192x14336x8192", "8192x8192x7168", 256, 3780},
                               {"llama-3.1-70b", 16, "8192x768x8192", "8192x8192x512",
                                "8192x3584x8192", "8192x8192x1792", 256, 962},
                               {"llama-3.1-405b", 4, "8192x4608x16384", "8192x16384x4096",
                                "8192x26624x16384", "8192x16384x13312", 512, 13606},
                               {"llama-3.1-405b", 16, "8192x1280x16384", "8192x16384x1024",
                                "8192x6656x16384", "8192x16384x3328", 512, 3436}};
  for (const Shapes& row : kTable) {
    SCOPED_TRACE(testing::Message() << row.model << " TP" << row.tp);
    const Graph graph = prefill(row.model, row.tp);
    EXPECT_EQ(shape(graph, "qkv"), row.qkv);
    EXPECT_EQ(shape(graph, "o"), row.o);
    EXPECT_EQ(shape(graph, "gate_up"), row.gate_up);
    EXPECT_EQ(shape(graph, "down"), row.down);
    std::uint64_t reduced = 0;
    double flops = 0;
    for (const GraphNode& node : graph.nodes) {
      reduced += node.communicates() ? node.bytes : 0;
      if (node.kernel == "gemm") {
        flops += 2.0 * std::stod(argument(node, "m")) * std::stod(argument(node, "n")) *
                 std::stod(argument(node, "k"));
      }
    }
    const Model model = load_model(row.model);
    flops += attention_flops(model, 8192, 8192) / 2 / row.tp;
    EXPECT_EQ(reduced, row.ar_mib << 20);
    EXPECT_NEAR(flops / 1e9, row.gflop, 0.5);
    // KV heads that several ranks have count once.
    EXPECT_LE(graph.model_flops, flops * row.tp * (1 + 1e-12));
    EXPECT_EQ(graph.layers_scale, model.layers);
  }
}

TEST(Transformer, SequenceParallelismMovesTheSameBytesInTwoSteps) {
  const Graph graph = prefill("llama-3.1-405b", 16, true);
  EXPECT_EQ(node_of(graph, "norm1.ag").bytes, 256U << 20);
  EXPECT_EQ(node_of(graph, "norm2.ag").op, collectives::Op::kAllGather);
  EXPECT_EQ(node_of(graph, "o.rs").op, collectives::Op::kReduceScatter);
  EXPECT_EQ(node_of(graph, "down.rs").bytes, 256U << 20);
  EXPECT_EQ(argument(node_of(graph, "norm2"), "tokens"), "512");
}

// Decode of 405B at TP16 and batch 16: all-reduces of 512 KiB; a rank's eight query heads share one
// KV head.
TEST(Transformer, DecodeFoldsTheQueriesOfAGroup) {
  TransformerOptions options;
  options.phase = Phase::kDecode;
  options.batch = 16;
  options.context = 8192;
  Parallel parallel;
  parallel.tp = 16;
  const Graph graph = transformer_graph(load_model("llama-3.1-405b"), options, parallel);
  EXPECT_EQ(node_of(graph, "o.ar").bytes, 512U << 10);
  const GraphNode& attention = node_of(graph, "attention");
  EXPECT_EQ(argument(attention, "heads"), "1");
  EXPECT_EQ(argument(attention, "seq"), "8");
  EXPECT_EQ(argument(attention, "kv-seq"), "8192");
  EXPECT_EQ(graph.tokens, 16);
  EXPECT_EQ(graph.rate_name, "TPOT");
}

// Two copies of each KV head at TP16: each keeps 4,096 of 8,192 tokens and sees the queries of
// both, 16 x 16 x 128 in BF16.
TEST(Transformer, AShardedCacheIsReadOnce) {
  TransformerOptions options;
  options.phase = Phase::kDecode;
  options.batch = 16;
  options.context = 8192;
  options.kv_sharded = true;
  Parallel parallel;
  parallel.tp = 16;
  const Model model = load_model("llama-3.1-405b");
  const Graph graph = transformer_graph(model, options, parallel);
  EXPECT_EQ(argument(node_of(graph, "attention"), "seq"), "16");
  EXPECT_EQ(argument(node_of(graph, "attention"), "kv-seq"), "4096");
  EXPECT_EQ(node_of(graph, "q.ag").bytes, 16U * 16 * 128 * 2);
  EXPECT_EQ(node_of(graph, "attention.rs").groups, "0-1;2-3;4-5;6-7;8-9;10-11;12-13;14-15");
  parallel.tp = 8;
  EXPECT_THROW(static_cast<void>(transformer_graph(model, options, parallel)), Error);
}

struct MoeRow {
  const char* model;
  std::uint32_t ep;
  std::uint32_t tokens;
  bool fp8;
  double dispatch_mib;  // that leave a rank
  double combine_mib;
  double gathered_mib;  // AG + RS, both BF16
};

TEST(Transformer, MoeBytesAreThoseOfTheTable) {
  constexpr MoeRow kTable[] = {{"deepseek-v3", 64, 4096, true, 220, 441, 7056},
                               {"deepseek-v3", 64, 128, true, 6.9, 13.8, 220},
                               {"gpt-oss-120b", 16, 4096, false, 84, 84, 675},
                               {"qwen3-235b-a22b", 32, 4096, false, 248, 248, 1984},
                               {"hyp-frontier-moe-2t", 64, 4096, true, 189, 378, 12096}};
  for (const MoeRow& row : kTable) {
    SCOPED_TRACE(testing::Message() << row.model << " " << row.tokens);
    TransformerOptions options;
    options.tokens = row.tokens;
    options.moe.dispatch_dtype = row.fp8 ? DType::kFloat8E4 : DType::kBFloat16;
    Parallel parallel;
    parallel.dp = parallel.ep = row.ep;
    const double leaves = (row.ep - 1.0) / row.ep / 1048576;
    const double tolerance = row.tokens == 128 ? 0.05 : 0.55;
    Graph graph = transformer_graph(load_model(row.model), options, parallel);
    EXPECT_NEAR(static_cast<double>(node_of(graph, "dispatch").bytes) * leaves, row.dispatch_mib,
                tolerance);
    EXPECT_NEAR(static_cast<double>(node_of(graph, "combine").bytes) * leaves, row.combine_mib,
                tolerance);
    options.moe = {};
    options.moe.dispatch = Dispatch::kGatherScatter;
    graph = transformer_graph(load_model(row.model), options, parallel);
    EXPECT_NEAR(static_cast<double>(node_of(graph, "dispatch.ag").bytes +
                                    node_of(graph, "combine.rs").bytes) *
                    leaves,
                row.gathered_mib, 0.55);
  }
}

// GPT-OSS EP16: 4,096 x 4 rows come to the 8 experts of a rank, 2,048 to each. With a skew of 0.5
// the first rank has 3,072 each, the others (16 - 1.5) / 15 x 2,048 = 1,979.7, rounded up.
TEST(Transformer, SkewMovesRowsToTheFirstRank) {
  TransformerOptions options;
  options.tokens = 4096;
  Parallel parallel;
  parallel.dp = parallel.ep = 16;
  const Model model = load_model("gpt-oss-120b");
  Graph graph = transformer_graph(model, options, parallel);
  EXPECT_EQ(shape(graph, "expert7.gate_up"), "2048x5760x2880");
  options.moe.skew = 0.5;
  graph = transformer_graph(model, options, parallel);
  EXPECT_EQ(shape(graph, "expert0.hot.down"), "3072x2880x2880");
  EXPECT_EQ(node_of(graph, "expert0.hot.down").ranks, "0");
  EXPECT_EQ(shape(graph, "expert7.down"), "1980x2880x2880");
  EXPECT_EQ(node_of(graph, "expert7.down").ranks, "1,2,3,4,5,6,7,8,9,10,11,12,13,14,15");
}

// Decode, TP8: every rank has all 32 tokens; each of 8 runs 16 of 128 experts on the 32 x 4 / 8 = 16 rows
// that are its share, one row each, and the results are added.
TEST(Transformer, ExpertsInsideATensorParallelGroupNeedNoDispatch) {
  const Graph graph =
      load_graph(std::string(TRNSIM_SOURCE_DIR) + "/configs/workloads/gpt_oss_120b_decode.yaml");
  EXPECT_THROW(static_cast<void>(node_of(graph, "dispatch.ag")), Error);
  EXPECT_EQ(shape(graph, "expert15.gate_up"), "1x5760x2880");
  EXPECT_THROW(static_cast<void>(node_of(graph, "expert16.gate_up")), Error);
  EXPECT_EQ(node_of(graph, "experts.ar").bytes, 32U * 2880 * 2);
}

// 64 k tokens over 16 chips: blocks of 4,096; a step moves 2 x 8 x 128 x 4,096 x 2 bytes. Scores: a
// half block at home and half of each foreign block, together S^2 / (2 cp).
TEST(Transformer, RingAttentionSendsBlocksRound) {
  TransformerOptions options;
  options.tokens = 65536;
  Parallel parallel;
  parallel.cp = 16;
  const Graph graph = transformer_graph(load_model("llama-3.1-8b"), options, parallel);
  EXPECT_EQ(node_of(graph, "kv1").bytes, 16U << 20);
  EXPECT_EQ(node_of(graph, "kv15").after, std::vector<std::string>{"kv14"});
  EXPECT_EQ(argument(node_of(graph, "attention0"), "causal"), "true");
  EXPECT_EQ(argument(node_of(graph, "attention15"), "kv-seq"), "2048");
  EXPECT_EQ(node_of(graph, "attention15").after, (std::vector<std::string>{"attention14", "kv15"}));
}

TEST(Transformer, WhatDoesNotDivideIsRefused) {
  EXPECT_THROW(static_cast<void>(prefill("llama-3.1-8b", 64)), Error);
  EXPECT_THROW(static_cast<void>(prefill("llama-3.1-8b", 3)), Error);
}

// Three times the forward products: each has two of its own size in the backward pass.
TEST(Transformer, TrainingHasTwiceTheForwardProducts) {
  TransformerOptions options;
  options.phase = Phase::kTrain;
  options.tokens = 4096;
  options.zero1 = true;
  Parallel parallel;
  parallel.tp = 4;
  parallel.dp = 4;
  const Graph graph = transformer_graph(load_model("llama-3.1-8b"), options, parallel);
  double forward = 0;
  double backward = 0;
  for (const GraphNode& node : graph.nodes) {
    if (node.kernel == "gemm") {
      (node.name.starts_with("f.") ? forward : backward) += std::stod(argument(node, "m")) *
                                                            std::stod(argument(node, "n")) *
                                                            std::stod(argument(node, "k"));
    }
  }
  EXPECT_EQ(backward, 2 * forward);
  // 4096 x (1536 + 1024 + 3 x 3584) weights of a rank in BF16.
  EXPECT_EQ(node_of(graph, "b.gradients.rs").bytes, 4096ULL * 13312 * 2);
  EXPECT_EQ(node_of(graph, "b.gradients.rs").stream, 3);
  EXPECT_EQ(node_of(graph, "b.weights.ag").after, std::vector<std::string>{"b.update"});
}

// Kernels run in list order: an update in front of a backward would make it wait for the gradients.
TEST(Transformer, UpdatesComeAfterEveryBackward) {
  const Graph graph =
      load_graph(std::string(TRNSIM_SOURCE_DIR) + "/configs/workloads/train_step_8b_zero1.yaml");
  const auto place = [&](const std::string& name) {
    return &node_of(graph, name) - graph.nodes.data();
  };
  EXPECT_LT(place("l1.b.gradients.rs"), place("l0.b.down.dx"));
  EXPECT_LT(place("l0.b.norm1.b"), place("l1.b.update"));
}

std::string order(const std::vector<PipelineStep>& steps, std::uint32_t stage) {
  std::string text;
  for (const PipelineStep& step : steps) {
    if (step.stage == stage) {
      text += (step.backward ? "B" : "F") + std::to_string(step.micro_batch);
    }
  }
  return text;
}

TEST(Pipeline, AlternatesForwardAndBackward) {
  const std::vector<PipelineStep> steps = pipeline_1f1b(4, 6);
  EXPECT_EQ(order(steps, 0), "F0F1F2F3B0F4B1F5B2B3B4B5");
  EXPECT_EQ(order(steps, 2), "F0F1B0F2B1F3B2F4B3F5B4B5");
  EXPECT_EQ(order(steps, 3), "F0B0F1B1F2B2F3B3F4B4F5B5");
  // (m + pp - 1) micro-batches of time 3: the bubble is (pp - 1) / m.
  std::uint32_t end = 0;
  for (const PipelineStep& step : steps) {
    end = std::max(end, step.start + (step.backward ? 2 : 1));
  }
  EXPECT_EQ(end, 3U * (6 + 4 - 1));
}

TEST(Pipeline, FewerMicroBatchesThanStages) {
  EXPECT_EQ(order(pipeline_1f1b(4, 2), 0), "F0F1B0B1");
  EXPECT_EQ(pipeline_1f1b(1, 3).size(), 6);
}

TEST(Workloads, EveryShippedGraphMakesAJobOnItsSystem) {
  std::uint32_t graphs = 0;
  for (const auto& entry :
       std::filesystem::directory_iterator(std::string(TRNSIM_SOURCE_DIR) + "/configs/workloads")) {
    if (!is_graph_file(entry.path())) {
      continue;
    }
    SCOPED_TRACE(entry.path().filename().string());
    ++graphs;
    const Graph graph = load_graph(entry.path());
    ASSERT_FALSE(graph.system.empty());
    const GraphJob job = make_job(graph, test::shipped(graph.system).spec, {});
    ASSERT_EQ(job.nodes.size(), graph.nodes.size());
    for (std::uint32_t i = 0; i < job.nodes.size(); ++i) {
      for (const std::uint32_t before : job.nodes[i].after) {
        EXPECT_LT(before, i);
      }
      EXPECT_EQ(job.nodes[i].groups.empty(), job.nodes[i].kind == JobKind::kKernel);
    }
    EXPECT_GT(job.model_flops, 0);
  }
  EXPECT_GE(graphs, 20);
}

}  // namespace
}  // namespace trnsim::workload
