// One chip: cores and HBM stacks, each stack local to the cores of its quadrant (hardware.md 3, 11).
#pragma once

#include <memory>
#include <vector>

#include "../hbm/hbm_stack.h"
#include "neuron_core.h"
#include "pair_sync.h"

namespace trnsim::models {

class Chip final : public sc_core::sc_module {
 public:
  // Builds `cores_used` of the chip's cores and the stacks they are attached to.
  Chip(const sc_core::sc_module_name& name, const spec::ChipSpec& spec, std::uint32_t cores_used,
       AgendaIf& agenda, UnitIds& ids);

  [[nodiscard]] std::vector<std::unique_ptr<NeuronCore>>& cores() { return cores_; }
  [[nodiscard]] const std::vector<std::unique_ptr<NeuronCore>>& cores() const { return cores_; }
  [[nodiscard]] const std::vector<std::unique_ptr<HbmStack>>& stacks() const { return stacks_; }

 private:
  std::vector<std::unique_ptr<HbmStack>> stacks_;
  std::vector<std::unique_ptr<PairSync>> pairs_;   // of neighbouring cores
  std::vector<std::unique_ptr<NeuronCore>> cores_;
};

}  // namespace trnsim::models
