// trnsim run: simulate a built-in kernel, a trace or a workload file on a system.
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <filesystem>
#include <iostream>

#include "commands.h"
#include "kernel_flags.h"
#include "run_flags.h"
#include "trnsim/base/error.h"
#include "trnsim/base/files.h"
#include "trnsim/report/graph_report.h"
#include "trnsim/report/run_report.h"
#include "trnsim/sim/graph.h"
#include "trnsim/sim/simulate.h"
#include "trnsim/spec/loader.h"
#include "trnsim/trace/collectives.h"
#include "trnsim/trace/file.h"
#include "trnsim/workload/graph.h"
#include "trnsim/workload/placement.h"
#include "trnsim/workload/workload_file.h"

namespace trnsim::cli {
namespace {

volatile std::sig_atomic_t stop_requested = 0;
// While a simulation polls stop_requested or outputs are written; otherwise nothing needs tidying up.
volatile std::sig_atomic_t busy = 0;

extern "C" void on_interrupt(int /*signal*/) {
  if (busy == 0) {
    constexpr char kText[] = "trnsim: interrupted, nothing written\n";
    (void)!::write(STDERR_FILENO, kText, sizeof kText - 1);
    ::_exit(130);
  }
  stop_requested = 1;
}

report::RunEntry simulate_placement(const spec::LoadedSystem& system,
                                    workload::Placement placement, const RunFlags& flags) {
  sim::Options options;
  options.stop_flag = &stop_requested;
  if (!flags.timeline.empty()) {
    for (const std::uint32_t core : flags.timeline_cores) {
      if (core >= system.spec.cores()) {
        throw Error(fmt::format("--timeline-cores: {} has cores 0..{}, not {}", system.spec.name,
                                system.spec.cores() - 1, core));
      }
    }
    options.timeline_cores = flags.timeline_cores;
  }
  options.by_line = flags.by_line;
  report::RunEntry entry;
  entry.label = std::move(placement.label);
  entry.workload = std::move(placement.description);
  busy = 1;
  entry.record = sim::simulate(system.spec, {std::move(placement.programs)}, options);
  busy = 0;
  entry.metrics = analysis::compute_metrics(entry.record, system.spec);
  return entry;
}

void write_outputs(const spec::LoadedSystem& system, const std::vector<report::RunEntry>& entries,
                   const std::string& workload_name, const RunFlags& flags) {
  busy = 1;
  if (!flags.quiet && flags.json != "-" && flags.csv != "-") {
    for (const report::RunEntry& entry : entries) {
      std::cout << report::text(system, entry, flags.verbose) << (entries.size() > 1 ? "\n" : "");
    }
    if (flags.by_line) {
      std::cout << report::lines_text(entries.front());
    }
    if (!workload_name.empty()) {
      std::cout << report::totals_text(system, entries, workload_name);
    }
  }
  if (!flags.json.empty()) {
    const nlohmann::ordered_json record =
        workload_name.empty() ? report::json(system, entries.front())
                              : report::json(system, entries, workload_name);
    write_file_atomically(flags.json, [&](std::ostream& out) { out << record.dump(2) << '\n'; });
  }
  if (!flags.csv.empty()) {
    write_file_atomically(flags.csv,
                          [&](std::ostream& out) { report::csv(system, entries, out); });
  }
  if (!flags.timeline.empty()) {
    write_file_atomically(flags.timeline,
                          [&](std::ostream& out) { report::perfetto(system, entries, out); });
    if (!flags.quiet) {
      std::cerr << "timeline in " << flags.timeline << ": open it at ui.perfetto.dev\n";
    }
  }
}

int run_kernel(const std::string& name, const char* purpose, const char* example,
               const Arguments& arguments) {
  CLI::App app{purpose, "run " + name};
  app.footer(std::string("Example: ") + example);
  const std::unique_ptr<workload::KernelRequest> kernel = workload::make_kernel_request(name);
  RunFlags flags;
  declare_parameters(app, *kernel);
  flags.declare(app, false);
  if (!parse(app, arguments)) {
    return 0;
  }
  flags.check();
  const spec::LoadedSystem system = flags.load();
  std::vector<report::RunEntry> entries;
  entries.push_back(simulate_placement(system, kernel->place(system.spec, flags.lowering()), flags));
  write_outputs(system, entries, "", flags);
  return 0;
}

// A trace and, for LNC=2, the program of the other core beside it: k.trt and k.1.trt.
std::vector<trace::Trace> read_programs(const std::string& path) {
  std::vector<trace::Trace> traces;
  traces.push_back(trace::read_trace(path));
  if (traces.front().lnc == 2) {
    const std::filesystem::path file(path);
    const std::string other =
        (file.parent_path() / (file.stem().string() + ".1" + file.extension().string())).string();
    if (std::filesystem::exists(other)) {
      traces.push_back(trace::read_trace(other));
    } else {
      std::cerr << fmt::format(
          "trnsim: warning: {} is for LNC=2 and {} is not there; both cores run the same program\n",
          path, other);
    }
  }
  if (std::any_of(traces.begin(), traces.end(), trace::has_collectives)) {
    std::cerr << fmt::format(
        "trnsim: warning: {} has collectives: the interconnect is not modelled, each is timed as "
        "DMA copies of this rank's part\n",
        path);
  }
  return traces;
}

int run_trace(const std::string& path, const Arguments& arguments) {
  CLI::App app{"Simulates a trace file (.trt or .jsonl).", "run FILE"};
  app.footer("Example: trnsim run kernel.trt --system trn2.48xlarge --copies 0");
  RunFlags flags;
  flags.declare(app, true);
  if (!parse(app, arguments)) {
    return 0;
  }
  flags.check();
  const spec::LoadedSystem system = flags.load();
  const std::vector<trace::Trace> traces = read_programs(path);
  if (flags.replay && traces.front().edges.empty()) {
    throw Error("has no waits to replay", {path},
                "make it with 'trnsim trace import-profile', or leave out --replay");
  }
  const workload::Scheduling scheduling = workload::scheduling_of(traces.front());
  const auto simulate = [&](const lower::Options& lowering) {
    return simulate_placement(
        system, workload::place_traces(system.spec, traces, flags.copies, lowering), flags);
  };
  std::vector<report::RunEntry> entries;
  entries.push_back(simulate(flags.lowering(scheduling)));
  if (const auto look_ahead = flags.look_ahead(scheduling)) {
    entries.back().look_ahead_us = simulate(*look_ahead).metrics.time_us;
    entries.back().look_ahead_lowering = lower::to_string(*look_ahead);
  }
  write_outputs(system, entries, "", flags);
  return 0;
}

// One after the other; a step that repeats is simulated once and counted as often as it repeats.
int run_workload(const std::string& path, const Arguments& arguments) {
  CLI::App app{"Simulates the kernels of a workload file one after the other.", "run WORKLOAD.yaml"};
  app.footer("Example: trnsim run configs/workloads/transformer_layer.yaml --system trn2.48xlarge");
  RunFlags flags;
  flags.declare(app, false);
  if (!parse(app, arguments)) {
    return 0;
  }
  flags.check();
  const spec::LoadedSystem system = flags.load();
  const workload::Workload workload = workload::load_workload(path);
  std::vector<report::RunEntry> entries;
  for (const workload::WorkloadStep& step : workload.steps) {
    const auto place_trace = [&] {
      const std::vector<trace::Trace> traces = read_programs(step.trace_path);
      return workload::place_traces(system.spec, traces, step.copies,
                                    flags.lowering(workload::scheduling_of(traces.front())));
    };
    workload::Placement placement = step.kernel != nullptr
                                        ? step.kernel->place(system.spec, flags.lowering())
                                        : place_trace();
    if (!step.name.empty()) {
      placement.label = step.name + ": " + placement.label;
    }
    entries.push_back(simulate_placement(system, std::move(placement), flags));
    entries.back().repeat = step.repeat;
  }
  write_outputs(system, entries, workload.name, flags);
  return 0;
}

// Ranks that compute and communicate: a graph of kernels and collectives.
int run_graph(const std::string& path, const Arguments& arguments) {
  CLI::App app{"Simulates a distributed workload: kernels and collectives of all ranks.",
               "run GRAPH.yaml"};
  app.footer("Example: trnsim run configs/workloads/llama_405b_layer_tp64.yaml");
  RunFlags flags;
  flags.declare(app, false);
  std::string network = "flow";
  std::string cores = "folded";
  app.add_option("--network", network, "model: analytic, flow or packet")
      ->check(CLI::IsMember({"analytic", "flow", "packet"}))
      ->capture_default_str();
  app.add_option("--cores", cores, "all, or folded: chips that run the same are simulated once")
      ->check(CLI::IsMember({"all", "folded"}))
      ->capture_default_str();
  if (!parse(app, arguments)) {
    return 0;
  }
  flags.check();
  if (!flags.csv.empty()) {
    throw Error("--csv is for kernels", {}, "a graph has --json");
  }
  const workload::Graph graph = workload::load_graph(path);
  if (app.get_option("--system")->empty() && !graph.system.empty()) {
    flags.system = graph.system;
  }
  const spec::LoadedSystem system = flags.load();
  const workload::GraphJob job = workload::make_job(graph, system.spec, flags.lowering());
  sim::GraphOptions options;
  options.network = network == "flow"     ? sim::NetworkModel::kFlow
                    : network == "packet" ? sim::NetworkModel::kPacket
                                          : sim::NetworkModel::kAnalytic;
  options.folded = cores == "folded";
  options.stop_flag = &stop_requested;
  busy = 1;
  const sim::GraphRecord record = sim::simulate_graph(system.spec, job, options);
  const report::GraphEntry entry{job, record};
  if (!flags.quiet && flags.json != "-") {
    std::cout << report::graph_text(system, entry);
  }
  if (!flags.json.empty()) {
    const nlohmann::ordered_json json = report::graph_json(system, entry);
    write_file_atomically(flags.json, [&](std::ostream& out) { out << json.dump(2) << '\n'; });
  }
  if (!flags.timeline.empty()) {
    write_file_atomically(flags.timeline,
                          [&](std::ostream& out) { report::graph_perfetto(entry, out); });
    if (!flags.quiet) {
      std::cerr << "timeline in " << flags.timeline << ": open it at ui.perfetto.dev\n";
    }
  }
  busy = 0;
  return 0;
}

constexpr const char* kUsage =
    "Simulates a kernel, a trace or a workload on a Trainium system.\n"
    "\n"
    "  trnsim run gemm [options]           C = A x B over all cores of the system\n"
    "  trnsim run attention [options]      attention forward over all cores\n"
    "  trnsim run FILE.trt [options]       a traced kernel (also .jsonl)\n"
    "  trnsim run WORKLOAD.yaml [options]  several kernels one after the other\n"
    "  trnsim run GRAPH.yaml [options]     kernels and collectives of many ranks\n"
    "\n"
    "Each has --help. Example:\n"
    "  trnsim run gemm -m 4096 -n 4096 -k 4096 --system trn2-core --timeline t.json\n";

}  // namespace

int run_command(const Arguments& arguments) {
  if (arguments.empty() || arguments[0] == "--help" || arguments[0] == "-h") {
    std::cout << kUsage;
    if (arguments.empty()) {
      throw Error("nothing to run", {}, "name a kernel, a trace or a workload file");
    }
    return 0;
  }
  std::signal(SIGINT, on_interrupt);
  std::signal(SIGTERM, on_interrupt);
  const std::string& what = arguments[0];
  const Arguments rest(arguments.begin() + 1, arguments.end());
  if (what == "gemm") {
    return run_kernel(what, "Simulates C[M, N] = A x B, distributed over all cores of the system.",
                      "trnsim run gemm -m 65536 -n 65536 -k 8192 --system trn2-ultraserver", rest);
  }
  if (what == "attention") {
    return run_kernel(what, "Simulates attention forward over all cores of the system.",
                      "trnsim run attention --batch 8 --heads 64 --seq 16384 --causal "
                      "--system trn2-ultraserver",
                      rest);
  }
  if (workload::is_graph_file(what)) {
    return run_graph(what, rest);
  }
  if (what.ends_with(".yaml") || what.ends_with(".yml")) {
    return run_workload(what, rest);
  }
  if (what.ends_with(".trt") || what.ends_with(".jsonl")) {
    return run_trace(what, rest);
  }
  throw Error(fmt::format("'{}' is neither a kernel nor a .trt, .jsonl or .yaml file", what), {},
              did_you_mean(what, workload::kernel_names()));
}

}  // namespace trnsim::cli
