// Command-line parsing: CLI11 with our error style (one line, a hint, exit 2).
#pragma once

#include <span>
#include <string>
#include <vector>

#include <CLI/CLI.hpp>

namespace trnsim::cli {

using Arguments = std::vector<std::string>;

// Parses `arguments` (without program and subcommand name). Returns false if help was asked for and
// printed to stdout. Throws trnsim::Error for anything the app does not accept, with the nearest
// option name.
[[nodiscard]] bool parse(CLI::App& app, const Arguments& arguments);

// One of several actions of a command: "trnsim trace info".
struct Action {
  const char* name;
  int (*run)(const Arguments&);
  const char* what;
};

// Runs the action that the first argument names with the rest; --help prints `help`. Throws trnsim::Error
// for no action and for an unknown one, with the nearest name.
[[nodiscard]] int run_action(const std::string& command, std::span<const Action> actions,
                             const std::string& help, const Arguments& arguments);

}  // namespace trnsim::cli
