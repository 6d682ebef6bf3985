// trnsim trace gen: writes the trace of a built-in kernel.
#include <iostream>

#include "commands.h"
#include "kernel_options.h"
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

int gen_gemm(const Arguments& arguments) {
  CLI::App app{"Writes the trace of a GEMM on one core.", "trace gen gemm"};
  app.footer("Example: trnsim trace gen gemm -m 1024 -n 1024 -k 1024 -o gemm.trt");
  GemmFlags gemm;
  std::string output;
  std::string system = "trn2-core";
  gemm.declare(app);
  app.add_option("-o,--output", output, "FILE.trt, FILE.jsonl or -")->required();
  app.add_option("--system", system, "system whose core the kernel is blocked for")
      ->capture_default_str();
  if (!parse(app, arguments)) {
    return 0;
  }
  check_writable(output);
  write(kernels::gemm(gemm.resolve(), spec::load_system(system).spec.chip.core), output);
  return 0;
}

}  // namespace

int trace_gen_command(const Arguments& arguments) {
  if (!arguments.empty() && arguments[0] == "gemm") {
    return gen_gemm({arguments.begin() + 1, arguments.end()});
  }
  const bool help = !arguments.empty() && (arguments[0] == "--help" || arguments[0] == "-h");
  if (help) {
    std::cout << "usage: trnsim trace gen gemm|attention [options] -o FILE\n";
    return 0;
  }
  throw Error(arguments.empty() ? "trace gen: which kernel?"
                                : fmt::format("trace gen: unknown kernel '{}'", arguments[0]),
              {}, "gemm or attention");
}

}  // namespace trnsim::cli
