// Operands to byte intervals to dependency maps.
#include "access_tracker.h"

namespace trnsim::lower {
namespace {

constexpr std::uint32_t kQuadrantPartitions = 32;

}  // namespace

AccessTracker::AccessTracker(const trace::Trace& trace, const Residency& residency,
                             std::uint32_t num_queues)
    : trace_(trace),
      residency_(residency),
      needs_(num_queues),
      hbm_(trace.tensors.size()),
      written_(trace.tensors.size()) {
  for (const trace::Instruction& instruction : trace.instructions) {
    for (const trace::Operand& operand : trace.outputs(instruction)) {
      written_[operand.tensor] = true;
    }
  }
}

const Needs& AccessTracker::access(const trace::Instruction& instruction, QueueId queue,
                                   std::uint32_t count) {
  needs_.clear();
  for (const trace::Operand& operand : trace_.inputs(instruction)) {
    access_operand(operand, false, queue, count);
  }
  for (const trace::Operand& operand : trace_.outputs(instruction)) {
    access_operand(operand, true, queue, count);
  }
  return needs_;
}

const Needs& AccessTracker::move(const TileMove& move, QueueId queue, std::uint32_t count) {
  const trace::Tensor& tensor = trace_.tensors[move.tensor];
  const std::uint64_t bytes = tensor.free_elements * size_bytes(tensor.dtype);
  needs_.clear();
  visit(hbm_[move.tensor], {0, bytes}, move.to_hbm, queue, count);
  intervals_ = {{move.address, move.address + bytes}};
  access_partitions(tensor.region, tensor.pinned_partition, tensor.partitions, !move.to_hbm, queue,
                    count);
  return needs_;
}

void AccessTracker::access_operand(const trace::Operand& operand, bool write, QueueId queue,
                                   std::uint32_t count) {
  const trace::Tensor& tensor = trace_.tensor(operand);
  if (tensor.region == trace::Region::kHbm && !written_[operand.tensor]) {
    return;
  }
  footprint(trace_.pattern(operand), operand.offset, intervals_);
  if (tensor.region == trace::Region::kHbm) {
    for (const Interval& interval : intervals_) {
      visit(hbm_[operand.tensor], interval, write, queue, count);
    }
    return;
  }
  const std::uint64_t base = residency_.address(operand.tensor);
  for (Interval& interval : intervals_) {
    interval.begin += base;
    interval.end += base;
  }
  access_partitions(tensor.region, tensor.pinned_partition + operand.partition_start,
                    operand.partition_count, write, queue, count);
}

void AccessTracker::access_partitions(trace::Region region, std::uint32_t first,
                                      std::uint32_t partitions, bool write, QueueId queue,
                                      std::uint32_t count) {
  auto& quadrants = region == trace::Region::kPsum ? psum_ : sbuf_;
  const std::uint32_t last = first + partitions - 1;
  for (std::uint32_t q = first / kQuadrantPartitions; q <= last / kQuadrantPartitions; ++q) {
    for (const Interval& interval : intervals_) {
      visit(quadrants[q % quadrants.size()], interval, write, queue, count);
    }
  }
}

void AccessTracker::visit(AccessMap& map, Interval interval, bool write, QueueId queue,
                          std::uint32_t count) {
  if (write) {
    map.write(interval, queue, count, needs_);
  } else {
    map.read(interval, queue, count, needs_);
  }
}

}  // namespace trnsim::lower
