// Switch mesh: every rank reaches every other in one step through the switches. A reconstruction.
#include "phase.h"

namespace trnsim::collectives {

std::uint32_t flat_reduce_scatter(const Context& context, const Phase& phase, std::uint32_t step) {
  const std::size_t n = phase.members.size();
  for (std::size_t round = 1; round < n; ++round) {
    for (std::size_t from = 0; from < n; ++from) {
      const std::size_t to = (from + round) % n;
      for (const Range& range : phase.parts[to]) {
        context.builder.reduce(phase.members[from], phase.members[to], range, step);
      }
    }
  }
  return step + (n > 1 ? 1 : 0);
}

std::uint32_t flat_all_gather(const Context& context, const Phase& phase, std::uint32_t step) {
  const std::size_t n = phase.members.size();
  for (std::size_t round = 1; round < n; ++round) {
    for (std::size_t from = 0; from < n; ++from) {
      for (const Range& range : phase.parts[from]) {
        context.builder.copy(phase.members[from], phase.members[(from + round) % n], range, step);
      }
    }
  }
  return step + (n > 1 ? 1 : 0);
}

Dag make_switch_mesh(const Request& request) {
  return make_from_phases(request, Algorithm::kSwitchMesh);
}

}  // namespace trnsim::collectives
