// Orders of a DAG and races in it.
#include "trnsim/collectives/execute.h"

#include <algorithm>
#include <map>
#include <tuple>

namespace trnsim::collectives {
namespace {

// SplitMix64: the same orders everywhere.
std::uint64_t next_random(std::uint64_t& state) {
  std::uint64_t z = (state += 0x9e3779b97f4a7c15ULL);
  z = (z ^ (z >> 30U)) * 0xbf58476d1ce4e5b9ULL;
  z = (z ^ (z >> 27U)) * 0x94d049bb133111ebULL;
  return z ^ (z >> 31U);
}

enum class Access : std::uint8_t { kRead, kWrite, kReduce };

struct Touch {
  std::uint64_t begin = 0;
  std::uint64_t end = 0;
  std::uint32_t transfer = 0;
  Access access = Access::kRead;
};

// Ancestors of each transfer, a bit per transfer.
class Ancestors {
 public:
  explicit Ancestors(const Dag& dag)
      : words_((dag.transfers.size() + 63) / 64), bits_(words_ * dag.transfers.size()) {
    for (std::size_t i = 0; i < dag.transfers.size(); ++i) {
      const Transfer& transfer = dag.transfers[i];
      for (std::uint32_t d = 0; d < transfer.dependency_count; ++d) {
        const std::uint32_t before = dag.dependencies[transfer.first_dependency + d];
        for (std::size_t w = 0; w < words_; ++w) {
          bits_[i * words_ + w] |= bits_[before * words_ + w];
        }
        bits_[i * words_ + before / 64] |= 1ULL << (before % 64);
      }
    }
  }
  [[nodiscard]] bool ordered(std::uint32_t a, std::uint32_t b) const {
    return has(a, b) || has(b, a);
  }

 private:
  [[nodiscard]] bool has(std::uint32_t of, std::uint32_t ancestor) const {
    return ((bits_[of * words_ + ancestor / 64] >> (ancestor % 64)) & 1U) != 0;
  }
  std::size_t words_;
  std::vector<std::uint64_t> bits_;
};

}  // namespace

std::vector<std::uint32_t> order_of(const Dag& dag, std::uint64_t seed) {
  const std::size_t count = dag.transfers.size();
  std::vector<std::uint32_t> order;
  order.reserve(count);
  std::vector<std::uint32_t> missing(count);
  std::vector<std::vector<std::uint32_t>> followers(count);
  std::vector<std::uint32_t> ready;
  for (std::uint32_t i = 0; i < count; ++i) {
    if (seed == 0) {
      order.push_back(i);
      continue;
    }
    const Transfer& transfer = dag.transfers[i];
    missing[i] = transfer.dependency_count;
    for (std::uint32_t d = 0; d < transfer.dependency_count; ++d) {
      followers[dag.dependencies[transfer.first_dependency + d]].push_back(i);
    }
    if (missing[i] == 0) {
      ready.push_back(i);
    }
  }
  while (!ready.empty()) {
    std::swap(ready[next_random(seed) % ready.size()], ready.back());
    const std::uint32_t next = ready.back();
    ready.pop_back();
    order.push_back(next);
    for (const std::uint32_t follower : followers[next]) {
      if (--missing[follower] == 0) {
        ready.push_back(follower);
      }
    }
  }
  return order;
}

std::array<std::uint64_t, 3> elements_of(const Dag& dag) {
  std::array<std::uint64_t, 3> bytes{dag.bytes, 0, dag.scratch_bytes};
  for (const Transfer& transfer : dag.transfers) {
    std::uint64_t& most = bytes[static_cast<std::size_t>(transfer.destination)];
    most = std::max(most, transfer.destination_offset + transfer.bytes);
  }
  for (std::uint64_t& value : bytes) {
    value /= dag.element_bytes;
  }
  return bytes;
}

std::optional<std::pair<std::uint32_t, std::uint32_t>> find_race(const Dag& dag) {
  std::map<std::pair<std::uint32_t, Buffer>, std::vector<Touch>> touches;
  for (std::uint32_t i = 0; i < dag.transfers.size(); ++i) {
    const Transfer& transfer = dag.transfers[i];
    if (transfer.bytes == 0) {
      continue;
    }
    for (const std::uint32_t rank : {transfer.from, transfer.also_from}) {
      if (rank != kNoRank) {
        touches[{rank, transfer.source}].push_back(
            {transfer.source_offset, transfer.source_offset + transfer.bytes, i, Access::kRead});
      }
    }
    for (const std::uint32_t rank : {transfer.to, transfer.also_to}) {
      if (rank != kNoRank) {
        touches[{rank, transfer.destination}].push_back(
            {transfer.destination_offset, transfer.destination_offset + transfer.bytes, i,
             transfer.reduce ? Access::kReduce : Access::kWrite});
      }
    }
  }
  const Ancestors ancestors(dag);
  for (auto& [place, list] : touches) {
    std::sort(list.begin(), list.end(), [](const Touch& a, const Touch& b) {
      return std::tie(a.begin, a.transfer) < std::tie(b.begin, b.transfer);
    });
    for (std::size_t i = 0; i < list.size(); ++i) {
      for (std::size_t j = i + 1; j < list.size() && list[j].begin < list[i].end; ++j) {
        const bool harmless = list[i].access == list[j].access && list[i].access != Access::kWrite;
        if (!harmless && !ancestors.ordered(list[i].transfer, list[j].transfer)) {
          return std::pair(list[i].transfer, list[j].transfer);
        }
      }
    }
  }
  return std::nullopt;
}

}  // namespace trnsim::collectives
