// LNC=2: the two programs of a logical core wait for each other.
#include <gtest/gtest.h>

#include "trnsim/sim/graph.h"
#include "trnsim/sim/simulate.h"
#include "trnsim/spec/loader.h"
#include "trnsim/trace/builder.h"
#include "trnsim/workload/placement.h"

namespace trnsim {
namespace {

constexpr std::size_t kVector = 1;
constexpr std::size_t kPeer = 6;

trace::Trace program(std::uint32_t elements, bool with_barrier = true) {
  trace::TraceBuilder b("pair", "test");
  b.trace().lnc = 2;
  const trace::View flag = b.hbm("flag", DType::kFloat32, {1}, trace::Role::kInput);
  const trace::View tile = b.sbuf("t", DType::kFloat32, 128, {elements});
  b.memset(tile, 0, trace::Engine::kVector);
  if (with_barrier) {
    b.emit(trace::Opcode::kCoreBarrier, trace::Engine::kVector, {}, {flag});
  }
  return b.take();
}

// fp32 memsets run at 2 elements a cycle of 0.96 GHz, 62 cycles apart from the next instruction: core 0
// reaches the barrier at (32 + 62) cycles = 97.917 ns, core 1 at (2048 + 62) = 2197.917 ns. The barrier
// takes 500 ns from there, to 2697.917 ns, an edge (2,590 cycles). Core 0 waits 2600 ns, core 1 500 ns.
TEST(Pair, BothCoresWaitForTheLater) {
  ASSERT_EQ(sim::idle_cause_names()[kPeer], "peer");
  const spec::LoadedSystem system = spec::load_system("trn2.3xlarge");
  const workload::Placement placement =
      workload::place_traces(system.spec, {program(64), program(4096)}, 1, {});
  const sim::RunRecord record = sim::simulate(system.spec, {placement.programs});
  EXPECT_EQ(record.cores_used, 2U);
  EXPECT_EQ(record.engines[kVector].idle_fs[kPeer], 3'100'000'000U);
  // Visible 12 ns after the barrier.
  EXPECT_EQ(record.time.count, 2'697'916'666U + 12'000'000U);
}

TEST(Pair, ProgramsThatMeetUnequallyOftenAreAnError) {
  const spec::LoadedSystem system = spec::load_system("trn2.3xlarge");
  const workload::Placement placement =
      workload::place_traces(system.spec, {program(64), program(64, false)}, 1, {});
  EXPECT_THROW((void)sim::simulate(system.spec, {placement.programs}), Error);
}

workload::GraphJob job_of(const spec::SystemSpec& system, const trace::Trace& first,
                          const trace::Trace& second) {
  const workload::Placement placement = workload::place_traces(system, {first, second}, 1, {});
  workload::GraphJob job;
  job.cores_per_rank = 2;
  job.ranks = fabric::make_ranks(system, 2, 1);
  for (const char* name : {"a", "b"}) {
    workload::JobNode node;
    node.name = name;
    node.programs = {placement.programs[0], placement.programs[1]};
    job.nodes.push_back(std::move(node));
  }
  return job;
}

TEST(Pair, MeetsInEveryKernelOfAGraph) {
  const spec::LoadedSystem system = spec::load_system("trn2.3xlarge");
  const sim::GraphRecord record =
      sim::simulate_graph(system.spec, job_of(system.spec, program(64), program(4096)));
  EXPECT_EQ(record.nodes[0].last_end.count, 2'697'916'666U + 12'000'000U);
  // The second starts 12 ns after an edge of 1.0416 ns, so on the next one.
  EXPECT_NEAR((record.nodes[1].last_end - record.nodes[1].first_start).ns(), 2709.9, 1.1);
  EXPECT_NEAR(static_cast<double>(record.engines[kVector].idle_fs[kPeer]), 2 * 3.1e9, 3e6);
}

TEST(Pair, HalfAPairInAGraphIsAnError) {
  const spec::LoadedSystem system = spec::load_system("trn2.3xlarge");
  workload::GraphJob job = job_of(system.spec, program(64), program(64));
  job.nodes[1].programs[1] = nullptr;
  EXPECT_THROW((void)sim::simulate_graph(system.spec, job), Error);
}

TEST(Pair, NeedsASystemAtLnc2) {
  const spec::LoadedSystem system = spec::load_system("trn2-core");
  EXPECT_THROW((void)workload::place_traces(system.spec, {program(64)}, 1, {}), Error);
}

}  // namespace
}  // namespace trnsim
