// One physical NeuronCore: five engines, SBUF, PSUM, completion counters, DMA queues and engines.
#pragma once

#include <memory>
#include <vector>

#include "../dma/dma_engine.h"
#include "../dma/dma_rings.h"
#include "../engine/counters.h"
#include "../engine/datapaths.h"
#include "../memory/sbuf.h"

namespace trnsim::models {

// Hands out unit ids in composition order.
class UnitIds {
 public:
  [[nodiscard]] UnitId take(std::uint32_t count = 1) {
    const UnitId first = next_;
    next_ += count;
    return first;
  }

 private:
  UnitId next_ = 0;
};

class CoreClient {
 public:
  // Known at `now`: everything the program did is complete and visible at `end` >= now.
  virtual void on_core_done(Femtos now, Femtos end) = 0;

 protected:
  ~CoreClient() = default;
};

class NeuronCore final : public sc_core::sc_module, public ProgressListener {
 public:
  NeuronCore(const sc_core::sc_module_name& name, const spec::CoreSpec& spec, AgendaIf& agenda,
             UnitIds& ids);

  // Binds a Program (which must outlive the core) at `hbm_base` of the stack.
  void load(const lower::Program& program, std::uint64_t hbm_base, bool with_timeline,
            bool with_accounts = false);
  // Runs a program from `now` on, once the one before is done; the client is told when it is done.
  void run(Femtos now, const lower::Program& program, std::uint64_t hbm_base, CoreClient* client);
  void on_drained(Femtos now) override;
  // Makes this core one side (0 or 1) of a logical NeuronCore.
  void join_pair(std::uint32_t side);
  // Schedules the first instruction of every engine.
  void begin(Femtos now);

  [[nodiscard]] bool loaded() const { return program_ != nullptr; }
  [[nodiscard]] bool finished() const;
  // Time at which everything this core did is complete.
  [[nodiscard]] Femtos end() const { return counters_.last_visible(); }
  void close(Femtos end);
  // One line per engine that has not finished, and the outstanding DMAs.
  [[nodiscard]] std::vector<std::string> unfinished() const;

  [[nodiscard]] const lower::Program* program() const { return program_; }
  [[nodiscard]] const Engine& engine(trace::Engine kind) const {
    return *engines_[static_cast<std::size_t>(kind)];
  }
  [[nodiscard]] const std::vector<std::unique_ptr<DmaEngine>>& dma_engines() const {
    return dma_engines_;
  }
  [[nodiscard]] const DmaRings& dma_rings() const { return dma_rings_; }
  [[nodiscard]] const Timeline& timeline() const { return timeline_; }
  // Empty unless asked for.
  [[nodiscard]] const StepAccounts& accounts(trace::Engine kind) const {
    return accounts_[static_cast<std::size_t>(kind)];
  }

  sc_core::sc_port<HbmPortIf> hbm{"hbm"};
  sc_core::sc_port<PairSyncIf, 1, sc_core::SC_ZERO_OR_MORE_BOUND> pair{"pair"};

 private:
  const lower::Program* program_ = nullptr;
  CoreClient* client_ = nullptr;           // of run(), while the program is not done
  CompletionCounters counters_;
  Sbuf sbuf_;
  Psum psum_;
  DmaRings dma_rings_;
  std::vector<std::unique_ptr<Engine>> engines_;
  std::vector<std::unique_ptr<DmaEngine>> dma_engines_;
  Timeline timeline_;
  std::array<StepAccounts, trace::kEngineCount> accounts_;
};

}  // namespace trnsim::models
