// Executes a Dag on real vectors: what proves a generator right. One value stands for each element.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <utility>
#include <vector>

#include "trnsim/collectives/dag.h"

namespace trnsim::collectives {

template <class Value>
struct Buffers {
  std::vector<Value> data;
  std::vector<Value> output;
  std::vector<Value> scratch;
};

// A topological order of the transfers, drawn from `seed`; 0 = as listed.
[[nodiscard]] std::vector<std::uint32_t> order_of(const Dag& dag, std::uint64_t seed);

// Elements that the buffers of each rank need: data, output, scratch.
[[nodiscard]] std::array<std::uint64_t, 3> elements_of(const Dag& dag);

// `ranks`: one Buffers per rank; output and scratch are made as long as needed, data must be.
template <class Value>
void execute(const Dag& dag, std::vector<Buffers<Value>>& ranks, std::uint64_t seed = 0) {
  const auto elements = elements_of(dag);
  for (Buffers<Value>& rank : ranks) {
    rank.output.resize(elements[1]);
    rank.scratch.resize(elements[2]);
  }
  const auto buffer = [&](std::uint32_t rank, Buffer which) -> std::vector<Value>& {
    Buffers<Value>& own = ranks.at(rank);
    return which == Buffer::kData ? own.data : which == Buffer::kOutput ? own.output : own.scratch;
  };
  for (const std::uint32_t index : order_of(dag, seed)) {
    const Transfer& transfer = dag.transfers[index];
    const std::uint64_t first = transfer.source_offset / dag.element_bytes;
    const std::uint64_t target = transfer.destination_offset / dag.element_bytes;
    for (std::uint64_t i = 0; i < transfer.bytes / dag.element_bytes; ++i) {
      Value value = buffer(transfer.from, transfer.source).at(first + i);
      if (transfer.also_from != kNoRank) {
        value += buffer(transfer.also_from, transfer.source).at(first + i);
      }
      for (const std::uint32_t to : {transfer.to, transfer.also_to}) {
        if (to != kNoRank) {
          Value& place = buffer(to, transfer.destination).at(target + i);
          place = transfer.reduce ? place + value : value;
        }
      }
    }
  }
}

// Two transfers that touch the same bytes in an order that no dependency fixes, unless both read or
// both only reduce into them. For small DAGs: memory grows with the square of the transfers.
[[nodiscard]] std::optional<std::pair<std::uint32_t, std::uint32_t>> find_race(const Dag& dag);

}  // namespace trnsim::collectives
