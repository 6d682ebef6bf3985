// An agenda without a SystemC kernel: same order (time, phase, unit id), run by the test itself.
#pragma once

#include <cstdint>
#include <queue>
#include <tuple>
#include <vector>

#include "agenda/agenda_if.h"
#include "trnsim/base/error.h"

namespace trnsim::test {

class FakeAgenda final : public models::AgendaIf {
 public:
  void at(Femtos when, models::Phase phase, models::UnitId id, models::Wakeable* unit) override {
    TRNSIM_CHECK(when >= now_, "unit {} asked for the past", id);
    entries_.push({when.count, phase, id, unit});
  }
  [[nodiscard]] Femtos now() const override { return now_; }

  // Dispatches everything due up to and including `end`, then sets the time to `end`.
  void run_until(Femtos end) {
    while (!entries_.empty() && entries_.top().when <= end.count) {
      const Entry entry = entries_.top();
      entries_.pop();
      now_ = Femtos{entry.when};
      ++wakeups_;
      entry.unit->wake(now_, entry.phase);
    }
    now_ = max(now_, end);
  }
  // Dispatches until nothing is left; the time stays at the last entry.
  void run() {
    while (!entries_.empty()) {
      run_until(Femtos{entries_.top().when});
    }
  }
  [[nodiscard]] std::uint64_t wakeups() const { return wakeups_; }

 private:
  struct Entry {
    std::uint64_t when;
    models::Phase phase;
    models::UnitId id;
    models::Wakeable* unit;
    friend bool operator>(const Entry& a, const Entry& b) {
      return std::tie(a.when, a.phase, a.id) > std::tie(b.when, b.phase, b.id);
    }
  };
  std::priority_queue<Entry, std::vector<Entry>, std::greater<>> entries_;
  Femtos now_{0};
  std::uint64_t wakeups_ = 0;
};

}  // namespace trnsim::test
