// SBUF and PSUM of one core: which engines exclude each other, and for how long.
#pragma once

#include <array>

#include "port_if.h"
#include "trnsim/spec/core_spec.h"

namespace trnsim::models {

// Accesses and refused requests of the engines on one memory. Clock-free.
class PortBook {
 public:
  void hold(trace::Engine engine, std::uint8_t banks, Femtos until);
  void queue_up(trace::Engine engine, std::uint8_t banks, Femtos since, Femtos retry);
  // Earliest start of `engine` beside `other`, if accesses to common banks exclude each other
  // (all_banks: to any).
  [[nodiscard]] Femtos earliest_beside(Femtos now, trace::Engine engine, trace::Engine other,
                                       std::uint8_t banks, bool all_banks) const;
  [[nodiscard]] Femtos held_until(trace::Engine engine) const;

 private:
  struct Access {
    Femtos until{0};
    std::uint8_t banks = 0;
    std::uint8_t queued_banks = 0;  // 0 = not queued
    Femtos since = kNever;
    Femtos retry{0};
  };
  std::array<Access, trace::kEngineCount> access_{};
};

// v2: vector and gpsimd share a port and exclude each other; v3 on they do not.
class Sbuf final : public sc_core::sc_module, public MemoryPortIf {
 public:
  Sbuf(const sc_core::sc_module_name& name, const spec::SbufSpec& spec);

  [[nodiscard]] Femtos earliest(Femtos now, trace::Engine engine, std::uint8_t banks) const override;
  void queue_up(trace::Engine engine, std::uint8_t banks, Femtos since, Femtos retry) override;
  void hold(trace::Engine engine, std::uint8_t banks, Femtos until) override;
  [[nodiscard]] Femtos held_until(trace::Engine engine) const override;

 private:
  const spec::SbufSpec& spec_;
  PortBook book_;
};

// v2: vector and scalar exclude each other; v3 on only in the same bank.
class Psum final : public sc_core::sc_module, public MemoryPortIf {
 public:
  Psum(const sc_core::sc_module_name& name, const spec::PsumSpec& spec);

  [[nodiscard]] Femtos earliest(Femtos now, trace::Engine engine, std::uint8_t banks) const override;
  void queue_up(trace::Engine engine, std::uint8_t banks, Femtos since, Femtos retry) override;
  void hold(trace::Engine engine, std::uint8_t banks, Femtos until) override;
  [[nodiscard]] Femtos held_until(trace::Engine engine) const override;

 private:
  const spec::PsumSpec& spec_;
  PortBook book_;
};

}  // namespace trnsim::models
