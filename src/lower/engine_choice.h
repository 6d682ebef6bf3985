// Which engine runs an instruction that the kernel did not pin, and which queue a DMA uses.
#pragma once

#include <array>
#include <map>
#include <string>

#include "trnsim/lower/options.h"
#include "trnsim/spec/core_spec.h"
#include "trnsim/timing/shape.h"
#include "trnsim/trace/ir.h"

namespace trnsim::lower {

// Of the engine's own clock; Sync has the base clock.
[[nodiscard]] double clock_ghz(const spec::CoreSpec& core, trace::Engine engine);

class EngineChooser {
 public:
  EngineChooser(const spec::CoreSpec& core, EnginePolicy policy) : core_(core), policy_(policy) {}

  // rule: the documented preference. balance: the least loaded of the legal vector and scalar engines
  // (GpSimd only by rule), counting the work given so far. Throws Error if no engine of this generation
  // can run it or the requested one cannot; `where` names the instruction.
  [[nodiscard]] trace::Engine choose(const timing::InstructionShape& shape, trace::Engine requested,
                                     const std::string& where);

 private:
  const spec::CoreSpec& core_;
  EnginePolicy policy_;
  std::array<double, trace::kEngineCount> load_ns_{};
};

// Trigger engine of a DMA whose kernel did not name one: loads on Sync, stores on GpSimd, so that a
// store waiting for its data never blocks the loads behind it. compiled: GpSimd moves what is an argument of
// the kernel, as in the four published profiles of NKI beta 1.
[[nodiscard]] trace::Engine dma_trigger(const trace::Trace& trace,
                                        const trace::Instruction& instruction, bool compiled);

// How the descriptors of a DMA come about.
[[nodiscard]] spec::DgeMode dma_mode(const trace::Trace& trace, const spec::CoreSpec& core,
                                     const trace::Instruction& instruction, trace::Engine trigger);

// The queue of each DMA: one per trigger engine and direction. Loads from HBM whose kernel named no engine
// are spread by the compiler: their tensors take a few rings in turn. A replayed profile has one queue per
// trigger engine, as dynamic descriptors have.
class DmaQueueNames {
 public:
  // The trace must outlive this; load_rings >= 1.
  DmaQueueNames(const trace::Trace& trace, std::uint32_t load_rings, bool replay)
      : trace_(trace), load_rings_(load_rings), replay_(replay) {}
  // Equal for every call with the same instruction; tensors take rings in the order of first calls.
  [[nodiscard]] std::string name(const trace::Instruction& instruction, trace::Engine trigger);

 private:
  const trace::Trace& trace_;
  std::uint32_t load_rings_;
  bool replay_;
  std::array<std::map<std::uint32_t, std::uint32_t>, trace::kEngineCount> rings_;  // by tensor
};

}  // namespace trnsim::lower
