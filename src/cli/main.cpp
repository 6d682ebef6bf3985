// The trnsim program: dispatches to subcommands and maps exceptions to exit codes.
#include <unistd.h>

#include <iostream>
#include <string>
#include <vector>

#include "commands.h"
#include "trnsim/base/error.h"
#include "trnsim/sim/simulate.h"

namespace trnsim::cli {
namespace {

struct Command {
  const char* name;
  const char* purpose;
  int (*run)(const Arguments&);
};

constexpr Command kCommands[] = {
    {"run", "simulate a kernel, a trace or a workload on a system", run_command},
    {"collective", "time collectives over sizes, as nccom-test does", collective_command},
    {"compare", "a replayed profile beside the measured one", compare_command},
    {"describe", "what a system is made of, with the source of every value", describe_command},
    {"trace", "inspect, convert and generate trace files", trace_command},
    {"validate", "published measurements beside what the model says", validate_command},
    {"workload", "look into distributed workloads, convert from and to Chakra", workload_command},
    {"version", "version, compiler and libraries", version_command},
};

constexpr int kInputError = 2;
constexpr int kOurBug = 3;
constexpr int kInterrupted = 130;

void print_usage(std::ostream& out) {
  out << "trnsim: runs Trainium kernels without Trainium.\n\nusage: trnsim COMMAND [options]\n\n";
  for (const Command& command : kCommands) {
    out << fmt::format("  {:<10} {}\n", command.name, command.purpose);
  }
  out << "\n'trnsim COMMAND --help' has options and an example.\n"
         "Exit codes: 0 fine, 1 a check failed, 2 the input is wrong, 3 a bug of ours.\n";
}

int dispatch(const Arguments& arguments) {
  if (arguments.empty() || arguments[0] == "--help" || arguments[0] == "-h" ||
      arguments[0] == "help") {
    print_usage(arguments.empty() ? std::cerr : std::cout);
    return arguments.empty() ? kInputError : 0;
  }
  const std::string word = arguments[0] == "--version" ? "version" : arguments[0];
  std::vector<std::string> names;
  for (const Command& command : kCommands) {
    if (word == command.name) {
      return command.run({arguments.begin() + 1, arguments.end()});
    }
    names.emplace_back(command.name);
  }
  std::string hint = did_you_mean(word, names);
  throw Error(fmt::format("unknown command '{}'", word), {}, hint.empty() ? "see 'trnsim --help'" : hint);
}

}  // namespace
}  // namespace trnsim::cli

int main(int argc, char** argv) {
  using namespace trnsim::cli;
  try {
    const int code = dispatch(Arguments(argv + 1, argv + argc));
    if (!std::cout.flush()) {
      throw trnsim::Error("standard output cannot be written");
    }
    return code;
  } catch (const trnsim::Error& error) {
    std::cerr << "trnsim: " << error.what() << '\n';
    return kInputError;
  } catch (const trnsim::sim::Interrupted&) {
    std::cerr << "trnsim: interrupted, nothing written\n";
    return kInterrupted;
  } catch (const std::bad_alloc&) {
    std::cerr << "trnsim: out of memory\n";
    return kInputError;
  } catch (const std::exception& error) {
    std::cerr << "trnsim: internal error, please report it: " << error.what() << '\n';
    return kOurBug;
  }
}
