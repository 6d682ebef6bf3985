// Waits of a replayed profile: the trace's edges instead of what the accesses imply.
#pragma once

#include <cstdint>
#include <vector>

#include "dependency.h"
#include "trnsim/trace/ir.h"

namespace trnsim::lower {

class ReplayEdges {
 public:
  // The trace must outlive this.
  ReplayEdges(const trace::Trace& trace, std::uint32_t num_queues)
      : trace_(trace), needs_(num_queues), completions_(trace.instructions.size()) {}

  // Says that instruction `index` completes as `count` of `queue`, and returns what it waits for; valid
  // until the next call. Instructions come in trace order.
  const Needs& access(std::uint32_t index, QueueId queue, std::uint32_t count) {
    needs_.clear();
    completions_[index] = {queue, count};
    for (; next_ < trace_.edges.size() && trace_.edges[next_].instruction <= index; ++next_) {
      const Wait& wait = completions_[trace_.edges[next_].after];
      if (trace_.edges[next_].instruction == index && wait.count > 0) {
        needs_.add(wait.queue, wait.count, true);
      }
    }
    return needs_;
  }

 private:
  const trace::Trace& trace_;
  Needs needs_;
  std::vector<Wait> completions_;
  std::size_t next_ = 0;
};

}  // namespace trnsim::lower
