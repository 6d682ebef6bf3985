// The engines of a core around its memories and counters, without DMA engines, HBM or SystemC
// kernel. Programs are written step by step.
#pragma once

#include <initializer_list>
#include <memory>
#include <vector>

#include "engine/counters.h"
#include "engine/datapaths.h"
#include "fake_agenda.h"
#include "memory/sbuf.h"

namespace trnsim::test {

// Remembers triggers and completes nothing.
class FakeDmaTrigger final : public sc_core::sc_module, public models::DmaTriggerIf {
 public:
  explicit FakeDmaTrigger(const sc_core::sc_module_name& name) : sc_module(name) {}
  void trigger(Femtos /*now*/, Femtos triggered, std::uint32_t dma) override {
    requests.emplace_back(triggered, dma);
  }
  [[nodiscard]] std::uint32_t outstanding(std::uint32_t /*queue*/) const override { return 0; }
  std::vector<std::pair<Femtos, std::uint32_t>> requests;
};

class EngineBench {
 public:
  explicit EngineBench(const spec::CoreSpec& core)
      : core_(core),
        counters("counters"),
        sbuf_("sbuf", core_.sbuf),
        psum_("psum", core_.psum),
        dma_("dma"),
        tensor("tensor", core_, agenda, 1),
        vector("vector", core_, agenda, 2),
        scalar("scalar", core_, agenda, 3),
        gpsimd("gpsimd", trace::Engine::kGpSimd, core_.gpsimd.clock_ghz, core_, agenda, 4),
        sync("sync", trace::Engine::kSync, core_.sequencer.base_clock_ghz, core_, agenda, 5) {
    for (models::Engine* engine : all()) {
      engine->counter(counters);
      engine->sbuf(sbuf_);
      engine->psum(psum_);
      engine->dma(dma_);
    }
  }

  [[nodiscard]] std::vector<models::Engine*> all() {
    return {&tensor, &vector, &scalar, &gpsimd, &sync};
  }

  // Appends a step with its waits to the stream of `engine`.
  void add(trace::Engine engine, lower::Step step, std::initializer_list<lower::Wait> waits = {}) {
    step.first_wait = static_cast<std::uint32_t>(program.waits.size());
    step.num_waits = static_cast<std::uint8_t>(waits.size());
    program.waits.insert(program.waits.end(), waits);
    program.streams[static_cast<std::size_t>(engine)].push_back(step);
  }

  // Runs the program from time zero until nothing happens any more.
  void run() {
    counters.reset(program.num_queues());
    for (models::Engine* engine : all()) {
      engine->load(program, &timeline);
    }
    for (models::Engine* engine : all()) {
      engine->begin(Femtos{0});
    }
    agenda.run();
  }

  // Start times of what `engine` executed (table and weight loads apart), in order, ns.
  [[nodiscard]] std::vector<double> starts(trace::Engine engine) const {
    std::vector<double> times;
    for (const models::TimelineRecord& record : timeline) {
      if (record.queue == static_cast<std::uint32_t>(engine) &&
          record.kind == models::RecordKind::kInstruction) {
        times.push_back(record.start.ns());
      }
    }
    return times;
  }

 private:
  const spec::CoreSpec core_;

 public:
  FakeAgenda agenda;
  lower::Program program;
  models::Timeline timeline;
  models::CompletionCounters counters;

 private:
  models::Sbuf sbuf_;
  models::Psum psum_;
  FakeDmaTrigger dma_;

 public:
  models::TensorEngine tensor;
  models::VectorEngine vector;
  models::ScalarEngine scalar;
  models::PlainEngine gpsimd;
  models::PlainEngine sync;
};

// Step of a data path; cycles of its engine's clock.
inline lower::Step compute(std::uint32_t interval, std::uint32_t latency) {
  lower::Step step;
  step.opcode = trace::Opcode::kTensorCopy;
  step.interval_cycles = interval;
  step.latency_cycles = latency;
  return step;
}

// LDWEIGHTS + MATMUL; cycles of the tensor clock.
inline lower::Step pair(std::uint32_t load, std::uint32_t stream, std::uint32_t latency) {
  lower::Step step;
  step.opcode = trace::Opcode::kNcMatmul;
  step.kind = lower::StepKind::kMatmulPair;
  step.load_cycles = load;
  step.load_latency_cycles = load + 200;
  step.interval_cycles = stream;
  step.latency_cycles = latency;
  return step;
}

}  // namespace trnsim::test
