// Dispatch loop of the agenda.
#include "agenda.h"

#include <algorithm>

#include "trnsim/base/error.h"

namespace trnsim::models {
namespace {

constexpr std::uint64_t kPollInterval = 1024;
constexpr std::uint64_t kLivelockWakeups = 10'000'000;  // in one instant

std::uint64_t make_key(Phase phase, UnitId id) {
  return (static_cast<std::uint64_t>(phase) << 32) | id;
}

}  // namespace

Agenda::Agenda(const sc_core::sc_module_name& name) : sc_module(name) {
  SC_METHOD(dispatch);
  sensitive << next_;
  dont_initialize();
}

void Agenda::at(Femtos when, Phase phase, UnitId id, Wakeable* unit) {
  const std::uint64_t key = make_key(phase, id);
  TRNSIM_CHECK(when > now_ || (when == now_ && (!dispatching_ || (key >> 32) >= (current_key_ >> 32))),
               "unit {} asked for {} fs phase {} at {} fs", id, when.count, static_cast<int>(phase),
               now_.count);
  heap_.push_back({when.count, key, unit});
  std::push_heap(heap_.begin(), heap_.end(), Later{});
  if (!dispatching_) {
    arm();
  }
}

void Agenda::arm() {
  if (heap_.empty()) {
    return;
  }
  const Femtos when{heap_.front().when};
  if (when < armed_) {
    armed_ = when;
    const std::uint64_t kernel_now = sc_core::sc_time_stamp().value();
    next_.notify(sc_core::sc_time::from_value(when.count - kernel_now));
  }
}

void Agenda::dispatch() {
  now_ = Femtos{sc_core::sc_time_stamp().value()};
  armed_ = kNever;
  dispatching_ = true;
  try {
    dispatch_instant();
  } catch (...) {
    failure_ = std::current_exception();
    heap_.clear();
  }
  dispatching_ = false;
  arm();
}

void Agenda::dispatch_instant() {
  std::uint64_t in_this_instant = 0;
  while (!heap_.empty() && heap_.front().when == now_.count) {
    std::pop_heap(heap_.begin(), heap_.end(), Later{});
    const Entry entry = heap_.back();
    heap_.pop_back();
    current_key_ = entry.key;
    entry.unit->wake(now_, static_cast<Phase>(entry.key >> 32));
    TRNSIM_CHECK(++in_this_instant < kLivelockWakeups, "time stands still at {} fs", now_.count);
    if (++wakeups_ % kPollInterval == 0 && stop_flag_ != nullptr && *stop_flag_ != 0) {
      interrupted_ = true;
      heap_.clear();
      return;
    }
  }
}

}  // namespace trnsim::models
