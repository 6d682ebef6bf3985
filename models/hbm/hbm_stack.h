// One HBM stack, shared by the DMA engines of the cores of its quadrant.
//
// `bandwidth` model: the sustained bandwidth is divided max-min fairly among the accesses in flight, each
// bounded by its DMA engine. `banked` model: accesses are cut into packets and served by
// BankedTiming in arrival order. Source: hardware.md 11.
#pragma once

#include <vector>

#include "../agenda/agenda_if.h"
#include "../dma/dma_if.h"
#include "banked_timing.h"
#include "trnsim/spec/system_spec.h"

namespace trnsim::models {

struct HbmCounters {
  double read_bytes = 0;
  double write_bytes = 0;
  Femtos busy{0};         // at least one access in flight
  Femtos saturated{0};    // bandwidth model: demand above capacity
};

class HbmStack final : public sc_core::sc_module, public HbmPortIf, public Wakeable {
 public:
  HbmStack(const sc_core::sc_module_name& name, const spec::HbmSpec& spec, AgendaIf& agenda,
           UnitId id);

  Handle begin(Femtos now, const HbmAccess& access, HbmClient* client) override;
  std::uint64_t shorten(Femtos now, Handle handle, std::uint64_t packet_bytes) override;
  [[nodiscard]] std::uint64_t max_access_bytes() const override;
  void wake(Femtos now, Phase phase) override;

  // What others take from now on: GB/s of the stack, and the share of the DMA engines' time of its cores
  // (`bandwidth` model only).
  void set_background(Femtos now, double GBps, double engine_share);

  [[nodiscard]] const HbmCounters& counters() const { return counters_; }
  [[nodiscard]] const BankedTiming& banked() const { return banked_; }

 private:
  struct Flow {
    Handle handle = 0;
    double left_bytes = 0;     // payload
    double done_bytes = 0;
    double engine_GBps = 0;
    double multiplicity = 1;
    double rate_GBps = 0;      // payload
    double write_share = 0;
    HbmClient* client = nullptr;
    Femtos finish = kNever;    // banked model
  };

  void count(const HbmAccess& access, double sign, double payload_bytes);
  [[nodiscard]] Femtos serve_banked(Femtos now, const HbmAccess& access);
  void advance(Femtos now);
  void request_arbitration(Femtos now);
  void divide(Femtos now);
  void complete(Femtos now);

  const spec::HbmSpec& spec_;
  AgendaIf& agenda_;
  const UnitId id_;
  const double capacity_GBps_;
  double background_GBps_ = 0;
  double engine_share_ = 0;    // of the DMA engines, not available to accesses
  std::vector<Flow> flows_;    // in order of arrival
  Handle next_handle_ = 0;
  Femtos updated_{0};
  Femtos next_completion_ = kNever;
  bool arbitration_pending_ = false;
  bool saturated_ = false;
  std::vector<double> demands_;
  std::vector<double> rates_;
  std::vector<HbmClient*> finished_;
  BankedTiming banked_;
  HbmCounters counters_;
};

}  // namespace trnsim::models
