// Composition of a distributed run, and the memories that kernels and collectives share.
#include "graph_system.h"

#include <algorithm>
#include <cmath>

#include "network/analytic_network.h"
#include "network/flow_network.h"
#include "network/packet_network.h"
#include "trnsim/base/error.h"
#include "trnsim/collectives/plan.h"

namespace trnsim::sim {
namespace {

// DMA engines take turns packet by packet, so this is the most a collective gets of what kernels want too
// (hardware.md 17.1).
double collective_share(const spec::SystemSpec& system) {
  const double packet = system.fabric.collective_packet_bytes;
  return packet / (packet + system.chip.core.dma.packet_bytes);
}

spec::SystemSpec only_chips(const spec::SystemSpec& system, std::size_t chips) {
  spec::SystemSpec some = system;
  some.servers = 1;
  some.chips_per_server = static_cast<std::uint32_t>(chips);
  return some;
}

Femtos from_us(double us) {
  return from_ns(us * 1e3);
}

models::CollectiveTimes times_of(const spec::FabricSpec& fabric) {
  return {from_us(fabric.collective_setup_us), from_us(fabric.collective_hop_on_chip_us),
          from_us(fabric.collective_hop_intra_us), from_us(fabric.collective_hop_inter_us)};
}

}  // namespace

GraphSystem::GraphSystem(const sc_core::sc_module_name& name, const spec::SystemSpec& system,
                         const workload::GraphJob& job, const GraphOptions& options)
    : sc_module(name),
      system_(system),
      job_(job),
      plan_(system, job.ranks),
      classes_(fold_chips(job, system.chips(), options.folded)),
      simulated_(only_chips(system, classes_.leader_chip.size())),
      job_chips_(classes_.class_of_chip.size() -
                 static_cast<std::size_t>(std::count(classes_.class_of_chip.begin(),
                                                     classes_.class_of_chip.end(), UINT32_MAX))) {
  machine_ = std::make_unique<models::Machine>("system", simulated_);
  make_network(options);
  collectives_ = std::make_unique<models::CollectiveEngine>(
      "cc_cores", plan_, times_of(system.fabric), machine_->agenda(), machine_->ids().take());
  collectives_->network(*network_);
  add_collectives();
  load_ranks();
}

void GraphSystem::make_network(const GraphOptions& options) {
  models::Agenda& agenda = machine_->agenda();
  const models::UnitId id = machine_->ids().take();
  switch (options.network) {
    case NetworkModel::kAnalytic: {
      auto network = std::make_unique<models::AnalyticNetwork>("network", plan_, agenda, id);
      network_ = network.get();
      network_module_ = std::move(network);
      return;
    }
    case NetworkModel::kPacket: {
      auto network =
          std::make_unique<models::PacketNetwork>("network", plan_, system_.fabric, agenda, id);
      network_ = network.get();
      network_module_ = std::move(network);
      return;
    }
    case NetworkModel::kFlow:
      break;
  }
  std::vector<double> capacities;
  std::vector<std::uint32_t> shared;
  for (std::uint32_t r = 0; r < plan_.resources().size(); ++r) {
    const fabric::Resource& resource = plan_.resources()[r];
    const bool is_hbm = resource.kind == fabric::ResourceKind::kHbm;
    capacities.push_back(resource.GBps * (is_hbm ? collective_share(system_) : 1.0));
    if (is_hbm || resource.kind == fabric::ResourceKind::kChannel) {
      shared.push_back(r);
    }
  }
  shares_.assign(plan_.resources().size(), 0.0);
  list_engine_users();
  auto network =
      std::make_unique<models::FlowNetwork>("network", plan_, std::move(capacities), agenda, id);
  network->share_with(this, std::move(shared));
  network_ = network.get();
  network_module_ = std::move(network);
}

void GraphSystem::add_collectives() {
  for (const workload::JobNode& node : job_.nodes) {
    std::vector<std::uint32_t>& numbers = collective_numbers_.emplace_back();
    for (const workload::GroupRun& run : node.groups) {
      numbers.push_back(collectives_->add(
          {run.dag, run.group.ranks, node.space, node.priority, node.stream}));
    }
  }
}

void GraphSystem::check_programs(const workload::JobNode& node) const {
  const double stack = system_.chip.hbm.capacity_gib_per_stack * 0x1p30;
  const double share =
      stack / std::min(system_.chip.cores_per_hbm_stack, system_.cores_per_chip_used);
  for (std::size_t c = 0; c < node.programs.size(); ++c) {
    if (node.programs[c] == nullptr) {
      continue;
    }
    const lower::Program& program = *node.programs[c];
    if (static_cast<double>(program.hbm_footprint_bytes) > share) {
      throw Error(fmt::format("{}: needs {:.2f} GiB of HBM on one core, its share is {:.2f} GiB",
                              node.name, static_cast<double>(program.hbm_footprint_bytes) / 0x1p30,
                              share / 0x1p30),
                  {}, "divide it over more ranks");
    }
    const std::size_t other = c ^ 1U;
    if (program.lnc == 2 &&
        (other >= node.programs.size() || node.programs[other] == nullptr ||
         node.programs[other]->lnc != 2 || node.programs[other]->meetings != program.meetings)) {
      throw Error(fmt::format("{}: a kernel for LNC=2 needs both of its programs on two neighbouring "
                              "cores of the rank, and they must meet equally often",
                              node.name),
                  {}, "make a rank of logical cores or of the chip");
    }
  }
}

void GraphSystem::load_ranks() {
  const auto count = static_cast<std::uint32_t>(job_.ranks.ranks.size());
  std::vector<std::vector<models::RankTask>> tasks(count);
  node_of_task_.assign(count, {});
  std::vector<std::vector<std::uint32_t>> task_of_node(count);
  const auto add = [&](std::uint32_t rank, std::uint32_t n, models::RankTask task) {
    std::vector<std::uint32_t>& places = task_of_node[rank];
    places.resize(job_.nodes.size(), UINT32_MAX);
    for (const std::uint32_t before : job_.nodes[n].after) {
      if (places[before] != UINT32_MAX) {
        task.after.push_back(places[before]);
      }
    }
    places[n] = static_cast<std::uint32_t>(tasks[rank].size());
    tasks[rank].push_back(std::move(task));
    node_of_task_[rank].push_back(n);
  };
  for (std::uint32_t n = 0; n < job_.nodes.size(); ++n) {
    const workload::JobNode& node = job_.nodes[n];
    models::RankTask task;
    task.name = node.name;
    task.overhead = from_us(node.overhead_us);
    if (node.kind == workload::JobKind::kKernel) {
      check_programs(node);
      task.programs = node.programs;
      if (node.ranks.empty()) {
        for (std::uint32_t rank = 0; rank < count; ++rank) {
          add(rank, n, task);
        }
      }
      for (const std::uint32_t rank : node.ranks) {
        add(rank, n, task);
      }
      continue;
    }
    task.is_collective = true;
    task.stream = node.stream;
    for (std::size_t g = 0; g < node.groups.size(); ++g) {
      task.collective = collective_numbers_[n][g];
      for (std::uint32_t member = 0; member < node.groups[g].group.size(); ++member) {
        task.member = member;
        add(node.groups[g].group.ranks[member], n, task);
      }
    }
  }
  for (std::uint32_t rank = 0; rank < count; ++rank) {
    const std::string unit_name = fmt::format("rank{}", rank);
    ranks_.push_back(std::make_unique<models::RankUnit>(
        unit_name.c_str(), machine_->agenda(), machine_->ids().take(), *collectives_));
    assign_cores(rank);
    ranks_.back()->load(std::move(tasks[rank]));
  }
}

void GraphSystem::assign_cores(std::uint32_t rank) {
  const fabric::RankPlace& place = job_.ranks.ranks[rank];
  const std::uint32_t leader = classes_.leader_chip[classes_.class_of_chip[place.chip]];
  if (leader != place.chip) {
    for (std::uint32_t r = 0; r < rank; ++r) {
      const fabric::RankPlace& other = job_.ranks.ranks[r];
      if (other.chip == leader && other.index_on_chip == place.index_on_chip) {
        ranks_.back()->follow(*ranks_[r]);
        return;
      }
    }
  }
  const std::uint32_t chip = classes_.class_of_chip[place.chip];
  const double stack = system_.chip.hbm.capacity_gib_per_stack * 0x1p30;
  const std::uint32_t sharers =
      std::min(system_.chip.cores_per_hbm_stack, system_.cores_per_chip_used);
  std::vector<models::NeuronCore*> cores;
  std::vector<std::uint64_t> bases;
  for (std::uint32_t c = 0; c < place.cores; ++c) {
    const std::uint32_t in_chip = place.first_core + c;
    cores.push_back(machine_->cores()[chip * system_.cores_per_chip_used + in_chip]);
    bases.push_back(in_chip % sharers * static_cast<std::uint64_t>(stack / sharers));
  }
  ranks_.back()->own(std::move(cores), std::move(bases));
}

void GraphSystem::begin() {
  for (const auto& rank : ranks_) {
    rank->begin(Femtos{0});
  }
}

void GraphSystem::on_share(Femtos /*now*/, std::uint32_t resource, double GBps) {
  shares_[resource] = GBps;
}

double GraphSystem::background_of(fabric::NodeId chip, std::uint32_t stack) const {
  return shares_[plan_.hbm_of(chip, stack)];
}

// Of the DMA engines of the cores beside a stack: what the channels of their ranks move.
double GraphSystem::engine_share_of(fabric::NodeId chip, std::uint32_t stack) const {
  double share = 0;
  for (const auto& [channel, per_GBps] : engine_users_[chip * plan_.stacks_per_chip() + stack]) {
    share += shares_[channel] * per_GBps;
  }
  return std::min(share, collective_share(system_));
}

void GraphSystem::list_engine_users() {
  const spec::DmaSpec& dma = system_.chip.core.dma;
  const double core_GBps = dma.engines * dma.effective_GBps_per_engine;
  const std::uint32_t per_stack = system_.chip.cores_per_hbm_stack;
  engine_users_.resize(std::size_t{system_.chips()} * plan_.stacks_per_chip());
  for (std::uint32_t r = 0; r < job_.ranks.ranks.size(); ++r) {
    const fabric::RankPlace& place = job_.ranks.ranks[r];
    for (std::uint32_t core = place.first_core; core < place.first_core + place.cores; ++core) {
      auto& users = engine_users_[place.chip * plan_.stacks_per_chip() + core / per_stack];
      if (users.empty() || users.back().first != plan_.channel_of(r)) {
        users.emplace_back(plan_.channel_of(r), 0.0);
      }
      users.back().second += 1.0 / place.cores;
    }
  }
  const double cores_beside = std::min(per_stack, system_.cores_per_chip_used);
  for (auto& users : engine_users_) {
    for (auto& [channel, per_GBps] : users) {
      per_GBps /= cores_beside * core_GBps;
    }
  }
}

void GraphSystem::on_shares_told(Femtos now) {
  const std::uint32_t stacks = machine_->stacks().empty()
                                   ? 0
                                   : static_cast<std::uint32_t>(machine_->stacks().size() /
                                                                classes_.leader_chip.size());
  for (std::uint32_t c = 0; c < classes_.leader_chip.size(); ++c) {
    for (std::uint32_t stack = 0; stack < stacks; ++stack) {
      machine_->stacks()[c * stacks + stack]->set_background(
          now, background_of(classes_.leader_chip[c], stack),
          engine_share_of(classes_.leader_chip[c], stack));
    }
  }
  check_likeness(now, stacks);
}

// Rounding may end equal flows a picosecond apart; what lasts longer than a nanosecond while kernels run
// is a difference.
void GraphSystem::check_likeness(Femtos now, std::uint32_t stacks) {
  constexpr Femtos kRounding{1'000'000};
  if (classes_.leader_chip.size() == job_chips_) {
    return;
  }
  if (unlike_since_ != kNever && now - unlike_since_ > kRounding &&
      std::any_of(ranks_.begin(), ranks_.end(), [&](const auto& rank) {
        return rank->runs_kernel() || rank->last_kernel_end() > unlike_since_ + kRounding;
      })) {
    throw Error("cores: folded does not hold here: collectives take other shares of memory on some "
                "chips than on those that stand for them",
                {}, "run it with --cores all");
  }
  bool alike = true;
  for (std::uint32_t chip = 0; chip < classes_.class_of_chip.size() && alike; ++chip) {
    if (classes_.class_of_chip[chip] == UINT32_MAX) {
      continue;
    }
    const fabric::NodeId leader = classes_.leader_chip[classes_.class_of_chip[chip]];
    for (std::uint32_t stack = 0; stack < stacks && alike && leader != chip; ++stack) {
      const double mine = background_of(chip, stack) + engine_share_of(chip, stack);
      const double of_leader = background_of(leader, stack) + engine_share_of(leader, stack);
      alike = std::abs(mine - of_leader) <= 1e-6 * std::max(mine, of_leader);
    }
  }
  unlike_since_ = alike ? kNever : min(unlike_since_, now);
}

}  // namespace trnsim::sim
