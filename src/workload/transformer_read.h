// Reader of `transformer:` in a workload file.
#pragma once

#include "trnsim/workload/graph.h"
#include "yaml_fields.h"

namespace trnsim::workload {

// Adds the nodes and figures to `graph`, whose header has been read.
void read_transformer(Fields& fields, const YAML::Node& node, Graph& graph);

}  // namespace trnsim::workload
