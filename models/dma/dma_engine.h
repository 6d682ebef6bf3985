// One DMA engine: serves the transfers of its queues one at a time, round robin between queues at packet
// boundaries (hardware.md 12.1), bounded by its own rate and by HBM.
//
// While a single queue has work the transfer runs as one access; when another queue brings work, the
// running access is cut at its next packet boundary. Contended service is in quanta of an eighth of the
// transfer, at least a packet, which bounds the wake-ups of a long transfer.
#pragma once

#include <vector>

#include "../agenda/agenda_if.h"
#include "dma_if.h"
#include "trnsim/spec/core_spec.h"

namespace trnsim::models {

struct DmaEngineCounters {
  std::uint64_t bytes = 0;
  std::uint64_t transfers = 0;
  Femtos busy{0};
};

class DmaEngine final : public sc_core::sc_module,
                        public DmaEngineIf,
                        public HbmClient,
                        public Wakeable {
 public:
  DmaEngine(const sc_core::sc_module_name& name, const spec::DmaSpec& spec, AgendaIf& agenda,
            UnitId id);

  void submit(Femtos now, const Transfer& transfer) override;
  void on_hbm_done(Femtos now) override;
  void wake(Femtos now, Phase phase) override;  // end of an access that does not touch HBM

  [[nodiscard]] const DmaEngineCounters& counters() const { return counters_; }
  [[nodiscard]] bool idle() const { return !active_ && waiting_.empty(); }

  sc_core::sc_port<HbmPortIf> hbm{"hbm"};

 private:
  void start_next(Femtos now);
  void begin_access(Femtos now);
  void finish_access(Femtos now);
  [[nodiscard]] bool other_queue_waits(std::uint32_t queue) const;
  std::uint64_t shorten_on_chip(Femtos now);
  void schedule_on_chip_end(std::uint64_t bytes);

  const spec::DmaSpec& spec_;
  AgendaIf& agenda_;
  const UnitId id_;
  std::vector<Transfer> waiting_;   // in order of arrival
  Transfer current_;
  bool active_ = false;
  bool whole_ = false;              // the running access covers the rest of the transfer
  std::uint64_t access_bytes_ = 0;
  std::uint64_t quantum_ = 0;
  HbmPortIf::Handle handle_ = 0;
  Femtos access_start_{0};
  Femtos transfer_start_{0};
  Femtos access_end_ = kNever;      // of an access that does not touch HBM
  DmaEngineCounters counters_;
};

}  // namespace trnsim::models
