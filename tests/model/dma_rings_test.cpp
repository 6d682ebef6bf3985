// DMA queues of a core: from the trigger to the start of the engines and from their end to the
// counter. Times by hand from hardware.md 12.3, 12.6; the start skew of 150 ns is part of every
// start.
#include "dma/dma_rings.h"

#include <memory>
#include <vector>

#include "engine/counters.h"
#include "support/fake_agenda.h"
#include "support/systemc_test.h"
#include "support/systems.h"

namespace trnsim::models {
namespace {

// Remembers when work arrives; the test says when it is done.
class FakeEngine final : public sc_core::sc_module, public DmaEngineIf {
 public:
  explicit FakeEngine(const sc_core::sc_module_name& name) : sc_module(name) {}
  void submit(Femtos now, const Transfer& transfer) override {
    starts_ns.push_back(now.ns());
    transfers.push_back(transfer);
  }
  void finish(Femtos now, std::size_t index) {
    transfers[index].client->on_transfer_done(now, transfers[index].token);
  }
  std::vector<double> starts_ns;
  std::vector<Transfer> transfers;
};

class DmaRingsTest : public test::SystemCTest {
 protected:
  void SetUp() override {
    SystemCTest::SetUp();
    core_ = test::pinned_trn2().chip.core;
    counters_ = std::make_unique<CompletionCounters>("counters");
    rings_ = std::make_unique<DmaRings>("dma_rings", core_, agenda_, 0);
    rings_->completion(*counters_);
    for (const char* name : {"dma0", "dma1"}) {
      engines_.push_back(std::make_unique<FakeEngine>(name));
      rings_->engines(*engines_.back());
    }
    program_.dma_queues = {{"qSyncLoad", trace::Engine::kSync},
                           {"qScalarLoad", trace::Engine::kScalar},
                           {"qSyncStore", trace::Engine::kSync}};
  }
  void TearDown() override {
    rings_.reset();
    engines_.clear();
    counters_.reset();
    SystemCTest::TearDown();
  }
  // A request of 100 B on engine `engine`, or 100 B on each if 2.
  std::uint32_t request(std::uint32_t queue, spec::DgeMode mode, std::uint32_t engine = 0,
                        std::uint64_t descriptors = 1) {
    lower::DmaRequest dma;
    dma.queue = queue;
    dma.mode = mode;
    dma.plan.engine_GBps = 23;
    dma.plan.descriptors = descriptors;
    dma.plan.descriptor_bytes = 100;
    for (std::uint32_t e = 0; e < 2; ++e) {
      if (engine == e || engine == 2) {
        dma.plan.shares.push_back({e, 100, 1});
        dma.plan.bytes += 100;
      }
    }
    dma.plan.hbm_read_bytes = dma.plan.bytes;
    program_.dmas.push_back(dma);
    return static_cast<std::uint32_t>(program_.dmas.size() - 1);
  }
  void load() {
    counters_->reset(program_.num_queues());
    rings_->load(program_, 0, nullptr);
  }
  void trigger(double ns, std::uint32_t dma) {
    agenda_.run_until(from_ns(ns));
    rings_->trigger(from_ns(ns), from_ns(ns), dma);
  }
  double visible_ns(std::uint32_t queue, std::uint32_t count) const {
    return counters_->visible_at({lower::kFirstDmaQueue + queue, count}).ns();
  }

  test::FakeAgenda agenda_;
  spec::CoreSpec core_;
  lower::Program program_;
  std::unique_ptr<CompletionCounters> counters_;
  std::vector<std::unique_ptr<FakeEngine>> engines_;
  std::unique_ptr<DmaRings> rings_;
};

TEST_F(DmaRingsTest, StartLatencyFollowsTheDescriptorMode) {
  const std::uint32_t hardware = request(0, spec::DgeMode::kHardware);
  const std::uint32_t still = request(1, spec::DgeMode::kStatic);
  const std::uint32_t software = request(2, spec::DgeMode::kSoftware, 0, 128);
  load();
  trigger(0, hardware);
  trigger(0, still);
  trigger(0, software);
  agenda_.run();
  EXPECT_EQ(engines_[0]->starts_ns, (std::vector<double>{600 + 150, 680 + 150, 1000 + 150}));
}

// One hardware DGE per trigger engine serves a command every 600 ns: the second command of Sync,
// though on another queue, starts 600 ns after the first; Scalar has its own.
TEST_F(DmaRingsTest, HardwareDgeServesOneCommandAtATime) {
  const std::uint32_t first = request(0, spec::DgeMode::kHardware, 0);
  const std::uint32_t second = request(2, spec::DgeMode::kHardware, 0);
  const std::uint32_t scalar = request(1, spec::DgeMode::kHardware, 1);
  load();
  trigger(0, first);
  trigger(0, second);
  trigger(0, scalar);
  agenda_.run();
  EXPECT_EQ(engines_[0]->starts_ns, (std::vector<double>{750, 1350}));
  EXPECT_EQ(engines_[1]->starts_ns, std::vector<double>{750});
}

// A queue starts a request every 780 ns at most: 750, 1530 (not 1350), and 2310 although it was
// triggered at 1400; the one at 4000 meets an idle queue.
TEST_F(DmaRingsTest, AQueueKeepsItsIssueFloor) {
  std::vector<std::uint32_t> dmas;
  for (int i = 0; i < 4; ++i) {
    dmas.push_back(request(0, spec::DgeMode::kHardware));
  }
  load();
  trigger(0, dmas[0]);
  trigger(0, dmas[1]);
  trigger(1400, dmas[2]);
  trigger(4000, dmas[3]);
  agenda_.run();
  EXPECT_EQ(engines_[0]->starts_ns, (std::vector<double>{750, 1530, 2310, 4750}));
}

// Visible to waiters 8 ns (semaphore write) + 300 ns after the last byte of the last engine.
TEST_F(DmaRingsTest, CompletionIsVisibleAfterTheLastEngine) {
  const std::uint32_t dma = request(0, spec::DgeMode::kStatic, 2);
  load();
  trigger(0, dma);
  agenda_.run();
  EXPECT_EQ(rings_->outstanding(), 1U);
  engines_[1]->finish(from_ns(2000), 0);
  EXPECT_EQ(counters_->count(lower::kFirstDmaQueue), 0U);
  engines_[0]->finish(from_ns(2500), 0);
  EXPECT_DOUBLE_EQ(visible_ns(0, 1), 2500 + 308);
  EXPECT_EQ(rings_->outstanding(), 0U);
  EXPECT_EQ(rings_->counters(0).requests, 1U);
  EXPECT_EQ(rings_->counters(0).bytes, 200U);
}

// The second request is done first but counts only with the first.
TEST_F(DmaRingsTest, AQueueCompletesInOrder) {
  const std::uint32_t slow = request(0, spec::DgeMode::kStatic, 0);
  const std::uint32_t fast = request(0, spec::DgeMode::kStatic, 1);
  load();
  trigger(0, slow);
  trigger(0, fast);
  agenda_.run();
  engines_[1]->finish(from_ns(3000), 0);
  EXPECT_EQ(counters_->count(lower::kFirstDmaQueue), 0U);
  engines_[0]->finish(from_ns(5000), 0);
  EXPECT_EQ(counters_->count(lower::kFirstDmaQueue), 2U);
  EXPECT_DOUBLE_EQ(visible_ns(0, 1), 5308);
  EXPECT_DOUBLE_EQ(visible_ns(0, 2), 5308);
}

// Two engines share the HBM walk: the second starts behind the rows of the first.
TEST_F(DmaRingsTest, TellsEachEngineWhereItsShareLies) {
  const std::uint32_t dma = request(0, spec::DgeMode::kStatic, 2);
  program_.dmas[dma].plan.shares = {{0, 300, 3}, {1, 100, 1}};
  program_.dmas[dma].plan.bytes = 400;
  program_.dmas[dma].plan.hbm_read_bytes = 400;
  program_.dmas[dma].plan.hbm_row_stride_bytes = 1000;
  program_.dmas[dma].hbm_address = 64;
  load();
  rings_->load(program_, 1 << 20, nullptr);
  trigger(0, dma);
  agenda_.run();
  EXPECT_EQ(engines_[0]->transfers[0].hbm_address, (1U << 20) + 64);
  EXPECT_EQ(engines_[1]->transfers[0].hbm_address, (1U << 20) + 64 + 3 * 1000);
  EXPECT_EQ(engines_[1]->transfers[0].bytes, 100U);
  EXPECT_DOUBLE_EQ(engines_[1]->transfers[0].hbm_bytes_per_byte, 1);
  EXPECT_DOUBLE_EQ(engines_[1]->transfers[0].hbm_write_share, 0);
}

}  // namespace
}  // namespace trnsim::models
