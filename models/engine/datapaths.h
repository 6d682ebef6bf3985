// The data paths of the five engines.
#pragma once

#include "engine.h"
#include "trnsim/timing/activity_limiter.h"

namespace trnsim::models {

// Tensor engine: LDWEIGHTS of the next pair runs behind the MATMUL of the current one (two weight
// buffers); the activity limiter stretches both (hardware.md 5.2, 18.1).
class TensorEngine final : public Engine {
 public:
  TensorEngine(const sc_core::sc_module_name& name, const spec::CoreSpec& core, AgendaIf& agenda,
               UnitId id);

 protected:
  Slot execute(Femtos now, const lower::Step& step) override;
  [[nodiscard]] Femtos port_free(Femtos now, const lower::Step& step) const override;

 private:
  timing::ActivityLimiter limiter_;
  std::uint64_t stream_end_ = 0;    // cycle at which the MATMUL in progress ends, with its gap
};

// Vector engine: performance modes share a bus with GpSimd (hardware.md 6, 10).
class VectorEngine final : public Engine {
 public:
  VectorEngine(const sc_core::sc_module_name& name, const spec::CoreSpec& core, AgendaIf& agenda,
               UnitId id);

 protected:
  Slot execute(Femtos now, const lower::Step& step) override;
};

// Scalar engine: loads an activation table when the function set changes (hardware.md 7, 14.5).
class ScalarEngine final : public Engine {
 public:
  ScalarEngine(const sc_core::sc_module_name& name, const spec::CoreSpec& core, AgendaIf& agenda,
               UnitId id);

 protected:
  Slot execute(Femtos now, const lower::Step& step) override;

 private:
  std::uint8_t table_ = 0;
};

// GpSimd and Sync: fixed interval and latency.
class PlainEngine final : public Engine {
 public:
  PlainEngine(const sc_core::sc_module_name& name, trace::Engine kind, double clock_ghz,
              const spec::CoreSpec& core, AgendaIf& agenda, UnitId id);

 protected:
  Slot execute(Femtos now, const lower::Step& step) override;
};

}  // namespace trnsim::models
