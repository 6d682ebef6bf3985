// Composition of a chip.
#include "chip.h"

#include "trnsim/base/error.h"

namespace trnsim::models {

Chip::Chip(const sc_core::sc_module_name& name, const spec::ChipSpec& spec,
           std::uint32_t cores_used, AgendaIf& agenda, UnitIds& ids)
    : sc_module(name) {
  const std::uint32_t stacks = (cores_used + spec.cores_per_hbm_stack - 1) / spec.cores_per_hbm_stack;
  for (std::uint32_t s = 0; s < stacks; ++s) {
    const std::string stack_name = fmt::format("hbm{}", s);
    stacks_.push_back(std::make_unique<HbmStack>(stack_name.c_str(), spec.hbm, agenda, ids.take()));
  }
  for (std::uint32_t p = 0; p < cores_used / 2; ++p) {
    const std::string pair_name = fmt::format("pair{}", p);
    pairs_.push_back(std::make_unique<PairSync>(pair_name.c_str()));
  }
  for (std::uint32_t c = 0; c < cores_used; ++c) {
    const std::string core_name = fmt::format("core{}", c);
    cores_.push_back(std::make_unique<NeuronCore>(core_name.c_str(), spec.core, agenda, ids));
    cores_.back()->hbm(*stacks_[c / spec.cores_per_hbm_stack]);
    if (c / 2 < pairs_.size()) {
      cores_.back()->pair(*pairs_[c / 2]);
    }
  }
}

}  // namespace trnsim::models
