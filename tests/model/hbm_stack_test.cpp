// Flows through one stack: shares and finish times by hand.
#include "hbm/hbm_stack.h"

#include <memory>
#include <vector>

#include "support/fake_agenda.h"
#include "support/systemc_test.h"
#include "support/systems.h"

namespace trnsim::models {
namespace {

class Client final : public HbmClient {
 public:
  explicit Client(test::FakeAgenda& agenda) : agenda_(agenda) {}
  void on_hbm_done(Femtos now) override {
    EXPECT_EQ(now, agenda_.now());
    done_ns = now.ns();
    ++calls;
  }
  double done_ns = -1;
  int calls = 0;

 private:
  test::FakeAgenda& agenda_;
};

class HbmStackTest : public test::SystemCTest {
 protected:
  // A stack that sustains `GBps`.
  void make_stack(double GBps) {
    spec_ = test::shipped("trn2-core").spec.chip.hbm;
    spec_.peak_GBps_per_stack = GBps;
    spec_.sustained_fraction = 1;
    stack_ = std::make_unique<HbmStack>("hbm", spec_, agenda_, 0);
  }
  void TearDown() override {
    stack_.reset();
    SystemCTest::TearDown();
  }
  HbmPortIf::Handle begin(Client& client, std::uint64_t bytes, double engine_GBps,
                          double hbm_bytes_per_byte = 1, double write_share = 0) {
    HbmAccess access;
    access.bytes = bytes;
    access.engine_GBps = engine_GBps;
    access.hbm_bytes_per_byte = hbm_bytes_per_byte;
    access.write_share = write_share;
    return stack_->begin(agenda_.now(), access, &client);
  }

  spec::HbmSpec spec_;
  test::FakeAgenda agenda_;
  std::unique_ptr<HbmStack> stack_;
  Client a_{agenda_};
  Client b_{agenda_};
  Client c_{agenda_};
};

TEST_F(HbmStackTest, OneFlowRunsAtTheRateOfItsEngine) {
  make_stack(652.288);
  begin(a_, 32768, 23);
  agenda_.run();
  EXPECT_NEAR(a_.done_ns, 32768 / 23.0, 2e-6);  // 1,424.70 ns
  EXPECT_EQ(a_.calls, 1);
  EXPECT_DOUBLE_EQ(stack_->counters().read_bytes, 32768);
  EXPECT_DOUBLE_EQ(stack_->counters().write_bytes, 0);
  EXPECT_NEAR(stack_->counters().busy.ns(), a_.done_ns, 1e-9);
  EXPECT_EQ(stack_->counters().saturated, Femtos{0});
}

// 16 engines x 23 GB/s = 368 GB/s fit into 652; the 32 of two cores get 652.288 / 32 = 20.384 each.
TEST_F(HbmStackTest, EnginesOfTwoCoresShareTheStack) {
  make_stack(652.288);
  std::vector<std::unique_ptr<Client>> clients;
  for (int e = 0; e < 32; ++e) {
    clients.push_back(std::make_unique<Client>(agenda_));
    begin(*clients.back(), 32768, 23);
  }
  agenda_.run();
  for (const auto& client : clients) {
    EXPECT_NEAR(client->done_ns, 32768 / 20.384, 2e-6);
  }
  EXPECT_NEAR(stack_->counters().saturated.ns(), 32768 / 20.384, 2e-6);
}

// 30 GB/s for two: 15 each. a ends at 1,500 / 15 = 100 ns; b then has 4,500 - 1,500 = 3,000 B left
// and is bounded by its engine: 3,000 / 23 = 130.43 ns more.
TEST_F(HbmStackTest, TheRestSpeedsUpWhenAFlowEnds) {
  make_stack(30);
  begin(a_, 1500, 23);
  begin(b_, 4500, 23);
  agenda_.run();
  EXPECT_NEAR(a_.done_ns, 100, 2e-6);
  EXPECT_NEAR(b_.done_ns, 100 + 3000 / 23.0, 2e-6);
  EXPECT_NEAR(stack_->counters().saturated.ns(), 100, 2e-6);
}

// a alone moves 23 x 50 = 1,150 B until b comes at 50 ns; its other 350 B take 350 / 15 = 23.33 ns.
// b has then moved 350 B too and does its last 650 B at 23 GB/s.
TEST_F(HbmStackTest, TheRestSlowsDownWhenAFlowComes) {
  make_stack(30);
  begin(a_, 1500, 23);
  agenda_.run_until(from_ns(50));
  begin(b_, 1000, 23);
  agenda_.run();
  EXPECT_NEAR(a_.done_ns, 50 + 350 / 15.0, 2e-6);
  EXPECT_NEAR(b_.done_ns, 50 + 350 / 15.0 + 650 / 23.0, 2e-6);
}

// 20 GB/s: the slow engine takes its 5, the others 7.5 each.
TEST_F(HbmStackTest, ASlowEngineLeavesItsShareToTheOthers) {
  make_stack(20);
  begin(a_, 500, 5);    // 100 ns
  begin(b_, 1500, 23);  // 200 ns at 7.5, but from 100 ns on 10: 750 + 750 / 10
  begin(c_, 1500, 23);
  agenda_.run();
  EXPECT_NEAR(a_.done_ns, 100, 2e-6);
  EXPECT_NEAR(b_.done_ns, 175, 2e-6);
  EXPECT_NEAR(c_.done_ns, 175, 2e-6);
}

// At 100 ns 2,300 B are done: the packet of 4,096 B is finished, the other 61,440 B are cut off.
TEST_F(HbmStackTest, ShortensAtThePacketBoundary) {
  make_stack(652.288);
  const HbmPortIf::Handle handle = begin(a_, 65536, 23);
  agenda_.run_until(from_ns(100));
  EXPECT_EQ(stack_->shorten(agenda_.now(), handle, 4096), 65536U - 4096U);
  agenda_.run();
  EXPECT_NEAR(a_.done_ns, 4096 / 23.0, 2e-6);
  EXPECT_EQ(a_.calls, 1);
  EXPECT_DOUBLE_EQ(stack_->counters().read_bytes, 4096);
}

TEST_F(HbmStackTest, DoesNotShortenTheLastPacket) {
  make_stack(652.288);
  const HbmPortIf::Handle handle = begin(a_, 8192, 23);
  agenda_.run_until(from_ns(200));  // 4,600 B done
  EXPECT_EQ(stack_->shorten(agenda_.now(), handle, 4096), 0U);
  agenda_.run();
  EXPECT_NEAR(a_.done_ns, 8192 / 23.0, 2e-6);
}

// HBM to HBM reads and writes each byte: 30 GB/s carry 15 GB/s of payload.
TEST_F(HbmStackTest, CopyWithinHbmCountsTwice) {
  make_stack(30);
  begin(a_, 1500, 23, 2, 0.5);
  agenda_.run();
  EXPECT_NEAR(a_.done_ns, 100, 2e-6);
  EXPECT_DOUBLE_EQ(stack_->counters().read_bytes, 1500);
  EXPECT_DOUBLE_EQ(stack_->counters().write_bytes, 1500);
}

// A copy within HBM that casts fp32 to bf16: payload on the wider side, 1 byte read and 1/2 written
// each.
TEST_F(HbmStackTest, CopyWithinHbmThatCastsWritesLess) {
  make_stack(30);
  begin(a_, 1500, 23, 1.5, 1.0 / 3);
  agenda_.run();
  EXPECT_NEAR(a_.done_ns, 75, 2e-6);  // 20 GB/s of payload
  EXPECT_DOUBLE_EQ(stack_->counters().read_bytes, 1500);
  EXPECT_DOUBLE_EQ(stack_->counters().write_bytes, 750);
}

// A store of bf16 data that the DMA widens on chip only touches HBM with half its payload.
TEST_F(HbmStackTest, CountsOnlyWhatTouchesHbm) {
  make_stack(10);
  begin(a_, 2000, 23, 0.5, 1);
  agenda_.run();
  EXPECT_NEAR(a_.done_ns, 100, 2e-6);  // 10 GB/s of HBM carry 20 GB/s of payload
  EXPECT_DOUBLE_EQ(stack_->counters().write_bytes, 1000);
}

TEST_F(HbmStackTest, BankedAccessIsBoundedByTheEngine) {
  make_stack(716.8);
  spec_.model = spec::HbmModel::kBanked;
  EXPECT_EQ(stack_->max_access_bytes(), 4096U);
  HbmAccess access;
  access.bytes = 4096;
  access.engine_GBps = 1;
  stack_->begin(agenda_.now(), access, &a_);
  agenda_.run();
  EXPECT_NEAR(a_.done_ns, 4096, 2e-6);
  EXPECT_GT(stack_->banked().row_misses(), 0U);
}

}  // namespace
}  // namespace trnsim::models
