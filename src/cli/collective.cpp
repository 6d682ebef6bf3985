// trnsim collective: one collective over sizes, as nccom-test runs it.
#include <algorithm>
#include <csignal>
#include <iostream>

#include "commands.h"
#include "trnsim/base/error.h"
#include "trnsim/base/files.h"
#include "trnsim/spec/loader.h"
#include "trnsim/study/collective_sweep.h"

namespace trnsim::cli {
namespace {

volatile std::sig_atomic_t stop_requested = 0;

extern "C" void on_collective_interrupt(int /*signal*/) { stop_requested = 1; }

struct Flags {
  std::string op = "all_reduce";
  std::string system = "trn2.48xlarge";
  std::vector<std::string> overrides;
  std::string min_bytes = "1K";
  std::string max_bytes = "1G";
  std::uint32_t factor = 4;
  std::string rank = "logical_core";
  std::uint32_t ranks = 0;
  std::string groups = "all";
  std::string algorithm = "auto";
  std::string space = "hbm";
  std::string network = "flow";
  std::string compare;
  std::string json;
  std::string csv;
  bool quiet = false;
};

void declare(CLI::App& app, Flags& flags) {
  app.add_option("op", flags.op,
                 "all_reduce, all_gather, reduce_scatter, all_to_all, broadcast or permute")
      ->capture_default_str();
  app.add_option("--system", flags.system, "system name (trnsim describe --list) or YAML file")
      ->capture_default_str();
  app.add_option("--set", flags.overrides, "override one value of the system")
      ->allow_extra_args(false);
  app.add_option("-b,--min-bytes", flags.min_bytes, "first size, e.g. 1K, 8M, 1G (powers of two)")
      ->capture_default_str();
  app.add_option("-e,--max-bytes", flags.max_bytes, "last size")->capture_default_str();
  app.add_option("-f,--factor", flags.factor, "from one size to the next")
      ->check(CLI::Range(2U, 1024U))
      ->capture_default_str();
  app.add_option("--rank", flags.rank, "what a rank is: core, logical_core or chip")
      ->capture_default_str();
  app.add_option("-r,--ranks", flags.ranks, "ranks, from the first of the system on; 0 = all")
      ->capture_default_str();
  app.add_option("--groups", flags.groups,
                 "replica groups, run at the same time: all, 0-15, 0,4,8;1,5,9 or chips:0-3")
      ->capture_default_str();
  app.add_option("--algorithm", flags.algorithm,
                 "auto, ring, kangaring, mesh, single_step_mesh, rdh, hierarchical, pod_mesh, "
                 "switch_mesh or direct")
      ->capture_default_str();
  app.add_option("--space", flags.space, "memory of the buffers: hbm or sbuf")
      ->capture_default_str();
  app.add_option("--network", flags.network, "model: analytic, flow or packet")
      ->capture_default_str();
  app.add_option("--compare", flags.compare, "nccom-test output or CSV to print beside");
  app.add_option("--json", flags.json, "write everything, - for standard output");
  app.add_option("--csv", flags.csv, "write one line per size, - for standard output");
  app.add_flag("-q,--quiet", flags.quiet, "no report on standard output");
}

std::uint64_t parse_bytes(const std::string& option, const std::string& text) {
  std::size_t used = 0;
  std::uint64_t value = 0;
  try {
    value = text.empty() || text[0] == '-' ? 0 : std::stoull(text, &used);
  } catch (const std::exception&) {
    used = 0;
  }
  std::string unit = text.substr(std::min(used, text.size()));
  const std::string units = "KMGT";
  if (!unit.empty() && units.find(unit[0]) != std::string::npos) {
    const auto shift = 10U * static_cast<unsigned>(units.find(unit[0]) + 1);
    value = value >> (50U - shift) > 1 ? UINT64_MAX : value << shift;
    unit = unit.substr(1) == "iB" || unit.substr(1) == "B" ? "" : unit.substr(1);
  }
  constexpr std::uint64_t kMost = std::uint64_t{1} << 50U;
  if (value == 0 || value > kMost || !unit.empty()) {
    throw Error(fmt::format("{}: '{}' is not a size", option, text), {}, "e.g. 65536, 64K or 1G");
  }
  return value;
}

template <class Value>
Value choose(const std::string& option, const std::string& text,
             const std::vector<std::pair<std::string, Value>>& choices) {
  std::vector<std::string> names;
  for (const auto& [name, value] : choices) {
    if (name == text) {
      return value;
    }
    names.push_back(name);
  }
  throw Error(fmt::format("{}: '{}' is none of {}", option, text, fmt::join(names, ", ")), {},
              did_you_mean(text, names));
}

study::CollectiveRequest request_of(const Flags& flags, const spec::SystemSpec& system) {
  study::CollectiveRequest request;
  request.op = collectives::parse_op(flags.op);
  request.algorithm = collectives::parse_algorithm(flags.algorithm);
  request.cores_per_rank = choose<std::uint32_t>(
      "--rank", flags.rank,
      {{"core", 1}, {"logical_core", system.lnc}, {"chip", system.cores_per_chip_used}});
  request.ranks = flags.ranks;
  request.groups = flags.groups;
  request.space = choose<fabric::Space>("--space", flags.space,
                                        {{"hbm", fabric::Space::kHbm}, {"sbuf", fabric::Space::kSbuf}});
  request.network = choose<sim::NetworkModel>("--network", flags.network,
                                              {{"analytic", sim::NetworkModel::kAnalytic},
                                               {"flow", sim::NetworkModel::kFlow},
                                               {"packet", sim::NetworkModel::kPacket}});
  request.stop_flag = &stop_requested;
  return request;
}

}  // namespace

int collective_command(const Arguments& arguments) {
  CLI::App app{"Times one collective over sizes on an idle system, as nccom-test does.",
               "collective"};
  app.footer("Example: trnsim collective all_reduce --system trn2.48xlarge -b 64K -e 1G");
  Flags flags;
  declare(app, flags);
  if (!parse(app, arguments)) {
    return 0;
  }
  for (const std::string& path : {flags.json, flags.csv}) {
    if (!path.empty()) {
      check_writable(path);
    }
  }
  const spec::LoadedSystem system = spec::load_system(flags.system, flags.overrides);
  for (const std::string& warning : system.warnings) {
    std::cerr << "trnsim: warning: " << warning << '\n';
  }
  study::CollectiveRequest request = request_of(flags, system.spec);
  std::vector<study::MeasuredCollective> measured;
  if (!flags.compare.empty()) {
    measured = study::read_nccom(flags.compare);
    for (const study::MeasuredCollective& row : measured) {
      request.sizes.push_back(row.bytes);
    }
  } else {
    const std::uint64_t last = parse_bytes("--max-bytes", flags.max_bytes);
    std::uint64_t size = parse_bytes("--min-bytes", flags.min_bytes);
    if (size > last) {
      throw Error(fmt::format("--min-bytes {} is above --max-bytes {}", flags.min_bytes,
                              flags.max_bytes));
    }
    for (; size <= last; size *= flags.factor) {
      request.sizes.push_back(size);
    }
  }
  std::signal(SIGINT, on_collective_interrupt);
  std::signal(SIGTERM, on_collective_interrupt);
  const study::CollectiveSweep sweep = study::sweep_collective(system, request);
  if (!flags.quiet && flags.json != "-" && flags.csv != "-") {
    std::cout << study::collective_text(system, request, sweep, measured);
  }
  if (!flags.json.empty()) {
    const auto record = study::collective_json(system, request, sweep, measured);
    write_file_atomically(flags.json, [&](std::ostream& out) { out << record.dump(2) << '\n'; });
  }
  if (!flags.csv.empty()) {
    write_file_atomically(flags.csv,
                          [&](std::ostream& out) { study::collective_csv(request, sweep, out); });
  }
  return 0;
}

}  // namespace trnsim::cli
