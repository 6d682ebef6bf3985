// System-wide event queue with a total order (time, phase, unit id) behind one sc_event and one
// SC_METHOD (shared/systemc.md section 5). SystemC's own same-time order is neither FIFO nor stable.
#pragma once

#include <csignal>
#include <cstdint>
#include <exception>
#include <vector>

#include <systemc>

#include "agenda_if.h"

namespace trnsim::models {

class Agenda final : public sc_core::sc_module, public AgendaIf {
 public:
  SC_HAS_PROCESS(Agenda);
  explicit Agenda(const sc_core::sc_module_name& name);

  void at(Femtos when, Phase phase, UnitId id, Wakeable* unit) override;
  [[nodiscard]] Femtos now() const override { return now_; }

  // An exception thrown by a unit, kept because the kernel would turn it into an sc_report; the run
  // stops at that instant.
  [[nodiscard]] std::exception_ptr failure() const { return failure_; }
  // True if the run stopped because *flag became non-zero.
  [[nodiscard]] bool interrupted() const { return interrupted_; }
  // Polled about every thousand wake-ups; may be null.
  void stop_when(const volatile std::sig_atomic_t* flag) { stop_flag_ = flag; }
  [[nodiscard]] std::uint64_t wakeups() const { return wakeups_; }
  [[nodiscard]] bool empty() const { return heap_.empty(); }

 private:
  struct Entry {
    std::uint64_t when;
    std::uint64_t key;  // phase, then unit id
    Wakeable* unit;
  };
  struct Later {
    bool operator()(const Entry& a, const Entry& b) const {
      return a.when != b.when ? a.when > b.when : a.key > b.key;
    }
  };

  void dispatch();
  void dispatch_instant();
  void arm();

  sc_core::sc_event next_{"next"};
  std::vector<Entry> heap_;
  Femtos now_{0};
  Femtos armed_ = kNever;
  std::uint64_t current_key_ = 0;
  bool dispatching_ = false;
  std::uint64_t wakeups_ = 0;
  const volatile std::sig_atomic_t* stop_flag_ = nullptr;
  bool interrupted_ = false;
  std::exception_ptr failure_;
};

}  // namespace trnsim::models
