// The selection table.
#include "trnsim/collectives/select.h"

#include <algorithm>
#include <array>
#include <bit>
#include <map>

#include "trnsim/base/error.h"

namespace trnsim::collectives {
namespace {

constexpr unsigned bit(Op op) {
  return 1U << static_cast<unsigned>(op);
}
constexpr unsigned kSums = bit(Op::kAllReduce) | bit(Op::kAllGather) | bit(Op::kReduceScatter);
constexpr unsigned kAllOps = ~0U;

enum Size : unsigned { kSmall = 1, kMedium = 2, kLarge = 4, kAnySize = 7 };

enum Fact : unsigned {
  kOneChip = 1,
  kSwitched = 2,
  kSeveralDomains = 4,
  kSeveralInstances = 8,  // of one UltraServer
  kWholeChips = 16,
  kPowerOfTwo = 32,
  kSeveralRacks = 128,  // of a switched fabric, with as many ranks in each
  kFast = 64,  // a shape that Neuron has fast paths for
};

struct Row {
  unsigned ops;
  unsigned sizes;
  unsigned needs;  // facts
  Algorithm algorithm;
  const char* reason;
};

// The first row that fits is taken; one without needs ends each kind.
constexpr std::array kTable{
    Row{bit(Op::kAllToAll), kAnySize, 0, Algorithm::kDirect, "every pair exchanges directly"},
    Row{bit(Op::kPermute), kAnySize, 0, Algorithm::kDirect, "point to point"},
    Row{kAllOps, kAnySize, kFast | kSeveralDomains, Algorithm::kHierarchical,
        "several NeuronLink domains"},
    Row{bit(Op::kBroadcast), kSmall, 0, Algorithm::kMesh, "below the RDH threshold"},
    Row{bit(Op::kBroadcast), kAnySize, 0, Algorithm::kRing, "above the mesh threshold"},
    Row{kSums, kMedium | kLarge, kSeveralRacks, Algorithm::kHierarchical,
        "above the mesh threshold, few wires between racks"},
    Row{kSums, kAnySize, kSwitched, Algorithm::kSwitchMesh,
        "switches reach every rank in one step"},
    Row{kSums, kAnySize, kOneChip, Algorithm::kMesh, "all ranks are on one chip"},
    Row{kSums, kSmall, kFast | kSeveralInstances, Algorithm::kPodMesh,
        "below the RDH threshold, several instances"},
    Row{kSums, kSmall, kFast, Algorithm::kMesh, "below the RDH threshold"},
    Row{kSums, kMedium, kFast | kPowerOfTwo, Algorithm::kRdh,
        "between the RDH and KangaRing thresholds"},
    Row{kSums, kMedium, kFast | kWholeChips, Algorithm::kKangaRing, "RDH needs a power of two"},
    Row{kSums, kLarge, kFast | kSeveralInstances | kWholeChips, Algorithm::kHierarchical,
        "above the KangaRing threshold, several instances"},
    Row{kSums, kLarge, kFast | kWholeChips, Algorithm::kKangaRing, "above the KangaRing threshold"},
    Row{kSums, kAnySize, kFast, Algorithm::kRing, "KangaRing needs every rank of each chip"},
    Row{kSums, kAnySize, 0, Algorithm::kRing, "slow path"},
};

Size size_of(std::uint64_t bytes, const spec::FabricSpec& fabric) {
  const double mb = static_cast<double>(bytes) / 1e6;
  return mb < fabric.threshold_mesh_rdh_mb        ? kSmall
         : mb < fabric.threshold_rdh_kangaring_mb ? kMedium
                                                  : kLarge;
}

bool several_even_racks(const Request& request, const Layout& where) {
  std::map<std::uint32_t, std::size_t> ranks;
  for (const ChipMembers& chip : where.chips) {
    ranks[request.topology.coordinates(chip.chip)[2]] += chip.members.size();
  }
  return ranks.size() > 1 && std::all_of(ranks.begin(), ranks.end(), [&](const auto& rack) {
           return rack.second == ranks.begin()->second;
         });
}

unsigned facts_of(const Request& request, const Layout& where, const Legality& legality) {
  const auto kind = request.topology.kind();
  unsigned facts = 0;
  const auto note = [&facts](bool holds, Fact fact) {
    facts |= holds ? static_cast<unsigned>(fact) : 0U;
  };
  note(where.chips.size() == 1, kOneChip);
  note(kind == spec::FabricKind::kSwitched, kSwitched);
  note(kind == spec::FabricKind::kSwitched && where.domains == 1 &&
           several_even_racks(request, where),
       kSeveralRacks);
  note(where.domains > 1, kSeveralDomains);
  note(where.whole_chips, kWholeChips);
  note(std::has_single_bit(request.group.size()), kPowerOfTwo);
  note(legality.fast, kFast);
  note(legality.fast && kind == spec::FabricKind::kTorus && where.domains == 1 &&
           units_of(request).size() > 1,
       kSeveralInstances);
  return facts;
}

// Stages of a hierarchical collective. Between units there is one rank of each: mesh, RDH or ring
// by size; within one the same table again, for the unit alone.
void choose_stages(const Request& request, const spec::FabricSpec& fabric, Selection& selection) {
  const auto units = units_of(request);
  const Size size = size_of(request.bytes, fabric);
  selection.outer = size == kSmall                                         ? Algorithm::kMesh
                    : size == kMedium && std::has_single_bit(units.size()) ? Algorithm::kRdh
                                                                           : Algorithm::kRing;
  if (request.op == Op::kBroadcast) {
    selection.outer = size == kSmall ? Algorithm::kMesh : Algorithm::kRing;
    selection.inner = selection.outer;
    return;
  }
  Group unit;
  for (const std::uint32_t index : units.front()) {
    unit.ranks.push_back(request.group.ranks[index]);
  }
  const Layout where = layout(request.topology, request.ranks, unit);
  const Request within{request.op,    unit,          request.topology,
                       request.ranks, request.bytes, request.options};
  const unsigned facts =
      facts_of(within, where, check_group(request.topology, request.ranks, unit, request.op)) &
      ~kSeveralInstances;
  for (const Row& row : kTable) {
    if ((row.ops & bit(request.op)) != 0 && (row.sizes & size) != 0 && (row.needs & ~facts) == 0) {
      selection.inner = row.algorithm;
      return;
    }
  }
}

}  // namespace

Selection select(const Request& request, const spec::FabricSpec& fabric, fabric::Space space,
                 Algorithm forced) {
  Selection selection;
  selection.legality = check_group(request.topology, request.ranks, request.group, request.op);
  if (space == fabric::Space::kSbuf && (bit(request.op) & kSums) == 0) {
    throw Error(fmt::format("{} works on HBM only", name(request.op)), {},
                "put its buffers in HBM");
  }
  if (forced != Algorithm::kAuto) {
    require_suitable(request, forced);
    selection.algorithm = forced;
    selection.reason = "as asked for";
  } else {
    const Layout where = layout(request.topology, request.ranks, request.group);
    const unsigned facts = facts_of(request, where, selection.legality);
    const Size size = size_of(request.bytes, fabric);
    for (const Row& row : kTable) {
      if ((row.ops & bit(request.op)) != 0 && (row.sizes & size) != 0 &&
          (row.needs & ~facts) == 0) {
        selection.algorithm = row.algorithm;
        selection.reason = row.reason;
        break;
      }
    }
    if (!selection.legality.fast) {
      selection.reason = "slow path: " + selection.legality.reason;
    }
  }
  if (selection.algorithm == Algorithm::kHierarchical) {
    choose_stages(request, fabric, selection);
  }
  return selection;
}

}  // namespace trnsim::collectives
