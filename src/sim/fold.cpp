// Which chips are in identical surroundings: the same programs, nodes and dependencies on every rank.
#include <map>

#include "graph_system.h"

namespace trnsim::sim {
namespace {

bool takes_part(const workload::JobNode& node, std::uint32_t rank) {
  return node.ranks.empty() || std::binary_search(node.ranks.begin(), node.ranks.end(), rank);
}

}  // namespace

ChipClasses fold_chips(const workload::GraphJob& job, std::uint32_t chips, bool folded) {
  // What a chip runs: for each of its ranks its place and the nodes it takes part in. Programs and
  // dependencies belong to the node, so nodes say it all.
  std::vector<std::vector<std::uint32_t>> content(chips);
  for (std::uint32_t r = 0; r < job.ranks.ranks.size(); ++r) {
    std::vector<std::uint32_t>& list = content[job.ranks.ranks[r].chip];
    list.push_back(job.ranks.ranks[r].index_on_chip);
    for (std::uint32_t n = 0; n < job.nodes.size(); ++n) {
      if (takes_part(job.nodes[n], r)) {
        list.push_back(n);
      }
    }
    list.push_back(UINT32_MAX);
  }
  ChipClasses classes;
  classes.class_of_chip.assign(chips, UINT32_MAX);
  std::map<std::vector<std::uint32_t>, std::uint32_t> known;
  for (std::uint32_t chip = 0; chip < chips; ++chip) {
    if (content[chip].empty()) {
      continue;
    }
    if (!folded) {
      content[chip].push_back(chip);
    }
    const auto [at, is_new] =
        known.emplace(content[chip], static_cast<std::uint32_t>(classes.leader_chip.size()));
    if (is_new) {
      classes.leader_chip.push_back(chip);
    }
    classes.class_of_chip[chip] = at->second;
  }
  return classes;
}

}  // namespace trnsim::sim
