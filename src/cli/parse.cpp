// CLI11 errors become trnsim::Error.
#include "parse.h"

#include <algorithm>
#include <iostream>

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

}  // namespace

bool parse(CLI::App& app, const Arguments& arguments) {
  Arguments reversed(arguments.rbegin(), arguments.rend());
  app.allow_extras();
  try {
    app.parse(reversed);
  } catch (const CLI::CallForHelp&) {
    app.name("trnsim " + app.get_name());
    std::cout << app.help();
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

}  // namespace trnsim::cli
