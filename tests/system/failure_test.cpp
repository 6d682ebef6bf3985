// What goes wrong is said: deadlock, interruption, too little memory.
#include <gtest/gtest.h>

#include "support/run.h"
#include "trnsim/base/error.h"

namespace trnsim {
namespace {

using trace::Engine;

std::string error_of(const spec::SystemSpec& system, const sim::Job& job) {
  try {
    (void)sim::simulate(system, job);
  } catch (const Error& error) {
    return error.what();
  }
  return "";
}

// Vector waits for a completion of Scalar, whose stream is empty.
TEST(Failure, DeadlockNamesTheEngineAndWhatItWaitsFor) {
  auto program = std::make_shared<lower::Program>();
  lower::Step step;
  step.opcode = trace::Opcode::kTensorCopy;
  step.interval_cycles = 64;
  step.latency_cycles = 64;
  step.num_waits = 1;
  program->waits = {{static_cast<lower::QueueId>(Engine::kScalar), 1}};
  program->streams[static_cast<std::size_t>(Engine::kVector)] = {step};
  const std::string text = error_of(test::shipped("trn2-core").spec, {{program}});
  EXPECT_NE(text.find("deadlock"), std::string::npos) << text;
  EXPECT_NE(text.find("core0.vector"), std::string::npos) << text;
  EXPECT_NE(text.find("waits for Scalar >= 1"), std::string::npos) << text;
  EXPECT_EQ(text.find("tensor:"), std::string::npos) << text;  // the others are done
}

TEST(Failure, DeadlockOfManyCoresIsCutShort) {
  auto program = std::make_shared<lower::Program>();
  lower::Step step;
  step.num_waits = 1;
  program->waits = {{static_cast<lower::QueueId>(Engine::kScalar), 1}};
  program->streams[static_cast<std::size_t>(Engine::kVector)] = {step};
  const spec::SystemSpec& system = test::shipped("trn2.48xlarge").spec;
  sim::Job job;
  job.programs.assign(system.cores(), program);
  const std::string text = error_of(system, job);
  EXPECT_NE(text.find("and 116 more"), std::string::npos) << text;
}

TEST(Failure, TheStopFlagInterrupts) {
  const spec::SystemSpec& system = test::shipped("trn2-core").spec;
  const sim::Job job{
      workload::place_gemm(system, test::gemm_options(2048, 2048, 2048), {}).programs};
  const volatile std::sig_atomic_t flag = 1;
  sim::Options options;
  options.stop_flag = &flag;
  EXPECT_THROW((void)sim::simulate(system, job, options), sim::Interrupted);
  // The next run in the same process is not affected.
  EXPECT_GT(sim::simulate(system, job).time, Femtos{0});
}

TEST(Failure, KernelLargerThanItsShareOfHbm) {
  const auto program_of = [](double gib) {
    auto program = std::make_shared<lower::Program>();
    program->kernel = "large";
    program->hbm_footprint_bytes = static_cast<std::uint64_t>(gib * 0x1p30);
    return program;
  };
  // A stack of 24 GiB: whole for the one core of trn2-core, half for each of two.
  const spec::SystemSpec& core = test::shipped("trn2-core").spec;
  const std::string alone = error_of(core, {{program_of(24.5)}});
  EXPECT_NE(alone.find("kernel 'large' needs 24.50 GiB"), std::string::npos) << alone;
  EXPECT_NE(alone.find("its share is 24.00 GiB"), std::string::npos) << alone;
  EXPECT_EQ(error_of(core, {{program_of(23.5)}}), "");
  const spec::SystemSpec& chip = test::shipped("trn2.3xlarge").spec;
  sim::Job job;
  job.programs.assign(chip.cores(), nullptr);
  job.programs[3] = program_of(12.5);
  const std::string shared = error_of(chip, job);
  EXPECT_NE(shared.find("its share is 12.00 GiB"), std::string::npos) << shared;
}

// Three tiles of 100 KiB per partition in about 200 KiB: the first is written out and read back.
TEST(Failure, SpillsAreReportedAndMoveBytes) {
  trace::TraceBuilder builder("spill", "test");
  constexpr std::uint32_t kColumns = 50 * 1024;  // bf16: 100 KiB
  std::vector<trace::View> tiles;
  for (int t = 0; t < 3; ++t) {
    const auto in = builder.hbm("in", DType::kBFloat16, {128, kColumns}, trace::Role::kInput);
    tiles.push_back(builder.sbuf("tile", DType::kBFloat16, 128, {kColumns}));
    builder.dma(tiles.back(), in, Engine::kSync);
  }
  for (const trace::View& tile : tiles) {
    builder.copy(builder.psum("out", DType::kFloat32, 128, {256}), tile.slice(0, 0, 256),
                 Engine::kVector);
  }
  const test::Run run = test::run_trace(test::shipped("trn2-core").spec, builder.take());
  const std::uint64_t tile_bytes = 128 * kColumns * 2;
  EXPECT_GE(run.record.alloc.spills, 1U);
  EXPECT_GE(run.record.alloc.reloads, 1U);
  EXPECT_EQ(run.record.alloc.spill_bytes,
            (run.record.alloc.spills + run.record.alloc.reloads) * tile_bytes);
  EXPECT_EQ(run.record.hbm.read_bytes, (3 + run.record.alloc.reloads) * tile_bytes);
  EXPECT_EQ(run.record.hbm.write_bytes, run.record.alloc.spills * tile_bytes);
  test::expect_conserved(run.record);
}

TEST(Failure, AnEmptyProgramTakesNoTime) {
  const auto program = std::make_shared<lower::Program>();
  const test::Run run = test::run(test::shipped("trn2-core").spec, {{program}});
  EXPECT_EQ(run.record.time, Femtos{0});
  EXPECT_EQ(run.record.instructions, 0U);
  EXPECT_EQ(run.metrics.mfu, 0);
}

}  // namespace
}  // namespace trnsim
