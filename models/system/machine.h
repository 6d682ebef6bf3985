// The whole system: servers of chips under one agenda. Composition comes from the spec.
#pragma once

#include <memory>
#include <vector>

#include "../agenda/agenda.h"
#include "chip.h"

namespace trnsim::models {

// A server (instance or sled): a level of the hierarchy with its chips.
class Server final : public sc_core::sc_module {
 public:
  Server(const sc_core::sc_module_name& name, const spec::SystemSpec& spec, AgendaIf& agenda,
         UnitIds& ids);
  [[nodiscard]] const std::vector<std::unique_ptr<Chip>>& chips() const { return chips_; }

 private:
  std::vector<std::unique_ptr<Chip>> chips_;
};

class Machine final : public sc_core::sc_module {
 public:
  Machine(const sc_core::sc_module_name& name, const spec::SystemSpec& spec);

  [[nodiscard]] Agenda& agenda() { return agenda_; }
  // For what is built beside the machine under the same agenda.
  [[nodiscard]] UnitIds& ids() { return ids_; }
  // All cores: server by server, chip by chip.
  [[nodiscard]] const std::vector<NeuronCore*>& cores() const { return cores_; }
  [[nodiscard]] const std::vector<HbmStack*>& stacks() const { return stacks_; }

 private:
  Agenda agenda_;
  UnitIds ids_;
  std::vector<std::unique_ptr<Server>> servers_;
  std::vector<NeuronCore*> cores_;
  std::vector<HbmStack*> stacks_;
};

}  // namespace trnsim::models
