// Declares and resolves the common options of `trnsim run`.
#include "run_flags.h"

#include <iostream>

#include "trnsim/base/error.h"
#include "trnsim/base/files.h"

namespace trnsim::cli {

void RunFlags::declare(CLI::App& app, bool trace) {
  app.add_option("--system", system, "system name (trnsim describe --list) or YAML file")
      ->capture_default_str();
  app.add_option("--set", overrides, "override one value: --set chip.core.tensor.clock_ghz=2.8")
      ->allow_extra_args(false);
  app.add_option("--lnc", lnc, "logical NeuronCore size, 1 or 2; default of the system");
  app.add_option("--json", json, "write the full record, - for standard output");
  app.add_option("--csv", csv, "write one row per kernel, - for standard output");
  app.add_option("--timeline", timeline, "write a timeline for ui.perfetto.dev");
  app.add_option("--timeline-cores", timeline_cores, "cores in the timeline, e.g. 0,1")
      ->delimiter(',')
      ->capture_default_str();
  app.add_option("--order", order, "auto, program, compiled (NKI beta 1), or window:N")
      ->capture_default_str();
  app.add_option("--engines", engines, "engine of unpinned instructions: auto, rule, balance")
      ->capture_default_str();
  app.add_option("--alloc", alloc, "SBUF/PSUM allocation: rotate, first-fit, unlimited or depth:K")
      ->capture_default_str();
  if (trace) {
    app.add_option("--copies", copies, "cores that run the trace, 0 = all")->capture_default_str();
    app.add_flag("--replay", replay, "wait for what the imported profile's semaphores waited for");
    app.add_flag("--by-line", by_line, "time and waits by source line of the kernel");
  }
  app.add_flag("-q,--quiet", quiet, "no report on standard output");
  app.add_flag("-v,--verbose", verbose, "also DMA queues and what lowering did");
}

void RunFlags::check() const {
  (void)lowering();
  for (const std::string& path : {json, csv, timeline}) {
    if (!path.empty()) {
      check_writable(path);
    }
  }
}

spec::LoadedSystem RunFlags::load() const {
  std::vector<std::string> all = overrides;
  if (lnc > 0) {
    all.push_back(fmt::format("lnc={}", lnc));
  }
  spec::LoadedSystem loaded = spec::load_system(system, all);
  for (const std::string& warning : loaded.warnings) {
    std::cerr << "trnsim: warning: " << warning << '\n';
  }
  return loaded;
}

lower::Options RunFlags::lowering(workload::Scheduling scheduling) const {
  lower::Options options;
  const bool compiler = scheduling == workload::Scheduling::kCompiler && !replay;
  lower::parse_order(order != "auto" ? order : compiler ? "compiled" : "program", options);
  options.engines = engines != "auto" ? lower::parse_engine_policy(engines)
                    : scheduling == workload::Scheduling::kAuthor ? lower::EnginePolicy::kRule
                                                                  : lower::EnginePolicy::kBalance;
  lower::parse_alloc_policy(alloc, options);
  options.replay = replay;
  return options;
}

std::optional<lower::Options> RunFlags::look_ahead(workload::Scheduling scheduling) const {
  if (order != "auto" || scheduling != workload::Scheduling::kUnknown || replay) {
    return std::nullopt;
  }
  lower::Options options = lowering(scheduling);
  options.window = lower::kCompilerWindow;
  return options;
}

}  // namespace trnsim::cli
