// The DMA queues (rings) of one core: descriptor generation, start latency, split over the DMA engines,
// completion (hardware.md 12.3, 12.6).
#pragma once

#include <deque>
#include <memory>
#include <vector>

#include "../agenda/agenda_if.h"
#include "../engine/counters_if.h"
#include "../engine/engine.h"
#include "../engine/timeline.h"
#include "dma_if.h"
#include "trnsim/lower/program.h"
#include "trnsim/spec/core_spec.h"

namespace trnsim::models {

struct DmaQueueCounters {
  std::uint64_t requests = 0;
  std::uint64_t bytes = 0;
};

class DmaRings final : public sc_core::sc_module, public DmaTriggerIf {
 public:
  // Unit ids first_id .. first_id + spec.queues_per_engine - 1 belong to the queues.
  DmaRings(const sc_core::sc_module_name& name, const spec::CoreSpec& spec, AgendaIf& agenda,
           UnitId first_id);

  // hbm_base: first byte of this core's share of its stack.
  void load(const lower::Program& program, std::uint64_t hbm_base, Timeline* timeline);
  void trigger(Femtos now, Femtos triggered, std::uint32_t dma) override;
  [[nodiscard]] std::uint32_t outstanding(std::uint32_t queue) const override;
  void tell(ProgressListener* listener) { listener_ = listener; }

  [[nodiscard]] const DmaQueueCounters& counters(std::uint32_t queue) const {
    return queues_[queue]->counters;
  }
  // Requests triggered but not complete.
  [[nodiscard]] std::uint64_t outstanding() const;

  sc_core::sc_port<CountersIf> completion{"completion"};
  sc_core::sc_port<DmaEngineIf, 0> engines{"engines"};

 private:
  struct InFlight {
    std::uint32_t dma = 0;
    std::uint32_t shares_left = 0;
    Femtos triggered{0};
    Femtos first_byte{0};
    Femtos last_byte{0};
  };
  class Queue final : public Wakeable, public TransferClient {
   public:
    Queue(DmaRings& rings, std::uint32_t index) : rings_(rings), index_(index) {}
    void wake(Femtos now, Phase phase) override;
    void on_transfer_done(Femtos now, std::uint32_t token) override;

    std::deque<InFlight> pending;    // triggered, not started
    std::deque<InFlight> in_flight;  // started, not complete
    std::uint32_t first_token = 0;   // token of in_flight.front()
    Femtos last_start{0};
    bool ever_started = false;
    DmaQueueCounters counters;

   private:
    DmaRings& rings_;
    std::uint32_t index_;
  };

  void start(Femtos now, std::uint32_t queue);
  void retire(Femtos now, std::uint32_t queue);

  const spec::DmaSpec& spec_;
  AgendaIf& agenda_;
  const UnitId first_id_;
  const lower::Program* program_ = nullptr;
  std::uint64_t hbm_base_ = 0;
  Timeline* timeline_ = nullptr;
  ProgressListener* listener_ = nullptr;
  std::vector<std::unique_ptr<Queue>> queues_;
  std::array<Femtos, trace::kEngineCount> dge_free_{};  // hardware DGE instance of each trigger
};

}  // namespace trnsim::models
