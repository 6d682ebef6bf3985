// Systems, groups and the check of one collective against what its name promises.
#pragma once

#include <gtest/gtest.h>

#include <cstdint>
#include <string>
#include <vector>

#include "support/systems.h"
#include "trnsim/base/error.h"
#include "trnsim/collectives/execute.h"
#include "trnsim/collectives/generate.h"

namespace trnsim::collectives {

// A shipped system whose chips are divided into `per_chip` ranks; with `servers` other than 0, that
// many of its servers.
struct Machine {
  Machine(const std::string& name, std::uint32_t per_chip, std::uint32_t servers = 0)
      : system(with_servers(test::shipped(name).spec, servers)),
        topology(system),
        ranks(fabric::make_ranks(system, system.cores_per_chip_used / per_chip)) {}

  static spec::SystemSpec with_servers(spec::SystemSpec spec, std::uint32_t servers) {
    spec.servers = servers == 0 ? spec.servers : servers;
    return spec;
  }
  [[nodiscard]] Group group(const std::string& text) const {
    return parse_groups(text, ranks).at(0);
  }
  [[nodiscard]] Dag dag(Op op, Algorithm algorithm, const std::string& text, std::uint64_t bytes,
                        const Options& options = {}) const {
    return make_dag(op, algorithm, group(text), topology, ranks, bytes, options);
  }

  spec::SystemSpec system;
  fabric::Topology topology;
  fabric::RankMap ranks;
};

inline Options elements_of_4() {
  Options options;
  options.element_bytes = 4;
  return options;
}

using Values = std::vector<Buffers<std::int64_t>>;

// First element of part `index` when `elements` are divided over `ranks`; the first parts are the
// larger.
inline std::uint64_t part_begin(std::uint64_t elements, std::uint64_t ranks, std::uint64_t index) {
  return index * (elements / ranks) + std::min(index, elements % ranks);
}

inline std::int64_t input(std::uint64_t rank, std::uint64_t i) {
  return static_cast<std::int64_t>((rank + 1) * 1'000'003 + i * i * 17 + 5);
}

constexpr std::int64_t kGarbage = -1'000'000'007;

inline Values inputs_of(const Dag& dag) {
  const std::uint64_t n = dag.bytes / dag.element_bytes;
  Values values(dag.ranks);
  for (std::uint64_t rank = 0; rank < dag.ranks; ++rank) {
    for (std::uint64_t i = 0; i < n; ++i) {
      const bool own =
          i >= part_begin(n, dag.ranks, rank) && i < part_begin(n, dag.ranks, rank + 1);
      const bool given =
          (dag.op != Op::kAllGather || own) && (dag.op != Op::kBroadcast || rank == 0);
      values[rank].data.push_back(given ? input(rank, i) : kGarbage);
    }
  }
  return values;
}

inline std::int64_t sum_at(const Dag& dag, std::uint64_t i) {
  std::int64_t sum = 0;
  for (std::uint64_t rank = 0; rank < dag.ranks; ++rank) {
    sum += input(rank, i);
  }
  return sum;
}

// The first thing that is wrong after the collective; empty when all is right.
inline std::string wrong_after(const Dag& dag, const Values& values) {
  const std::uint64_t n = dag.bytes / dag.element_bytes;
  for (std::uint64_t rank = 0; rank < dag.ranks; ++rank) {
    const auto differs = [&](const char* where, std::uint64_t i, std::int64_t value,
                             std::int64_t expected) {
      return value == expected
                 ? std::string()
                 : fmt::format("{}[{}] of rank {} is {}, not {}", where, i, rank, value, expected);
    };
    const std::uint64_t begin = part_begin(n, dag.ranks, rank);
    const std::uint64_t end = part_begin(n, dag.ranks, rank + 1);
    for (std::uint64_t i = 0; i < n; ++i) {
      std::string text;
      std::uint64_t owner = 0;
      switch (dag.op) {
        case Op::kAllReduce:
          text = differs("data", i, values[rank].data[i], sum_at(dag, i));
          break;
        case Op::kReduceScatter:
          text =
              i >= begin && i < end ? differs("data", i, values[rank].data[i], sum_at(dag, i)) : "";
          break;
        case Op::kAllGather:
          while (part_begin(n, dag.ranks, owner + 1) <= i) {
            ++owner;
          }
          text = differs("data", i, values[rank].data[i], input(owner, i));
          break;
        case Op::kBroadcast:
          text = differs("data", i, values[rank].data[i], input(0, i));
          break;
        case Op::kAllToAll:
          for (std::uint64_t from = 0; i >= begin && i < end && from < dag.ranks && text.empty();
               ++from) {
            const std::uint64_t at = from * (end - begin) + i - begin;
            text = differs("output", at, values[rank].output[at], input(from, i));
          }
          break;
        case Op::kPermute:
          text = differs("output", i, values[rank].output[i],
                         input((rank + dag.ranks - 1) % dag.ranks, i));
          break;
      }
      if (!text.empty()) {
        return text;
      }
    }
  }
  return {};
}

// What must hold of every Dag.
inline void expect_well_formed(const Machine& machine, const Group& group, const Dag& dag) {
  const auto chip = [&](std::uint32_t index) {
    return machine.ranks.ranks[group.ranks[index]].chip;
  };
  for (std::uint32_t i = 0; i < dag.transfers.size(); ++i) {
    const Transfer& transfer = dag.transfers[i];
    ASSERT_LT(transfer.from, dag.ranks);
    ASSERT_LT(transfer.to, dag.ranks);
    ASSERT_TRUE(transfer.bytes > 0 || transfer.from == transfer.to);
    ASSERT_LT(transfer.step, dag.steps);
    ASSERT_EQ(
        (transfer.bytes | transfer.source_offset | transfer.destination_offset) % dag.element_bytes,
        0U);
    if (transfer.also_to != kNoRank) {
      ASSERT_NE(transfer.also_to, transfer.to);
      ASSERT_EQ(chip(transfer.also_to), chip(transfer.to));
    }
    if (transfer.also_from != kNoRank) {
      ASSERT_TRUE(transfer.reduce);
      ASSERT_NE(transfer.also_from, transfer.from);
      ASSERT_EQ(chip(transfer.also_from), chip(transfer.from));
    }
    for (std::uint32_t d = 0; d < transfer.dependency_count; ++d) {
      ASSERT_LT(dag.dependencies[transfer.first_dependency + d], i);
    }
  }
}

// Right in the listed order and in random ones, and free of races where that is cheap to find.
inline void expect_right(const Machine& machine, Op op, Algorithm algorithm,
                         const std::string& text, std::uint64_t bytes,
                         const Options& options = elements_of_4()) {
  SCOPED_TRACE(fmt::format("{} by {} of {} of {}, {} bytes", name(op), name(algorithm), text,
                           machine.system.name, bytes));
  const Group group = machine.group(text);
  const Dag dag = make_dag(op, algorithm, group, machine.topology, machine.ranks, bytes, options);
  expect_well_formed(machine, group, dag);
  for (std::uint64_t seed = 0; seed < (dag.transfers.size() < 20'000 ? 4U : 2U); ++seed) {
    Values values = inputs_of(dag);
    execute(dag, values, seed);
    ASSERT_EQ(wrong_after(dag, values), "") << "order " << seed;
  }
  if (dag.transfers.size() <= 3'000) {
    const auto race = find_race(dag);
    EXPECT_FALSE(race.has_value())
        << "between transfers " << race->first << " and " << race->second;
  }
}

// Message and hint of the Error that `action` throws.
template <class Action>
std::string error_of(Action action) {
  try {
    action();
  } catch (const Error& error) {
    return error.what();
  }
  return "no error";
}

}  // namespace trnsim::collectives
