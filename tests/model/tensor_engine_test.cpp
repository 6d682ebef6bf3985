// LDWEIGHTS + MATMUL pairs on the tensor engine, in cycles of 2.4 GHz by hand
// (hardware.md 5.2, 18.1).
#include <numeric>

#include "support/engine_bench.h"
#include "support/systemc_test.h"
#include "support/systems.h"

namespace trnsim::models {
namespace {

using Unit = trace::Engine;

constexpr double kCycle = 1 / 2.4;  // ns

class TensorEngineTest : public test::SystemCTest {
 protected:
  // Starts of the MATMULs in cycles.
  static std::vector<double> cycles(const test::EngineBench& bench) {
    std::vector<double> starts = bench.starts(Unit::kTensor);
    for (double& start : starts) {
      start /= kCycle;
    }
    return starts;
  }
  static void expect(const std::vector<double>& actual, const std::vector<double>& expected) {
    ASSERT_EQ(actual.size(), expected.size());
    for (std::size_t i = 0; i < actual.size(); ++i) {
      EXPECT_NEAR(actual[i], expected[i], 1e-3) << "pair " << i;
    }
  }
  spec::CoreSpec core_ = test::pinned_trn2().chip.core;
};

// The first load of 128 / 4 = 32 cycles is exposed; then a pair every 128 + 6 cycles, loads hidden.
TEST_F(TensorEngineTest, SteadyPairsOf128ColumnsEvery134Cycles) {
  test::EngineBench bench(core_);
  for (int i = 0; i < 4; ++i) {
    bench.add(Unit::kTensor, test::pair(32, 128, 128 + 395));
  }
  bench.run();
  expect(cycles(bench), {32, 166, 300, 434});
  EXPECT_EQ(bench.tensor.counters().instructions, 8U);
  // Busy from 0 to the end of the last interval with its gap.
  EXPECT_NEAR(bench.tensor.counters().busy.ns(), (434 + 134) * kCycle, 1e-5);
  // Result of the last one: 128 + 395 cycles after its start, 30 ns until others see it.
  EXPECT_NEAR(bench.counters.last_visible().ns(), (434 + 523) * kCycle + 30, 1e-5);
}

TEST_F(TensorEngineTest, SteadyPairsOf512ColumnsEvery518Cycles) {
  test::EngineBench bench(core_);
  for (int i = 0; i < 4; ++i) {
    bench.add(Unit::kTensor, test::pair(32, 512, 512 + 395));
  }
  bench.run();
  expect(cycles(bench), {32, 550, 1068, 1586});
}

// An fp32 half of 512 columns: two passes, 1,024 + 6 cycles; its load of 2 x 128 cycles has no fast
// path and hides all the same.
TEST_F(TensorEngineTest, Fp32HalvesEvery1030Cycles) {
  test::EngineBench bench(core_);
  for (int i = 0; i < 3; ++i) {
    bench.add(Unit::kTensor, test::pair(256, 1024, 1024 + 395));
  }
  bench.run();
  expect(cycles(bench), {256, 1286, 2316});
}

// An fp32 load of 256 cycles is longer than a MATMUL of 64 columns in two passes (128 + 6): the
// load starts when the MATMUL before has taken over its weights, so loads follow each other.
TEST_F(TensorEngineTest, LongLoadsSetThePaceOfShortMatmuls) {
  test::EngineBench bench(core_);
  for (int i = 0; i < 3; ++i) {
    bench.add(Unit::kTensor, test::pair(256, 128, 128 + 395));
  }
  bench.run();
  expect(cycles(bench), {256, 512, 768});
}

// A pair that waits for data exposes its load again: data visible at (128 + 395 + 32) cycles + 30
// ns = 627 cycles, load until 659.
TEST_F(TensorEngineTest, ADependentPairExposesItsLoad) {
  test::EngineBench bench(core_);
  bench.add(Unit::kTensor, test::pair(32, 128, 523));
  bench.add(Unit::kTensor, test::pair(32, 128, 523), {{0, 1}});
  bench.run();
  expect(cycles(bench), {32, 659});
  const auto& idle = bench.tensor.counters().idle;
  EXPECT_NEAR(idle[static_cast<std::size_t>(IdleCause::kOwnResult)].ns(), (627 - 166) * kCycle,
              1e-5);
}

// At half rate 128 columns take 256 cycles = 106.7 ns (D1); the gap hides in the blocked slots and
// the load of 2 x 32 cycles behind the stream. The grid is 4,096 base cycles = 8,192 tensor cycles;
// the window from 64 on is more than 95 % busy, so from cycle 8,192 on a pair takes 134 cycles.
TEST_F(TensorEngineTest, StartsAtHalfRateAndIsReleasedByABusyWindow) {
  core_.tensor.activity_limiter.enable = true;
  test::EngineBench bench(core_);
  for (int i = 0; i < 60; ++i) {
    bench.add(Unit::kTensor, test::pair(32, 128, 523));
  }
  bench.run();
  const std::vector<double> starts = cycles(bench);
  EXPECT_NEAR(starts[0], 64, 1e-3);
  EXPECT_NEAR((starts[1] - starts[0]) * kCycle, 106.667, 1e-3);
  for (std::size_t i = 1; i < starts.size(); ++i) {
    const double interval = starts[i] - starts[i - 1];
    if (starts[i] <= 8192) {
      EXPECT_NEAR(interval, 256, 1e-3) << i;
    } else if (starts[i - 1] >= 8192) {
      EXPECT_NEAR(interval, 134, 1e-3) << i;
    }
  }
  // Limited from the first MATMUL at 64 to the end of the window.
  EXPECT_NEAR(bench.tensor.counters().limited.ns(), (8192 - 64) * kCycle, 1e-3);
}

// After a window with little work the limit comes back. The scalar engine takes 20 us in between.
TEST_F(TensorEngineTest, IdlenessBringsTheLimitBack) {
  core_.tensor.activity_limiter.enable = true;
  test::EngineBench bench(core_);
  for (int i = 0; i < 60; ++i) {
    bench.add(Unit::kTensor, test::pair(32, 128, 523));
  }
  bench.add(Unit::kScalar, test::compute(24000, 24000));
  bench.add(Unit::kTensor, test::pair(32, 128, 523), {{2, 1}});
  bench.add(Unit::kTensor, test::pair(32, 128, 523));
  bench.run();
  const std::vector<double> starts = cycles(bench);
  EXPECT_NEAR(starts[59] - starts[58], 134, 1e-3);
  EXPECT_NEAR(starts[61] - starts[60], 256, 1e-3);
}

TEST_F(TensorEngineTest, IdleCausesAndBusyAddUpToTheRun) {
  test::EngineBench bench(core_);
  bench.add(Unit::kScalar, test::compute(600, 700));
  bench.add(Unit::kTensor, test::pair(32, 128, 523), {{2, 1}});
  bench.add(Unit::kVector, test::compute(190, 278), {{0, 1}});
  bench.add(Unit::kTensor, test::pair(32, 128, 523), {{1, 1}});
  bench.run();
  const Femtos end = bench.counters.last_visible() + from_ns(1000);
  for (models::Engine* engine : bench.all()) {
    engine->close(end);
    Femtos sum = engine->counters().busy;
    for (const Femtos idle : engine->counters().idle) {
      sum += idle;
    }
    EXPECT_EQ(sum, end) << engine->name();
  }
  // Tensor waited first for Scalar (700 cycles of 1.2 GHz + 30 ns), then for Vector, then it had
  // finished.
  const auto& idle = bench.tensor.counters().idle;
  EXPECT_NEAR(idle[static_cast<std::size_t>(IdleCause::kScalar)].ns(), 700 / 1.2 + 30, 1e-5);
  EXPECT_GT(idle[static_cast<std::size_t>(IdleCause::kVector)], Femtos{0});
  EXPECT_GE(idle[static_cast<std::size_t>(IdleCause::kFinished)], from_ns(1000));
}

}  // namespace
}  // namespace trnsim::models
