// Random small kernels on every generation: nothing is lost, nothing deadlocks, nobody reads a tile
// before it is written.
#include <gtest/gtest.h>

#include <map>

#include "support/run.h"

namespace trnsim {
namespace {

using trace::Engine;

class Random {
 public:
  explicit Random(std::uint32_t seed) : state_(seed * 2654435761U + 12345) {}
  // 0 .. bound - 1
  std::uint32_t below(std::uint32_t bound) {
    state_ = state_ * 1664525U + 1013904223U;
    return (state_ >> 8) % bound;
  }

 private:
  std::uint32_t state_;
};

// A pool of tiles and tensors, and instructions between random ones of them.
trace::Trace random_trace(std::uint32_t seed) {
  Random random(seed);
  trace::TraceBuilder builder("random", "test");
  constexpr std::uint32_t kColumns = 256;
  std::vector<trace::View> hbm;
  std::vector<trace::View> sbuf;
  std::vector<trace::View> psum;
  const auto dtype = [&] { return random.below(3) == 0 ? DType::kFloat32 : DType::kBFloat16; };
  for (int i = 0; i < 4; ++i) {
    hbm.push_back(builder.hbm("h", dtype(), {128, kColumns}, trace::Role::kInput));
  }
  for (int i = 0; i < 6; ++i) {
    sbuf.push_back(builder.sbuf("s", dtype(), 128, {kColumns}));
  }
  for (int i = 0; i < 3; ++i) {
    psum.push_back(builder.psum("p", DType::kFloat32, 128, {kColumns}));
  }
  const auto any = [&](std::vector<trace::View>& views) {
    return views[random.below(static_cast<std::uint32_t>(views.size()))];
  };
  const auto queue = [&] {
    constexpr std::array<Engine, 3> kTriggers{Engine::kSync, Engine::kScalar, Engine::kGpSimd};
    return kTriggers[random.below(3)];
  };
  const std::uint32_t count = 40 + random.below(200);
  for (std::uint32_t i = 0; i < count; ++i) {
    switch (random.below(9)) {
      case 0:
      case 1:
        builder.dma(any(sbuf), any(hbm), queue());
        break;
      case 2:
        builder.dma(any(hbm), any(sbuf), queue());
        break;
      case 3:
        builder.dma(any(sbuf), any(sbuf), queue());
        break;
      case 4:
        builder.dma(any(hbm), any(hbm), queue());
        break;
      case 5: {
        const trace::View weights = any(sbuf);
        const trace::View moving = any(sbuf);
        builder.matmul(any(psum), weights.slice(0, 0, 128),
                       moving.dtype == weights.dtype ? moving : weights, random.below(2) == 0);
        break;
      }
      case 6:
        builder.copy(any(sbuf), any(psum),
                     random.below(2) == 0 ? Engine::kVector : Engine::kScalar);
        break;
      case 7:
        builder.copy(any(sbuf), any(sbuf),
                     random.below(2) == 0 ? Engine::kVector : Engine::kGpSimd);
        break;
      default:
        if (random.below(8) == 0) {
          builder.fence();
        } else {
          builder.copy(any(psum), any(psum), Engine::kScalar);
        }
        break;
    }
  }
  return builder.take();
}

// Of the instructions on engines (DMAs have no trace instruction in the timeline).
void expect_in_order(const trace::Trace& trace, const sim::RunRecord& record) {
  struct Span {
    Femtos start{0};
    Femtos end{0};
  };
  std::map<std::uint32_t, Span> spans;
  for (const sim::TimelineSlice& slice : record.timeline) {
    if (slice.trace_instruction == UINT32_MAX || slice.name == "LDWEIGHTS" ||
        slice.name == "ACT_TABLE_LOAD") {
      continue;
    }
    const auto [span, fresh] =
        spans.try_emplace(slice.trace_instruction, Span{slice.start, slice.end});
    span->second.end = max(span->second.end, slice.end);  // fp32 matmuls have two halves
    (void)fresh;
  }
  std::map<std::uint32_t, std::uint32_t> writer;  // by tensor
  for (std::uint32_t i = 0; i < trace.instructions.size(); ++i) {
    const trace::Instruction& instruction = trace.instructions[i];
    const bool dma = trace::is_dma(instruction.opcode);
    for (const trace::Operand& operand : trace.inputs(instruction)) {
      const auto found = writer.find(operand.tensor);
      if (!dma && found != writer.end()) {
        ASSERT_GE(spans.at(i).start, spans.at(found->second).end)
            << "instruction " << i << " reads what instruction " << found->second << " writes";
      }
    }
    for (const trace::Operand& operand : trace.outputs(instruction)) {
      if (dma) {
        writer.erase(operand.tensor);
      } else {
        writer[operand.tensor] = i;
      }
    }
  }
}

class RandomKernel : public ::testing::TestWithParam<const char*> {};

TEST_P(RandomKernel, KeepsEveryLaw) {
  for (std::uint32_t seed = 0; seed < 40; ++seed) {
    SCOPED_TRACE(seed);
    const trace::Trace trace = random_trace(seed);
    spec::SystemSpec system = test::shipped(GetParam()).spec;
    const std::uint32_t copies = 1 + seed % system.cores();
    const test::Run run = test::run_trace(system, trace, copies);
    test::expect_conserved(run.record);
    expect_in_order(trace, run.record);
    system.chip.hbm.model = spec::HbmModel::kBanked;
    const test::Run banked = test::run_trace(system, trace, copies);
    test::expect_conserved(banked.record);
    expect_in_order(trace, banked.record);
    test::expect_equal(banked.record, test::run_trace(system, trace, copies).record);
  }
}

TEST_P(RandomKernel, LookAheadAndBalanceKeepThemToo) {
  for (std::uint32_t seed = 0; seed < 20; ++seed) {
    SCOPED_TRACE(seed);
    const trace::Trace trace = random_trace(seed);
    const spec::SystemSpec& system = test::shipped(GetParam()).spec;
    lower::Options options;
    options.window = 1 + seed;
    options.engines = lower::EnginePolicy::kBalance;
    options.alloc = lower::AllocPolicy::kFirstFit;
    const test::Run run =
        test::run_program(system, lower::lower(trace, system.chip.core, options), 1);
    test::expect_conserved(run.record);
    expect_in_order(trace, run.record);
  }
}

INSTANTIATE_TEST_SUITE_P(Systems, RandomKernel,
                         ::testing::Values("trn1.2xlarge", "trn2.3xlarge", "trn3-core"),
                         [](const auto& test) {
                           std::string name = test.param;
                           std::erase_if(name, [](char c) { return c == '.' || c == '-'; });
                           return name;
                         });

}  // namespace
}  // namespace trnsim
