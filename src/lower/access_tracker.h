// All bytes of one core: which access each of them last saw, by memory and partition quadrant.
#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "dependency.h"
#include "residency.h"
#include "trnsim/trace/ir.h"

namespace trnsim::lower {

class AccessTracker {
 public:
  // Both must outlive the tracker.
  AccessTracker(const trace::Trace& trace, const Residency& residency, std::uint32_t num_queues);

  // Registers all operands of an instruction as access `count` of `queue`; returns what it must wait
  // for. The result is valid until the next call.
  const Needs& access(const trace::Instruction& instruction, QueueId queue, std::uint32_t count);
  // The same for a tile that moves to (or from) its copy in HBM.
  const Needs& move(const TileMove& move, QueueId queue, std::uint32_t count);

 private:
  void access_operand(const trace::Operand& operand, bool write, QueueId queue,
                      std::uint32_t count);
  void access_partitions(trace::Region region, std::uint32_t first, std::uint32_t partitions,
                         bool write, QueueId queue, std::uint32_t count);
  void visit(AccessMap& map, Interval interval, bool write, QueueId queue, std::uint32_t count);

  const trace::Trace& trace_;
  const Residency& residency_;
  Needs needs_;
  std::array<AccessMap, 4> sbuf_;   // quadrants of 32 partitions
  std::array<AccessMap, 4> psum_;
  std::vector<AccessMap> hbm_;      // per tensor; of an on-chip tensor its spilled copy
  std::vector<bool> written_;       // HBM tensors that some instruction writes: the others order nothing
  std::vector<Interval> intervals_;
};

}  // namespace trnsim::lower
