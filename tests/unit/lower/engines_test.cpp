// Engine policy and DMA queues.
#include <gtest/gtest.h>

#include <array>

#include "helpers.h"

namespace trnsim::lower::test {
namespace {

// Engine of each instruction of the trace, as "V", "S", ...
std::string engines(const trace::Trace& trace, EnginePolicy policy) {
  Options options;
  options.engines = policy;
  const auto program = lower(trace, trn2(), options);
  std::string text(trace.instructions.size(), '-');
  for (std::size_t e = 0; e < program->streams.size(); ++e) {
    for (const Step& step : program->streams[e]) {
      text[step.trace_index] = "TVSGY"[e];
    }
  }
  return text;
}

trace::Trace evacuations(int count, int pinned_to_vector = 0) {
  TraceBuilder b("k", "test");
  for (int i = 0; i < count; ++i) {
    b.copy(b.sbuf("y", kF32, 128, {512}), b.psum("p", kF32, 128, {512}),
           i < pinned_to_vector ? Engine::kVector : Engine::kUnassigned);
  }
  return b.take();
}

TEST(EnginePolicy, RuleTakesThePreferredEngine) {
  EXPECT_EQ(engines(evacuations(4), EnginePolicy::kRule), "VVVV");
}

// A PSUM copy of 512 fp32 takes (512 + 62) / 0.96 = 597.9 ns on Vector, (512 + 52) / 1.2 = 470 on
// Scalar. S 470 < V 598; V 598 < S 940; S 940 < V 1196; V 1196 < S 1410; S 1410 < V 1794.
TEST(EnginePolicy, BalanceTakesTheLeastLoadedOfVectorAndScalar) {
  EXPECT_EQ(engines(evacuations(5), EnginePolicy::kBalance), "SVSVS");
}

// Work the kernel pinned counts: V 1196 after two, then S 470 < 1794, S 940 < 1794, S 1410 < 1794,
// V.
TEST(EnginePolicy, BalanceCountsPinnedWork) {
  EXPECT_EQ(engines(evacuations(6, 2), EnginePolicy::kBalance), "VVSSSV");
}

TEST(EnginePolicy, BalanceMovesOnlyWhatScalarCanRun) {
  TraceBuilder b("k", "test");
  const View x = b.sbuf("x", kF32, 128, {512});
  const View y = b.sbuf("y", kF32, 128, {512});
  b.tensor_tensor(y, x, AluOp::kAdd, x);
  b.tensor_tensor(y, x, AluOp::kAdd, x);
  b.emit(Opcode::kActivation, Engine::kUnassigned, {y}, {x});
  EXPECT_EQ(engines(b.take(), EnginePolicy::kBalance), "VVS");
}

TEST(DmaQueues, FollowTriggerAndDirection) {
  TraceBuilder b("k", "test");
  const View hbm = b.hbm("x", kBf16, {128, 64}, Role::kInput);
  const View out = b.hbm("y", kBf16, {128, 64}, Role::kOutput);
  const View a = b.sbuf("a", kBf16, 128, {64});
  const View c = b.sbuf("c", kBf16, 128, {64});
  b.dma(a, hbm);
  b.dma(c, a);
  b.dma(out, c);
  b.dma(a, hbm, Engine::kScalar);
  b.dma(out, a, Engine::kSync);
  b.dma(c, hbm);
  const auto p = lower(b.take(), trn2());
  std::vector<std::string> names;
  for (const DmaQueue& queue : p->dma_queues) {
    names.push_back(queue.name);
  }
  EXPECT_EQ(names, (std::vector<std::string>{"qSyncLoad", "qSyncMove", "qGpSimdStore",
                                             "qScalarLoad", "qSyncStore", "qSyncSpill"}));
  std::vector<std::uint32_t> used;
  for (const DmaRequest& request : p->dmas) {
    used.push_back(request.queue);
  }
  EXPECT_EQ(used, (std::vector<std::uint32_t>{0, 1, 2, 3, 4, 0}));
  EXPECT_EQ(p->dmas[0].mode, spec::DgeMode::kHardware);
  EXPECT_EQ(p->dmas[2].mode, spec::DgeMode::kSoftware);
  EXPECT_EQ(stream(*p, Engine::kSync).size(), 4U);
}

TEST(DmaQueues, SendIndirectCopiesToGpSimd) {
  TraceBuilder b("k", "test");
  Attributes attributes;
  attributes.indirect = true;
  b.emit(Opcode::kDmaCopy, Engine::kUnassigned, {b.sbuf("t", kBf16, 128, {64})},
         {b.hbm("x", kBf16, {128, 64}, Role::kInput), b.sbuf("i", DType::kInt32, 128, {1})},
         attributes);
  const auto p = lower(b.take(), trn2());
  ASSERT_EQ(stream(*p, Engine::kGpSimd).size(), 1U);
  EXPECT_EQ(p->dmas[0].mode, spec::DgeMode::kSoftware);
}

// HBM tensors lie one after the other in steps of 64 KiB.
TEST(DmaQueues, AddressHbmTensorsApart) {
  TraceBuilder b("k", "test");
  const View x = b.hbm("x", kBf16, {128, 300}, Role::kInput);  // 76,800 B: two steps
  const View y = b.hbm("y", kBf16, {128, 64}, Role::kInput);
  b.dma(b.sbuf("a", kBf16, 128, {64}), y);
  b.dma(b.sbuf("c", kBf16, 64, {300}), x.slice(0, 64, 64));
  const auto p = lower(b.take(), trn2());
  EXPECT_EQ(p->dmas[0].hbm_address, 131072U);
  EXPECT_EQ(p->dmas[1].hbm_address, 38400U);  // 64 x 300 x 2
  EXPECT_EQ(p->hbm_footprint_bytes, 196608U);
}

// As in the profiles of NKI beta 1; spills and the like stay with Sync.
TEST(DmaQueues, OfACompiledKernelsArgumentsAreGpSimds) {
  TraceBuilder b("k", "test");
  const View x = b.sbuf("x", kBf16, 128, {64});
  const View scratch = b.hbm("scratch", kBf16, {128, 64}, Role::kTemporary);
  b.dma(x, b.hbm("in", kBf16, {128, 64}, Role::kInput));
  b.dma(scratch, x, Engine::kScalar);
  b.dma(x, scratch);
  b.dma(x, b.hbm("identity", kBf16, {128, 64}, Role::kConstant));
  b.dma(b.hbm("out", kBf16, {128, 64}, Role::kOutput), x);
  Options options;
  const trace::Trace trace = b.take();
  const auto triggers = [&] {
    const auto p = lower(trace, trn2(), options);
    return std::array{stream(*p, Engine::kGpSimd).size(), stream(*p, Engine::kScalar).size(),
                      stream(*p, Engine::kSync).size()};
  };
  EXPECT_EQ(triggers(), (std::array<std::size_t, 3>{1, 1, 3}));
  parse_order("compiled", options);
  EXPECT_EQ(triggers(), (std::array<std::size_t, 3>{2, 1, 2}));
}

TEST(Options, ParseAndPrint) {
  Options order;
  parse_order("window:4096", order);
  EXPECT_EQ(order.window, 4096U);
  EXPECT_FALSE(order.compiled);
  parse_order("compiled", order);
  EXPECT_EQ(order.window, kCompilerWindow);
  EXPECT_TRUE(order.compiled);
  EXPECT_EQ(to_string(order), "order=compiled engines=rule alloc=rotate");
  parse_order("program", order);
  EXPECT_EQ(order.window, 1U);
  EXPECT_FALSE(order.compiled);
  for (const char* wrong : {"window:0", "window:4097", "window:", "window:3x", "Program", ""}) {
    EXPECT_NE(error_of([&] { parse_order(wrong, order); }), "") << wrong;
  }
  EXPECT_EQ(parse_engine_policy("balance"), EnginePolicy::kBalance);
  EXPECT_NE(error_of([] { (void)parse_engine_policy("x"); }), "");
  Options options;
  parse_alloc_policy("first-fit", options);
  EXPECT_EQ(options.alloc, AllocPolicy::kFirstFit);
  parse_alloc_policy("depth:3", options);
  EXPECT_EQ(options.alloc, AllocPolicy::kDepth);
  EXPECT_EQ(options.depth, 3U);
  EXPECT_EQ(to_string(options), "order=program engines=rule alloc=depth:3");
  EXPECT_NE(error_of([&options] { parse_alloc_policy("depth:0", options); }), "");
  EXPECT_NE(error_of([&options] { parse_alloc_policy("x", options); }), "");
  EXPECT_EQ(to_string(Options{4, false, EnginePolicy::kBalance, AllocPolicy::kUnlimited}),
            "order=window:4 engines=balance alloc=unlimited");
}

}  // namespace
}  // namespace trnsim::lower::test
