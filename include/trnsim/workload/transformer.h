// Transformer layers as graphs: prefill, decode and training steps of a model under tensor,
// context, data, expert and pipeline parallelism. What is run for what, and what is left out:
// docs/workloads.md.
#pragma once

#include <cstdint>
#include <vector>

#include "trnsim/base/dtype.h"
#include "trnsim/workload/graph.h"
#include "trnsim/workload/model.h"

namespace trnsim::workload {

enum class Phase : std::uint8_t { kPrefill, kDecode, kTrain };
enum class Dispatch : std::uint8_t { kAllToAll, kGatherScatter };

struct MoeOptions {
  Dispatch dispatch = Dispatch::kAllToAll;
  DType dispatch_dtype = DType::kBFloat16;
  DType combine_dtype = DType::kBFloat16;
  double skew = 0;  // first rank of each ep group gets 1 + skew times its share of tokens
};

struct TransformerOptions {
  Phase phase = Phase::kPrefill;
  std::uint32_t tokens = 0;    // prefill, training: of one data-parallel slice (of one micro-batch)
  std::uint32_t sequence = 0;  // of each sequence; 0 = tokens
  std::uint32_t batch = 0;     // decode: sequences of one data-parallel slice
  std::uint32_t context = 0;   // decode: tokens in the cache
  std::uint32_t kv_splits = 1;  // decode: parts of the cache that a rank's cores attend to at once
  // Decode with more tp than key/value heads: each copy of a head keeps a part of the cache,
  // queries are gathered among them and results added. Otherwise each has all of it.
  bool kv_sharded = false;
  std::uint32_t layers = 1;         // that are run; of each stage in a pipeline
  bool whole_model = true;          // times are scaled to all layers
  std::uint32_t micro_batches = 1;  // training
  bool sequence_parallel = false;
  bool zero1 = false;
  // Of the matrix products; attention and norms are at least 16-bit.
  DType dtype = DType::kBFloat16;
  double layer_overhead_us = 0;  // software, once a layer
  MoeOptions moe;
};

// Throws Error when the sizes do not divide or a combination is not there.
[[nodiscard]] Graph transformer_graph(const Model& model, const TransformerOptions& options,
                                      const Parallel& parallel);

// One forward or backward of one micro-batch on one stage.
struct PipelineStep {
  std::uint32_t stage = 0;
  std::uint32_t micro_batch = 0;
  bool backward = false;
  std::uint32_t start = 0;  // a forward takes 1, a backward 2
};
// One-forward-one-backward, by start, then by stage.
[[nodiscard]] std::vector<PipelineStep> pipeline_1f1b(std::uint32_t stages,
                                                      std::uint32_t micro_batches);

}  // namespace trnsim::workload
