// Interval map of writers and readers.
#include "dependency.h"

#include <algorithm>

namespace trnsim::lower {

void Needs::add(QueueId queue, std::uint32_t count, bool is_raw) {
  std::uint32_t& slot = is_raw ? raw_[queue] : order_[queue];
  slot = std::max(slot, count);
}

void Needs::clear() {
  std::fill(raw_.begin(), raw_.end(), 0U);
  std::fill(order_.begin(), order_.end(), 0U);
}

void AccessMap::split(std::uint64_t at) {
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

void AccessMap::read(Interval interval, QueueId queue, std::uint32_t count, Needs& needs) {
  split(interval.begin);
  split(interval.end);
  std::uint64_t at = interval.begin;
  auto segment = segments_.lower_bound(at);
  while (at < interval.end) {
    if (segment == segments_.end() || segment->first > at) {
      // Never written: remember the reader for a later write.
      const std::uint64_t end =
          segment == segments_.end() ? interval.end : std::min(segment->first, interval.end);
      segment = segments_.emplace_hint(segment, at, Segment{end, {}, {{queue, count}}});
    } else {
      if (segment->second.writer.count > 0) {
        needs.add(segment->second.writer.queue, segment->second.writer.count, true);
      }
      auto& readers = segment->second.readers;
      const auto mine = std::find_if(readers.begin(), readers.end(),
                                     [queue](const Access& a) { return a.queue == queue; });
      if (mine == readers.end()) {
        readers.push_back({queue, count});
      } else {
        mine->count = count;
      }
    }
    at = segment->second.end;
    ++segment;
  }
}

void AccessMap::write(Interval interval, QueueId queue, std::uint32_t count, Needs& needs) {
  split(interval.begin);
  split(interval.end);
  const auto first = segments_.lower_bound(interval.begin);
  auto last = first;
  for (; last != segments_.end() && last->first < interval.end; ++last) {
    const auto add = [&](const Access& access) {
      const bool self = access.queue == queue && access.count == count;
      if (access.count > 0 && !self) {
        needs.add(access.queue, access.count, false);
      }
    };
    add(last->second.writer);
    for (const Access& reader : last->second.readers) {
      add(reader);
    }
  }
  segments_.erase(first, last);
  segments_.emplace(interval.begin, Segment{interval.end, {queue, count}, {}});
}

}  // namespace trnsim::lower
