// One row per kernel, for spreadsheets and sweeps.
#include <ostream>

#include "trnsim/base/error.h"
#include "trnsim/report/run_report.h"

namespace trnsim::report {

void csv(const spec::LoadedSystem& system, const std::vector<RunEntry>& entries,
         std::ostream& out) {
  out << "system,chips,cores,cores_used,workload,dtype,time_us,flops,achieved_pflops,"
         "peak_model_pflops,peak_published_pflops,mfu,bound,tensor_busy,vector_busy,scalar_busy,"
         "gpsimd_busy,sync_busy,hbm_read_bytes,hbm_write_bytes,hbm_bandwidth_GBps,hbm_utilization,"
         "dma_busy,instructions,config_hash\n";
  for (const RunEntry& entry : entries) {
    const analysis::Metrics& m = entry.metrics;
    out << fmt::format("{},{},{},{},\"{}\",{},{},{},{},{},{},{},{}", system.spec.name,
                       system.spec.chips(), system.spec.cores(), entry.record.cores_used,
                       entry.label, name(entry.record.dtype), m.time_us, m.flops,
                       m.achieved_pflops, m.peak_model_pflops, m.peak_published_pflops, m.mfu,
                       m.verdict.resource);
    for (const analysis::EngineMetrics& engine : m.engines) {
      out << fmt::format(",{}", engine.busy_fraction);
    }
    out << fmt::format(",{},{},{},{},{},{},{}\n", m.hbm.read_bytes, m.hbm.write_bytes,
                       m.hbm.bandwidth_GBps, m.hbm.utilization, m.dma.busy_fraction,
                       entry.record.instructions, system.hash);
  }
}

}  // namespace trnsim::report
