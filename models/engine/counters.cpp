// Publish and subscribe on completion counts.
#include "counters.h"

#include <algorithm>

#include "trnsim/base/error.h"

namespace trnsim::models {

CompletionCounters::CompletionCounters(const sc_core::sc_module_name& name) : sc_module(name) {}

void CompletionCounters::reset(std::uint32_t num_queues) {
  queues_.assign(num_queues, {});
  subscriptions_.clear();
}

void CompletionCounters::publish(Femtos now, lower::QueueId queue, Femtos visible) {
  Queue& q = queues_[queue];
  const std::uint32_t slot = q.count % kHistory;
  TRNSIM_CHECK(q.count < kHistory || q.visible[slot] <= now,
               "{}: more than {} completions of queue {} in flight", name(), kHistory, queue);
  const Femtos previous = q.count == 0 ? Femtos{0} : q.visible[(q.count - 1) % kHistory];
  q.visible[slot] = max(visible, previous);
  ++q.count;
  last_visible_ = max(last_visible_, q.visible[slot]);
  for (std::size_t i = 0; i < subscriptions_.size();) {
    const Subscription subscription = subscriptions_[i];
    if (subscription.wait.queue == queue && subscription.wait.count <= q.count) {
      subscriptions_.erase(subscriptions_.begin() + static_cast<std::ptrdiff_t>(i));
      subscription.waiter->on_published(now);
    } else {
      ++i;
    }
  }
}

Femtos CompletionCounters::visible_at(lower::Wait wait) const {
  const Queue& q = queues_[wait.queue];
  if (wait.count > q.count) {
    return kNever;
  }
  if (wait.count + kHistory <= q.count) {
    return Femtos{0};  // long past
  }
  return q.visible[(wait.count - 1) % kHistory];
}

void CompletionCounters::subscribe(lower::Wait wait, CounterWaiter* waiter) {
  subscriptions_.push_back({wait, waiter});
}

}  // namespace trnsim::models
