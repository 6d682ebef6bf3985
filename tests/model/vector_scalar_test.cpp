// Vector, Scalar and GpSimd: intervals, dependent chains, table loads and shared memory ports by
// hand. trn2: Vector 0.96 GHz (1.041667 ns), Scalar, GpSimd and sequencers 1.2 GHz (0.833333 ns).
#include "support/engine_bench.h"
#include "support/systemc_test.h"
#include "support/systems.h"

namespace trnsim::models {
namespace {

using Unit = trace::Engine;

class VectorScalarTest : public test::SystemCTest {
 protected:
  static void expect(const std::vector<double>& actual, const std::vector<double>& expected) {
    ASSERT_EQ(actual.size(), expected.size());
    for (std::size_t i = 0; i < actual.size(); ++i) {
      EXPECT_NEAR(actual[i], expected[i], 1e-4) << "instruction " << i;
    }
  }
  static lower::Step on_sbuf(std::uint32_t interval) {
    lower::Step step = test::compute(interval, interval + 100);
    step.uses_sbuf = true;
    return step;
  }
  static lower::Step on_psum(std::uint32_t interval, std::uint8_t banks) {
    lower::Step step = test::compute(interval, interval + 100);
    step.psum_banks = banks;
    return step;
  }
  static lower::Step activation(std::uint8_t table) {
    lower::Step step = test::compute(180, 318);  // 128 columns + 52; + 190
    step.opcode = trace::Opcode::kActivation;
    step.act_table = table;
    return step;
  }
  spec::CoreSpec trn2_ = test::pinned_trn2().chip.core;
};

// 190 cycles of 0.96 GHz = 197.917 ns from start to start.
TEST_F(VectorScalarTest, IndependentInstructionsFollowAtTheirInterval) {
  test::EngineBench bench(trn2_);
  for (int i = 0; i < 3; ++i) {
    bench.add(Unit::kVector, test::compute(190, 278));
  }
  bench.run();
  expect(bench.starts(Unit::kVector), {0, 190 / 0.96, 380 / 0.96});
}

// Latency 278 cycles = 289.583 ns, + 30 ns = 319.583 ns; the next edge is cycle 307 = 319.792 ns.
TEST_F(VectorScalarTest, ADependentChainPaysLatencyAndSemaphore) {
  test::EngineBench bench(trn2_);
  bench.add(Unit::kVector, test::compute(190, 278));
  bench.add(Unit::kVector, test::compute(190, 278), {{1, 1}});
  bench.add(Unit::kVector, test::compute(190, 278), {{1, 2}});
  bench.run();
  expect(bench.starts(Unit::kVector), {0, 307 / 0.96, 614 / 0.96});
  const auto& idle = bench.vector.counters().idle;
  EXPECT_NEAR((idle[static_cast<std::size_t>(IdleCause::kOwnResult)] +
               idle[static_cast<std::size_t>(IdleCause::kDispatch)])
                  .ns(),
              2 * (307 - 190) / 0.96, 1e-4);
}

// Scalar: 318 cycles = 265 ns, + 30 = 295 ns = 354 cycles exactly.
TEST_F(VectorScalarTest, AChainAcrossEngines) {
  test::EngineBench bench(trn2_);
  bench.add(Unit::kScalar, test::compute(180, 318));
  bench.add(Unit::kVector, test::compute(190, 278), {{2, 1}});
  bench.add(Unit::kScalar, test::compute(180, 318), {{1, 1}});
  bench.run();
  // Vector: 295 ns -> cycle 284 = 295.833; visible (284 + 278) / 0.96 + 30 = 615.417 -> cycle 739
  // of 1.2.
  expect(bench.starts(Unit::kVector), {284 / 0.96});
  expect(bench.starts(Unit::kScalar), {0, 739 / 1.2});
}

// The sequencer dispatches every 10 base cycles = 8.333 ns: 8 cycles of 0.96 GHz are 8.333 ns too.
TEST_F(VectorScalarTest, ShortInstructionsWaitForDispatch) {
  test::EngineBench bench(trn2_);
  bench.add(Unit::kVector, test::compute(2, 4));
  bench.add(Unit::kVector, test::compute(2, 4));
  bench.run();
  expect(bench.starts(Unit::kVector), {0, 8 / 0.96});
  EXPECT_NEAR(bench.vector.counters().idle[static_cast<std::size_t>(IdleCause::kDispatch)].ns(),
              6 / 0.96, 1e-4);
}

// A table load waits for the engine only: while the activation waits for Vector (1,920 cycles of 0.96 GHz
// = 2,000 ns, visible 30 ns later), the load of 1,283 ns is long done.
TEST_F(VectorScalarTest, ATableLoadsWhileItsActivationWaits) {
  test::EngineBench bench(trn2_);
  bench.add(Unit::kVector, test::compute(1920, 1920));
  bench.add(Unit::kScalar, activation(1), {{static_cast<std::uint32_t>(Unit::kVector), 1}});
  bench.run();
  expect(bench.starts(Unit::kScalar), {2436 / 1.2});  // the edge after 2,030 ns
  EXPECT_EQ(bench.scalar.counters().table_loads, 1U);
}

// An instruction of the sequencer starts 10 base cycles behind one of the data path, not after it.
TEST_F(VectorScalarTest, TheSequencerWorksBesideTheDataPath) {
  test::EngineBench bench(trn2_);
  lower::Step step = test::compute(90, 90);
  step.opcode = trace::Opcode::kRegisterMove;
  step.kind = lower::StepKind::kSequencer;
  bench.add(Unit::kScalar, test::compute(1200, 1390));
  bench.add(Unit::kScalar, step);
  bench.add(Unit::kScalar, test::compute(1200, 1390));
  bench.run();
  expect(bench.starts(Unit::kScalar), {0, 10 / 1.2, 1000});
  EXPECT_NEAR(bench.scalar.counters().busy.ns(), 2000, 1e-4);
}

// Tables 1, 1, 2, any, 2: loads before the first and the third. 1,283 ns ends on cycle 1540 of 1.2
// GHz.
TEST_F(VectorScalarTest, ATableLoadsOncePerSwitch) {
  test::EngineBench bench(trn2_);
  for (const int table : {1, 1, 2, 0, 2}) {
    bench.add(Unit::kScalar, activation(static_cast<std::uint8_t>(table)));
  }
  bench.run();
  const double load = 1540 / 1.2;
  const double step = 180 / 1.2;
  expect(bench.starts(Unit::kScalar),
         {load, load + step, 2 * load + 2 * step, 2 * load + 3 * step, 2 * load + 4 * step});
  EXPECT_EQ(bench.scalar.counters().table_loads, 2U);
  EXPECT_EQ(bench.scalar.counters().instructions, 7U);  // a table load is an instruction
  EXPECT_NEAR(bench.scalar.counters().busy.ns(), 2 * load + 5 * step, 1e-4);
}

// Both want bank 0 at time zero: Vector (lower unit id) first, for 190 cycles = 197.917 ns; Scalar
// at its next edge, cycle 238 = 198.333 ns.
TEST_F(VectorScalarTest, Trn2SerialisesVectorAndScalarInOneBank) {
  test::EngineBench bench(trn2_);
  bench.add(Unit::kVector, on_psum(190, 0b0001));
  bench.add(Unit::kScalar, on_psum(180, 0b0001));
  bench.run();
  expect(bench.starts(Unit::kVector), {0});
  expect(bench.starts(Unit::kScalar), {238 / 1.2});
  EXPECT_NEAR(bench.scalar.counters().idle[static_cast<std::size_t>(IdleCause::kPort)].ns(),
              238 / 1.2, 1e-4);
}

TEST_F(VectorScalarTest, Trn2RunsThemInDifferentBanks) {
  test::EngineBench bench(trn2_);
  bench.add(Unit::kVector, on_psum(190, 0b0001));
  bench.add(Unit::kScalar, on_psum(180, 0b0010));
  bench.run();
  expect(bench.starts(Unit::kVector), {0});
  expect(bench.starts(Unit::kScalar), {0});
}

TEST_F(VectorScalarTest, Trn1SerialisesThemInAnyBanks) {
  const spec::CoreSpec& trn1 = test::shipped("trn1.2xlarge").spec.chip.core;
  test::EngineBench bench(trn1);
  bench.add(Unit::kVector, on_psum(200, 0b0001));
  bench.add(Unit::kScalar, on_psum(200, 0b0010));
  bench.run();
  expect(bench.starts(Unit::kVector), {0});
  const Clock vector(trn1.vector.clock_ghz);
  const Clock scalar(trn1.scalar.clock_ghz);
  expect(bench.starts(Unit::kScalar), {scalar.align(vector.span(200)).ns()});
}

TEST_F(VectorScalarTest, Trn1SerialisesVectorAndGpSimdOnSbuf) {
  const spec::CoreSpec& trn1 = test::shipped("trn1.2xlarge").spec.chip.core;
  test::EngineBench bench(trn1);
  bench.add(Unit::kVector, on_sbuf(200));
  bench.add(Unit::kGpSimd, on_sbuf(300));
  bench.add(Unit::kScalar, on_sbuf(300));
  bench.run();
  const Clock vector(trn1.vector.clock_ghz);
  const Clock gpsimd(trn1.gpsimd.clock_ghz);
  expect(bench.starts(Unit::kVector), {0});
  expect(bench.starts(Unit::kGpSimd), {gpsimd.align(vector.span(200)).ns()});
  expect(bench.starts(Unit::kScalar), {0});
}

TEST_F(VectorScalarTest, Trn2RunsThemTogether) {
  test::EngineBench bench(trn2_);
  bench.add(Unit::kVector, on_sbuf(200));
  bench.add(Unit::kGpSimd, on_sbuf(300));
  bench.run();
  expect(bench.starts(Unit::kVector), {0});
  expect(bench.starts(Unit::kGpSimd), {0});
}

// GpSimd is on SBUF until 600 / 1.2 = 500 ns. The Vector instruction in a performance mode starts
// at 64 cycles = 66.667 ns and would take 190 cycles: all of it overlaps, so at half the pace it
// takes 95 cycles more (one cycle of rounding). The one behind it starts at 349 cycles = 363.54 ns
// and overlaps for 136.46 ns = 131 cycles: 65.5 cycles more.
TEST_F(VectorScalarTest, PerformanceModesSlowDownBesideGpSimd) {
  test::EngineBench bench(trn2_);
  lower::Step fast = on_sbuf(190);
  fast.perf_mode = true;
  bench.add(Unit::kGpSimd, on_sbuf(600));
  bench.add(Unit::kVector, test::compute(64, 164));
  bench.add(Unit::kVector, fast);
  bench.add(Unit::kVector, fast);
  bench.add(Unit::kVector, fast);
  bench.run();
  const std::vector<double> starts = bench.starts(Unit::kVector);
  ASSERT_EQ(starts.size(), 4U);
  EXPECT_NEAR(starts[1] * 0.96, 64, 1e-3);
  EXPECT_NEAR(starts[2] * 0.96, 64 + 190 + 95, 1.001);
  EXPECT_NEAR((starts[3] - starts[2]) * 0.96, 190 + 65.5, 1.001);
}

TEST_F(VectorScalarTest, OrdinaryModesDoNotSlowDownBesideGpSimd) {
  test::EngineBench bench(trn2_);
  bench.add(Unit::kGpSimd, on_sbuf(600));
  bench.add(Unit::kVector, on_sbuf(190));
  bench.add(Unit::kVector, on_sbuf(190));
  bench.run();
  expect(bench.starts(Unit::kVector), {0, 190 / 0.96});
}

// A wait for a count that never comes leaves the engine unfinished and says what it waits for.
TEST_F(VectorScalarTest, SaysWhatItWaitsFor) {
  test::EngineBench bench(trn2_);
  bench.program.dma_queues = {{"qSyncLoad", Unit::kSync}};
  bench.add(Unit::kVector, test::compute(190, 278), {{lower::kFirstDmaQueue, 3}});
  bench.run();
  EXPECT_FALSE(bench.vector.finished());
  EXPECT_TRUE(bench.scalar.finished());
  EXPECT_EQ(bench.scalar.state(), "finished");
  EXPECT_NE(bench.vector.state().find("waits for qSyncLoad >= 3"), std::string::npos)
      << bench.vector.state();
}

}  // namespace
}  // namespace trnsim::models
