// Exact-byte dependency tracking: who wrote and who reads each byte, and what a new access must wait for.
#pragma once

#include <cstdint>
#include <vector>

#include <boost/container/small_vector.hpp>

#include "segment_map.h"
#include "trnsim/lower/program.h"

namespace trnsim::lower {

// What one instruction must wait for: per queue the highest count, apart for true dependencies (RAW) and
// for order on storage (WAR, WAW), because the latter come free inside one in-order queue.
class Needs {
 public:
  explicit Needs(std::uint32_t num_queues) : raw_(num_queues), order_(num_queues) {}
  void add(QueueId queue, std::uint32_t count, bool is_raw);
  void clear();
  [[nodiscard]] std::uint32_t raw(QueueId queue) const { return raw_[queue]; }
  [[nodiscard]] std::uint32_t any(QueueId queue) const {
    return raw_[queue] > order_[queue] ? raw_[queue] : order_[queue];
  }

 private:
  std::vector<std::uint32_t> raw_;
  std::vector<std::uint32_t> order_;
};

// One address space (a quadrant of 32 partitions of SBUF or PSUM, or an HBM tensor).
class AccessMap {
 public:
  // Records a read of [begin, end) as access `count` of `queue`.
  void read(Interval interval, QueueId queue, std::uint32_t count, Needs& needs);
  void write(Interval interval, QueueId queue, std::uint32_t count, Needs& needs);

 private:
  struct Access {
    QueueId queue = 0;
    std::uint32_t count = 0;
  };
  struct Accesses {
    Access writer;  // count 0 = none
    boost::container::small_vector<Access, 4> readers;
  };

  SegmentMap<Accesses> segments_;
};

}  // namespace trnsim::lower
