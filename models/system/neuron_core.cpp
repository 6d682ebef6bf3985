// Composition of a core.
#include "neuron_core.h"

#include <utility>

#include "trnsim/base/error.h"

namespace trnsim::models {
namespace {

sc_core::sc_module_name dma_name(std::uint32_t index, std::string& storage) {
  storage = fmt::format("dma{}", index);
  return sc_core::sc_module_name(storage.c_str());
}

}  // namespace

NeuronCore::NeuronCore(const sc_core::sc_module_name& name, const spec::CoreSpec& spec,
                       AgendaIf& agenda, UnitIds& ids)
    : sc_module(name),
      counters_("counters"),
      sbuf_("sbuf", spec.sbuf),
      psum_("psum", spec.psum),
      dma_rings_("dma_rings", spec, agenda, ids.take(spec.dma.queues_per_engine)) {
  engines_.push_back(std::make_unique<TensorEngine>("tensor", spec, agenda, ids.take()));
  engines_.push_back(std::make_unique<VectorEngine>("vector", spec, agenda, ids.take()));
  engines_.push_back(std::make_unique<ScalarEngine>("scalar", spec, agenda, ids.take()));
  engines_.push_back(std::make_unique<PlainEngine>("gpsimd", trace::Engine::kGpSimd,
                                                   spec.gpsimd.clock_ghz, spec, agenda, ids.take()));
  engines_.push_back(std::make_unique<PlainEngine>(
      "sync", trace::Engine::kSync, spec.sequencer.base_clock_ghz, spec, agenda, ids.take()));
  for (const std::unique_ptr<Engine>& engine : engines_) {
    engine->counter(counters_);
    engine->sbuf(sbuf_);
    engine->psum(psum_);
    engine->dma(dma_rings_);
    engine->pair(pair);
  }
  dma_rings_.completion(counters_);
  for (std::uint32_t e = 0; e < spec.dma.engines; ++e) {
    std::string storage;
    dma_engines_.push_back(
        std::make_unique<DmaEngine>(dma_name(e, storage), spec.dma, agenda, ids.take()));
    dma_engines_.back()->hbm(hbm);
    dma_rings_.engines(*dma_engines_.back());
  }
}

void NeuronCore::load(const lower::Program& program, std::uint64_t hbm_base, bool with_timeline,
                      bool with_accounts) {
  program_ = &program;
  counters_.reset(program.num_queues());
  Timeline* timeline = with_timeline ? &timeline_ : nullptr;
  dma_rings_.load(program, hbm_base, timeline);
  for (const std::unique_ptr<Engine>& engine : engines_) {
    StepAccounts* accounts = &accounts_[static_cast<std::size_t>(engine->engine_kind())];
    engine->load(program, timeline, with_accounts ? accounts : nullptr);
  }
}

void NeuronCore::run(Femtos now, const lower::Program& program, std::uint64_t hbm_base,
                     CoreClient* client) {
  TRNSIM_CHECK(client_ == nullptr, "{} is given a program while another one runs", name());
  close(now);
  load(program, hbm_base, false);
  client_ = client;
  for (const std::unique_ptr<Engine>& engine : engines_) {
    engine->tell(this);
  }
  dma_rings_.tell(this);
  begin(now);
  on_drained(now);  // an empty program
}

void NeuronCore::on_drained(Femtos now) {
  if (client_ != nullptr && finished()) {
    const Femtos end_of_program = max(now, end());
    std::exchange(client_, nullptr)->on_core_done(now, end_of_program);
  }
}

void NeuronCore::join_pair(std::uint32_t side) {
  for (const std::unique_ptr<Engine>& engine : engines_) {
    engine->join_pair(side);
  }
}

void NeuronCore::begin(Femtos now) {
  for (const std::unique_ptr<Engine>& engine : engines_) {
    engine->begin(now);
  }
}

bool NeuronCore::finished() const {
  for (const std::unique_ptr<Engine>& engine : engines_) {
    if (!engine->finished()) {
      return false;
    }
  }
  return dma_rings_.outstanding() == 0;
}

void NeuronCore::close(Femtos end) {
  for (const std::unique_ptr<Engine>& engine : engines_) {
    engine->close(end);
  }
}

std::vector<std::string> NeuronCore::unfinished() const {
  std::vector<std::string> lines;
  for (const std::unique_ptr<Engine>& engine : engines_) {
    if (!engine->finished()) {
      lines.push_back(fmt::format("{}: {}", engine->name(), engine->state()));
    }
  }
  if (dma_rings_.outstanding() > 0) {
    lines.push_back(fmt::format("{}: {} DMAs outstanding", dma_rings_.name(),
                                dma_rings_.outstanding()));
  }
  return lines;
}

}  // namespace trnsim::models
