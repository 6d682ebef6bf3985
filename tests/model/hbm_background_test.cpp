// A stack of which a network takes a share: rates by hand, bytes unchanged.
#include "hbm/hbm_stack.h"

#include <memory>

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
  }
  double done_ns = -1;

 private:
  test::FakeAgenda& agenda_;
};

// A stack that sustains 100 GB/s.
class HbmBackground : public test::SystemCTest {
 protected:
  void make_stack(spec::HbmModel model = spec::HbmModel::kBandwidth) {
    spec_ = test::shipped("trn2-core").spec.chip.hbm;
    spec_.peak_GBps_per_stack = 100;
    spec_.sustained_fraction = 1;
    spec_.model = model;
    stack_.reset();  // the name is free again
    stack_ = std::make_unique<HbmStack>("hbm", spec_, agenda_, 0);
  }
  void TearDown() override {
    stack_.reset();
    SystemCTest::TearDown();
  }
  HbmPortIf::Handle begin(Client& client, std::uint64_t bytes, double engine_GBps,
                          double hbm_bytes_per_byte = 1) {
    HbmAccess access;
    access.bytes = bytes;
    access.engine_GBps = engine_GBps;
    access.hbm_bytes_per_byte = hbm_bytes_per_byte;
    return stack_->begin(agenda_.now(), access, &client);
  }
  void background(double ns, double GBps, double engine_share) {
    agenda_.run_until(from_ns(ns));
    stack_->set_background(agenda_.now(), GBps, engine_share);
  }

  spec::HbmSpec spec_;
  test::FakeAgenda agenda_;
  std::unique_ptr<HbmStack> stack_;
  Client a_{agenda_};
  Client b_{agenda_};
};

TEST_F(HbmBackground, LeavesTheRestOfTheStack) {
  make_stack();
  background(0, 60, 0);
  begin(a_, 1000, 50);
  agenda_.run();
  EXPECT_NEAR(a_.done_ns, 1000 / 40.0, 1e-5);
  EXPECT_EQ(stack_->counters().read_bytes, 1000);
  EXPECT_EQ(stack_->counters().saturated, stack_->counters().busy);
}

TEST_F(HbmBackground, LeavesTheRestOfTheDmaEngines) {
  make_stack();
  background(0, 20, 0.25);
  begin(a_, 1000, 50);  // 37.5 of 80 that are left
  agenda_.run();
  EXPECT_NEAR(a_.done_ns, 1000 / 37.5, 1e-5);
  EXPECT_EQ(stack_->counters().saturated, Femtos{0});
}

// Two accesses that want 60 each: 40 together are left, 20 each; alone afterwards, 40.
TEST_F(HbmBackground, TheRestIsDividedFairly) {
  make_stack();
  background(0, 60, 0);
  begin(a_, 1000, 60);
  begin(b_, 2000, 60);
  agenda_.run();
  EXPECT_NEAR(a_.done_ns, 50, 1e-5);
  EXPECT_NEAR(b_.done_ns, 50 + 1000 / 40.0, 1e-5);
}

// 500 bytes in 10 ns at 50, 400 in 10 ns at 40, the last 100 at 50 again.
TEST_F(HbmBackground, ChangesAnAccessUnderWay) {
  make_stack();
  begin(a_, 1000, 50);
  background(10, 60, 0);
  background(20, 0, 0);
  agenda_.run();
  EXPECT_NEAR(a_.done_ns, 22, 1e-5);
  EXPECT_EQ(stack_->counters().read_bytes, 1000);
}

// 40 GB/s of the stack are 20 of payload.
TEST_F(HbmBackground, CountsBytesAtTheStackNotAtTheEngine) {
  make_stack();
  background(0, 60, 0);
  begin(a_, 1000, 50, 2);
  agenda_.run();
  EXPECT_NEAR(a_.done_ns, 50, 1e-5);
  EXPECT_EQ(stack_->counters().read_bytes, 2000);
}

// The queues of an engine take turns while a collective runs: cut at the packet of 100 that is under way
// after 5 ns at 40, which is the third.
TEST_F(HbmBackground, ACutAccessEndsWithItsPacket) {
  make_stack();
  background(0, 60, 0);
  const HbmPortIf::Handle handle = begin(a_, 1000, 50);
  agenda_.run_until(from_ns(6));
  EXPECT_EQ(stack_->shorten(agenda_.now(), handle, 100), 700U);
  agenda_.run();
  EXPECT_NEAR(a_.done_ns, 300 / 40.0, 1e-5);
  EXPECT_EQ(stack_->counters().read_bytes, 300);
}

TEST_F(HbmBackground, TheBankedModelHasNone) {
  make_stack(spec::HbmModel::kBanked);
  begin(a_, 4096, 50);
  agenda_.run();
  const double alone = a_.done_ns;
  make_stack(spec::HbmModel::kBanked);
  background(agenda_.now().ns(), 99, 0.9);
  const double start = agenda_.now().ns();
  begin(b_, 4096, 50);
  agenda_.run();
  EXPECT_NEAR(b_.done_ns - start, alone, 1e-5);
}

}  // namespace
}  // namespace trnsim::models
