// trnsim trace gen: writes the trace of a built-in kernel.
#include <iostream>

#include "commands.h"
#include "kernel_flags.h"
#include "trnsim/base/error.h"
#include "trnsim/base/files.h"
#include "trnsim/spec/loader.h"
#include "trnsim/trace/file.h"

namespace trnsim::cli {
namespace {

void write(const trace::Trace& trace, const std::string& path) {
  if (path.ends_with(".jsonl") || path == "-") {
    write_file_atomically(path, [&](std::ostream& out) { trace::dump_jsonl(trace, out); });
  } else {
    trace::write_trt(trace, path);
  }
  if (path != "-") {
    std::cerr << fmt::format("{}: {} instructions\n", path, trace.instructions.size());
  }
}

int generate(const std::string& name, const Arguments& arguments) {
  CLI::App app{"Writes the trace of a built-in kernel on one core.", "trace gen " + name};
  app.footer("Example: trnsim trace gen " + name + " -o " + name + ".trt");
  const std::unique_ptr<workload::KernelRequest> kernel = workload::make_kernel_request(name);
  if (kernel == nullptr) {
    throw Error(fmt::format("trace gen: unknown kernel '{}'", name), {},
                did_you_mean(name, workload::kernel_names()));
  }
  std::string output;
  std::string system = "trn2-core";
  declare_parameters(app, *kernel);
  app.add_option("-o,--output", output, "FILE.trt, FILE.jsonl or -")->required();
  app.add_option("--system", system, "system whose core the kernel is blocked for")
      ->capture_default_str();
  if (!parse(app, arguments)) {
    return 0;
  }
  check_writable(output);
  write(kernel->build(spec::load_system(system).spec.chip.core), output);
  return 0;
}

}  // namespace

int trace_gen_command(const Arguments& arguments) {
  if (arguments.empty()) {
    throw Error("trace gen: which kernel?", {}, "gemm, attention, rmsnorm or swiglu");
  }
  if (arguments[0] == "--help" || arguments[0] == "-h") {
    std::cout << "usage: trnsim trace gen gemm|attention [options] -o FILE\n";
    return 0;
  }
  return generate(arguments[0], {arguments.begin() + 1, arguments.end()});
}

}  // namespace trnsim::cli
