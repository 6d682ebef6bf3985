// From an algorithm to its generator, and which suits which collective and group.
#include "trnsim/collectives/generate.h"

#include <array>
#include <bit>

#include "trnsim/base/error.h"

namespace trnsim::collectives {
namespace {

constexpr unsigned bit(Op op) {
  return 1U << static_cast<unsigned>(op);
}
constexpr unsigned kReductions =
    bit(Op::kAllReduce) | bit(Op::kAllGather) | bit(Op::kReduceScatter);

struct Generator {
  Algorithm algorithm;
  unsigned ops;
  Dag (*make)(const Request&);
};
constexpr std::array kGenerators{
    Generator{Algorithm::kRing, kReductions | bit(Op::kBroadcast), make_ring},
    Generator{Algorithm::kKangaRing, kReductions, make_kangaring},
    Generator{Algorithm::kMesh, kReductions | bit(Op::kBroadcast), make_mesh},
    Generator{Algorithm::kSingleStepMesh, bit(Op::kAllReduce), make_single_step_mesh},
    Generator{Algorithm::kRdh, kReductions, make_rdh},
    Generator{Algorithm::kHierarchical, kReductions | bit(Op::kBroadcast), make_hierarchical},
    Generator{Algorithm::kPodMesh, kReductions, make_pod_mesh},
    Generator{Algorithm::kSwitchMesh, kReductions, make_switch_mesh},
    Generator{Algorithm::kDirect, bit(Op::kAllToAll) | bit(Op::kBroadcast) | bit(Op::kPermute),
              make_direct},
};

const Generator& generator(Algorithm algorithm) {
  for (const Generator& row : kGenerators) {
    if (row.algorithm == algorithm) {
      return row;
    }
  }
  throw Error(fmt::format("'{}' names no algorithm to generate", name(algorithm)), {},
              "select one first");
}

std::string algorithms_for(Op op) {
  std::string names;
  for (const Generator& row : kGenerators) {
    if ((row.ops & bit(op)) != 0) {
      names += (names.empty() ? "" : ", ") + std::string(name(row.algorithm));
    }
  }
  return names;
}

[[noreturn]] void unsuitable(const Request& request, Algorithm algorithm, const std::string& why,
                             const char* instead) {
  throw Error(fmt::format("{} cannot do {} of {} ranks: {}", name(algorithm), name(request.op),
                          request.group.size(), why),
              {}, instead);
}

}  // namespace

void require_suitable(const Request& request, Algorithm algorithm) {
  if ((generator(algorithm).ops & bit(request.op)) == 0) {
    throw Error(fmt::format("{} has no algorithm {}", name(request.op), name(algorithm)), {},
                fmt::format("use {}", algorithms_for(request.op)));
  }
  const Layout where = layout(request.topology, request.ranks, request.group);
  switch (algorithm) {
    case Algorithm::kKangaRing:
      if (!where.whole_chips) {
        unsuitable(request, algorithm, "it needs every rank of each chip", "use ring");
      }
      if (where.domains > 1) {
        unsuitable(request, algorithm, "the ranks are in several NeuronLink domains",
                   "use hierarchical");
      }
      break;
    case Algorithm::kRdh:
      if (!std::has_single_bit(request.group.size())) {
        unsuitable(request, algorithm, "it needs a power of two",
                   where.whole_chips ? "use kangaring or ring" : "use ring");
      }
      break;
    case Algorithm::kHierarchical:
      if (units_of(request).size() == 1) {
        unsuitable(request, algorithm, "the ranks are in one unit (NeuronLink domain or instance)",
                   "use kangaring, ring or mesh");
      }
      break;
    case Algorithm::kPodMesh:
      if (request.topology.kind() != spec::FabricKind::kTorus || where.domains > 1 ||
          units_of(request).size() == 1) {
        unsuitable(request, algorithm, "it needs several instances of one UltraServer", "use mesh");
      }
      break;
    case Algorithm::kSwitchMesh:
      if (request.topology.kind() != spec::FabricKind::kSwitched || where.domains > 1) {
        unsuitable(request, algorithm, "it needs one switched NeuronLink domain",
                   where.domains > 1 ? "use hierarchical" : "use mesh");
      }
      break;
    default:
      break;
  }
}

Dag make_dag(Op op, Algorithm algorithm, const Group& group, const fabric::Topology& topology,
             const fabric::RankMap& ranks, std::uint64_t bytes, const Options& options) {
  if (options.slices == 0 || options.element_bytes == 0) {
    throw Error("a collective needs at least one slice and one byte per element");
  }
  if (bytes % options.element_bytes != 0) {
    throw Error(fmt::format("{} bytes are no whole number of elements of {} bytes", bytes,
                            options.element_bytes));
  }
  static_cast<void>(check_group(topology, ranks, group, op));
  const Request request{op, group, topology, ranks, bytes, options};
  require_suitable(request, algorithm);
  return generator(algorithm).make(request);
}

}  // namespace trnsim::collectives
