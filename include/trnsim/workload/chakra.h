// Chakra execution traces (mlcommons/chakra) to and from graphs: one file per rank,
// <prefix>.<rank>.et. What becomes what: docs/workloads.md.
#pragma once

#include <string>

#include "trnsim/workload/graph.h"

namespace trnsim::workload {

// Reads the files of ranks 0, 1, ... that exist. Nodes of equal name and content on several ranks
// are one node. Throws Error naming file and byte for what is no trace, and the node for what
// trnsim cannot run.
[[nodiscard]] Graph import_chakra(const std::string& prefix);

// One file for each rank that the graph has on this system. A collective permute becomes sends and
// receives. Throws Error as make_job for ranks and groups, and for files that cannot be written.
void export_chakra(const Graph& graph, const spec::SystemSpec& system, const std::string& prefix);

}  // namespace trnsim::workload
