// KangaRing: a ring of chips. One rank of each chip forwards, one crossing serves two ranks.
#include <algorithm>

#include "phase.h"
#include "trnsim/collectives/cycles.h"

namespace trnsim::collectives {
namespace {

// One direction round one cycle of chips. The rank that forwards is the same place on every chip,
// and differs from ring to ring so that all ranks' DMA engines work. Its partner is the next place.
struct ChipRing {
  std::vector<std::vector<std::uint32_t>>
      chips;  // members by place on the chip: places in Phase::members
  std::uint32_t forwarder = 0;
  std::uint32_t partner = 0;

  [[nodiscard]] std::uint32_t size() const { return static_cast<std::uint32_t>(chips.size()); }
  [[nodiscard]] std::uint32_t per_chip() const {
    return static_cast<std::uint32_t>(chips.front().size());
  }
};

std::vector<ChipRing> rings_of(const Context& context, const std::vector<std::uint32_t>& members) {
  const Layout where = layout_of(context, members);
  const ChipCycles cycles = chip_cycles(context.request.topology, chips_of(where));
  std::vector<ChipRing> rings;
  const auto add = [&](auto first, auto last) {
    ChipRing ring;
    for (; first != last; ++first) {
      const auto at = std::find_if(where.chips.begin(), where.chips.end(),
                                   [&](const ChipMembers& chip) { return chip.chip == *first; });
      ring.chips.push_back(at->members);
    }
    ring.forwarder = static_cast<std::uint32_t>(rings.size()) % where.per_chip;
    ring.partner = (ring.forwarder + 1) % where.per_chip;
    rings.push_back(std::move(ring));
  };
  for (const auto& cycle : cycles.cycles) {
    add(cycle.begin(), cycle.end());
    if (cycles.both_ways) {
      add(cycle.rbegin(), cycle.rend());
    }
  }
  return rings;
}

// The transfers of one slice of the part of one rank, which is place `owner` of chip `home` of the
// ring.
class Lap {
 public:
  Lap(const Context& context, const Phase& phase, const ChipRing& ring, std::uint32_t home,
      std::uint32_t owner, Range slice)
      : context_(context), phase_(phase), ring_(ring), home_(home), owner_(owner), slice_(slice) {}

  // Hop h = 1 .. C - 1 brings the part to chip home + h; hop 0 is the owner's own chip.
  void gather(std::uint32_t hop, std::uint32_t step) const {
    const std::uint32_t place = hop == 0 ? owner_ : ring_.forwarder;
    std::vector<std::uint32_t> have{place};
    if (hop > 0) {
      Transfer crossing =
          transfer(member(hop - 1, hop == 1 ? owner_ : far_place()), member(hop, place), step);
      if (ring_.per_chip() > 1) {
        crossing.also_to = member(hop, ring_.partner);
        have.push_back(ring_.partner);
      }
      context_.builder.add(crossing);
    }
    each_other_pair(have, [&](std::uint32_t a, std::uint32_t b) {
      Transfer spread = transfer(member(hop, place), member(hop, a), step);
      spread.also_to = b == kNoRank ? kNoRank : member(hop, b);
      context_.builder.add(spread);
    });
  }

  // Mirrored: the sum leaves chip home + 1 and comes home with hop C - 1; then the owner's own
  // chip.
  void reduce(std::uint32_t hop, std::uint32_t step) const {
    const bool home = hop + 1 == ring_.size();
    const std::uint32_t chip = hop + 1;  // that sends
    const std::uint32_t place = home ? owner_ : ring_.forwarder;
    std::vector<std::uint32_t> rest{place};
    if (!home && ring_.per_chip() > 1) {
      rest.push_back(ring_.partner);
    }
    each_other_pair(rest, [&](std::uint32_t a, std::uint32_t b) {
      Transfer sum = transfer(member(chip, a), member(chip, place), step);
      sum.also_from = b == kNoRank ? kNoRank : member(chip, b);
      sum.reduce = true;
      context_.builder.add(sum);
    });
    if (home) {
      return;
    }
    const bool arrives_home = hop + 2 == ring_.size();
    Transfer crossing =
        transfer(member(chip, place), member(chip + 1, arrives_home ? owner_ : far_place()), step);
    crossing.reduce = true;
    if (ring_.per_chip() > 1) {
      crossing.also_from = member(chip, ring_.partner);
    }
    context_.builder.add(crossing);
  }

 private:
  // With more than one pair on a chip the ring goes through them one after the other, N / 2 hops in all:
  // a gather comes in at the forwarder and leaves from here, a reduction the other way round.
  [[nodiscard]] std::uint32_t far_place() const {
    std::uint32_t place = ring_.forwarder;
    if (ring_.per_chip() > 2) {
      each_other_pair({ring_.forwarder, ring_.partner},
                      [&](std::uint32_t a, std::uint32_t /*b*/) { place = a; });
    }
    return place;
  }
  [[nodiscard]] std::uint32_t member(std::uint32_t hop, std::uint32_t place) const {
    return phase_.members[ring_.chips[(home_ + hop) % ring_.size()][place]];
  }
  [[nodiscard]] Transfer transfer(std::uint32_t from, std::uint32_t to, std::uint32_t step) const {
    return {.from = from,
            .to = to,
            .source_offset = slice_.offset,
            .destination_offset = slice_.offset,
            .bytes = slice_.bytes,
            .step = step};
  }
  // Two by two the places of a chip that are not in `but`; the second is kNoRank when one is left.
  template <class Visit>
  void each_other_pair(const std::vector<std::uint32_t>& but, Visit visit) const {
    std::uint32_t waiting = kNoRank;
    for (std::uint32_t place = 0; place < ring_.per_chip(); ++place) {
      if (std::find(but.begin(), but.end(), place) != but.end()) {
        continue;
      }
      if (waiting == kNoRank) {
        waiting = place;
      } else {
        visit(waiting, place);
        waiting = kNoRank;
      }
    }
    if (waiting != kNoRank) {
      visit(waiting, kNoRank);
    }
  }

  const Context& context_;
  const Phase& phase_;
  const ChipRing& ring_;
  std::uint32_t home_;
  std::uint32_t owner_;
  Range slice_;
};

std::vector<Lap> laps_of(const Context& context, const Phase& phase,
                         const std::vector<ChipRing>& rings) {
  const Options& options = context.request.options;
  const auto count = static_cast<std::uint32_t>(rings.size());
  std::vector<Lap> laps;
  for (std::uint32_t r = 0; r < count; ++r) {
    const ChipRing& ring = rings[r];
    for (std::uint32_t home = 0; home < ring.size(); ++home) {
      for (std::uint32_t owner = 0; owner < ring.per_chip(); ++owner) {
        for (const Range& run : phase.parts[ring.chips[home][owner]]) {
          const Range share = split(run, count, options.element_bytes)[r];
          for (const Range& slice : split(share, options.slices, options.element_bytes)) {
            laps.emplace_back(context, phase, ring, home, owner, slice);
          }
        }
      }
    }
  }
  return laps;
}

}  // namespace

// With one rank per chip there is nothing to do on the owner's chip, and no step for it.
std::uint32_t kangaring_reduce_scatter(const Context& context, const Phase& phase,
                                       std::uint32_t step) {
  const std::vector<ChipRing> rings = rings_of(context, phase.members);
  const std::vector<Lap> laps = laps_of(context, phase, rings);
  const std::uint32_t hops = rings.front().size() - (rings.front().per_chip() == 1 ? 1 : 0);
  for (std::uint32_t hop = 0; hop < hops; ++hop) {
    for (const Lap& lap : laps) {
      lap.reduce(hop, step + hop);
    }
  }
  return step + hops;
}

std::uint32_t kangaring_all_gather(const Context& context, const Phase& phase, std::uint32_t step) {
  const std::vector<ChipRing> rings = rings_of(context, phase.members);
  const std::vector<Lap> laps = laps_of(context, phase, rings);
  const std::uint32_t chips = rings.front().size();
  const std::uint32_t skipped = rings.front().per_chip() == 1 ? 1 : 0;
  for (std::uint32_t hop = skipped; hop < chips; ++hop) {
    for (const Lap& lap : laps) {
      lap.gather(hop, step + hop - skipped);
    }
  }
  return step + chips - skipped;
}

Dag make_kangaring(const Request& request) {
  return make_from_phases(request, Algorithm::kKangaRing);
}

}  // namespace trnsim::collectives
