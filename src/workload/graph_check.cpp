// Order of a graph's nodes.
#include <map>
#include <queue>

#include "trnsim/workload/graph.h"

namespace trnsim::workload {
namespace {

// Names of one cycle among the nodes that could not be ordered, "a -> b -> a".
std::string cycle_text(const std::vector<GraphNode>& nodes,
                       const std::map<std::string, std::uint32_t>& index,
                       const std::vector<std::uint32_t>& waits, std::uint32_t start) {
  std::vector<std::uint32_t> way;
  std::vector<bool> seen(nodes.size());
  std::uint32_t at = start;
  while (!seen[at]) {
    seen[at] = true;
    way.push_back(at);
    for (const std::string& name : nodes[at].after) {
      const std::uint32_t before = index.at(name);
      if (waits[before] != 0) {
        at = before;
        break;
      }
    }
  }
  std::string text = nodes[at].name;
  for (auto step = way.rbegin(); step != way.rend(); ++step) {
    text += " -> " + nodes[*step].name;
    if (*step == at) {
      break;
    }
  }
  return text;
}

}  // namespace

std::vector<Finding> check_and_sort(std::vector<GraphNode>& nodes) {
  std::vector<Finding> findings;
  std::map<std::string, std::uint32_t> index;
  std::vector<std::string> names;
  for (std::uint32_t i = 0; i < nodes.size(); ++i) {
    names.push_back(nodes[i].name);
    if (!index.emplace(nodes[i].name, i).second) {
      findings.push_back({nodes[i].where, fmt::format("two nodes are named '{}'", nodes[i].name),
                          "give one of them a 'name' of its own"});
    }
  }
  std::vector<std::vector<std::uint32_t>> followers(nodes.size());
  std::vector<std::uint32_t> waits(nodes.size());
  for (std::uint32_t i = 0; i < nodes.size(); ++i) {
    for (const std::string& before : nodes[i].after) {
      const auto found = index.find(before);
      if (found == index.end()) {
        findings.push_back(
            {nodes[i].where,
             fmt::format("node '{}' comes after '{}', which does not exist", nodes[i].name, before),
             did_you_mean(before, names)});
      } else {
        followers[found->second].push_back(i);
        ++waits[i];
      }
    }
  }
  if (!findings.empty()) {
    return findings;
  }
  // The first as written among those that may come next.
  std::priority_queue<std::uint32_t, std::vector<std::uint32_t>, std::greater<>> ready;
  for (std::uint32_t i = 0; i < nodes.size(); ++i) {
    if (waits[i] == 0) {
      ready.push(i);
    }
  }
  std::vector<GraphNode> sorted;
  while (!ready.empty()) {
    const std::uint32_t next = ready.top();
    ready.pop();
    sorted.push_back(nodes[next]);
    for (const std::uint32_t follower : followers[next]) {
      if (--waits[follower] == 0) {
        ready.push(follower);
      }
    }
  }
  if (sorted.size() != nodes.size()) {
    std::uint32_t start = 0;
    while (waits[start] == 0) {
      ++start;
    }
    findings.push_back(
        {nodes[start].where,
         fmt::format("nodes wait for each other: {}", cycle_text(nodes, index, waits, start)),
         "remove one of these from 'after'"});
    return findings;
  }
  nodes = std::move(sorted);
  return findings;
}

}  // namespace trnsim::workload
