// trnsim describe: a system's composition, peaks, values and their sources.
#include "trnsim/spec/describe.h"

#include <iostream>
#include <nlohmann/json.hpp>

#include "commands.h"
#include "trnsim/base/error.h"
#include "trnsim/base/files.h"
#include "trnsim/spec/descriptor.h"

namespace trnsim::cli {
namespace {

struct DescribeOptions {
  std::string system;
  std::vector<std::string> overrides;
  std::string json;
  bool list = false;
  bool keys = false;
  bool quiet = false;
};

bool parse_options(const Arguments& arguments, DescribeOptions& options) {
  CLI::App app("Show a system: composition, peaks, and every value with its source.", "describe");
  app.footer(
      "Example: trnsim describe trn2.48xlarge --set chip.core.tensor.clock_ghz=2.8\n"
      "Systems: trnsim describe --list");
  app.add_option("system", options.system, "Name of a system or path of a YAML file");
  app.add_option("--set", options.overrides, "Override one value, e.g. lnc=1 (repeatable)")
      ->type_name("KEY=VALUE")
      ->allow_extra_args(false);
  app.add_option("--json", options.json, "Write JSON to FILE, or - for stdout instead of text")
      ->type_name("FILE");
  app.add_flag("--list", options.list, "List the names of the shipped systems");
  app.add_flag("--keys", options.keys)->group("");  // prints configs/README.md
  app.add_flag("-q,--quiet", options.quiet, "Without the values and their sources");
  return parse(app, arguments);
}

}  // namespace

int describe_command(const Arguments& arguments) {
  DescribeOptions options;
  if (!parse_options(arguments, options)) {
    return 0;
  }
  if (options.keys) {
    std::cout << spec::key_table_markdown();
    return 0;
  }
  if (options.list) {
    std::cout << spec::system_list_text();
    return 0;
  }
  if (options.system.empty()) {
    throw Error("no system given", {}, "see the names with 'trnsim describe --list'");
  }
  if (!options.json.empty()) {
    check_writable(options.json);
  }
  const spec::LoadedSystem system = spec::load_system(options.system, options.overrides);
  if (options.json != "-") {
    std::cout << spec::describe_text(system, !options.quiet);
  }
  if (!options.json.empty()) {
    write_file_atomically(options.json, [&](std::ostream& stream) {
      stream << spec::describe_json(system).dump(2) << "\n";
    });
  }
  return 0;
}

}  // namespace trnsim::cli
