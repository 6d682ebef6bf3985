// Addresses within a partition: one linear space per memory, all partitions alike.
#pragma once

#include <cstdint>
#include <map>
#include <optional>

#include "trnsim/lower/options.h"

namespace trnsim::lower {

class Allocator {
 public:
  // capacity and alignment in bytes per partition.
  Allocator(std::uint64_t capacity, std::uint64_t alignment, AllocPolicy policy);

  // Takes [begin, end) out of circulation for good (pinned tensors).
  void reserve(std::uint64_t begin, std::uint64_t end);

  // Address of a free range, or nothing if no gap is large enough. rotate: next fit from where the last
  // allocation ended, so that memory is reused as late as possible.
  [[nodiscard]] std::optional<std::uint64_t> allocate(std::uint64_t bytes);
  void release(std::uint64_t address);

  [[nodiscard]] std::uint64_t capacity() const { return capacity_; }
  [[nodiscard]] std::uint64_t in_use() const { return in_use_; }
  [[nodiscard]] std::uint64_t peak() const { return peak_; }

 private:
  [[nodiscard]] std::optional<std::uint64_t> find(std::uint64_t from, std::uint64_t to,
                                                  std::uint64_t bytes) const;

  std::uint64_t capacity_;
  std::uint64_t alignment_;
  AllocPolicy policy_;
  std::map<std::uint64_t, std::uint64_t> live_;  // begin -> end
  std::uint64_t cursor_ = 0;
  std::uint64_t in_use_ = 0;
  std::uint64_t peak_ = 0;
};

}  // namespace trnsim::lower
