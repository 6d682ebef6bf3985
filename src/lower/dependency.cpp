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

void AccessMap::read(Interval interval, QueueId queue, std::uint32_t count, Needs& needs) {
  segments_.visit(interval, [&](Accesses& accesses) {
    if (accesses.writer.count > 0) {
      needs.add(accesses.writer.queue, accesses.writer.count, true);
    }
    const auto mine = std::find_if(accesses.readers.begin(), accesses.readers.end(),
                                   [queue](const Access& a) { return a.queue == queue; });
    if (mine == accesses.readers.end()) {
      accesses.readers.push_back({queue, count});
    } else {
      mine->count = count;
    }
  });
}

void AccessMap::write(Interval interval, QueueId queue, std::uint32_t count, Needs& needs) {
  const auto add = [&](const Access& access) {
    const bool self = access.queue == queue && access.count == count;
    if (access.count > 0 && !self) {
      needs.add(access.queue, access.count, false);
    }
  };
  Accesses& accesses = segments_.replace(interval, [&](const Accesses& before) {
    add(before.writer);
    for (const Access& reader : before.readers) {
      add(reader);
    }
  });
  accesses.writer = {queue, count};
}

}  // namespace trnsim::lower
