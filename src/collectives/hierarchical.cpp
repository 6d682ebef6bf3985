// Hierarchical: reduce-scatter within the unit first, all-gather between units first, so that the
// slow wires between units see each byte of the result once per rank.
#include <algorithm>
#include <bit>
#include <map>

#include "staged.h"
#include "trnsim/base/error.h"

namespace trnsim::collectives {
namespace {

using Units = std::vector<std::vector<std::uint32_t>>;

std::vector<std::uint32_t> column_of(const Units& units, std::size_t place) {
  std::vector<std::uint32_t> column;
  for (const auto& unit : units) {
    column.push_back(unit[place]);
  }
  return column;
}

// The phases of one pipeline piece: within each unit, and between units for each place.
struct Stages {
  std::vector<Phase> inner;
  std::vector<Phase> outer;
};

// The place owns the same bytes in every unit; those are divided again between the units.
Stages all_reduce_stages(const Context& context, const Units& units, const Levels& levels,
                         Range piece) {
  Stages stages;
  const std::vector<Ranges> places = all_reduce_parts(context, levels.inner, units.front(), piece);
  for (const auto& unit : units) {
    stages.inner.push_back({unit, places});
  }
  for (std::size_t place = 0; place < units.front().size(); ++place) {
    std::vector<std::uint32_t> column = column_of(units, place);
    std::vector<Ranges> parts =
        all_reduce_parts(context, levels.outer, column, places[place].front());
    stages.outer.push_back({std::move(column), std::move(parts)});
  }
  return stages;
}

// parts[index]: bytes that the rank of that index owns.
Stages scattered_stages(const Units& units, const std::vector<Range>& parts) {
  Stages stages;
  std::vector<Ranges> places(units.front().size());
  for (std::size_t place = 0; place < places.size(); ++place) {
    Phase outer{column_of(units, place), {}};
    for (const std::uint32_t index : outer.members) {
      outer.parts.push_back({parts[index]});
      places[place].push_back(parts[index]);
    }
    places[place] = merged(std::move(places[place]));
    stages.outer.push_back(std::move(outer));
  }
  for (const auto& unit : units) {
    stages.inner.push_back({unit, places});
  }
  return stages;
}

std::uint32_t run(const Context& context, const std::vector<Phase>& phases, PhaseFunction function,
                  std::uint32_t step) {
  std::uint32_t end = step;
  for (const Phase& phase : phases) {
    end = std::max(end, function(context, phase, step));
  }
  return end;
}

void emit(const Context& context, const Stages& stages, const Levels& levels) {
  const PhasePair inner = phases_of(levels.inner);
  const PhasePair outer = phases_of(levels.outer);
  std::uint32_t step = 0;
  if (context.request.op != Op::kAllGather) {
    step = run(context, stages.inner, inner.reduce_scatter, step);
    step = run(context, stages.outer, outer.reduce_scatter, step);
  }
  if (context.request.op != Op::kReduceScatter) {
    step = run(context, stages.outer, outer.all_gather, step);
    run(context, stages.inner, inner.all_gather, step);
  }
}

// Index 0 reaches its place in every unit, each of those the rest of its unit.
Dag make_broadcast(const Request& request, const Units& units, const Levels& levels) {
  Builder builder(new_dag(request, Algorithm::kHierarchical));
  const Context context{request, builder};
  std::size_t home = 0;
  std::uint32_t place = 0;
  for (std::size_t u = 0; u < units.size(); ++u) {
    const auto at = std::find(units[u].begin(), units[u].end(), 0U);
    if (at != units[u].end()) {
      home = u;
      place = static_cast<std::uint32_t>(at - units[u].begin());
    }
  }
  const auto function = [](Algorithm algorithm) {
    return algorithm == Algorithm::kMesh || algorithm == Algorithm::kSwitchMesh ? mesh_broadcast
                                                                                : ring_broadcast;
  };
  const Range whole{0, request.bytes};
  const std::uint32_t step = function(levels.outer)(context, column_of(units, place),
                                                    static_cast<std::uint32_t>(home), whole, 0);
  for (const auto& unit : units) {
    static_cast<void>(function(levels.inner)(context, unit, place, whole, step));
  }
  return builder.finish();
}

Levels levels_of(const Request& request, const Units& units) {
  Levels levels{request.options.inner, request.options.outer};
  Group unit;
  for (const std::uint32_t index : units.front()) {
    unit.ranks.push_back(request.group.ranks[index]);
  }
  if (levels.inner == Algorithm::kAuto) {
    const bool switched = request.topology.kind() == spec::FabricKind::kSwitched;
    levels.inner = switched ? Algorithm::kSwitchMesh
                   : layout(request.topology, request.ranks, unit).whole_chips
                       ? Algorithm::kKangaRing
                       : Algorithm::kRing;
  } else if (request.op != Op::kBroadcast) {
    Request within{request.op,    unit,          request.topology,
                   request.ranks, request.bytes, request.options};
    require_suitable(within, levels.inner);
  }
  if (levels.outer == Algorithm::kAuto) {
    levels.outer = std::has_single_bit(units.size()) ? Algorithm::kRdh : Algorithm::kRing;
  } else if (levels.outer == Algorithm::kRdh && !std::has_single_bit(units.size())) {
    throw Error(fmt::format("rdh between {} units: not a power of two", units.size()), {},
                "use ring");
  }
  return levels;
}

}  // namespace

std::vector<std::vector<std::uint32_t>> units_of(const Request& request) {
  const Layout where = layout(request.topology, request.ranks, request.group);
  std::map<std::uint32_t, std::vector<std::uint32_t>> by_key;
  for (const ChipMembers& chip : where.chips) {
    std::uint32_t key = 0;
    if (where.domains > 1) {
      key = request.topology.domain(chip.chip);
    } else if (request.topology.kind() == spec::FabricKind::kTorus ||
               request.topology.kind() == spec::FabricKind::kSwitched) {
      key = request.topology.coordinates(chip.chip)[2];
    }
    std::vector<std::uint32_t>& unit = by_key[key];
    unit.insert(unit.end(), chip.members.begin(), chip.members.end());
  }
  Units units;
  for (auto& [key, unit] : by_key) {
    if (!units.empty() && unit.size() != units.front().size()) {
      throw Error(
          fmt::format("the group has {} ranks in one {} and {} in another", units.front().size(),
                      where.domains > 1                                                ? "NeuronLink domain"
                      : request.topology.kind() == spec::FabricKind::kSwitched ? "rack"
                                                                               : "instance",
                      unit.size()),
          {}, "take as many ranks of each, or force the algorithm ring");
    }
    units.push_back(std::move(unit));
  }
  return units;
}

Dag make_staged(const Request& request, Algorithm algorithm, const Levels& levels,
                std::uint32_t pipeline) {
  const Units units = units_of(request);
  Builder builder(new_dag(request, algorithm));
  Request piecewise = request;
  piecewise.options.slices = 1;  // the pipeline pieces are the slices
  const Context context{piecewise, builder};
  const std::uint32_t element = request.options.element_bytes;
  const Range whole{0, request.bytes};
  if (request.op == Op::kAllReduce) {
    for (const Range& piece : split(whole, pipeline, element)) {
      emit(context, all_reduce_stages(context, units, levels, piece), levels);
    }
    return builder.finish();
  }
  const std::vector<Range> parts = split(whole, request.group.size(), element);
  for (std::uint32_t i = 0; i < pipeline; ++i) {
    std::vector<Range> pieces;
    for (const Range& part : parts) {
      pieces.push_back(split(part, pipeline, element)[i]);
    }
    emit(context, scattered_stages(units, pieces), levels);
  }
  return builder.finish();
}

Dag make_hierarchical(const Request& request) {
  const Units units = units_of(request);
  const Levels levels = levels_of(request, units);
  if (request.op == Op::kBroadcast) {
    return make_broadcast(request, units, levels);
  }
  return make_staged(request, Algorithm::kHierarchical, levels, request.options.slices);
}

}  // namespace trnsim::collectives
