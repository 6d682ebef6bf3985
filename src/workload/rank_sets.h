// Ranks and replica groups by name: what "all", "0-15", "stage:2" or "tp" mean in a graph.
#pragma once

#include <string>
#include <vector>

#include "trnsim/collectives/group.h"
#include "trnsim/fabric/ranks.h"
#include "trnsim/workload/graph.h"

namespace trnsim::workload {

// Ascending. Throws Error for text that is none of these and ranks that do not exist.
[[nodiscard]] std::vector<std::uint32_t> parse_ranks(const std::string& text,
                                                     const fabric::RankMap& ranks,
                                                     const Parallel& parallel);

// By axis ("tp", "cp", "dp", "pp", "ep", "etp"), restricted to a stage ("tp@stage:1"), or as
// collectives::parse_groups.
[[nodiscard]] std::vector<collectives::Group> parse_groups(const std::string& text,
                                                           const fabric::RankMap& ranks,
                                                           const Parallel& parallel);

}  // namespace trnsim::workload
