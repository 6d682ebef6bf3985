// Reader of `transformer:` in a workload file.
#include "transformer_read.h"

#include "trnsim/workload/transformer.h"

namespace trnsim::workload {
namespace {

void read_dtype(Fields& fields, const YAML::Node& map, const std::string& key, DType& target) {
  std::string text;
  if (!fields.text(map, key, text)) {
    return;
  }
  const std::optional<DType> parsed = parse_dtype(text);
  if (!parsed || !is_float(*parsed) || is_mx(*parsed)) {
    fields.find(map[key], fmt::format("{} '{}' is no type of a matrix product", key, text),
                "e.g. bf16, fp8_e4m3");
  } else {
    target = *parsed;
  }
}

void read_moe(Fields& fields, const YAML::Node& node, MoeOptions& moe) {
  if (!node.IsMap()) {
    fields.find(node, "'moe' is a map");
    return;
  }
  fields.check_keys(node, {"dispatch", "dispatch_dtype", "combine_dtype", "skew"});
  if (const auto dispatch = fields.choice(node, "dispatch", {"all_to_all", "ag_rs"})) {
    moe.dispatch = static_cast<Dispatch>(*dispatch);
  }
  read_dtype(fields, node, "dispatch_dtype", moe.dispatch_dtype);
  read_dtype(fields, node, "combine_dtype", moe.combine_dtype);
  fields.number(node, "skew", moe.skew);
}

void read_layers(Fields& fields, const YAML::Node& node, const Model& model, Graph& graph,
                 TransformerOptions& options) {
  if (node["layers"] && node["layers"].IsScalar() && node["layers"].Scalar() == "all") {
    options.layers = model.layers / graph.parallel.pp;
  } else {
    fields.count(node, "layers", options.layers, 1, model.layers);
  }
  fields.flag(node, "whole_model", options.whole_model);
}

}  // namespace

void read_transformer(Fields& fields, const YAML::Node& node, Graph& graph) {
  if (!node.IsMap()) {
    fields.find(node, "'transformer' is a map with 'model' and 'phase'");
    return;
  }
  std::vector<std::string> keys{"model",       "phase", "layers",
                                "whole_model", "dtype", "layer_overhead_us"};
  TransformerOptions options;
  const auto phase = fields.choice(node, "phase", {"prefill", "decode", "train"});
  if (phase) {
    options.phase = static_cast<Phase>(*phase);
    const bool decode = options.phase == Phase::kDecode;
    const std::vector<std::string> own =
        decode ? std::vector<std::string>{"batch", "context", "kv_splits", "kv_sharded"}
               : std::vector<std::string>{"tokens", "sequence", "sp"};
    keys.insert(keys.end(), own.begin(), own.end());
    if (options.phase == Phase::kTrain) {
      keys.insert(keys.end(), {"zero1", "micro_batches"});
    } else {
      keys.emplace_back("moe");
    }
    fields.check_keys(node, keys);
  } else if (!node["phase"]) {
    fields.find(node, "'phase' is missing in 'transformer'", "prefill, decode or train");
  }
  std::string name;
  if (!fields.text(node, "model", name)) {
    fields.find(node, "'model' is missing in 'transformer'", "one of: " + joined(model_names()));
    return;
  }
  Model model;
  try {
    model = load_model(name);
  } catch (const Error& error) {
    fields.adopt(error, node["model"]);
    return;
  }
  fields.count(node, "tokens", options.tokens, 1);
  fields.count(node, "sequence", options.sequence, 1);
  fields.count(node, "batch", options.batch, 1);
  fields.count(node, "context", options.context, 1);
  fields.count(node, "kv_splits", options.kv_splits, 1, 1024);
  fields.count(node, "micro_batches", options.micro_batches, 1, 4096);
  fields.flag(node, "sp", options.sequence_parallel);
  fields.flag(node, "zero1", options.zero1);
  fields.flag(node, "kv_sharded", options.kv_sharded);
  fields.number(node, "layer_overhead_us", options.layer_overhead_us);
  read_dtype(fields, node, "dtype", options.dtype);
  read_layers(fields, node, model, graph, options);
  if (node["moe"]) {
    read_moe(fields, node["moe"], options.moe);
    if (!model.experts) {
      fields.find(node["moe"], fmt::format("{} has no experts", model.name));
    }
  }
  if (!fields.ok()) {
    return;
  }
  try {
    Graph made = transformer_graph(model, options, graph.parallel);
    for (GraphNode& made_node : made.nodes) {
      made_node.where = made_node.groups_where = fields.where(node);
    }
    graph.nodes = std::move(made.nodes);
    graph.has_parallel = true;
    graph.model_flops = made.model_flops;
    graph.tokens = made.tokens;
    graph.layers_scale = made.layers_scale;
    graph.rate_name = graph.rate_name.empty() ? made.rate_name : graph.rate_name;
    graph.description = std::move(made.description);
  } catch (const Error& error) {
    fields.adopt(error, node);
  }
}

}  // namespace trnsim::workload
