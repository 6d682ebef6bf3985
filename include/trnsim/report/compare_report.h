// Views of a profile comparison, and a run in the row format of the Neuron profiler.
#pragma once

#include <iosfwd>
#include <string>

#include <nlohmann/json.hpp>

#include "trnsim/analysis/profile_compare.h"
#include "trnsim/sim/run_record.h"
#include "trnsim/spec/loader.h"
#include "trnsim/trace/profile.h"

namespace trnsim::report {

inline constexpr const char* kCompareSchema = "trnsim.compare/1";

// What fits 80 columns.
[[nodiscard]] std::string compare_text(const trace::ImportedProfile& imported,
                                       const analysis::ProfileComparison& comparison,
                                       const spec::LoadedSystem& system);
[[nodiscard]] nlohmann::ordered_json compare_json(const trace::ImportedProfile& imported,
                                                  const analysis::ProfileComparison& comparison,
                                                  const spec::LoadedSystem& system);
// One row per instruction row and per DMA transfer.
void compare_csv(const trace::ImportedProfile& imported,
                 const analysis::ProfileComparison& comparison, std::ostream& out);

// {"instruction": [...], "dma": [...]} with the profiler's field names, from a timeline: subgroup, label,
// opcode, timestamp, duration (ns), pc, and per transfer dma_queue, transfer_size.
[[nodiscard]] nlohmann::ordered_json profile_rows(const sim::RunRecord& record);

}  // namespace trnsim::report
