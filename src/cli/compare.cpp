// trnsim compare: replays a Neuron profiler export and lays the result beside what was measured.
#include <iostream>

#include "commands.h"
#include "parse.h"
#include "trnsim/analysis/profile_compare.h"
#include "trnsim/base/error.h"
#include "trnsim/base/files.h"
#include "trnsim/report/compare_report.h"
#include "trnsim/sim/simulate.h"
#include "trnsim/spec/loader.h"
#include "trnsim/trace/profile.h"
#include "trnsim/workload/placement.h"

namespace trnsim::cli {
namespace {

struct Flags {
  std::string profile;
  std::string system = "trn2.3xlarge";
  std::vector<std::string> overrides;
  std::string json;
  std::string csv;
  std::string rows;
  double drift = 0.02;
  bool quiet = false;
};

void declare(CLI::App& app, Flags& flags) {
  app.add_option("profile", flags.profile, "JSON export of the Neuron profiler, also .gz")
      ->required();
  app.add_option("--system", flags.system, "system name (trnsim describe --list) or YAML file")
      ->capture_default_str();
  app.add_option("--set", flags.overrides, "override one value: --set lnc=1")
      ->allow_extra_args(false);
  app.add_option("--drift", flags.drift, "share of the span by which a row has to be off to drift")
      ->check(CLI::Range(0.0, 1.0))
      ->capture_default_str();
  app.add_option("--json", flags.json, "write everything, - for standard output");
  app.add_option("--csv", flags.csv, "write one line per row and transfer, - for standard output");
  app.add_option("--rows", flags.rows, "write the simulated rows with the profiler's field names");
  app.add_flag("-q,--quiet", flags.quiet, "no report on standard output");
}

void set_grid(const trace::Profile& profile, const spec::LoadedSystem& system, Flags& flags) {
  for (const std::string& text : flags.overrides) {
    if (text.find("grid_offset_cycles") != std::string::npos) {
      return;
    }
  }
  if (const auto grid = analysis::limiter_grid_override(profile, system.spec.chip.core)) {
    flags.overrides.push_back(*grid);
  }
}

}  // namespace

int compare_command(const Arguments& arguments) {
  CLI::App app{"Replays a profile and lays it beside the measured one.", "compare"};
  app.footer("Example: trnsim compare kernel.profile.json.gz --system trn2.3xlarge --csv rows.csv");
  Flags flags;
  declare(app, flags);
  if (!parse(app, arguments)) {
    return 0;
  }
  for (const std::string& path : {flags.json, flags.csv, flags.rows}) {
    if (!path.empty()) {
      check_writable(path);
    }
  }
  const trace::ImportedProfile imported = trace::import_profile(flags.profile);
  for (const std::string& warning : imported.warnings) {
    std::cerr << "trnsim: warning: " << flags.profile << ": " << warning << '\n';
  }
  flags.overrides.insert(flags.overrides.begin(), "lnc=1");
  set_grid(imported.profile, spec::load_system(flags.system, flags.overrides), flags);
  const spec::LoadedSystem system = spec::load_system(flags.system, flags.overrides);
  lower::Options lowering;
  lowering.replay = true;
  workload::Placement placement =
      workload::place_traces(system.spec, {imported.trace}, 1, lowering);
  sim::Options options;
  options.timeline_cores = {0};
  const sim::RunRecord record =
      sim::simulate(system.spec, {std::move(placement.programs)}, options);
  const analysis::ProfileComparison comparison =
      analysis::compare(imported, record, flags.drift);
  if (!flags.quiet && flags.json != "-" && flags.csv != "-") {
    std::cout << report::compare_text(imported, comparison, system);
  }
  if (!flags.json.empty()) {
    write_file_atomically(flags.json, [&](std::ostream& out) {
      out << report::compare_json(imported, comparison, system).dump(2) << '\n';
    });
  }
  if (!flags.csv.empty()) {
    write_file_atomically(flags.csv, [&](std::ostream& out) {
      report::compare_csv(imported, comparison, out);
    });
  }
  if (!flags.rows.empty()) {
    write_file_atomically(flags.rows, [&](std::ostream& out) {
      out << report::profile_rows(record).dump(1) << '\n';
    });
  }
  return 0;
}

}  // namespace trnsim::cli
