// Groups of ranks that run a collective together: text form, shape on the fabric, legality.
// Source of the legal shapes: interconnect.md 1.2 (third-party, not in AWS documentation).
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "trnsim/collectives/dag.h"
#include "trnsim/fabric/ranks.h"
#include "trnsim/fabric/topology.h"

namespace trnsim::collectives {

// Ranks of a fabric::RankMap; the place of a rank in the list is its index in the collective.
struct Group {
  std::vector<std::uint32_t> ranks;

  [[nodiscard]] std::uint32_t size() const { return static_cast<std::uint32_t>(ranks.size()); }
};

// "all"; "0-15"; "0,4,8;1,5,9" (groups separated by ';'); "chips:0-3" (every rank of those chips).
// Throws Error for text that is none of these and for ranks or chips that do not exist.
[[nodiscard]] std::vector<Group> parse_groups(const std::string& text,
                                              const fabric::RankMap& ranks);

enum class Shape : std::uint8_t {
  kOneChip,
  kAdjacentPair,    // two chips joined by a wire
  kLine,            // a full row, column or inter-instance ring of a torus
  kBlock,           // a rectangular block of a torus, an arc of a ring, any chips of other fabrics
  kDomain,          // every chip of one NeuronLink domain
  kSeveralDomains,  // joined by EFA
  kIrregular,
};
[[nodiscard]] const char* name(Shape shape);

struct ChipMembers {
  fabric::NodeId chip = 0;
  std::vector<std::uint32_t> members;  // indices into the group, by place on the chip
};

// Where a group lies.
struct Layout {
  std::vector<ChipMembers> chips;  // ascending
  std::uint32_t per_chip = 0;      // ranks of the group on each chip; 0 = differs
  bool same_offsets = false;       // the same places on every chip
  bool whole_chips = false;        // every rank of each chip
  std::uint32_t domains = 1;
  Shape shape = Shape::kIrregular;
};
[[nodiscard]] Layout layout(const fabric::Topology& topology, const fabric::RankMap& ranks,
                            const Group& group);

// Chips as a product of one (cyclic) interval per axis.
struct Block {
  bool rectangular = false;
  std::array<std::uint32_t, 3> start{0, 0, 0};
  std::array<std::uint32_t, 3> size{1, 1, 1};
};
[[nodiscard]] Block block_of(const fabric::Topology& topology,
                             const std::vector<fabric::NodeId>& chips);

struct Legality {
  bool fast = true;
  std::string reason;  // why Neuron drops to its slow path; empty when it does not
};

// Throws Error for what cannot run at all: no rank, a rank twice, an unknown rank.
[[nodiscard]] Legality check_group(const fabric::Topology& topology, const fabric::RankMap& ranks,
                                   const Group& group, Op op);

// The replica groups of one collective. Also throws for groups of different size and for a rank in
// two groups. The reason is that of the first group that is not legal.
[[nodiscard]] Legality check_groups(const fabric::Topology& topology, const fabric::RankMap& ranks,
                                    const std::vector<Group>& groups, Op op);

}  // namespace trnsim::collectives
