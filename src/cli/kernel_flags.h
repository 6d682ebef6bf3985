// Declares the parameters of a built-in kernel as command-line options.
#pragma once

#include <CLI/CLI.hpp>

#include "trnsim/workload/kernel_request.h"

namespace trnsim::cli {

// The request must outlive the parsing; a wrong value throws Error from it.
void declare_parameters(CLI::App& app, workload::KernelRequest& kernel);

}  // namespace trnsim::cli
