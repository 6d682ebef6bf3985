// The subcommands: one function and one file each. Returns the exit code; throws Error for bad input.
#pragma once

#include "parse.h"

namespace trnsim::cli {

int run_command(const Arguments& arguments);
int collective_command(const Arguments& arguments);
int compare_command(const Arguments& arguments);
int describe_command(const Arguments& arguments);
int trace_command(const Arguments& arguments);
int trace_gen_command(const Arguments& arguments);  // "trnsim trace gen"
int validate_command(const Arguments& arguments);
int workload_command(const Arguments& arguments);
int version_command(const Arguments& arguments);

}  // namespace trnsim::cli
