// Mesh: two steps per phase, one between chips in which the ranks of a chip share the work, one on
// the chip.
#include "phase.h"

namespace trnsim::collectives {
namespace {

// members[chip][column]: rank `column` of each chip talks to the same column of other chips. Groups
// with differing numbers of ranks per chip have one column, every rank a chip of its own.
std::vector<std::vector<std::uint32_t>> grid_of(const Context& context,
                                                const std::vector<std::uint32_t>& members) {
  const Layout where = layout_of(context, members);
  std::vector<std::vector<std::uint32_t>> grid;
  for (const ChipMembers& chip : where.chips) {
    if (where.per_chip > 0) {
      grid.push_back(chip.members);
      continue;
    }
    for (const std::uint32_t member : chip.members) {
      grid.push_back({member});
    }
  }
  return grid;
}

// visit(i, j) for all i != j below n; in each round every one has another target.
template <class Visit>
void rotated(std::size_t n, Visit visit) {
  for (std::size_t round = 1; round < n; ++round) {
    for (std::size_t i = 0; i < n; ++i) {
      visit(i, (i + round) % n);
    }
  }
}

void reduce_all(const Context& context, std::uint32_t from, std::uint32_t to, const Ranges& ranges,
                std::uint32_t step) {
  for (const Range& range : ranges) {
    context.builder.reduce(from, to, range, step);
  }
}

void copy_all(const Context& context, std::uint32_t from, std::uint32_t to, const Ranges& ranges,
              std::uint32_t step) {
  for (const Range& range : ranges) {
    context.builder.copy(from, to, range, step);
  }
}

}  // namespace

std::uint32_t mesh_reduce_scatter(const Context& context, const Phase& phase, std::uint32_t step) {
  const auto grid = grid_of(context, phase.members);
  const std::size_t columns = grid.front().size();
  if (columns > 1) {  // on the chip: each column collects the parts of its column on all chips
    for (const auto& chip : grid) {
      rotated(columns, [&](std::size_t from, std::size_t to) {
        for (const auto& other : grid) {
          reduce_all(context, phase.members[chip[from]], phase.members[chip[to]],
                     phase.parts[other[to]], step);
        }
      });
    }
    ++step;
  }
  if (grid.size() > 1) {
    rotated(grid.size(), [&](std::size_t from, std::size_t to) {
      for (std::size_t column = 0; column < columns; ++column) {
        const std::uint32_t target = grid[to][column];
        reduce_all(context, phase.members[grid[from][column]], phase.members[target],
                   phase.parts[target], step);
      }
    });
    ++step;
  }
  return step;
}

std::uint32_t mesh_all_gather(const Context& context, const Phase& phase, std::uint32_t step) {
  const auto grid = grid_of(context, phase.members);
  const std::size_t columns = grid.front().size();
  if (grid.size() > 1) {
    rotated(grid.size(), [&](std::size_t from, std::size_t to) {
      for (std::size_t column = 0; column < columns; ++column) {
        const std::uint32_t source = grid[from][column];
        copy_all(context, phase.members[source], phase.members[grid[to][column]],
                 phase.parts[source], step);
      }
    });
    ++step;
  }
  if (columns > 1) {
    for (const auto& chip : grid) {
      rotated(columns, [&](std::size_t from, std::size_t to) {
        for (const auto& other : grid) {
          copy_all(context, phase.members[chip[from]], phase.members[chip[to]],
                   phase.parts[other[from]], step);
        }
      });
    }
    ++step;
  }
  return step;
}

// The source reaches its column on every chip, then each of those the rest of its chip.
std::uint32_t mesh_broadcast(const Context& context, const std::vector<std::uint32_t>& members,
                             std::uint32_t source, Range range, std::uint32_t step) {
  const auto grid = grid_of(context, members);
  std::size_t home = 0;
  std::size_t column = 0;
  for (std::size_t chip = 0; chip < grid.size(); ++chip) {
    for (std::size_t c = 0; c < grid[chip].size(); ++c) {
      if (grid[chip][c] == source) {
        home = chip;
        column = c;
      }
    }
  }
  if (grid.size() > 1) {
    for (std::size_t round = 1; round < grid.size(); ++round) {
      const std::uint32_t leader = grid[(home + round) % grid.size()][column];
      context.builder.copy(members[source], members[leader], range, step);
    }
    ++step;
  }
  if (grid.front().size() > 1) {
    for (const auto& chip : grid) {
      for (const std::uint32_t member : chip) {
        if (member != chip[column]) {
          context.builder.copy(members[chip[column]], members[member], range, step);
        }
      }
    }
    ++step;
  }
  return step;
}

Dag make_mesh(const Request& request) {
  if (request.op != Op::kBroadcast) {
    return make_from_phases(request, Algorithm::kMesh);
  }
  Builder builder(new_dag(request, Algorithm::kMesh));
  std::vector<std::uint32_t> members(request.group.size());
  for (std::uint32_t i = 0; i < request.group.size(); ++i) {
    members[i] = i;
  }
  static_cast<void>(mesh_broadcast({request, builder}, members, 0, {0, request.bytes}, 0));
  return builder.finish();
}

}  // namespace trnsim::collectives
