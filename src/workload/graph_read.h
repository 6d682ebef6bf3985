// Reading of graphs, shared by the YAML and the JSON Lines form.
#pragma once

#include "trnsim/workload/graph.h"
#include "yaml_fields.h"

namespace trnsim::workload {

// Keys of the file's top level except `nodes` and `transformer`.
[[nodiscard]] const std::vector<std::string>& header_keys();
void read_header(Fields& fields, const YAML::Node& root, Graph& graph);
[[nodiscard]] GraphNode read_node(Fields& fields, const YAML::Node& node);
// `parallel: {tp: 16, dp: 4}`.
[[nodiscard]] Parallel read_parallel(Fields& fields, const YAML::Node& node);

[[nodiscard]] const std::vector<std::string>& rank_unit_names();

}  // namespace trnsim::workload
