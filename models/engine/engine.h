// One engine: an in-order sequencer and its data path (hardware.md 4, 9).
//
// One wake-up per instruction, at the time it can start: its waits are then satisfied and its completion
// time is known, so the completion is published at once. Instructions overlap in the pipeline
// (interval < latency) but complete in order.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string_view>

#include "../agenda/agenda_if.h"
#include "../dma/dma_if.h"
#include "../memory/port_if.h"
#include "../system/pair_sync_if.h"
#include "counters_if.h"
#include "timeline.h"
#include "trnsim/lower/program.h"
#include "trnsim/spec/core_spec.h"

namespace trnsim::models {

// Why an engine did not work, by what it waited for last.
enum class IdleCause : std::uint8_t {
  kTensor,
  kVector,
  kScalar,
  kGpSimd,
  kSync,
  kDma,         // data still on its way by DMA (or a buffer still being stored)
  kPeer,        // the other core of the logical NeuronCore
  kOwnResult,   // its own previous result: dependent chain
  kPort,        // memory port or PSUM bank held by another engine
  kDispatch,    // sequencer issue rate, clock edge
  kFinished,    // its stream has ended
};
inline constexpr int kIdleCauseCount = static_cast<int>(IdleCause::kFinished) + 1;
[[nodiscard]] std::string_view name(IdleCause cause);

struct EngineCounters {
  std::uint64_t instructions = 0;   // hardware instructions; LDWEIGHTS and MATMUL count apart
  double flops = 0;
  Femtos busy{0};                   // union of issue intervals; busy + idle = run time
  std::array<Femtos, kIdleCauseCount> idle{};
  Femtos limited{0};                // tensor: time under the activity limiter
  std::uint64_t table_loads = 0;    // scalar
};

// Told when the last instruction of an engine's stream has started, or a core's DMA queues run empty.
class ProgressListener {
 public:
  virtual void on_drained(Femtos now) = 0;

 protected:
  ~ProgressListener() = default;
};

class Engine : public sc_core::sc_module, public Wakeable, public CounterWaiter, public PairWaiter {
 public:
  Engine(const sc_core::sc_module_name& name, trace::Engine kind, double clock_ghz,
         const spec::CoreSpec& core, AgendaIf& agenda, UnitId id);

  // Binds the stream of this engine; its first instruction may start at once. The stream before, if any,
  // has finished.
  void load(const lower::Program& program, Timeline* timeline,
            StepAccounts* accounts = nullptr);
  // Looks at the first instruction: call once after every unit is loaded.
  void begin(Femtos now);

  void tell(ProgressListener* listener) { listener_ = listener; }

  // Meetings are with core 1 - side over `pair`; without this they are with nobody and cost their time.
  void join_pair(std::uint32_t side);

  void wake(Femtos now, Phase phase) override;
  void on_released(Femtos now, Femtos release) override;
  void on_published(Femtos now) override;

  [[nodiscard]] bool finished() const { return stream_ == nullptr || pc_ == stream_->size(); }
  // Books the time from the last instruction to the end of the run.
  void close(Femtos end);
  // "instruction 17 (tensor_copy) waits for qSyncLoad >= 3", for deadlock reports.
  [[nodiscard]] std::string state() const;

  [[nodiscard]] trace::Engine engine_kind() const { return kind_; }
  [[nodiscard]] const EngineCounters& counters() const { return counters_; }

  sc_core::sc_port<CountersIf> counter{"counter"};
  sc_core::sc_port<MemoryPortIf> sbuf{"sbuf"};
  sc_core::sc_port<MemoryPortIf> psum{"psum"};
  sc_core::sc_port<DmaTriggerIf> dma{"dma"};
  sc_core::sc_port<PairSyncIf, 1, sc_core::SC_ZERO_OR_MORE_BOUND> pair{"pair"};

 protected:
  // What the data path makes of an instruction that starts now.
  struct Slot {
    Femtos busy_from{0};    // not before the end of the previous slot
    Femtos busy_until{0};   // end of its interval
    Femtos next_issue{0};   // the data path takes the next instruction
    Femtos done{0};         // result written
    std::uint32_t instructions = 1;
  };
  // `now` is a clock edge with all waits satisfied.
  virtual Slot execute(Femtos now, const lower::Step& step) = 0;
  // Start time allowed by memory ports, >= now.
  [[nodiscard]] virtual Femtos port_free(Femtos now, const lower::Step& step) const;

  void record(RecordKind kind, Femtos start, Femtos end);
  [[nodiscard]] Femtos busy_end() const { return busy_end_; }
  [[nodiscard]] EngineCounters& mutable_counters() { return counters_; }
  [[nodiscard]] const spec::CoreSpec& core() const { return core_; }
  [[nodiscard]] const Clock& clock() const { return clock_; }

 private:
  void plan(Femtos now);
  void start(Femtos now, const lower::Step& step);
  Slot execute_sequencer(Femtos now, const lower::Step& step);
  // True if the step may start now, false if it has to wait for the other core.
  bool meet(Femtos now, const lower::Step& step);
  Slot execute_meeting(Femtos now, const lower::Step& step);
  Slot execute_dma(Femtos now, const lower::Step& step);
  [[nodiscard]] bool uses_data_path(const lower::Step& step) const;
  [[nodiscard]] Slot beside_data_path(Femtos now, Femtos end, Femtos done) const;
  void book(const Slot& slot);
  void account_idle(Femtos until);
  [[nodiscard]] IdleCause cause_of(lower::QueueId queue) const;

  const trace::Engine kind_;
  const spec::CoreSpec& core_;
  AgendaIf& agenda_;
  const UnitId id_;
  const Clock clock_;
  const Clock base_clock_;
  const Femtos dispatch_interval_;
  const Femtos semaphore_raise_;
  const Femtos semaphore_wait_;

  const lower::Program* program_ = nullptr;
  const std::vector<lower::Step>* stream_ = nullptr;
  std::size_t pc_ = 0;
  std::uint32_t wait_index_ = 0;       // waits of the head that are resolved
  Femtos ready_{0};                    // latest of them
  lower::Wait ready_wait_;             // which one that was
  Femtos next_dispatch_{0};            // sequencer free
  Femtos next_issue_{0};               // data path takes the next instruction
  Femtos busy_end_{0};
  Femtos port_blocked_since_ = kNever;
  Femtos arrived_ = kNever;            // at the meeting in front
  bool released_ = false;
  std::optional<std::uint32_t> side_;  // in the pair of cores
  EngineCounters counters_;
  Timeline* timeline_ = nullptr;
  StepAccounts* accounts_ = nullptr;   // one entry per step, in order
  ProgressListener* listener_ = nullptr;
};

}  // namespace trnsim::models
