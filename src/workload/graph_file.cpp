// Graph files: YAML and JSON Lines.
#include <filesystem>
#include <sstream>

#include "graph_read.h"
#include "transformer_read.h"
#include "trnsim/base/files.h"
#include "trnsim/workload/graph.h"

namespace trnsim::workload {
namespace {

constexpr const char* kHeaderKey = "trnsim_graph";

bool is_jsonl(const std::string& path) {
  return std::filesystem::path(path).extension() == ".jsonl";
}

void finish(Fields& fields, Graph& graph) {
  if (fields.ok()) {
    for (Finding& finding : check_and_sort(graph.nodes)) {
      fields.find(std::move(finding));
    }
  }
  fields.finish();
}

Graph load_yaml(const std::string& path) {
  Fields fields(path);
  const YAML::Node root = fields.parse(read_file(path));
  if (!root.IsMap()) {
    throw Error("a graph is a map with 'name' and 'nodes'", {path, 1, 1});
  }
  Graph graph;
  graph.name = std::filesystem::path(path).stem().string();
  std::vector<std::string> keys = header_keys();
  const YAML::Node transformer = root["transformer"];
  if (transformer) {
    // It sets the figures itself.
    keys = {"name", "system", "rank", "parallel", "rate", "transformer"};
  } else {
    keys.emplace_back("nodes");
  }
  fields.check_keys(root, keys);
  read_header(fields, root, graph);
  const YAML::Node nodes = root["nodes"];
  if (transformer) {
    read_transformer(fields, transformer, graph);
  } else if (!nodes || !nodes.IsSequence() || nodes.size() == 0) {
    fields.find(nodes ? nodes : root, "'nodes' is missing or not a list with at least one entry");
  } else {
    for (const YAML::Node& node : nodes) {
      graph.nodes.push_back(read_node(fields, node));
    }
  }
  finish(fields, graph);
  return graph;
}

// YAML reads JSON and knows where each value stands; that a line is JSON is checked apart.
void check_json(const std::string& path, const std::string& line, int number) {
  try {
    if (!nlohmann::json::parse(line).is_object()) {
      throw Error("a line is one JSON object", {path, number, 1});
    }
  } catch (const nlohmann::json::parse_error& error) {
    throw Error("this line is not JSON", {path, number, static_cast<int>(error.byte)},
                "one object per line");
  }
}

Graph load_jsonl(const std::string& path) {
  Fields fields(path);
  Graph graph;
  graph.name = std::filesystem::path(path).stem().string();
  std::istringstream lines(read_file(path));
  std::string line;
  bool header = false;
  for (int number = 1; std::getline(lines, line); ++number) {
    if (line.empty()) {
      continue;
    }
    check_json(path, line, number);
    const YAML::Node node = fields.parse(line, number);
    if (header) {
      graph.nodes.push_back(read_node(fields, node));
      continue;
    }
    header = true;
    if (!node.IsMap() || !node[kHeaderKey]) {
      throw Error(
          "the first line of a graph is its header", {path, number, 1},
          fmt::format(R"(e.g. {{"{}": 1, "name": "my graph", "rank": "chip"}})", kHeaderKey));
    }
    std::uint32_t version = 0;
    fields.count(node, kHeaderKey, version, 1, 1);
    std::vector<std::string> keys = header_keys();
    keys.emplace_back(kHeaderKey);
    fields.check_keys(node, keys);
    read_header(fields, node, graph);
  }
  if (!header || graph.nodes.empty()) {
    throw Error("a graph has a header line and at least one node", {path, 1, 1});
  }
  finish(fields, graph);
  return graph;
}

}  // namespace

Graph load_graph(const std::string& path) {
  return is_jsonl(path) ? load_jsonl(path) : load_yaml(path);
}

bool is_graph_file(const std::string& path) {
  try {
    const std::string text = read_file(path);
    if (is_jsonl(path)) {
      return text.substr(0, text.find('\n')).find(kHeaderKey) != std::string::npos;
    }
    const YAML::Node root = YAML::Load(text);
    return root.IsMap() && (root["nodes"] || root["transformer"]);
  } catch (const Error&) {
    return false;
  } catch (const YAML::Exception&) {
    return false;
  }
}

}  // namespace trnsim::workload
