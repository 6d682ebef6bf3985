// Values of byte ranges: a map of segments that do not overlap and are split where accesses begin and end.
#pragma once

#include <algorithm>
#include <cstdint>
#include <map>
#include <utility>

#include "footprint.h"

namespace trnsim::lower {

template <typename Value>
class SegmentMap {
 public:
  // Calls use(value) for each segment of the interval, in order; bytes without one get a new value.
  template <typename Use>
  void visit(Interval interval, const Use& use) {
    split(interval.begin);
    split(interval.end);
    std::uint64_t at = interval.begin;
    auto segment = segments_.lower_bound(at);
    while (at < interval.end) {
      if (segment == segments_.end() || segment->first > at) {
        const std::uint64_t end =
            segment == segments_.end() ? interval.end : std::min(segment->first, interval.end);
        segment = segments_.emplace_hint(segment, at, Segment{end, {}});
      }
      use(segment->second.value);
      at = segment->second.end;
      ++segment;
    }
  }

  // Calls use(value) for each segment of the interval, which then is one segment; its value, new.
  template <typename Use>
  Value& replace(Interval interval, const Use& use) {
    split(interval.begin);
    split(interval.end);
    const auto first = segments_.lower_bound(interval.begin);
    auto last = first;
    for (; last != segments_.end() && last->first < interval.end; ++last) {
      use(last->second.value);
    }
    segments_.erase(first, last);
    return segments_.emplace(interval.begin, Segment{interval.end, {}}).first->second.value;
  }

 private:
  struct Segment {
    std::uint64_t end = 0;
    Value value;
  };

  // Makes `at` a segment border if a segment spans it.
  void split(std::uint64_t at) {
    auto next = segments_.upper_bound(at);
    if (next == segments_.begin()) {
      return;
    }
    auto segment = std::prev(next);
    if (segment->first < at && at < segment->second.end) {
      Segment tail = segment->second;
      segment->second.end = at;
      segments_.emplace_hint(next, at, std::move(tail));
    }
  }

  std::map<std::uint64_t, Segment> segments_;
};

}  // namespace trnsim::lower
