// trnsim workload: graphs between their forms.
#include <array>
#include <iostream>

#include "commands.h"
#include "trnsim/base/error.h"
#include "trnsim/base/files.h"
#include "trnsim/spec/loader.h"
#include "trnsim/workload/chakra.h"
#include "trnsim/workload/graph.h"

namespace trnsim::cli {
namespace {

void write_graph(const workload::Graph& graph, const std::string& output) {
  const std::string text = workload::to_jsonl(graph);
  if (output == "-") {
    std::cout << text;
  } else {
    write_file_atomically(output, [&](std::ostream& out) { out << text; });
  }
}

int expand_command(const Arguments& arguments) {
  CLI::App app{"Writes a graph or a transformer workload node by node, as JSON Lines.",
               "workload expand"};
  app.footer("Example: trnsim workload expand configs/workloads/llama_405b_decode.yaml");
  std::string file;
  std::string output = "-";
  app.add_option("file", file, "graph: YAML or JSON Lines")->required();
  app.add_option("-o,--output", output, "JSON Lines file, - for standard output")
      ->capture_default_str();
  if (!parse(app, arguments)) {
    return 0;
  }
  write_graph(workload::load_graph(file), output);
  return 0;
}

int import_command(const Arguments& arguments) {
  CLI::App app{"Makes a graph of Chakra execution traces, one file per rank.",
               "workload import-chakra"};
  app.footer("Example: trnsim workload import-chakra traces/run -o run.jsonl   (run.0.et, run.1.et, ...)");
  std::string prefix;
  std::string output = "-";
  app.add_option("prefix", prefix, "the files are PREFIX.0.et, PREFIX.1.et, ...")->required();
  app.add_option("-o,--output", output, "JSON Lines file, - for standard output")
      ->capture_default_str();
  if (!parse(app, arguments)) {
    return 0;
  }
  write_graph(workload::import_chakra(prefix), output);
  return 0;
}

int export_command(const Arguments& arguments) {
  CLI::App app{"Writes a graph as Chakra execution traces, one file per rank.",
               "workload export-chakra"};
  app.footer("Example: trnsim workload export-chakra configs/workloads/megatron_mlp.yaml mlp");
  std::string file;
  std::string prefix;
  std::string system;
  app.add_option("file", file, "graph: YAML or JSON Lines")->required();
  app.add_option("prefix", prefix, "writes PREFIX.0.et, PREFIX.1.et, ...")->required();
  app.add_option("--system", system, "default: the system of the graph");
  if (!parse(app, arguments)) {
    return 0;
  }
  const workload::Graph graph = workload::load_graph(file);
  if (system.empty()) {
    system = graph.system;
  }
  if (system.empty()) {
    throw Error(fmt::format("{} names no system", file), {}, "give one with --system");
  }
  workload::export_chakra(graph, spec::load_system(system).spec, prefix);
  return 0;
}

constexpr std::array<Action, 3> kActions{{
    {"expand", expand_command, "write a graph node by node, as JSON Lines"},
    {"import-chakra", import_command, "make a graph of Chakra execution traces"},
    {"export-chakra", export_command, "write a graph as Chakra execution traces"},
}};

std::string help_text() {
  std::string text = "Looks into distributed workloads and converts them; 'trnsim run' runs them.\n\n";
  for (const Action& action : kActions) {
    text += fmt::format("  trnsim workload {:<14} {}\n", action.name, action.what);
  }
  return text + "\nExample: trnsim workload expand configs/workloads/tp_gemm_row.yaml\n";
}

}  // namespace

int workload_command(const Arguments& arguments) {
  return run_action("workload", kActions, help_text(), arguments);
}

}  // namespace trnsim::cli
