// Recursive halving and doubling: one exchange per bit of the ranks' addresses, first within the
// chip, then along the axes of the fabric, last between domains.
#include <algorithm>
#include <bit>

#include "phase.h"
#include "trnsim/base/error.h"

namespace trnsim::collectives {
namespace {

// Neighbours on a ring of four differ in one bit of this.
std::uint32_t gray(std::uint32_t value) {
  return value ^ (value >> 1);
}

// Address of the n-th of `chips`, below chips.size(): coordinates bit by bit where the chips form a
// block with extents of powers of two, else the place in the list.
std::vector<std::uint32_t> chip_addresses(const fabric::Topology& topology,
                                          const std::vector<fabric::NodeId>& chips) {
  const Block block = block_of(topology, chips);
  bool by_axes = block.rectangular && topology.kind() == spec::FabricKind::kTorus &&
                 topology.domain(chips.front()) == topology.domain(chips.back());
  for (const std::uint32_t size : block.size) {
    by_axes &= std::has_single_bit(size);
  }
  std::vector<std::uint32_t> addresses;
  for (std::uint32_t i = 0; i < chips.size(); ++i) {
    if (!by_axes) {
      addresses.push_back(i);
      continue;
    }
    const auto at = topology.coordinates(chips[i]);
    std::uint32_t address = 0;
    for (std::size_t axis = 3; axis-- > 0;) {
      const std::uint32_t extent = topology.extents()[axis];
      const std::uint32_t relative = (at[axis] + extent - block.start[axis]) % extent;
      address = address * block.size[axis] + gray(relative);
    }
    addresses.push_back(address);
  }
  return addresses;
}

// The lowest `bits` bits moved up by `by`, around.
std::uint32_t rotated(std::uint32_t value, std::uint32_t bits, std::uint32_t by) {
  if (bits == 0 || by % bits == 0) {
    return value;
  }
  by %= bits;
  return ((value << by) | (value >> (bits - by))) & ((1U << bits) - 1U);
}

// Once a chip's ranks have divided the data among them, the ranks of one place are a hypercube of their
// own: each place takes the axes in another order, so that all wires of a chip work at once.
// addresses[member]; exchange b is between addresses that differ in bit b.
std::vector<std::uint32_t> addresses_of(const Context& context,
                                        const std::vector<std::uint32_t>& members) {
  const Layout where = layout_of(context, members);
  const auto n = static_cast<std::uint32_t>(members.size());
  std::vector<std::uint32_t> addresses(n);
  if (where.per_chip == 0 || !std::has_single_bit(where.per_chip)) {
    for (std::uint32_t i = 0; i < n; ++i) {
      addresses[i] = i;
    }
    return addresses;
  }
  const std::vector<std::uint32_t> chips =
      chip_addresses(context.request.topology, chips_of(where));
  const auto bits = static_cast<std::uint32_t>(std::countr_zero(where.chips.size()));
  for (std::size_t chip = 0; chip < where.chips.size(); ++chip) {
    for (std::uint32_t place = 0; place < where.per_chip; ++place) {
      addresses[where.chips[chip].members[place]] =
          rotated(chips[chip], bits, place) * where.per_chip + place;
    }
  }
  return addresses;
}

struct Plan {
  std::uint32_t bits = 0;
  std::vector<std::uint32_t> member_at;  // by address
};

Plan plan_of(const Context& context, const Phase& phase) {
  const std::vector<std::uint32_t> addresses = addresses_of(context, phase.members);
  Plan plan;
  plan.bits = static_cast<std::uint32_t>(std::countr_zero(phase.members.size()));
  plan.member_at.resize(addresses.size());
  for (std::uint32_t member = 0; member < addresses.size(); ++member) {
    plan.member_at[addresses[member]] = member;
  }
  return plan;
}

// Parts of the members whose address agrees with `address` in the lowest `bits` bits.
Ranges parts_like(const Phase& phase, const Plan& plan, std::uint32_t address, std::uint32_t bits) {
  Ranges ranges;
  const std::uint32_t stride = 1U << bits;
  for (std::uint32_t other = address % stride; other < plan.member_at.size(); other += stride) {
    const Ranges& own = phase.parts[plan.member_at[other]];
    ranges.insert(ranges.end(), own.begin(), own.end());
  }
  return merged(std::move(ranges));
}

}  // namespace

std::uint32_t rdh_reduce_scatter(const Context& context, const Phase& phase, std::uint32_t step) {
  const Plan plan = plan_of(context, phase);
  for (std::uint32_t bit = 0; bit < plan.bits; ++bit, ++step) {
    for (std::uint32_t address = 0; address < plan.member_at.size(); ++address) {
      const std::uint32_t partner = address ^ (1U << bit);
      for (const Range& range : parts_like(phase, plan, partner, bit + 1)) {
        context.builder.reduce(phase.members[plan.member_at[address]],
                               phase.members[plan.member_at[partner]], range, step);
      }
    }
  }
  return step;
}

std::uint32_t rdh_all_gather(const Context& context, const Phase& phase, std::uint32_t step) {
  const Plan plan = plan_of(context, phase);
  for (std::uint32_t bit = plan.bits; bit-- > 0; ++step) {
    for (std::uint32_t address = 0; address < plan.member_at.size(); ++address) {
      const std::uint32_t partner = address ^ (1U << bit);
      for (const Range& range : parts_like(phase, plan, address, bit + 1)) {
        context.builder.copy(phase.members[plan.member_at[address]],
                             phase.members[plan.member_at[partner]], range, step);
      }
    }
  }
  return step;
}

// The first exchange divides by the lowest bit of the address: that is the highest of the part's
// place.
std::vector<Ranges> all_reduce_parts(const Context& context, Algorithm algorithm,
                                     const std::vector<std::uint32_t>& members, Range whole) {
  const auto n = static_cast<std::uint32_t>(members.size());
  const std::vector<Range> parts = split(whole, n, context.request.options.element_bytes);
  std::vector<Ranges> result(n);
  std::vector<std::uint32_t> addresses;
  if (algorithm == Algorithm::kRdh) {
    addresses = addresses_of(context, members);
  }
  for (std::uint32_t member = 0; member < n; ++member) {
    std::uint32_t at = member;
    if (algorithm == Algorithm::kRdh) {
      at = 0;
      for (std::uint32_t size = 1, left = addresses[member]; size < n; size *= 2, left /= 2) {
        at = at * 2 + left % 2;
      }
    }
    result[member] = {parts[at]};
  }
  return result;
}

Dag make_rdh(const Request& request) {
  return make_from_phases(request, Algorithm::kRdh);
}

}  // namespace trnsim::collectives
