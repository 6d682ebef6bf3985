// Ring: N - 1 steps per phase over rings through all ranks, the ranks of a chip in a row.
#include <algorithm>

#include "phase.h"
#include "trnsim/collectives/cycles.h"

namespace trnsim::collectives {
namespace {

// Rings of members (places in Phase::members), each with an equal share of the data: one per cycle
// of chips and direction.
std::vector<std::vector<std::uint32_t>> rings_of(const Context& context,
                                                 const std::vector<std::uint32_t>& members) {
  const Layout where = layout_of(context, members);
  const ChipCycles chips = chip_cycles(context.request.topology, chips_of(where));
  std::vector<std::vector<std::uint32_t>> rings;
  for (const auto& cycle : chips.cycles) {
    std::vector<std::uint32_t> ring;
    for (const fabric::NodeId chip : cycle) {
      const auto at = std::find_if(where.chips.begin(), where.chips.end(),
                                   [chip](const ChipMembers& c) { return c.chip == chip; });
      ring.insert(ring.end(), at->members.begin(), at->members.end());
    }
    rings.push_back(ring);
    if (chips.both_ways) {
      rings.emplace_back(ring.rbegin(), ring.rend());
    }
  }
  return rings;
}

// The share of each ring in each part, cut in slices: shares[ring][member] = slices.
std::vector<std::vector<Ranges>> shares_of(const Context& context, const Phase& phase,
                                           std::uint32_t rings) {
  const Options& options = context.request.options;
  std::vector<std::vector<Ranges>> shares(rings, std::vector<Ranges>(phase.members.size()));
  for (std::size_t member = 0; member < phase.members.size(); ++member) {
    for (const Range& run : phase.parts[member]) {
      const std::vector<Range> of_ring = split(run, rings, options.element_bytes);
      for (std::uint32_t ring = 0; ring < rings; ++ring) {
        for (const Range& slice : split(of_ring[ring], options.slices, options.element_bytes)) {
          shares[ring][member].push_back(slice);
        }
      }
    }
  }
  return shares;
}

enum class Kind : std::uint8_t { kReduceScatter, kAllGather };

// Step s of an all-gather: place p passes on the part of place p - s. Of a reduce-scatter: the part
// of place d starts behind its owner, at d + 1, and comes round to d: place p passes on that of p -
// 1 - s.
std::uint32_t run(const Context& context, const Phase& phase, std::uint32_t step, Kind kind) {
  const auto n = static_cast<std::uint32_t>(phase.members.size());
  const auto rings = rings_of(context, phase.members);
  const auto shares = shares_of(context, phase, static_cast<std::uint32_t>(rings.size()));
  for (std::uint32_t s = 0; s + 1 < n; ++s) {
    for (std::size_t r = 0; r < rings.size(); ++r) {
      for (std::uint32_t p = 0; p < n; ++p) {
        const std::uint32_t owner = (p + 2 * n - s - (kind == Kind::kReduceScatter ? 1 : 0)) % n;
        const std::uint32_t from = phase.members[rings[r][p]];
        const std::uint32_t to = phase.members[rings[r][(p + 1) % n]];
        for (const Range& slice : shares[r][rings[r][owner]]) {
          if (kind == Kind::kReduceScatter) {
            context.builder.reduce(from, to, slice, step + s);
          } else {
            context.builder.copy(from, to, slice, step + s);
          }
        }
      }
    }
  }
  return step + n - 1;
}

}  // namespace

std::uint32_t ring_reduce_scatter(const Context& context, const Phase& phase, std::uint32_t step) {
  return run(context, phase, step, Kind::kReduceScatter);
}

std::uint32_t ring_all_gather(const Context& context, const Phase& phase, std::uint32_t step) {
  return run(context, phase, step, Kind::kAllGather);
}

// A chain along each ring from the source. A chain of n ranks is full only when there are about as
// many pieces as ranks.
std::uint32_t ring_broadcast(const Context& context, const std::vector<std::uint32_t>& members,
                             std::uint32_t source, Range range, std::uint32_t step) {
  const auto n = static_cast<std::uint32_t>(members.size());
  const auto rings = rings_of(context, members);
  const Options& options = context.request.options;
  const std::vector<Range> shares =
      split(range, static_cast<std::uint32_t>(rings.size()), options.element_bytes);
  for (std::size_t r = 0; r < rings.size(); ++r) {
    const auto start = static_cast<std::uint32_t>(
        std::find(rings[r].begin(), rings[r].end(), source) - rings[r].begin());
    for (const Range& piece :
         split(shares[r], std::max(options.slices, n), options.element_bytes)) {
      for (std::uint32_t s = 0; s + 1 < n; ++s) {
        context.builder.copy(members[rings[r][(start + s) % n]],
                             members[rings[r][(start + s + 1) % n]], piece, step + s);
      }
    }
  }
  return step + n - 1;
}

Dag make_ring(const Request& request) {
  if (request.op != Op::kBroadcast) {
    return make_from_phases(request, Algorithm::kRing);
  }
  Builder builder(new_dag(request, Algorithm::kRing));
  std::vector<std::uint32_t> members(request.group.size());
  for (std::uint32_t i = 0; i < request.group.size(); ++i) {
    members[i] = i;
  }
  static_cast<void>(ring_broadcast({request, builder}, members, 0, {0, request.bytes}, 0));
  return builder.finish();
}

}  // namespace trnsim::collectives
