// The modules of a distributed run: chips that are simulated, network, collective engine, rank units.
#pragma once

#include <memory>
#include <vector>

#include "network/collective_engine.h"
#include "network/network_if.h"
#include "system/machine.h"
#include "system/rank_unit.h"
#include "trnsim/sim/graph.h"

namespace trnsim::sim {

// Chips whose ranks run the same nodes with the same programs, and which of them stands for all.
struct ChipClasses {
  std::vector<std::uint32_t> class_of_chip;      // UINT32_MAX: no rank on it
  std::vector<std::uint32_t> leader_chip;        // of each class, ascending
};
[[nodiscard]] ChipClasses fold_chips(const workload::GraphJob& job, std::uint32_t chips, bool folded);

class GraphSystem final : public sc_core::sc_module, public models::ShareListener {
 public:
  GraphSystem(const sc_core::sc_module_name& name, const spec::SystemSpec& system,
              const workload::GraphJob& job, const GraphOptions& options);

  void begin();
  void on_share(Femtos now, std::uint32_t resource, double GBps) override;
  void on_shares_told(Femtos now) override;

  [[nodiscard]] models::Machine& machine() { return *machine_; }
  [[nodiscard]] const fabric::NetworkPlan& plan() const { return plan_; }
  [[nodiscard]] const models::NetworkIf& network() const { return *network_; }
  [[nodiscard]] const models::CollectiveEngine& collectives() const { return *collectives_; }
  [[nodiscard]] const std::vector<std::unique_ptr<models::RankUnit>>& ranks() const { return ranks_; }
  [[nodiscard]] const ChipClasses& classes() const { return classes_; }
  // Task of each rank -> node of the job.
  [[nodiscard]] const std::vector<std::vector<std::uint32_t>>& node_of_task() const {
    return node_of_task_;
  }

 private:
  void make_network(const GraphOptions& options);
  void add_collectives();
  void load_ranks();
  void check_programs(const workload::JobNode& node) const;
  void assign_cores(std::uint32_t rank);
  void list_engine_users();
  void check_likeness(Femtos now, std::uint32_t stacks);
  [[nodiscard]] double background_of(fabric::NodeId chip, std::uint32_t stack) const;
  [[nodiscard]] double engine_share_of(fabric::NodeId chip, std::uint32_t stack) const;

  const spec::SystemSpec& system_;
  const workload::GraphJob& job_;
  const fabric::NetworkPlan plan_;
  const ChipClasses classes_;
  spec::SystemSpec simulated_;                      // the leader chips alone
  std::unique_ptr<models::Machine> machine_;
  std::unique_ptr<sc_core::sc_module> network_module_;
  models::NetworkIf* network_ = nullptr;
  std::unique_ptr<models::CollectiveEngine> collectives_;
  std::vector<std::unique_ptr<models::RankUnit>> ranks_;
  std::vector<std::vector<std::uint32_t>> collective_numbers_;  // in the engine, by node and group
  std::vector<std::vector<std::uint32_t>> node_of_task_;
  std::vector<double> shares_;                      // GB/s of each resource, as told
  // For each stack of each chip: channels of the ranks beside it, and the share of the stack's DMA
  // engines that 1 GB/s on them takes.
  std::vector<std::vector<std::pair<std::uint32_t, double>>> engine_users_;
  std::size_t job_chips_ = 0;                       // with ranks
  Femtos unlike_since_ = kNever;                    // a chip's shares differ from its leader's
};

}  // namespace trnsim::sim
