// Reader of graph nodes and headers.
#include "graph_read.h"

#include <algorithm>
#include <filesystem>

#include "trnsim/collectives/group.h"
#include "trnsim/workload/kernel_request.h"

namespace trnsim::workload {
namespace {

const std::vector<std::string> kKinds{"kernel", "trace", "collective", "send", "work"};

std::string nearby(const Fields& fields, const std::string& relative) {
  return std::filesystem::absolute(std::filesystem::path(fields.path()).parent_path() / relative)
      .lexically_normal()
      .string();
}

void read_after(Fields& fields, const YAML::Node& node, GraphNode& result) {
  const YAML::Node after = node["after"];
  if (!after) {
    return;
  }
  if (after.IsScalar()) {
    result.after.push_back(after.Scalar());
    return;
  }
  if (!after.IsSequence()) {
    fields.find(after, "'after' is a node's name or a list of names");
    return;
  }
  for (const YAML::Node& name : after) {
    if (!name.IsScalar()) {
      fields.find(name, "'after' is a node's name or a list of names");
    } else if (std::find(result.after.begin(), result.after.end(), name.Scalar()) ==
               result.after.end()) {
      result.after.push_back(name.Scalar());
    }
  }
}

void read_kernel(Fields& fields, const YAML::Node& node, GraphNode& result) {
  fields.text(node, "kernel", result.kernel);
  const std::unique_ptr<KernelRequest> request = make_kernel_request(result.kernel);
  if (request == nullptr) {
    const std::string near = did_you_mean(result.kernel, kernel_names());
    fields.find(node["kernel"], fmt::format("unknown kernel '{}'", result.kernel),
                near.empty() ? "one of: " + joined(kernel_names()) : near);
    return;
  }
  std::vector<std::string> keys{"name", "after", "ranks", "stage", "overhead_us", "kernel"};
  for (const Parameter& parameter : request->parameters()) {
    keys.push_back(parameter.name);
  }
  fields.check_keys(node, keys);
  for (const Parameter& parameter : request->parameters()) {
    const YAML::Node value = node[parameter.name];
    if (!value) {
      continue;
    }
    try {
      parameter.set(value.IsScalar() ? value.Scalar() : "");
      result.arguments.emplace_back(parameter.name, value.Scalar());
    } catch (const Error& error) {
      fields.find(value, error.findings().front().what, error.findings().front().hint);
    }
  }
}

void read_trace(Fields& fields, const YAML::Node& node, GraphNode& result) {
  fields.check_keys(node, {"name", "after", "ranks", "stage", "overhead_us", "trace"});
  std::string path;
  if (fields.text(node, "trace", path)) {
    result.trace_path = nearby(fields, path);
    if (!std::filesystem::exists(result.trace_path)) {
      fields.find(node["trace"], fmt::format("trace '{}' does not exist", result.trace_path),
                  "paths are relative to the workload file");
    }
  }
}

void read_work(Fields& fields, const YAML::Node& node, GraphNode& result) {
  fields.check_keys(node, {"name", "after", "ranks", "stage", "overhead_us", "work"});
  const YAML::Node work = node["work"];
  if (!work.IsMap()) {
    fields.find(work, "'work' is a map with 'flops', 'bytes' or both");
    return;
  }
  fields.check_keys(work, {"flops", "bytes", "dtype"});
  fields.number(work, "flops", result.flops);
  fields.bytes(work, "bytes", result.hbm_bytes);
  std::string dtype;
  if (fields.text(work, "dtype", dtype)) {
    if (const std::optional<DType> parsed = parse_dtype(dtype)) {
      result.dtype = *parsed;
    } else {
      fields.find(work["dtype"], fmt::format("dtype '{}' does not exist", dtype),
                  "one of: " + joined(dtype_names()));
    }
  }
  if (work.size() == 0 && !node["overhead_us"]) {
    fields.find(work, "'work' without 'flops' and 'bytes' takes no time",
                "add one of them or 'overhead_us'");
  }
}

void read_exchange(Fields& fields, const YAML::Node& node, GraphNode& result) {
  if (!fields.bytes(node, "bytes", result.bytes) && !node["bytes"]) {
    fields.find(node, fmt::format("'bytes' is missing in node '{}'", result.name));
  }
  fields.count(node, "stream", result.stream, 0, 3);
  std::uint32_t priority = 0;
  if (fields.count(node, "priority", priority, 0, 7)) {
    result.priority = static_cast<std::uint8_t>(priority);
  }
  if (const auto space = fields.choice(node, "space", {"hbm", "sbuf"})) {
    result.space = *space == 1 ? fabric::Space::kSbuf : fabric::Space::kHbm;
  }
}

void read_collective(Fields& fields, const YAML::Node& node, GraphNode& result) {
  fields.check_keys(node, {"name", "after", "collective", "bytes", "groups", "algorithm", "stream",
                           "priority", "space"});
  read_exchange(fields, node, result);
  try {
    result.op =
        collectives::parse_op(node["collective"].IsScalar() ? node["collective"].Scalar() : "");
  } catch (const Error& error) {
    fields.adopt(error, node["collective"]);
  }
  std::string algorithm;
  if (fields.text(node, "algorithm", algorithm)) {
    try {
      result.algorithm = collectives::parse_algorithm(algorithm);
    } catch (const Error& error) {
      fields.adopt(error, node["algorithm"]);
    }
  }
  fields.text(node, "groups", result.groups);
  result.groups_where = fields.where(node["groups"] ? node["groups"] : node);
}

void read_transfer(Fields& fields, const YAML::Node& node, GraphNode& result) {
  fields.check_keys(node,
                    {"name", "after", "send", "receive", "bytes", "stream", "priority", "space"});
  read_exchange(fields, node, result);
  result.op = collectives::Op::kPermute;
  fields.text(node, "send", result.send);
  if (!fields.text(node, "receive", result.receive) && !node["receive"]) {
    fields.find(node, fmt::format("'receive' is missing in node '{}'", result.name),
                "as many ranks as 'send' names");
  }
  result.groups_where = fields.where(node["send"]);
}

}  // namespace

const std::vector<std::string>& rank_unit_names() {
  static const std::vector<std::string> names{"chip", "logical_core", "core"};
  return names;
}

const char* name(RankUnit unit) {
  return rank_unit_names()[static_cast<std::size_t>(unit)].c_str();
}

const std::vector<std::string>& header_keys() {
  static const std::vector<std::string> keys{"name",        "system",       "rank",
                                             "ranks",       "parallel",     "tokens",
                                             "model_flops", "layers_scale", "rate"};
  return keys;
}

Parallel read_parallel(Fields& fields, const YAML::Node& node) {
  Parallel parallel;
  if (!node.IsMap()) {
    fields.find(node, "'parallel' is a map, e.g. {tp: 16, dp: 4}");
    return parallel;
  }
  fields.check_keys(node, {"tp", "cp", "dp", "pp", "ep", "etp"});
  constexpr std::uint32_t kMost = 65536;
  fields.count(node, "tp", parallel.tp, 1, kMost);
  fields.count(node, "cp", parallel.cp, 1, kMost);
  fields.count(node, "dp", parallel.dp, 1, kMost);
  fields.count(node, "pp", parallel.pp, 1, kMost);
  fields.count(node, "ep", parallel.ep, 1, kMost);
  fields.count(node, "etp", parallel.etp, 1, kMost);
  const double product = static_cast<double>(parallel.tp) * parallel.cp * parallel.dp * parallel.pp;
  if (product > kMost) {
    fields.find(node, fmt::format("tp x cp x dp x pp is {:.0f} ranks, at most {} are possible",
                                  product, kMost));
    return {};
  }
  if (parallel.stage() % (std::uint64_t{parallel.ep} * parallel.etp) != 0) {
    fields.find(node,
                fmt::format("ep {} x etp {} does not divide the {} ranks of a stage (tp x cp x dp)",
                            parallel.ep, parallel.etp, parallel.stage()));
  }
  return parallel;
}

void read_header(Fields& fields, const YAML::Node& root, Graph& graph) {
  fields.text(root, "name", graph.name);
  fields.text(root, "system", graph.system);
  fields.text(root, "rate", graph.rate_name);
  if (const auto unit = fields.choice(root, "rank", rank_unit_names())) {
    graph.rank = static_cast<RankUnit>(*unit);
  }
  fields.count(root, "ranks", graph.ranks, 1);
  if (const YAML::Node parallel = root["parallel"]) {
    graph.parallel = read_parallel(fields, parallel);
    graph.has_parallel = true;
    if (graph.ranks != 0 && graph.ranks != graph.parallel.ranks()) {
      fields.find(parallel,
                  fmt::format("'parallel' makes {} ranks, 'ranks' says {}", graph.parallel.ranks(),
                              graph.ranks),
                  "leave out 'ranks'");
    }
  }
  fields.number(root, "tokens", graph.tokens);
  fields.number(root, "model_flops", graph.model_flops);
  if (fields.number(root, "layers_scale", graph.layers_scale) && graph.layers_scale == 0) {
    fields.find(root["layers_scale"], "'layers_scale' must be above 0");
  }
}

GraphNode read_node(Fields& fields, const YAML::Node& node) {
  GraphNode result;
  result.where = fields.where(node);
  result.groups_where = result.where;
  if (!node.IsMap()) {
    fields.find(node, "a node is a map with one of: " + joined(kKinds));
    return result;
  }
  if (!fields.text(node, "name", result.name) && !node["name"]) {
    fields.find(node, "'name' is missing in a node");
  }
  std::size_t kind = kKinds.size();
  for (std::size_t i = 0; i < kKinds.size(); ++i) {
    if (node[kKinds[i]]) {
      if (kind != kKinds.size()) {
        fields.find(
            node,
            fmt::format("node '{}' has both '{}' and '{}'", result.name, kKinds[kind], kKinds[i]),
            "make it two nodes");
        return result;
      }
      kind = i;
    }
  }
  if (kind == kKinds.size()) {
    fields.find(node, fmt::format("node '{}' has none of: {}", result.name, joined(kKinds)));
    return result;
  }
  read_after(fields, node, result);
  fields.number(node, "overhead_us", result.overhead_us);
  fields.text(node, "ranks", result.ranks);
  std::uint32_t stage = 0;
  if (node["stage"] && node["ranks"]) {
    fields.find(node["stage"], "'stage' and 'ranks' exclude each other");
  } else if (fields.count(node, "stage", stage, 0)) {
    result.ranks = fmt::format("stage:{}", stage);
  }
  constexpr NodeKind kOrder[] = {NodeKind::kKernel, NodeKind::kTrace, NodeKind::kCollective,
                                 NodeKind::kTransfer, NodeKind::kWork};
  result.kind = kOrder[kind];
  switch (result.kind) {
    case NodeKind::kKernel:
      read_kernel(fields, node, result);
      break;
    case NodeKind::kTrace:
      read_trace(fields, node, result);
      break;
    case NodeKind::kCollective:
      read_collective(fields, node, result);
      break;
    case NodeKind::kTransfer:
      read_transfer(fields, node, result);
      break;
    case NodeKind::kWork:
      read_work(fields, node, result);
      break;
  }
  return result;
}

}  // namespace trnsim::workload
