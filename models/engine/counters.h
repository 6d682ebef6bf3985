// The completion counters of one core.
#pragma once

#include <vector>

#include "counters_if.h"

namespace trnsim::models {

class CompletionCounters final : public sc_core::sc_module, public CountersIf {
 public:
  explicit CompletionCounters(const sc_core::sc_module_name& name);

  // Forgets everything; `num_queues` counters start at zero.
  void reset(std::uint32_t num_queues);

  void publish(Femtos now, lower::QueueId queue, Femtos visible) override;
  [[nodiscard]] Femtos visible_at(lower::Wait wait) const override;
  void subscribe(lower::Wait wait, CounterWaiter* waiter) override;

  [[nodiscard]] std::uint32_t count(lower::QueueId queue) const { return queues_[queue].count; }
  // Latest visible time of any completion.
  [[nodiscard]] Femtos last_visible() const { return last_visible_; }

 private:
  // Only completions still in the future need their exact time. An engine has few of them; a DMA queue
  // whose oldest request is slow may have many at once, so the ring grows.
  static constexpr std::size_t kHistory = 64;
  struct Queue {
    std::uint32_t count = 0;
    std::vector<Femtos> visible = std::vector<Femtos>(kHistory);
    [[nodiscard]] Femtos& slot(std::uint32_t completion) { return visible[completion % visible.size()]; }
  };
  struct Subscription {
    lower::Wait wait;
    CounterWaiter* waiter = nullptr;
  };

  std::vector<Queue> queues_;
  std::vector<Subscription> subscriptions_;  // at most one per engine
  Femtos last_visible_{0};
};

}  // namespace trnsim::models
