// Waits with vector-clock pruning.
//
// known_[e][q] = n means: when the next step of engine e may start, queue q has completed at least n.
// A completion (q, n) implies all its stream knew when it started, and all earlier completions of q.
#include "emitter.h"

#include <algorithm>

#include "trnsim/base/error.h"

namespace trnsim::lower {

Emitter::Emitter(Program& program, std::uint32_t num_queues)
    : program_(program),
      num_queues_(num_queues),
      counts_(num_queues),
      known_(trace::kEngineCount, Clock(num_queues)),
      implied_(num_queues),
      fence_(num_queues),
      fence_pending_(trace::kEngineCount) {}

const std::uint32_t* Emitter::implied(Wait wait) const {
  return implied_[wait.queue].data() + static_cast<std::size_t>(wait.count - 1) * num_queues_;
}

std::vector<Wait> Emitter::collect(QueueId engine, QueueId access_queue, const Needs& needs) const {
  std::vector<Wait> waits;
  for (QueueId queue = 0; queue < num_queues_; ++queue) {
    // Inside one in-order queue WAR and WAW come free; a true dependency does not.
    std::uint32_t count = queue == access_queue ? needs.raw(queue) : needs.any(queue);
    if (fence_pending_[engine]) {
      count = std::max(count, fence_[queue]);
    }
    if (count > 0) {
      waits.push_back({queue, count});
    }
  }
  return waits;
}

void Emitter::prune(std::vector<Wait>& waits, const Clock& known) const {
  const std::vector<Wait> all = waits;
  std::erase_if(waits, [&](const Wait& wait) {
    if (known[wait.queue] >= wait.count) {
      return true;
    }
    return std::any_of(all.begin(), all.end(), [&](const Wait& other) {
      return other.queue != wait.queue && implied(other)[wait.queue] >= wait.count;
    });
  });
}

void Emitter::record_completion(QueueId queue, const Clock& clock) {
  ++counts_[queue];
  std::vector<std::uint32_t>& history = implied_[queue];
  history.insert(history.end(), clock.begin(), clock.end());
  history[history.size() - num_queues_ + queue] = counts_[queue];
}

void Emitter::emit(trace::Engine engine, QueueId access_queue, Step step, const Needs& needs) {
  const auto e = static_cast<QueueId>(engine);
  Clock& known = known_[e];
  std::vector<Wait> waits = collect(e, access_queue, needs);
  fence_pending_[e] = false;
  program_.dependency_edges += static_cast<std::uint32_t>(waits.size());
  prune(waits, known);
  program_.kept_edges += static_cast<std::uint32_t>(waits.size());
  TRNSIM_CHECK(waits.size() < 256, "a step waits for {} queues", waits.size());
  step.first_wait = static_cast<std::uint32_t>(program_.waits.size());
  step.num_waits = static_cast<std::uint8_t>(waits.size());
  for (const Wait& wait : waits) {
    program_.waits.push_back(wait);
    const std::uint32_t* clock = implied(wait);
    for (QueueId queue = 0; queue < num_queues_; ++queue) {
      known[queue] = std::max(known[queue], clock[queue]);
    }
  }
  program_.streams[e].push_back(step);
  record_completion(e, known);
  if (access_queue != e) {
    record_completion(access_queue, known);
  }
}

void Emitter::fence() {
  fence_ = counts_;
  std::fill(fence_pending_.begin(), fence_pending_.end(), true);
}

}  // namespace trnsim::lower
