// One DMA engine: round robin between queues at packet boundaries, by hand. Its rate is 10 GB/s and
// a packet has 4,096 B, so a packet takes 409.6 ns.
#include "dma/dma_engine.h"

#include <memory>
#include <vector>

#include "hbm/hbm_stack.h"
#include "support/fake_agenda.h"
#include "support/systemc_test.h"
#include "support/systems.h"

namespace trnsim::models {
namespace {

class DmaEngineTest : public test::SystemCTest, public TransferClient {
 protected:
  void SetUp() override {
    SystemCTest::SetUp();
    const spec::SystemSpec system = test::pinned_trn2();
    hbm_spec_ = system.chip.hbm;
    dma_spec_ = system.chip.core.dma;
    stack_ = std::make_unique<HbmStack>("hbm", hbm_spec_, agenda_, 0);
    engine_ = std::make_unique<DmaEngine>("dma0", dma_spec_, agenda_, 1);
    engine_->hbm(*stack_);
  }
  void TearDown() override {
    engine_.reset();
    stack_.reset();
    SystemCTest::TearDown();
  }
  void on_transfer_done(Femtos now, std::uint32_t token) override {
    done_.emplace_back(token, now.ns());
  }
  void submit_at(double ns, std::uint32_t queue, std::uint64_t bytes, bool hbm = true) {
    agenda_.run_until(from_ns(ns));
    Transfer transfer;
    transfer.bytes = bytes;
    transfer.engine_GBps = 10;
    transfer.queue = queue;
    transfer.token = next_token_++;
    transfer.client = this;
    transfer.hbm_bytes_per_byte = hbm ? 1 : 0;
    engine_->submit(agenda_.now(), transfer);
  }
  // (token, end in ns) in order of completion.
  void expect(const std::vector<std::pair<std::uint32_t, double>>& expected) {
    agenda_.run();
    ASSERT_EQ(done_.size(), expected.size());
    for (std::size_t i = 0; i < expected.size(); ++i) {
      EXPECT_EQ(done_[i].first, expected[i].first);
      EXPECT_NEAR(done_[i].second, expected[i].second, 1e-4);
    }
    EXPECT_TRUE(engine_->idle());
  }

  test::FakeAgenda agenda_;
  spec::HbmSpec hbm_spec_;
  spec::DmaSpec dma_spec_;
  std::unique_ptr<HbmStack> stack_;
  std::unique_ptr<DmaEngine> engine_;
  std::vector<std::pair<std::uint32_t, double>> done_;
  std::uint32_t next_token_ = 0;
};

TEST_F(DmaEngineTest, OneQueueIsServedInOrderWithoutGaps) {
  submit_at(0, 3, 40960);
  submit_at(0, 3, 8192);
  expect({{0, 4096}, {1, 4915.2}});
  EXPECT_EQ(engine_->counters().bytes, 49152U);
  EXPECT_EQ(engine_->counters().transfers, 2U);
  EXPECT_NEAR(engine_->counters().busy.ns(), 4915.2, 1e-4);
}

// Queue 0 has 4 packets, queue 1 comes at 100 ns with 2. The running packet ends at 409.6; then
// they take turns: 1 until 819.2, 0 until 1228.8, 1 until 1638.4 (done), and 0 does its last two
// packets.
TEST_F(DmaEngineTest, QueuesTakeTurnsPacketByPacket) {
  submit_at(0, 0, 4 * 4096);
  submit_at(100, 1, 2 * 4096);
  expect({{1, 1638.4}, {0, 2457.6}});
  EXPECT_NEAR(engine_->counters().busy.ns(), 2457.6, 1e-4);
}

TEST_F(DmaEngineTest, TransfersThatDoNotTouchHbmTakeTurnsToo) {
  submit_at(0, 0, 4 * 4096, false);
  submit_at(100, 1, 2 * 4096, false);
  expect({{1, 1638.4}, {0, 2457.6}});
  EXPECT_NEAR(engine_->counters().busy.ns(), 2457.6, 1e-4);
}

// In its last packet a transfer is not interrupted.
TEST_F(DmaEngineTest, FinishesTheLastPacket) {
  submit_at(0, 0, 2 * 4096);
  submit_at(500, 1, 4096);
  expect({{0, 819.2}, {1, 1228.8}});
}

// Both queues bring 64 packets: 128 packets in all, in quanta of an eighth of what is left of a
// transfer, so with far fewer than one wake-up per packet and queue.
TEST_F(DmaEngineTest, LongTransfersContendInQuantaOfAnEighth) {
  submit_at(0, 0, 64 * 4096);
  submit_at(0, 1, 64 * 4096);
  agenda_.run();
  ASSERT_EQ(done_.size(), 2U);
  EXPECT_NEAR(done_.back().second, 128 * 409.6, 1e-3);
  EXPECT_LT(agenda_.wakeups(), 128U);
}

// Three queues: the next higher number with work is next, wrapping around.
TEST_F(DmaEngineTest, RoundRobinGoesByQueueNumber) {
  submit_at(0, 2, 4096);
  submit_at(1, 1, 4096);
  submit_at(2, 5, 4096);
  submit_at(3, 9, 4096);
  expect({{0, 409.6}, {2, 819.2}, {3, 1228.8}, {1, 1638.4}});
}

TEST_F(DmaEngineTest, WorksOnBankedHbmToo) {
  hbm_spec_.model = spec::HbmModel::kBanked;
  submit_at(0, 0, 4 * 4096);
  submit_at(100, 1, 2 * 4096);
  expect({{1, 1638.4}, {0, 2457.6}});  // the engine, not a bank, is the limit at 10 GB/s
  EXPECT_DOUBLE_EQ(stack_->counters().read_bytes, 6 * 4096);
}

}  // namespace
}  // namespace trnsim::models
