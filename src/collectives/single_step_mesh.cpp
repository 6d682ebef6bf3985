// Single-step mesh all-reduce: every rank sends its whole buffer to all others and adds up what it
// gets.
#include "phase.h"

namespace trnsim::collectives {

Dag make_single_step_mesh(const Request& request) {
  Builder builder(new_dag(request, Algorithm::kSingleStepMesh));
  const std::uint32_t n = request.group.size();
  builder.need_scratch((n - 1) * request.bytes);
  // What rank `from` sends lies in slot round - 1 of the receiver, so that slots are as many as
  // senders.
  const auto slot = [&](std::uint32_t round) { return (round - 1) * request.bytes; };
  for (std::uint32_t round = 1; round < n; ++round) {
    for (std::uint32_t from = 0; from < n; ++from) {
      builder.add({.from = from,
                   .to = (from + round) % n,
                   .destination = Buffer::kScratch,
                   .destination_offset = slot(round),
                   .bytes = request.bytes});
    }
  }
  for (std::uint32_t round = 1; round < n; ++round) {
    for (std::uint32_t rank = 0; rank < n; ++rank) {
      builder.add({.from = rank,
                   .to = rank,
                   .source = Buffer::kScratch,
                   .source_offset = slot(round),
                   .bytes = request.bytes,
                   .reduce = true});
    }
  }
  return builder.finish();
}

}  // namespace trnsim::collectives
