// Direct: all-to-all, broadcast and permute without forwarding.
#include <vector>

#include "phase.h"
#include "trnsim/base/error.h"

namespace trnsim::collectives {
namespace {

// Part `to` of rank `from` becomes part `from` of rank `to`, whose parts are all as long as its
// own.
void all_to_all(Builder& builder, const Request& request) {
  const std::uint32_t n = request.group.size();
  const std::vector<Range> parts = split({0, request.bytes}, n, request.options.element_bytes);
  // In each round everyone has another target.
  for (std::uint32_t round = 0; round < n; ++round) {
    for (std::uint32_t from = 0; from < n; ++from) {
      const std::uint32_t to = (from + round) % n;
      builder.add({.from = from,
                   .to = to,
                   .destination = Buffer::kOutput,
                   .source_offset = parts[to].offset,
                   .destination_offset = from * parts[to].bytes,
                   .bytes = parts[to].bytes,
                   .step = round});
    }
  }
}

void permute(Builder& builder, const Request& request) {
  const std::uint32_t n = request.group.size();
  std::vector<std::pair<std::uint32_t, std::uint32_t>> pairs = request.options.pairs;
  if (pairs.empty()) {
    for (std::uint32_t from = 0; from < n; ++from) {
      pairs.emplace_back(from, (from + 1) % n);
    }
  }
  std::vector<bool> receives(n);
  for (const auto& [from, to] : pairs) {
    if (from >= n || to >= n) {
      throw Error(fmt::format("permute pair {}->{}: the group has {} ranks", from, to, n), {},
                  "pairs are indices into the group");
    }
    if (receives[to]) {
      throw Error(fmt::format("index {} receives twice in one permute", to));
    }
    receives[to] = true;
    builder.add({.from = from, .to = to, .destination = Buffer::kOutput, .bytes = request.bytes});
  }
}

}  // namespace

Dag make_direct(const Request& request) {
  Builder builder(new_dag(request, Algorithm::kDirect));
  if (request.op == Op::kAllToAll) {
    all_to_all(builder, request);
  } else if (request.op == Op::kPermute) {
    permute(builder, request);
  } else {
    for (std::uint32_t to = 1; to < request.group.size(); ++to) {
      builder.copy(0, to, {0, request.bytes}, 0);
    }
  }
  return builder.finish();
}

}  // namespace trnsim::collectives
