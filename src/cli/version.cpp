// trnsim version.
#include <fmt/core.h>
#include <google/protobuf/stubs/common.h>

#include <boost/version.hpp>
#include <iostream>

#include "commands.h"

namespace trnsim::cli {

int version_command(const Arguments& arguments) {
  CLI::App app{"Prints version, compiler and libraries.", "version"};
  app.footer("Example: trnsim version");
  if (!parse(app, arguments)) {
    return 0;
  }
  std::cout << fmt::format(
      "trnsim {} ({})\ncompiler {}\nSystemC {}, Boost {}, fmt {}, protobuf {}\n", TRNSIM_VERSION,
      TRNSIM_GIT_HASH, __VERSION__, TRNSIM_SYSTEMC_VERSION, BOOST_LIB_VERSION, FMT_VERSION,
      GOOGLE_PROTOBUF_VERSION);
  return 0;
}

}  // namespace trnsim::cli
