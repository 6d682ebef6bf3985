// Command-line parsing: CLI11 with our error style (one line, a hint, exit 2).
#pragma once

#include <string>
#include <vector>

#include <CLI/CLI.hpp>

namespace trnsim::cli {

using Arguments = std::vector<std::string>;

// Parses `arguments` (without program and subcommand name). Returns false if help was asked for and
// printed to stdout. Throws trnsim::Error for anything the app does not accept, with the nearest
// option name.
[[nodiscard]] bool parse(CLI::App& app, const Arguments& arguments);

}  // namespace trnsim::cli
