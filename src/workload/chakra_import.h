// What a node of a Chakra trace becomes.
#pragma once

#include <chakra.pb.h>

#include <optional>
#include <string>

#include "trnsim/workload/graph.h"

namespace trnsim::workload::chakra {

// Of any numeric type.
[[nodiscard]] std::optional<double> number(const Node& node, const char* name);
[[nodiscard]] std::string text(const Node& node, const char* name);

// Without ranks and dependencies; `groups` of a collective is its pg_name, `send` and `receive` of
// a transfer the two ranks. Nothing for metadata. Throws Error for what trnsim cannot run.
[[nodiscard]] std::optional<GraphNode> read_node(const Node& node);

}  // namespace trnsim::workload::chakra
