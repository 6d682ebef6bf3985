// Composition of a system.
#include "machine.h"

#include "trnsim/base/error.h"

namespace trnsim::models {

Server::Server(const sc_core::sc_module_name& name, const spec::SystemSpec& spec, AgendaIf& agenda,
               UnitIds& ids)
    : sc_module(name) {
  for (std::uint32_t c = 0; c < spec.chips_per_server; ++c) {
    const std::string chip_name = fmt::format("chip{}", c);
    chips_.push_back(std::make_unique<Chip>(chip_name.c_str(), spec.chip, spec.cores_per_chip_used,
                                            agenda, ids));
  }
}

Machine::Machine(const sc_core::sc_module_name& name, const spec::SystemSpec& spec)
    : sc_module(name), agenda_("agenda") {
  for (std::uint32_t s = 0; s < spec.servers; ++s) {
    const std::string server_name = fmt::format("server{}", s);
    servers_.push_back(std::make_unique<Server>(server_name.c_str(), spec, agenda_, ids_));
    for (const std::unique_ptr<Chip>& chip : servers_.back()->chips()) {
      for (const std::unique_ptr<NeuronCore>& core : chip->cores()) {
        cores_.push_back(core.get());
      }
      for (const std::unique_ptr<HbmStack>& stack : chip->stacks()) {
        stacks_.push_back(stack.get());
      }
    }
  }
}

}  // namespace trnsim::models
