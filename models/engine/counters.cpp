// Publish and subscribe on completion counts.
#include "counters.h"

#include <utility>

namespace trnsim::models {

CompletionCounters::CompletionCounters(const sc_core::sc_module_name& name) : sc_module(name) {}

void CompletionCounters::reset(std::uint32_t num_queues) {
  queues_.assign(num_queues, {});
  subscriptions_.clear();
  last_visible_ = Femtos{0};
}

void CompletionCounters::publish(Femtos now, lower::QueueId queue, Femtos visible) {
  Queue& q = queues_[queue];
  const Femtos previous = q.count == 0 ? Femtos{0} : q.slot(q.count - 1);
  if (q.slot(q.count) > now) {  // the oldest time kept is still needed
    std::vector<Femtos> longer(2 * q.visible.size());
    for (std::uint32_t i = q.count - static_cast<std::uint32_t>(q.visible.size()); i < q.count; ++i) {
      longer[i % longer.size()] = q.slot(i);
    }
    q.visible = std::move(longer);
  }
  q.slot(q.count) = max(visible, previous);
  ++q.count;
  last_visible_ = max(last_visible_, q.slot(q.count - 1));
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
  if (wait.count + q.visible.size() <= q.count) {
    return Femtos{0};  // long past
  }
  return q.visible[(wait.count - 1) % q.visible.size()];
}

void CompletionCounters::subscribe(lower::Wait wait, CounterWaiter* waiter) {
  subscriptions_.push_back({wait, waiter});
}

}  // namespace trnsim::models
