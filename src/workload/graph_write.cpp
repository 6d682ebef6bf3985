// Graphs as JSON Lines, and their equality.
#include <algorithm>
#include <tuple>

#include "trnsim/workload/graph.h"

namespace trnsim::workload {
namespace {

using Json = nlohmann::ordered_json;

void write_exchange(const GraphNode& node, Json& json) {
  json["bytes"] = node.bytes;
  if (node.stream != 0) {
    json["stream"] = node.stream;
  }
  if (node.priority != 0) {
    json["priority"] = node.priority;
  }
  if (node.space == fabric::Space::kSbuf) {
    json["space"] = "sbuf";
  }
}

void write_compute(const GraphNode& node, Json& json) {
  if (node.ranks != "all") {
    json["ranks"] = node.ranks;
  }
  if (node.overhead_us != 0 ||
      (node.kind == NodeKind::kWork && node.flops == 0 && node.hbm_bytes == 0)) {
    json["overhead_us"] = node.overhead_us;
  }
}

Json to_json(const GraphNode& node) {
  Json json{{"name", node.name}};
  switch (node.kind) {
    case NodeKind::kKernel:
      json["kernel"] = node.kernel;
      for (const auto& [name, value] : node.arguments) {
        json[name] = value;
      }
      break;
    case NodeKind::kTrace:
      json["trace"] = node.trace_path;
      break;
    case NodeKind::kCollective:
      json["collective"] = collectives::name(node.op);
      json["groups"] = node.groups;
      if (node.algorithm != collectives::Algorithm::kAuto) {
        json["algorithm"] = collectives::name(node.algorithm);
      }
      break;
    case NodeKind::kTransfer:
      json["send"] = node.send;
      json["receive"] = node.receive;
      break;
    case NodeKind::kWork:
      json["work"] = Json::object();
      if (node.flops != 0) {
        json["work"]["flops"] = node.flops;
        json["work"]["dtype"] = name(node.dtype);
      }
      if (node.hbm_bytes != 0) {
        json["work"]["bytes"] = node.hbm_bytes;
      }
      break;
  }
  node.communicates() ? write_exchange(node, json) : write_compute(node, json);
  if (!node.after.empty()) {
    json["after"] = node.after;
  }
  return json;
}

// What does not belong to the kind of a node does not count.
auto content(const GraphNode& node) {
  const bool exchange = node.communicates();
  const bool work = node.kind == NodeKind::kWork;
  return std::tuple(node.name, node.kind, node.after, exchange ? "" : node.ranks, node.kernel,
                    node.arguments, node.trace_path, node.overhead_us, work ? node.flops : 0,
                    work ? node.hbm_bytes : 0, exchange ? node.op : collectives::Op::kAllReduce,
                    node.algorithm, node.bytes,
                    node.kind == NodeKind::kCollective ? node.groups : "",
                    std::tuple(node.send, node.receive, node.space, node.priority, node.stream));
}

}  // namespace

bool same_graph(const Graph& a, const Graph& b) {
  const auto header = [](const Graph& g) {
    return std::tuple(g.name, g.system, g.rank, g.ranks, g.model_flops, g.tokens, g.layers_scale,
                      g.rate_name);
  };
  return header(a) == header(b) && a.parallel == b.parallel && a.has_parallel == b.has_parallel &&
         std::equal(
             a.nodes.begin(), a.nodes.end(), b.nodes.begin(), b.nodes.end(),
             [](const GraphNode& x, const GraphNode& y) { return content(x) == content(y); });
}

std::string to_jsonl(const Graph& graph) {
  Json header{{"trnsim_graph", 1}, {"name", graph.name}};
  if (!graph.system.empty()) {
    header["system"] = graph.system;
  }
  header["rank"] = name(graph.rank);
  if (graph.ranks != 0) {
    header["ranks"] = graph.ranks;
  }
  if (graph.has_parallel) {
    const Parallel& p = graph.parallel;
    header["parallel"] = {{"tp", p.tp}, {"cp", p.cp}, {"dp", p.dp},
                          {"pp", p.pp}, {"ep", p.ep}, {"etp", p.etp}};
  }
  if (graph.tokens != 0) {
    header["tokens"] = graph.tokens;
  }
  if (graph.model_flops != 0) {
    header["model_flops"] = graph.model_flops;
  }
  if (graph.layers_scale != 1) {
    header["layers_scale"] = graph.layers_scale;
  }
  if (!graph.rate_name.empty()) {
    header["rate"] = graph.rate_name;
  }
  std::string text = header.dump() + "\n";
  for (const GraphNode& node : graph.nodes) {
    text += to_json(node).dump() + "\n";
  }
  return text;
}

}  // namespace trnsim::workload
