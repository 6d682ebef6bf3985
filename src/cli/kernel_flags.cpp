// Parameters to options.
#include "kernel_flags.h"

namespace trnsim::cli {

void declare_parameters(CLI::App& app, workload::KernelRequest& kernel) {
  for (const workload::Parameter& parameter : kernel.parameters()) {
    const std::string dashes = "--" + parameter.name;
    if (parameter.flag) {
      app.add_flag_callback(
          dashes, [set = parameter.set] { set("true"); }, parameter.doc);
      continue;
    }
    // One letter names also work with one dash: -m 4096.
    const std::string names =
        parameter.name.size() == 1 ? "-" + parameter.name + "," + dashes : dashes;
    CLI::Option* option =
        app.add_option_function<std::string>(names, parameter.set, parameter.doc);
    if (!parameter.default_text.empty()) {
      option->default_str(parameter.default_text);
    }
  }
}

}  // namespace trnsim::cli
