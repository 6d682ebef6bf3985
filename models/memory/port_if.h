// SBUF and PSUM as the engines see them: who may access at the same time (hardware.md 10).
#pragma once

#include <cstdint>

#include <systemc>

#include "trnsim/base/units.h"
#include "trnsim/trace/opcode.h"

namespace trnsim::models {

class MemoryPortIf : virtual public sc_core::sc_interface {
 public:
  // Earliest time >= now at which `engine` may start an access to these banks (SBUF: banks = 1).
  [[nodiscard]] virtual Femtos earliest(Femtos now, trace::Engine engine,
                                        std::uint8_t banks) const = 0;
  // `engine` was refused since `since` and will ask again at `retry`: until then a later request of the
  // engine it excludes gives way, so that a busy engine cannot starve the other.
  virtual void queue_up(trace::Engine engine, std::uint8_t banks, Femtos since, Femtos retry) = 0;
  // `engine` holds its port until `until`.
  virtual void hold(trace::Engine engine, std::uint8_t banks, Femtos until) = 0;
  // End of the current or last access of `engine`.
  [[nodiscard]] virtual Femtos held_until(trace::Engine engine) const = 0;
};

}  // namespace trnsim::models
