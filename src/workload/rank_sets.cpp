// Ranks and replica groups by name.
#include "rank_sets.h"

#include <algorithm>
#include <charconv>
#include <optional>

namespace trnsim::workload {
namespace {

struct Axis {
  std::uint32_t size = 1;
  std::uint32_t stride = 1;
};

std::optional<Axis> axis_of(const std::string& text, const Parallel& p) {
  if (text == "tp") {
    return Axis{p.tp, 1};
  }
  if (text == "cp") {
    return Axis{p.cp, p.tp};
  }
  if (text == "dp") {
    return Axis{p.dp, p.tp * p.cp};
  }
  if (text == "pp") {
    return Axis{p.pp, p.stage()};
  }
  if (text == "etp") {
    return Axis{p.etp, 1};
  }
  if (text == "ep") {
    return Axis{p.ep, p.etp};
  }
  return std::nullopt;
}

}  // namespace

std::uint32_t cores_of(RankUnit unit, const spec::SystemSpec& system) {
  switch (unit) {
    case RankUnit::kChip:
      return system.cores_per_chip_used;
    case RankUnit::kLogicalCore:
      return system.lnc;
    case RankUnit::kCore:
      return 1;
  }
  return 1;
}

fabric::RankMap ranks_of(const Graph& graph, const spec::SystemSpec& system) {
  const std::uint32_t count =
      graph.ranks != 0 ? graph.ranks : (graph.has_parallel ? graph.parallel.ranks() : 0);
  return fabric::make_ranks(system, cores_of(graph.rank, system), count);
}

std::vector<std::uint32_t> parse_rank_list(const std::string& text, const fabric::RankMap& ranks,
                                           const Parallel& parallel) {
  const auto count = static_cast<std::uint32_t>(ranks.ranks.size());
  std::vector<std::uint32_t> found;
  if (text.starts_with("stage:")) {
    std::uint32_t stage = 0;
    const auto [end, code] = std::from_chars(text.data() + 6, text.data() + text.size(), stage);
    if (code != std::errc{} || end != text.data() + text.size() || stage >= parallel.pp) {
      throw Error(
          fmt::format("ranks '{}': no such pipeline stage", text), {},
          fmt::format("stages are stage:0 to stage:{} (pp: {})", parallel.pp - 1, parallel.pp));
    }
    for (std::uint32_t i = 0; i < parallel.stage(); ++i) {
      found.push_back(stage * parallel.stage() + i);
    }
    if (found.back() >= count) {
      throw Error(fmt::format("ranks '{}': the job has {} ranks", text, count));
    }
    return found;
  }
  for (const collectives::Group& group : collectives::parse_groups(text, ranks)) {
    found.insert(found.end(), group.ranks.begin(), group.ranks.end());
  }
  return found;
}

std::vector<std::uint32_t> parse_ranks(const std::string& text, const fabric::RankMap& ranks,
                                       const Parallel& parallel) {
  std::vector<std::uint32_t> found = parse_rank_list(text, ranks, parallel);
  std::sort(found.begin(), found.end());
  if (std::adjacent_find(found.begin(), found.end()) != found.end()) {
    throw Error(fmt::format("ranks '{}' name a rank twice", text));
  }
  return found;
}

std::vector<collectives::Group> parse_groups(const std::string& text, const fabric::RankMap& ranks,
                                             const Parallel& parallel) {
  const std::size_t at = text.find('@');
  const std::optional<Axis> axis = axis_of(text.substr(0, at), parallel);
  if (!axis) {
    return collectives::parse_groups(text, ranks);
  }
  const std::vector<std::uint32_t> members =
      at == std::string::npos ? parse_ranks("all", ranks, parallel)
                              : parse_ranks(text.substr(at + 1), ranks, parallel);
  std::vector<collectives::Group> groups;
  for (const std::uint32_t rank : members) {
    if (rank / axis->stride % axis->size != 0) {
      continue;
    }
    collectives::Group group;
    for (std::uint32_t i = 0; i < axis->size; ++i) {
      group.ranks.push_back(rank + i * axis->stride);
    }
    if (group.ranks.back() >= ranks.ranks.size()) {
      throw Error(fmt::format("groups '{}' need rank {}, the job has {} ranks", text,
                              group.ranks.back(), ranks.ranks.size()));
    }
    groups.push_back(std::move(group));
  }
  return groups;
}

}  // namespace trnsim::workload
