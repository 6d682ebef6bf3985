// Ranks and replica groups by name: what "all", "0-15", "stage:2" or "tp" mean in a graph.
#pragma once

#include <string>
#include <vector>

#include "trnsim/collectives/group.h"
#include "trnsim/fabric/ranks.h"
#include "trnsim/workload/graph.h"

namespace trnsim::workload {

[[nodiscard]] std::uint32_t cores_of(RankUnit unit, const spec::SystemSpec& system);
// The ranks of a graph on a system. Throws Error when it has fewer.
[[nodiscard]] fabric::RankMap ranks_of(const Graph& graph, const spec::SystemSpec& system);

// As written. Throws Error for text that is none of these and ranks that do not exist.
[[nodiscard]] std::vector<std::uint32_t> parse_rank_list(const std::string& text,
                                                         const fabric::RankMap& ranks,
                                                         const Parallel& parallel);

// The same, ascending; a rank that is named twice is an error too.
[[nodiscard]] std::vector<std::uint32_t> parse_ranks(const std::string& text,
                                                     const fabric::RankMap& ranks,
                                                     const Parallel& parallel);

// By axis ("tp", "cp", "dp", "pp", "ep", "etp"), restricted to a stage ("tp@stage:1"), or as
// collectives::parse_groups.
[[nodiscard]] std::vector<collectives::Group> parse_groups(const std::string& text,
                                                           const fabric::RankMap& ranks,
                                                           const Parallel& parallel);

}  // namespace trnsim::workload
