// SBUF of one core. v2: vector and gpsimd share a port and exclude each other; v3 on they do not.
#pragma once

#include <array>

#include "port_if.h"
#include "trnsim/spec/core_spec.h"

namespace trnsim::models {

class Sbuf final : public sc_core::sc_module, public MemoryPortIf {
 public:
  Sbuf(const sc_core::sc_module_name& name, const spec::SbufSpec& spec);

  [[nodiscard]] Femtos earliest(Femtos now, trace::Engine engine, std::uint8_t banks) const override;
  void hold(trace::Engine engine, std::uint8_t banks, Femtos until) override;
  [[nodiscard]] Femtos held_until(trace::Engine engine) const override;

 private:
  const spec::SbufSpec& spec_;
  std::array<Femtos, trace::kEngineCount> until_{};
};

// PSUM of one core. v2: vector and scalar exclude each other; v3 on only in the same bank.
class Psum final : public sc_core::sc_module, public MemoryPortIf {
 public:
  Psum(const sc_core::sc_module_name& name, const spec::PsumSpec& spec);

  [[nodiscard]] Femtos earliest(Femtos now, trace::Engine engine, std::uint8_t banks) const override;
  void hold(trace::Engine engine, std::uint8_t banks, Femtos until) override;
  [[nodiscard]] Femtos held_until(trace::Engine engine) const override;

 private:
  struct Access {
    Femtos until{0};
    std::uint8_t banks = 0;
  };
  const spec::PsumSpec& spec_;
  std::array<Access, trace::kEngineCount> access_{};
};

}  // namespace trnsim::models
