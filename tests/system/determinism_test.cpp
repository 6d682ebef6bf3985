// Same input, same record; idle neighbours change nothing.
#include <gtest/gtest.h>

#include "support/run.h"

namespace trnsim {
namespace {

test::Program gemm_program(const spec::SystemSpec& system, std::uint32_t size) {
  return lower::lower(kernels::gemm(test::gemm_options(size, size, size), system.chip.core),
                      system.chip.core);
}

TEST(Determinism, TwoRunsInOneProcessAreEqual) {
  const spec::SystemSpec& system = test::shipped("trn2.3xlarge").spec;
  const sim::Job job{workload::place_gemm(system, test::gemm_options(700, 900, 512), {}).programs};
  sim::Options options;
  options.timeline_cores = {0, 5};
  const sim::RunRecord first = sim::simulate(system, job, options);
  const sim::RunRecord second = sim::simulate(system, job, options);
  EXPECT_FALSE(first.timeline.empty());
  test::expect_equal(first, second);
}

TEST(Determinism, TwoRunsOnBankedHbmAreEqual) {
  spec::SystemSpec system = test::shipped("trn2.3xlarge").spec;
  system.chip.hbm.model = spec::HbmModel::kBanked;
  const sim::Job job{workload::place_gemm(system, test::gemm_options(512, 512, 512), {}).programs};
  test::expect_equal(sim::simulate(system, job), sim::simulate(system, job));
}

TEST(Determinism, ATimelineChangesNothingElse) {
  const spec::SystemSpec& system = test::shipped("trn2-core").spec;
  const test::Program program = gemm_program(system, 512);
  sim::RunRecord with = test::run_program(system, program).record;
  const sim::RunRecord without = sim::simulate(system, {{program}});
  EXPECT_FALSE(with.timeline.empty());
  EXPECT_TRUE(without.timeline.empty());
  with.timeline.clear();
  test::expect_equal(with, without);
}

// A core alone, beside 7 idle cores, in a server of 16 chips: bit-equal records.
TEST(Permutation, IdleNeighboursChangeNothing) {
  const spec::SystemSpec& core = test::shipped("trn2-core").spec;
  const test::Program program = gemm_program(core, 512);
  const sim::RunRecord alone = test::run_program(core, program).record;
  for (const char* name : {"trn2.3xlarge", "trn2.48xlarge"}) {
    const spec::SystemSpec& larger = test::shipped(name).spec;
    test::expect_equal(alone, test::run_program(larger, program).record);
  }
}

// Where in the system it runs does not matter either.
TEST(Permutation, AnyCoreIsAsFast) {
  const spec::SystemSpec& chip = test::shipped("trn2.3xlarge").spec;
  const test::Program program = gemm_program(chip, 512);
  const Femtos alone = test::run_program(chip, program).record.time;
  for (const std::uint32_t core : {1U, 4U, 7U}) {
    sim::Job job;
    job.programs.assign(chip.cores(), nullptr);
    job.programs[core] = program;
    EXPECT_EQ(sim::simulate(chip, job).time, alone) << "core " << core;
  }
}

// Pairs on different stacks do not see each other: 8 cores take as long as 2.
TEST(Permutation, StacksAreIndependent) {
  const spec::SystemSpec& chip = test::shipped("trn2.3xlarge").spec;
  const test::Program program = gemm_program(chip, 512);
  const test::Run two = test::run_program(chip, program, 2);
  const test::Run eight = test::run_program(chip, program, 8);
  EXPECT_EQ(two.record.time, eight.record.time);
  EXPECT_EQ(4 * two.record.engines[0].busy_fs, eight.record.engines[0].busy_fs);
}

}  // namespace
}  // namespace trnsim
