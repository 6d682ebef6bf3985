// CLI11 errors become trnsim::Error.
#include "parse.h"

#include <algorithm>
#include <iostream>
#include <sstream>

#include "trnsim/base/error.h"

namespace trnsim::cli {
namespace {

std::vector<std::string> option_names(const CLI::App& app) {
  std::vector<std::string> names;
  for (const CLI::Option* option : app.get_options()) {
    for (const std::string& name : option->get_lnames()) {
      names.push_back("--" + name);
    }
  }
  return names;
}

// CLI11 does not wrap: descriptions over 80 columns continue below their start.
std::string wrapped(const std::string& help) {
  constexpr std::size_t kWidth = 80;
  constexpr std::size_t kDescription = 30;
  std::string out;
  std::istringstream lines(help);
  for (std::string line; std::getline(lines, line);) {
    while (line.starts_with("  ") && line.size() > kWidth) {
      const std::size_t space = line.rfind(' ', kWidth);
      if (space <= kDescription) {
        break;
      }
      out += line.substr(0, space) + '\n';
      line = std::string(kDescription, ' ') + line.substr(space + 1);
    }
    out += line + '\n';
  }
  return out;
}

}  // namespace

bool parse(CLI::App& app, const Arguments& arguments) {
  Arguments reversed(arguments.rbegin(), arguments.rend());
  app.allow_extras();
  try {
    app.parse(reversed);
  } catch (const CLI::CallForHelp&) {
    app.name("trnsim " + app.get_name());
    std::cout << wrapped(app.help());
    return false;
  } catch (const CLI::ParseError& error) {
    throw Error(error.what(), {}, "see 'trnsim " + app.get_name() + " --help'");
  }
  const std::vector<std::string> extras = app.remaining();
  if (!extras.empty()) {
    const std::string& first = extras.front();
    std::string hint = did_you_mean(first.substr(0, first.find('=')), option_names(app));
    if (hint.empty()) {
      hint = "see 'trnsim " + app.get_name() + " --help'";
    }
    throw Error(fmt::format("unknown {} '{}'", first.starts_with("-") ? "option" : "argument", first),
                {}, hint);
  }
  return true;
}

int run_action(const std::string& command, std::span<const Action> actions, const std::string& help,
               const Arguments& arguments) {
  const std::string action = arguments.empty() ? "" : arguments.front();
  if (action == "--help" || action == "-h") {
    std::cout << help;
    return 0;
  }
  std::vector<std::string> names;
  for (const Action& known : actions) {
    if (action == known.name) {
      return known.run(Arguments(arguments.begin() + 1, arguments.end()));
    }
    names.emplace_back(known.name);
  }
  std::string hint = did_you_mean(action, names);
  if (hint.empty()) {
    hint = fmt::format("see 'trnsim {} --help'", command);
  }
  throw Error(action.empty()
                  ? fmt::format("'trnsim {}' needs one of {}", command, fmt::join(names, ", "))
                  : fmt::format("unknown action '{}' of 'trnsim {}'", action, command),
              {}, hint);
}

}  // namespace trnsim::cli
