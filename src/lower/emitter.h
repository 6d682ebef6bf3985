// Writes the per-engine streams: turns needs into waits, dropping those that earlier waits imply.
#pragma once

#include <cstdint>
#include <vector>

#include "dependency.h"
#include "trnsim/lower/program.h"

namespace trnsim::lower {

class Emitter {
 public:
  // num_queues: engines plus all DMA queues the program will use.
  Emitter(Program& program, std::uint32_t num_queues);

  // Count that the next step of `queue` will complete.
  [[nodiscard]] std::uint32_t next_count(QueueId queue) const { return counts_[queue] + 1; }

  // Appends `step` to the stream of `engine`. `access_queue` is the queue whose completion frees the
  // step's operands: the engine itself, or the DMA queue of a trigger (whose counter then advances too).
  void emit(trace::Engine engine, QueueId access_queue, Step step, const Needs& needs);

  // Everything emitted so far completes before anything emitted later starts.
  void fence();

 private:
  using Clock = std::vector<std::uint32_t>;

  [[nodiscard]] const std::uint32_t* implied(Wait wait) const;
  std::vector<Wait> collect(QueueId engine, QueueId access_queue, const Needs& needs) const;
  void prune(std::vector<Wait>& waits, const Clock& known) const;
  void record_completion(QueueId queue, const Clock& clock);

  Program& program_;
  std::uint32_t num_queues_;
  std::vector<std::uint32_t> counts_;            // per queue, steps emitted
  std::vector<Clock> known_;                     // per engine, what its stream knows to be complete
  std::vector<std::vector<std::uint32_t>> implied_;  // per queue, num_queues_ values per completion
  Clock fence_;
  std::vector<bool> fence_pending_;
};

}  // namespace trnsim::lower
