// Strict reader of model files.
#include <algorithm>
#include <filesystem>

#include "trnsim/base/files.h"
#include "trnsim/spec/loader.h"
#include "trnsim/workload/model.h"
#include "yaml_fields.h"

namespace trnsim::workload {
namespace {

namespace fs = std::filesystem;

fs::path models_folder() {
  return fs::path(spec::config_folder()) / "models";
}

std::string path_of(const std::string& name_or_path) {
  if (name_or_path.find('/') != std::string::npos || name_or_path.ends_with(".yaml")) {
    return name_or_path;
  }
  const fs::path path = models_folder() / (name_or_path + ".yaml");
  if (!fs::exists(path)) {
    const std::string near = did_you_mean(name_or_path, model_names());
    throw Error(fmt::format("model '{}' does not exist", name_or_path), {},
                near.empty() ? "one of: " + joined(model_names()) : near);
  }
  return path.string();
}

void need(Fields& fields, const YAML::Node& map, const std::string& key, std::uint32_t& target,
          std::uint32_t least = 1) {
  constexpr std::uint32_t kMost = 10'000'000;
  if (!map[key]) {
    fields.find(map, fmt::format("'{}' is missing", key));
  } else {
    fields.count(map, key, target, least, kMost);
  }
}

void read_experts(Fields& fields, const YAML::Node& node, Model& model) {
  if (!node.IsMap()) {
    fields.find(node, "'experts' is a map");
    return;
  }
  fields.check_keys(node, {"count", "active", "shared", "ff", "dense_layers"});
  Experts experts;
  need(fields, node, "count", experts.count);
  need(fields, node, "active", experts.active);
  need(fields, node, "ff", experts.ff);
  fields.count(node, "shared", experts.shared, 0, 1024);
  fields.count(node, "dense_layers", experts.dense_layers, 0, 1024);
  if (experts.active > experts.count) {
    fields.find(node["active"],
                fmt::format("{} active experts of {}", experts.active, experts.count));
  }
  if (experts.dense_layers > 0 && model.ff == 0) {
    fields.find(node["dense_layers"], "dense layers need 'ff' of the model");
  }
  model.experts = experts;
}

void read_mla(Fields& fields, const YAML::Node& node, Model& model) {
  if (!node.IsMap()) {
    fields.find(node, "'mla' is a map");
    return;
  }
  fields.check_keys(node, {"q_rank", "kv_rank", "nope", "rope", "v"});
  Mla mla;
  need(fields, node, "q_rank", mla.q_rank);
  need(fields, node, "kv_rank", mla.kv_rank);
  need(fields, node, "nope", mla.nope);
  need(fields, node, "rope", mla.rope);
  need(fields, node, "v", mla.v);
  model.mla = mla;
}

}  // namespace

Model load_model(const std::string& name_or_path) {
  Fields fields(path_of(name_or_path));
  const YAML::Node root = fields.parse(read_file(fields.path()));
  if (!root.IsMap()) {
    throw Error("a model file is a map of sizes", {fields.path(), 1, 1});
  }
  fields.check_keys(root, {"name", "source", "hypothetical", "layers", "d", "ff", "heads",
                           "kv_heads", "head_dim", "vocabulary", "experts", "mla"});
  Model model;
  model.name = fs::path(fields.path()).stem().string();
  fields.text(root, "name", model.name);
  if (!fields.text(root, "source", model.source) && !root["source"]) {
    fields.find(root, "'source' is missing", "say where the sizes come from");
  }
  fields.flag(root, "hypothetical", model.hypothetical);
  need(fields, root, "layers", model.layers);
  need(fields, root, "d", model.d);
  need(fields, root, "heads", model.heads);
  need(fields, root, "kv_heads", model.kv_heads);
  need(fields, root, "head_dim", model.head_dim);
  need(fields, root, "vocabulary", model.vocabulary);
  if (root["ff"] || !root["experts"]) {
    need(fields, root, "ff", model.ff);
  }
  if (root["experts"]) {
    read_experts(fields, root["experts"], model);
  }
  if (root["mla"]) {
    read_mla(fields, root["mla"], model);
  }
  if (fields.ok() && model.heads % model.kv_heads != 0) {
    fields.find(root["kv_heads"], fmt::format("{} heads cannot share {} key/value heads evenly",
                                              model.heads, model.kv_heads));
  }
  if (fields.ok() && model.experts && model.experts->dense_layers >= model.layers) {
    fields.find(root["experts"], "no layer is left for the experts", "see dense_layers");
  }
  fields.finish();
  return model;
}

std::vector<std::string> model_names() {
  std::vector<std::string> names;
  for (const auto& entry : fs::directory_iterator(models_folder())) {
    if (entry.path().extension() == ".yaml") {
      names.push_back(entry.path().stem().string());
    }
  }
  std::sort(names.begin(), names.end());
  return names;
}

}  // namespace trnsim::workload
