// One rank's part of a distributed workload: starts its kernels on its cores and triggers its
// collectives as what they depend on completes.
//
// Kernels run one after the other in list order; collectives of one stream are triggered in list order.
// A rank may follow another, its leader (folding): its kernels then take the leader's times, and it is an
// error if it would have started one at another time than the leader did.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "../network/collective_engine.h"
#include "neuron_core.h"
#include "trnsim/lower/program.h"

namespace trnsim::models {

struct RankTask {
  std::string name;
  // Kernel: one program per core of the rank, null = idle; programs of LNC=2 on two neighbours, the first
  // of them even. Collective: empty.
  std::vector<std::shared_ptr<const lower::Program>> programs;
  bool is_collective = false;
  Femtos overhead{0};                     // before a kernel
  std::vector<std::uint32_t> after;       // tasks of this rank
  std::uint32_t collective = 0;           // number in the engine,
  std::uint32_t member = 0;               // index in its group,
  std::uint32_t stream = 0;
};

struct TaskTimes {
  Femtos ready = kNever;                  // all it comes after is done
  Femtos start = kNever;                  // kernel: launch; collective: trigger
  Femtos end = kNever;
};

class RankUnit final : public sc_core::sc_module,
                       public Wakeable,
                       public CoreClient,
                       public CollectiveClient {
 public:
  RankUnit(const sc_core::sc_module_name& name, AgendaIf& agenda, UnitId id,
           CollectiveEngine& collectives);

  // Its cores, in order, or its leader; hbm_bases: of each core's share of its stack.
  void own(std::vector<NeuronCore*> cores, std::vector<std::uint64_t> hbm_bases);
  void follow(RankUnit& leader);
  void load(std::vector<RankTask> tasks);
  void begin(Femtos now);

  void wake(Femtos now, Phase phase) override;
  void on_core_done(Femtos now, Femtos end) override;
  void on_collective_done(Femtos now, std::uint32_t collective, std::uint32_t member) override;

  [[nodiscard]] bool finished() const { return left_ == 0; }
  // A kernel is on its cores.
  [[nodiscard]] bool runs_kernel() const { return running_; }
  [[nodiscard]] Femtos last_kernel_end() const { return kernel_free_; }
  // Empty for a follower.
  [[nodiscard]] const std::vector<NeuronCore*>& cores() const { return cores_; }
  [[nodiscard]] const std::vector<RankTask>& tasks() const { return tasks_; }
  [[nodiscard]] const std::vector<TaskTimes>& times() const { return times_; }
  // "rank3 waits for layer.qkv" and what its cores do, for deadlock reports.
  [[nodiscard]] std::vector<std::string> unfinished() const;

 private:
  void ready(Femtos now, std::uint32_t task);
  void try_kernel(Femtos now);
  void launch(Femtos now);
  void finish_kernel(Femtos now);
  void done(Femtos now, std::uint32_t task);
  void trigger_ready(Femtos now, std::uint32_t stream);
  // The leader's kernel in front ran from `start` to now.
  void kernel_of_leader(Femtos now, Femtos start);

  AgendaIf& agenda_;
  const UnitId id_;
  CollectiveEngine& collectives_;
  std::vector<NeuronCore*> cores_;
  std::vector<std::uint64_t> hbm_bases_;
  RankUnit* leader_ = nullptr;
  std::vector<RankUnit*> followers_;
  std::vector<RankTask> tasks_;
  std::vector<TaskTimes> times_;
  std::vector<std::uint32_t> waits_;                     // open dependencies of each task
  std::vector<std::vector<std::uint32_t>> next_;         // tasks that come after each
  std::vector<std::uint32_t> kernels_;                   // tasks, in list order
  std::vector<std::vector<std::uint32_t>> streams_;      // collectives of each stream, in list order
  std::vector<std::size_t> triggered_;                   // of each stream
  std::size_t kernel_ = 0;                               // index into kernels_: running or next
  bool running_ = false;
  Femtos kernel_free_{0};                                // end of the kernel before
  Femtos launch_at_ = kNever;
  Femtos finish_at_ = kNever;
  Femtos kernel_end_{0};
  std::uint32_t cores_left_ = 0;
  std::size_t left_ = 0;
};

}  // namespace trnsim::models
