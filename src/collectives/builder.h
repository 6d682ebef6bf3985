// Collects the transfers of a collective in an order that would be right one after the other, and
// works out which of them really have to wait for which.
#pragma once

#include <cstdint>
#include <vector>

#include "trnsim/collectives/dag.h"

namespace trnsim::collectives {

// Bytes [offset, offset + bytes) of a buffer.
struct Range {
  std::uint64_t offset = 0;
  std::uint64_t bytes = 0;

  [[nodiscard]] std::uint64_t end() const { return offset + bytes; }
};

// `count` ranges in a row whose sizes differ by one element at most; the first ones are the larger.
[[nodiscard]] std::vector<Range> split(Range whole, std::uint32_t count,
                                       std::uint32_t element_bytes);

// Sorted by offset, neighbours that touch made one.
[[nodiscard]] std::vector<Range> merged(std::vector<Range> ranges);

class Builder {
 public:
  explicit Builder(Dag dag) : dag_(std::move(dag)) {}

  // Same place in the same buffer of another rank. Empty ranges are dropped.
  void copy(std::uint32_t from, std::uint32_t to, Range range, std::uint32_t step) {
    add({.from = from,
         .to = to,
         .source_offset = range.offset,
         .destination_offset = range.offset,
         .bytes = range.bytes,
         .step = step});
  }
  void reduce(std::uint32_t from, std::uint32_t to, Range range, std::uint32_t step) {
    add({.from = from,
         .to = to,
         .source_offset = range.offset,
         .destination_offset = range.offset,
         .bytes = range.bytes,
         .reduce = true,
         .step = step});
  }
  void add(const Transfer& transfer) {
    if (transfer.bytes > 0) {
      dag_.transfers.push_back(transfer);
    }
  }
  void need_scratch(std::uint64_t bytes) { dag_.scratch_bytes = bytes; }

  // A read waits for the writes it sees, a write for the reads and writes before it, a reduction
  // for the reads and the plain write before it but not for other reductions.
  [[nodiscard]] Dag finish();

 private:
  Dag dag_;
};

}  // namespace trnsim::collectives
