// Next-fit and first-fit over the gaps between live ranges.
#include "allocator.h"

#include <algorithm>

#include "trnsim/base/error.h"

namespace trnsim::lower {

Allocator::Allocator(std::uint64_t capacity, std::uint64_t alignment, AllocPolicy policy)
    : capacity_(capacity), alignment_(alignment), policy_(policy) {}

void Allocator::reserve(std::uint64_t begin, std::uint64_t end) {
  // Pinned tensors may overlap each other: merge.
  auto next = live_.upper_bound(begin);
  if (next != live_.begin() && std::prev(next)->second >= begin) {
    --next;
    begin = next->first;
  }
  while (next != live_.end() && next->first <= end) {
    end = std::max(end, next->second);
    in_use_ -= next->second - next->first;
    next = live_.erase(next);
  }
  live_.emplace(begin, end);
  in_use_ += end - begin;
  peak_ = std::max(peak_, in_use_);
  if (policy_ == AllocPolicy::kUnlimited) {
    cursor_ = std::max(cursor_, end);  // fresh addresses start behind every pinned range
  }
}

std::optional<std::uint64_t> Allocator::find(std::uint64_t from, std::uint64_t to,
                                             std::uint64_t bytes) const {
  std::uint64_t at = (from + alignment_ - 1) / alignment_ * alignment_;
  auto next = live_.upper_bound(at);
  if (next != live_.begin() && std::prev(next)->second > at) {
    at = std::prev(next)->second;
    at = (at + alignment_ - 1) / alignment_ * alignment_;
  }
  while (at + bytes <= to) {
    next = live_.lower_bound(at);
    if (next != live_.begin() && std::prev(next)->second > at) {
      at = (std::prev(next)->second + alignment_ - 1) / alignment_ * alignment_;
      continue;
    }
    if (next == live_.end() || next->first >= at + bytes) {
      return at;
    }
    at = (next->second + alignment_ - 1) / alignment_ * alignment_;
  }
  return std::nullopt;
}

std::optional<std::uint64_t> Allocator::allocate(std::uint64_t bytes) {
  std::optional<std::uint64_t> address;
  if (policy_ == AllocPolicy::kUnlimited) {
    address = (cursor_ + alignment_ - 1) / alignment_ * alignment_;
  } else {
    const std::uint64_t from = policy_ == AllocPolicy::kRotate ? cursor_ : 0;
    address = find(from, capacity_, bytes);
    if (!address && from > 0) {
      address = find(0, capacity_, bytes);
    }
  }
  if (!address) {
    return std::nullopt;
  }
  live_.emplace(*address, *address + bytes);
  cursor_ = *address + bytes;
  in_use_ += bytes;
  peak_ = std::max(peak_, in_use_);
  return address;
}

void Allocator::release(std::uint64_t address) {
  const auto range = live_.find(address);
  TRNSIM_CHECK(range != live_.end(), "release of address {} that is not live", address);
  in_use_ -= range->second - range->first;
  live_.erase(range);
}

}  // namespace trnsim::lower
