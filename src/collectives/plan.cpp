// Selection and generation in one step.
#include "trnsim/collectives/plan.h"

namespace trnsim::collectives {

Planned plan(Request request, const spec::FabricSpec& fabric, fabric::Space space,
             Algorithm forced) {
  Planned planned;
  planned.selection = select(request, fabric, space, forced);
  Options options = request.options;
  options.inner = planned.selection.inner;
  options.outer = planned.selection.outer;
  const std::uint64_t packets_bytes =
      std::uint64_t{options.slices} * fabric.collective_packet_bytes;
  if (request.bytes / request.group.size() < packets_bytes) {
    options.slices = 1;
  }
  planned.dag = std::make_shared<const Dag>(
      make_dag(request.op, planned.selection.algorithm, request.group, request.topology,
               request.ranks, request.bytes, options));
  return planned;
}

}  // namespace trnsim::collectives
