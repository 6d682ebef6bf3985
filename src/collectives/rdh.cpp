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

struct Addresses {
  std::vector<std::uint32_t> of;    // each member; two that differ in one bit exchange
  std::uint32_t bits = 0;
  std::uint32_t place_bits = 0;     // the lowest ones: place on the chip

  // The bit of exchange n. Once a chip's ranks have divided the data among them, the ranks of one place
  // are a hypercube of their own: each place takes the chips' bits in another order, so that all wires
  // of a chip work at once.
  [[nodiscard]] std::uint32_t bit(std::uint32_t address, std::uint32_t n) const {
    const std::uint32_t place = address & ((1U << place_bits) - 1U);
    return n < place_bits ? n : place_bits + (n - place_bits + place) % (bits - place_bits);
  }
};

Addresses addresses_of(const Context& context, const std::vector<std::uint32_t>& members) {
  const Layout where = layout_of(context, members);
  const auto n = static_cast<std::uint32_t>(members.size());
  Addresses addresses;
  addresses.bits = static_cast<std::uint32_t>(std::countr_zero(n));
  addresses.of.resize(n);
  if (where.per_chip == 0 || !std::has_single_bit(where.per_chip)) {
    for (std::uint32_t i = 0; i < n; ++i) {
      addresses.of[i] = i;
    }
    return addresses;
  }
  const std::vector<std::uint32_t> chips =
      chip_addresses(context.request.topology, chips_of(where));
  addresses.place_bits = static_cast<std::uint32_t>(std::countr_zero(where.per_chip));
  for (std::size_t chip = 0; chip < where.chips.size(); ++chip) {
    for (std::uint32_t place = 0; place < where.per_chip; ++place) {
      addresses.of[where.chips[chip].members[place]] = chips[chip] * where.per_chip + place;
    }
  }
  return addresses;
}

struct Plan {
  Addresses addresses;
  std::vector<std::uint32_t> member_at;  // by address
};

Plan plan_of(const Context& context, const Phase& phase) {
  Plan plan;
  plan.addresses = addresses_of(context, phase.members);
  plan.member_at.resize(phase.members.size());
  for (std::uint32_t member = 0; member < phase.members.size(); ++member) {
    plan.member_at[plan.addresses.of[member]] = member;
  }
  return plan;
}

// Parts of the members whose address agrees with `address` in the bits of its first `exchanges`.
Ranges parts_like(const Phase& phase, const Plan& plan, std::uint32_t address,
                  std::uint32_t exchanges) {
  std::uint32_t mask = 0;
  for (std::uint32_t n = 0; n < exchanges; ++n) {
    mask |= 1U << plan.addresses.bit(address, n);
  }
  Ranges ranges;
  for (std::uint32_t other = 0; other < plan.member_at.size(); ++other) {
    if ((other & mask) == (address & mask)) {
      const Ranges& own = phase.parts[plan.member_at[other]];
      ranges.insert(ranges.end(), own.begin(), own.end());
    }
  }
  return merged(std::move(ranges));
}

}  // namespace

std::uint32_t rdh_reduce_scatter(const Context& context, const Phase& phase, std::uint32_t step) {
  const Plan plan = plan_of(context, phase);
  for (std::uint32_t n = 0; n < plan.addresses.bits; ++n, ++step) {
    for (std::uint32_t address = 0; address < plan.member_at.size(); ++address) {
      const std::uint32_t partner = address ^ (1U << plan.addresses.bit(address, n));
      for (const Range& range : parts_like(phase, plan, partner, n + 1)) {
        context.builder.reduce(phase.members[plan.member_at[address]],
                               phase.members[plan.member_at[partner]], range, step);
      }
    }
  }
  return step;
}

std::uint32_t rdh_all_gather(const Context& context, const Phase& phase, std::uint32_t step) {
  const Plan plan = plan_of(context, phase);
  for (std::uint32_t n = plan.addresses.bits; n-- > 0; ++step) {
    for (std::uint32_t address = 0; address < plan.member_at.size(); ++address) {
      const std::uint32_t partner = address ^ (1U << plan.addresses.bit(address, n));
      for (const Range& range : parts_like(phase, plan, address, n + 1)) {
        context.builder.copy(phase.members[plan.member_at[address]],
                             phase.members[plan.member_at[partner]], range, step);
      }
    }
  }
  return step;
}

// The first exchange divides by its bit of the address: that is the highest of the part's place.
std::vector<Ranges> all_reduce_parts(const Context& context, Algorithm algorithm,
                                     const std::vector<std::uint32_t>& members, Range whole) {
  const auto n = static_cast<std::uint32_t>(members.size());
  const std::vector<Range> parts = split(whole, n, context.request.options.element_bytes);
  std::vector<Ranges> result(n);
  Addresses addresses;
  if (algorithm == Algorithm::kRdh) {
    addresses = addresses_of(context, members);
  }
  for (std::uint32_t member = 0; member < n; ++member) {
    std::uint32_t at = algorithm == Algorithm::kRdh ? 0 : member;
    for (std::uint32_t exchange = 0; exchange < addresses.bits; ++exchange) {
      const std::uint32_t address = addresses.of[member];
      at = at * 2 + (address >> addresses.bit(address, exchange)) % 2;
    }
    result[member] = {parts[at]};
  }
  return result;
}

Dag make_rdh(const Request& request) {
  return make_from_phases(request, Algorithm::kRdh);
}

}  // namespace trnsim::collectives
