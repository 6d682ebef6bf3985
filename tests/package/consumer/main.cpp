// From a system's name to a simulated GEMM through the public headers.
#include <iostream>

#include "trnsim/analysis/metrics.h"
#include "trnsim/base/error.h"
#include "trnsim/kernels/gemm.h"
#include "trnsim/lower/lower.h"
#include "trnsim/numerics/interpreter.h"
#include "trnsim/report/run_report.h"
#include "trnsim/sim/simulate.h"
#include "trnsim/spec/loader.h"
#include "trnsim/trace/file.h"
#include "trnsim/workload/placement.h"

int main() {
  try {
    const trnsim::spec::LoadedSystem system = trnsim::spec::load_system("trn2-core", {"lnc=1"});
    trnsim::kernels::GemmOptions options;
    options.m = options.n = options.k = 256;
    const trnsim::trace::Trace trace = trnsim::kernels::gemm(options, system.spec.chip.core);
    trnsim::trace::write_trt(trace, "consumer.trt");
    const trnsim::trace::Trace again = trnsim::trace::read_trace("consumer.trt");
    const trnsim::sim::RunRecord record = trnsim::sim::simulate(
        system.spec, {{trnsim::lower::lower(again, system.spec.chip.core)}});
    const trnsim::analysis::Metrics metrics =
        trnsim::analysis::compute_metrics(record, system.spec);
    std::cout << record.instructions << " instructions, " << metrics.time_us << " us, MFU "
              << metrics.mfu << '\n';
    return record.instructions > 0 && metrics.time_us > 0 ? 0 : 1;
  } catch (const trnsim::Error& error) {
    std::cerr << error.what() << '\n';
    return 2;
  }
}
