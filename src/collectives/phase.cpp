// What the phase algorithms share.
#include "phase.h"

#include "trnsim/base/error.h"

namespace trnsim::collectives {

Layout layout_of(const Context& context, const std::vector<std::uint32_t>& members) {
  Group group;
  for (const std::uint32_t index : members) {
    group.ranks.push_back(context.request.group.ranks[index]);
  }
  return layout(context.request.topology, context.request.ranks, group);
}

std::vector<fabric::NodeId> chips_of(const Layout& where) {
  std::vector<fabric::NodeId> chips;
  for (const ChipMembers& chip : where.chips) {
    chips.push_back(chip.chip);
  }
  return chips;
}

PhasePair phases_of(Algorithm algorithm) {
  switch (algorithm) {
    case Algorithm::kRing:
      return {ring_reduce_scatter, ring_all_gather};
    case Algorithm::kKangaRing:
      return {kangaring_reduce_scatter, kangaring_all_gather};
    case Algorithm::kMesh:
      return {mesh_reduce_scatter, mesh_all_gather};
    case Algorithm::kRdh:
      return {rdh_reduce_scatter, rdh_all_gather};
    case Algorithm::kSwitchMesh:
      return {flat_reduce_scatter, flat_all_gather};
    default:
      throw Error(fmt::format("{} cannot be a stage of a hierarchical collective", name(algorithm)),
                  {}, "use ring, kangaring, mesh, rdh or switch_mesh");
  }
}

Dag new_dag(const Request& request, Algorithm algorithm) {
  Dag dag;
  dag.op = request.op;
  dag.algorithm = algorithm;
  dag.ranks = request.group.size();
  dag.bytes = request.bytes;
  dag.element_bytes = request.options.element_bytes;
  return dag;
}

Dag make_from_phases(const Request& request, Algorithm algorithm) {
  Builder builder(new_dag(request, algorithm));
  const Context context{request, builder};
  Phase phase;
  for (std::uint32_t i = 0; i < request.group.size(); ++i) {
    phase.members.push_back(i);
  }
  const std::uint32_t element_bytes = request.options.element_bytes;
  const Range whole{0, request.bytes};
  const PhasePair phases = phases_of(algorithm);
  // Rings slice chunks themselves. The exchanges of RDH use different resources one after the other, so
  // slices of the whole go through them in a pipeline.
  const std::uint32_t slices = algorithm == Algorithm::kRdh ? request.options.slices : 1;
  for (std::uint32_t slice = 0; slice < slices; ++slice) {
    if (request.op == Op::kAllReduce) {
      phase.parts = all_reduce_parts(context, algorithm, phase.members,
                                     split(whole, slices, element_bytes)[slice]);
    } else {
      phase.parts.clear();
      for (const Range& part : split(whole, request.group.size(), element_bytes)) {
        phase.parts.push_back({split(part, slices, element_bytes)[slice]});
      }
    }
    std::uint32_t step = 0;
    if (request.op != Op::kAllGather) {
      step = phases.reduce_scatter(context, phase, step);
    }
    if (request.op != Op::kReduceScatter) {
      phases.all_gather(context, phase, step);
    }
  }
  return builder.finish();
}

}  // namespace trnsim::collectives
