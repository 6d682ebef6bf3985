// Traces on logical cores.
#include <algorithm>

#include "trnsim/base/error.h"
#include "trnsim/trace/collectives.h"
#include "trnsim/workload/placement.h"

namespace trnsim::workload {

Scheduling scheduling_of(const trace::Trace& trace) {
  const bool by_hand =
      trace.origin.starts_with("trnsim builder") ||
      std::any_of(trace.tensors.begin(), trace.tensors.end(),
                  [](const trace::Tensor& tensor) { return tensor.pinned_bytes >= 0; });
  return by_hand                                  ? Scheduling::kAuthor
         : trace.origin.ends_with("NKI beta 1") ? Scheduling::kCompiler
                                                  : Scheduling::kUnknown;
}

Placement place_traces(const spec::SystemSpec& system, const std::vector<trace::Trace>& traces,
                       std::uint32_t copies, const lower::Options& lowering) {
  const trace::Trace& first = traces.front();
  if (first.lnc > system.lnc) {
    throw Error(fmt::format("the trace is for LNC={}, {} runs at LNC={}", first.lnc, system.name,
                            system.lnc),
                {}, system.cores() == 1 ? "take a system of a whole chip, e.g. trn2.3xlarge"
                                        : "choose it with --lnc");
  }
  const std::uint32_t cores_each = first.lnc;
  const std::uint32_t logical = system.cores() / cores_each;
  if (copies > logical) {
    throw Error(fmt::format("{} copies at LNC={} asked for, {} has room for {}", copies, cores_each,
                            system.name, logical));
  }
  const std::uint32_t used = (copies == 0 ? logical : copies) * cores_each;
  Placement placement;
  placement.label = fmt::format("trace {}", first.kernel);
  std::vector<std::shared_ptr<const lower::Program>> programs;
  for (const trace::Trace& trace : traces) {
    programs.push_back(trace::has_collectives(trace)
                           ? lower::lower(trace::collectives_as_copies(trace), system.chip.core,
                                          lowering)
                           : lower::lower(trace, system.chip.core, lowering));
  }
  placement.programs.assign(system.cores(), nullptr);
  for (std::uint32_t core = 0; core < used; ++core) {
    placement.programs[core] = programs[core % programs.size()];
  }
  placement.description = {{"kernel", first.kernel},       {"origin", first.origin},
                           {"arguments", first.arguments}, {"lnc", first.lnc},
                           {"cores_used", used},           {"distinct_programs", programs.size()}};
  return placement;
}

}  // namespace trnsim::workload
