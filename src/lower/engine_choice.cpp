// Engine and queue rules (hardware.md 13.1; nki.md 4).
#include "engine_choice.h"

#include <algorithm>

#include "trnsim/base/error.h"
#include "trnsim/timing/dma_cost.h"
#include "trnsim/timing/engine_cost.h"

namespace trnsim::lower {
using trace::Engine;
using trace::Region;

double clock_ghz(const spec::CoreSpec& core, Engine engine) {
  switch (engine) {
    case Engine::kTensor:
      return core.tensor.clock_ghz;
    case Engine::kVector:
      return core.vector.clock_ghz;
    case Engine::kScalar:
      return core.scalar.clock_ghz;
    case Engine::kGpSimd:
      return core.gpsimd.clock_ghz;
    default:
      return core.sequencer.base_clock_ghz;
  }
}

Engine EngineChooser::choose(const timing::InstructionShape& shape, Engine requested,
                             const std::string& where) {
  const std::vector<Engine> legal = timing::legal_engines(core_.generation, shape);
  if (legal.empty()) {
    throw Error(fmt::format("{}: no engine of {} runs it with these operands", where, core_.name), {},
                "see docs/model.md, engines and memories");
  }
  const bool pinned = requested != Engine::kUnassigned;
  if (pinned && std::find(legal.begin(), legal.end(), requested) == legal.end()) {
    std::string names;
    for (const Engine engine : legal) {
      names += (names.empty() ? "" : ", ") + std::string(trace::name(engine));
    }
    throw Error(fmt::format("{}: {} does not run it on {} with these operands", where,
                            trace::name(requested), core_.name),
                {}, "possible: " + names);
  }
  Engine chosen = pinned ? requested : legal.front();
  if (trace::is_matmul(shape.opcode) || chosen == Engine::kTensor || trace::is_dma(shape.opcode)) {
    return chosen;
  }
  const auto added = [&](Engine engine) {
    return static_cast<double>(timing::engine_cost(core_, engine, shape).interval_cycles) /
           clock_ghz(core_, engine);
  };
  const auto has = [&](Engine engine) {
    return std::find(legal.begin(), legal.end(), engine) != legal.end();
  };
  if (!pinned && policy_ == EnginePolicy::kBalance && has(Engine::kVector) && has(Engine::kScalar)) {
    const double vector = load_ns_[static_cast<std::size_t>(Engine::kVector)] + added(Engine::kVector);
    const double scalar = load_ns_[static_cast<std::size_t>(Engine::kScalar)] + added(Engine::kScalar);
    chosen = scalar < vector ? Engine::kScalar : Engine::kVector;
  }
  load_ns_[static_cast<std::size_t>(chosen)] += added(chosen);
  return chosen;
}

Engine dma_trigger(const trace::Trace& trace, const trace::Instruction& instruction,
                   bool compiled) {
  if (instruction.engine != Engine::kUnassigned) {
    return instruction.engine;
  }
  if (trace.attribute(instruction).indirect) {
    return Engine::kGpSimd;  // only software descriptors take an index vector
  }
  const trace::Tensor& dst = trace.tensor(trace.outputs(instruction)[0]);
  const trace::Tensor& src = trace.tensor(trace.inputs(instruction)[0]);
  const auto argument = [](const trace::Tensor& tensor) {
    return tensor.role == static_cast<std::uint8_t>(trace::Role::kInput) ||
           tensor.role == static_cast<std::uint8_t>(trace::Role::kOutput);
  };
  const bool store = dst.region == Region::kHbm && src.region != Region::kHbm;
  return store || (compiled && (argument(dst) || argument(src))) ? Engine::kGpSimd
                                                                 : Engine::kSync;
}

spec::DgeMode dma_mode(const trace::Trace& trace, const spec::CoreSpec& core,
                       const trace::Instruction& instruction, Engine trigger) {
  const trace::Attributes& attributes = trace.attribute(instruction);
  const bool casts = trace.pattern(trace.outputs(instruction)[0]).dtype !=
                     trace.pattern(trace.inputs(instruction)[0]).dtype;
  return timing::dge_mode(core.dma, attributes.dge, trigger, attributes.indirect, casts);
}

std::string DmaQueueNames::name(const trace::Instruction& instruction, Engine trigger) {
  if (replay_) {
    return fmt::format("q{}Dynamic", trace::name(trigger));
  }
  const trace::Operand& src = trace_.inputs(instruction)[0];
  const bool to_hbm = trace_.tensor(trace_.outputs(instruction)[0]).region == Region::kHbm;
  const bool from_hbm = trace_.tensor(src).region == Region::kHbm;
  const char* direction = to_hbm == from_hbm ? "Move" : (to_hbm ? "Store" : "Load");
  const std::string first = fmt::format("q{}{}", trace::name(trigger), direction);
  if (to_hbm || !from_hbm || instruction.engine != Engine::kUnassigned) {
    return first;
  }
  std::map<std::uint32_t, std::uint32_t>& rings = rings_[static_cast<std::size_t>(trigger)];
  const auto next = static_cast<std::uint32_t>(rings.size() % load_rings_);
  const std::uint32_t ring = rings.try_emplace(src.tensor, next).first->second;
  return ring == 0 ? first : fmt::format("{}{}", first, ring);
}

}  // namespace trnsim::lower
