// Layers and micro-batches of a transformer, and the figures of the whole.
#include "trnsim/workload/transformer.h"

#include "layer_writer.h"

namespace trnsim::workload {
namespace {

void check(const Model& model, const TransformerOptions& o, const Parallel& p) {
  const bool decode = o.phase == Phase::kDecode;
  const bool train = o.phase == Phase::kTrain;
  if (decode ? o.batch == 0 || o.context == 0 : o.tokens == 0) {
    throw Error(decode ? "decode needs 'batch' and 'context'" : "this phase needs 'tokens'");
  }
  if (!decode && (o.sequence == 0 || o.tokens % o.sequence != 0)) {
    throw Error(
        fmt::format("{} tokens are no whole number of sequences of {}", o.tokens, o.sequence));
  }
  if (!decode && p.cp > 1 && o.sequence % (2 * p.cp) != 0) {
    throw Error(
        fmt::format("a sequence of {} cannot be cut into 2 x cp {} blocks", o.sequence, p.cp));
  }
  if (decode && o.context % o.kv_splits != 0) {
    throw Error(fmt::format("a context of {} cannot be cut into {} parts", o.context, o.kv_splits));
  }
  if (o.kv_sharded &&
      (p.tp <= model.kv_heads || o.context % (o.kv_splits * (p.tp / model.kv_heads)) != 0)) {
    throw Error(
        fmt::format("kv_sharded needs tp above the {} key/value heads and a context that divides",
                    model.kv_heads));
  }
  if (decode && model.mla) {
    throw Error("decode of latent attention is not supported", {}, "take phase: prefill");
  }
  if (model.mla && p.cp > 1) {
    throw Error("ring attention of latent attention is not supported", {}, "take cp: 1");
  }
  if (p.cp > 1 && o.phase != Phase::kPrefill) {
    throw Error("cp above 1 is for phase: prefill");
  }
  if (p.pp > 1 && !train) {
    throw Error("pp above 1 is for phase: train");
  }
  if (train && (model.experts || model.mla)) {
    throw Error(fmt::format("training of {} is not supported", model.name), {},
                "take a model with dense MLPs");
  }
  if (o.layers * p.pp > model.layers) {
    throw Error(fmt::format("{} layers on {} stages are more than the {} of {}", o.layers, p.pp,
                            model.layers, model.name));
  }
  if (decode && o.sequence_parallel) {
    throw Error("sequence parallelism is for prefill and training");
  }
}

// Of one forward pass of one layer over the tokens of one data-parallel slice.
double layer_flops(const Model& model, const TransformerOptions& o) {
  const double weights = attention_weights(model) +
                         (model.experts ? active_expert_weights(model) : dense_mlp_weights(model));
  if (o.phase == Phase::kDecode) {
    return 2 * weights * o.batch + attention_flops(model, o.batch, o.context);
  }
  return 2 * weights * o.tokens + attention_flops(model, o.tokens, o.sequence) / 2;
}

std::string layer_prefix(const TransformerOptions& o, std::uint32_t layer) {
  return o.layers == 1 ? "" : fmt::format("l{}.", layer);
}

void write_forward(LayerWriter& writer, const TransformerOptions& o) {
  std::string last;
  for (std::uint32_t layer = 0; layer < o.layers; ++layer) {
    last = writer.forward({layer_prefix(o, layer), "all"}, last);
  }
}

class TrainingWriter {
 public:
  TrainingWriter(LayerWriter& writer, const TransformerOptions& options, const Parallel& parallel,
                 Graph& graph)
      : writer_(writer), options_(options), parallel_(parallel), graph_(graph) {}

  void write() {
    for (const PipelineStep& step : pipeline_1f1b(parallel_.pp, options_.micro_batches)) {
      step.backward ? backward(step) : forward(step);
    }
    for (const auto& [layer, reduced] : reduced_) {
      writer_.update(layer, reduced);
    }
  }

 private:
  [[nodiscard]] LayerPlace place(const PipelineStep& step, bool backward,
                                 std::uint32_t layer) const {
    std::string prefix;
    if (options_.micro_batches > 1) {
      prefix += fmt::format("mb{}.", step.micro_batch);
    }
    if (parallel_.pp > 1) {
      prefix += fmt::format("s{}.", step.stage);
    }
    prefix += layer_prefix(options_, layer) + (backward ? "b." : "f.");
    return {prefix, parallel_.pp > 1 ? fmt::format("stage:{}", step.stage) : "all"};
  }

  static std::string boundary(std::uint32_t micro_batch, std::uint32_t stage, bool backward) {
    return fmt::format("mb{}.s{}.{}", micro_batch, stage, backward ? "send_b" : "send_f");
  }

  void send(const PipelineStep& step, std::uint32_t to, const std::string& before) {
    GraphNode node;
    node.name = boundary(step.micro_batch, step.stage, step.backward);
    node.kind = NodeKind::kTransfer;
    node.op = collectives::Op::kPermute;
    node.bytes = writer_.boundary_bytes();
    node.send = fmt::format("stage:{}", step.stage);
    node.receive = fmt::format("stage:{}", to);
    node.stream = step.backward ? 2 : 1;
    node.after = {before};
    graph_.nodes.push_back(std::move(node));
  }

  void forward(const PipelineStep& step) {
    std::string last = step.stage == 0 ? "" : boundary(step.micro_batch, step.stage - 1, false);
    for (std::uint32_t layer = 0; layer < options_.layers; ++layer) {
      last = writer_.forward(place(step, false, layer), last);
    }
    if (step.stage + 1 < parallel_.pp) {
      send(step, step.stage + 1, last);
    } else {
      last_forward_ = last;
    }
  }

  void backward(const PipelineStep& step) {
    std::string last = step.stage + 1 < parallel_.pp
                           ? boundary(step.micro_batch, step.stage + 1, true)
                           : last_forward_;
    for (std::uint32_t layer = options_.layers; layer-- > 0;) {
      last = writer_.backward(place(step, true, layer), last);
      if (step.micro_batch + 1 == options_.micro_batches) {
        const LayerPlace at = place(step, true, layer);
        reduced_.emplace_back(at, writer_.reduce_gradients(at));
      }
    }
    if (step.stage > 0) {
      send(step, step.stage - 1, last);
    }
  }

  LayerWriter& writer_;
  const TransformerOptions& options_;
  const Parallel& parallel_;
  Graph& graph_;
  std::vector<std::pair<LayerPlace, std::string>> reduced_;
  std::string last_forward_;  // on the last stage, whose backward follows at once
};

nlohmann::ordered_json describe(const Model& model, const TransformerOptions& o) {
  constexpr const char* kPhases[] = {"prefill", "decode", "train"};
  nlohmann::ordered_json json{{"model", model.label()},
                              {"phase", kPhases[static_cast<std::size_t>(o.phase)]}};
  if (o.phase == Phase::kDecode) {
    json["batch"] = o.batch;
    json["context"] = o.context;
    json["kv_splits"] = o.kv_splits;
    json["kv_sharded"] = o.kv_sharded;
  } else {
    json["tokens"] = o.tokens;
    json["sequence"] = o.sequence;
    json["sequence_parallel"] = o.sequence_parallel;
  }
  if (o.phase == Phase::kTrain) {
    json["micro_batches"] = o.micro_batches;
    json["zero1"] = o.zero1;
  }
  json["layers_run"] = o.layers;
  json["layers_of_model"] = model.layers;
  json["dtype"] = name(o.dtype);
  json["layer_overhead_us"] = o.layer_overhead_us;
  if (model.experts) {
    json["moe"] = {{"dispatch", o.moe.dispatch == Dispatch::kAllToAll ? "all_to_all" : "ag_rs"},
                   {"dispatch_dtype", name(o.moe.dispatch_dtype)},
                   {"combine_dtype", name(o.moe.combine_dtype)},
                   {"skew", o.moe.skew}};
  }
  return json;
}

}  // namespace

Graph transformer_graph(const Model& model, const TransformerOptions& given,
                        const Parallel& parallel) {
  TransformerOptions options = given;
  if (options.sequence == 0) {
    options.sequence = options.tokens;
  }
  check(model, options, parallel);
  Graph graph;
  graph.name = model.label();
  graph.parallel = parallel;
  graph.has_parallel = true;
  LayerWriter writer(model, options, parallel, graph);
  const bool train = options.phase == Phase::kTrain;
  if (train) {
    TrainingWriter(writer, options, parallel, graph).write();
  } else {
    write_forward(writer, options);
  }
  const double passes = train ? 3.0 * options.micro_batches : 1.0;
  graph.model_flops =
      layer_flops(model, options) * passes * options.layers * parallel.pp * parallel.dp;
  graph.tokens =
      options.phase == Phase::kDecode
          ? static_cast<double>(options.batch) * parallel.dp
          : static_cast<double>(options.tokens) * parallel.dp * (train ? options.micro_batches : 1);
  if (options.whole_model) {
    graph.layers_scale = static_cast<double>(model.layers) / (options.layers * parallel.pp);
  }
  graph.rate_name = train ? "step" : options.phase == Phase::kDecode ? "TPOT" : "TTFT";
  graph.description = describe(model, options);
  return graph;
}

}  // namespace trnsim::workload
