// Look-ahead order.
#include <gtest/gtest.h>

#include <algorithm>
#include <utility>

#include "helpers.h"

namespace trnsim::lower::test {
namespace {

using Order = std::vector<std::uint32_t>;

Order order_of(const trace::Trace& trace, std::uint32_t window,
               const spec::CoreSpec& core = trn2()) {
  Options options;
  options.window = window;
  return issue_order(trace, core, options).order;
}

View tile(TraceBuilder& b) {
  return b.sbuf("t", kBf16, 128, {512});
}

// 0: load; then `dependent` copies of it on Vector; [fence]; then one independent memset on Vector.
trace::Trace late_data(int dependent, bool fence) {
  TraceBuilder b("k", "test");
  const View x = tile(b);
  b.dma(x, b.hbm("x", kBf16, {128, 512}, Role::kInput));
  for (int i = 0; i < dependent; ++i) {
    b.copy(tile(b), x, Engine::kVector);
  }
  if (fence) {
    b.fence();
  }
  b.memset(tile(b), 0, Engine::kVector);
  return b.take();
}

TEST(IssueOrder, OfWindowOneIsProgramOrder) {
  EXPECT_EQ(order_of(late_data(2, true), 1), (Order{0, 1, 2, 3, 4}));
}

// The copy waits for the load's 559 ns, the memset could start at once.
TEST(IssueOrder, HoistsAnIndependentInstructionIntoTheWindow) {
  EXPECT_EQ(order_of(late_data(1, false), 2), (Order{0, 2, 1}));
  EXPECT_EQ(order_of(late_data(2, false), 3), (Order{0, 3, 1, 2}));
}

// The memset comes into sight when the first copy issues; then all are ready and, as long a way from the end,
// the oldest goes first.
TEST(IssueOrder, DoesNotLookBeyondTheWindow) {
  EXPECT_EQ(order_of(late_data(2, false), 2), (Order{0, 1, 2, 3}));
  EXPECT_EQ(order_of(late_data(3, false), 3), (Order{0, 1, 2, 3, 4}));
  EXPECT_EQ(order_of(late_data(3, false), 4), (Order{0, 4, 1, 2, 3}));
}

TEST(IssueOrder, NeverCrossesAFence) {
  EXPECT_EQ(order_of(late_data(1, true), 100), (Order{0, 1, 2, 3}));
}

// A pinned range that the kernel reuses orders its tiles; tiles of the allocator do not touch.
TEST(IssueOrder, KeepsTheOrderOfOverlappingPinnedTiles) {
  const auto reuse = [](std::int64_t first, std::int64_t second) {
    TraceBuilder b("k", "test");
    const View x = b.sbuf("x", kBf16, 128, {512}, first);
    b.dma(x, b.hbm("x", kBf16, {128, 512}, Role::kInput));
    b.copy(tile(b), x, Engine::kVector);
    b.memset(b.sbuf("y", kBf16, 128, {512}, second), 0, Engine::kVector);
    return order_of(b.take(), 4);
  };
  EXPECT_EQ(reuse(0, 1023), (Order{0, 1, 2}));  // one byte in common
  EXPECT_EQ(reuse(0, 1024), (Order{0, 2, 1}));
  EXPECT_EQ(reuse(-1, -1), (Order{0, 2, 1}));
}

// 40 matmuls of 213 ns, each emptied by a copy of 598 ns: the tensor engine would open a ninth tile
// long before the first copies are done, but there are 8 banks. A window of 10: while copy 2i+1 waits, no
// further than matmul 2i+10, the sixth tile. A bank is free when its copy is done, and then the next copy has been
// issued already: of 8 banks 7 are open.
TEST(IssueOrder, OpensNoMorePsumTilesThanThereAreBanks) {
  TraceBuilder b("k", "test");
  const View w = b.sbuf("w", kBf16, 128, {128});
  const View x = b.sbuf("x", kBf16, 128, {512});
  for (int i = 0; i < 40; ++i) {
    const View acc = b.psum("acc", kF32, 128, {512});
    b.matmul(acc, w, x, false);
    b.copy(tile(b), acc, Engine::kVector);
  }
  const trace::Trace trace = b.take();
  for (const auto& [window, tiles] : {std::pair{10U, 6}, {40U, 7}, {500U, 7}}) {
    int open = 0;
    int most = 0;
    for (const std::uint32_t i : order_of(trace, window)) {
      open += i % 2 == 0 ? 1 : 0;
      most = std::max(most, open);
      open -= i % 2 == 0 ? 0 : 1;
    }
    EXPECT_EQ(most, tiles) << window;
    Options options;
    options.window = window;
    EXPECT_EQ(error_of([&] { (void)lower(trace, trn2(), options); }), "");
  }
}

// Matmul 3 waits for its load, matmul 4 could start: it may open its tile first if that leaves the
// most that program order ever holds, here the banks of both.
TEST(IssueOrder, OpensAPsumTileAheadOnlyBeyondWhatProgramOrderHolds) {
  const auto two_tiles = [](std::uint32_t elements) {
    TraceBuilder b("k", "test");
    const View w = b.sbuf("w", kBf16, 128, {128});
    const View x = tile(b);
    const View y = tile(b);
    b.memset(w, 0, Engine::kVector);
    b.dma(x, b.hbm("x", kBf16, {128, 512}, Role::kInput));
    b.memset(y, 0, Engine::kVector);
    const View late = b.psum("late", kF32, 128, {elements});
    const View early = b.psum("early", kF32, 128, {elements});
    b.matmul(late.slice(0, 0, 512), w, x, false);
    b.matmul(early.slice(0, 0, 512), w, y, false);
    b.copy(tile(b), late.slice(0, 0, 512), Engine::kVector);
    b.copy(tile(b), early.slice(0, 0, 512), Engine::kScalar);
    return order_of(b.take(), 16);
  };
  const auto before = [](const Order& order, std::uint32_t a, std::uint32_t b) {
    return std::find(order.begin(), order.end(), a) < std::find(order.begin(), order.end(), b);
  };
  EXPECT_TRUE(before(two_tiles(512), 4, 3));    // 1 bank each: 7 stay free, 2 are needed
  EXPECT_FALSE(before(two_tiles(2048), 4, 3));  // 4 banks each: 4 stay free, 8 are needed
}

// Store 1 waits for the memset; load 2, of the same engine, does not wait for it.
TEST(IssueOrder, LetsALoadOvertakeAStoreThatWaits) {
  TraceBuilder b("k", "test");
  const View x = tile(b);
  b.memset(x, 0, Engine::kVector);
  b.dma(b.hbm("out", kBf16, {128, 512}, Role::kOutput), x, Engine::kSync);
  b.dma(tile(b), b.hbm("in", kBf16, {128, 512}, Role::kInput), Engine::kSync);
  EXPECT_EQ(order_of(b.take(), 16), (Order{2, 0, 1}));
}

// Both memsets are ready; on the second a copy of Scalar waits.
TEST(IssueOrder, TakesWhatIsFurthestFromTheEndFirst) {
  TraceBuilder b("k", "test");
  const View y = tile(b);
  b.memset(tile(b), 0, Engine::kVector);
  b.memset(y, 0, Engine::kVector);
  b.copy(tile(b), y, Engine::kScalar);
  EXPECT_EQ(order_of(b.take(), 16), (Order{1, 0, 2}));
}

// Copy 2 reads what load 0 brings, copy 3 the other half of the same tile.
TEST(IssueOrder, KnowsWhichBytesAreWaitedFor) {
  TraceBuilder b("k", "test");
  const View both = b.sbuf("both", kBf16, 128, {1024});
  b.dma(both.slice(0, 512, 512), b.hbm("x", kBf16, {128, 512}, Role::kInput));
  b.memset(both.slice(0, 0, 512), 0, Engine::kVector);
  b.copy(tile(b), both.slice(0, 512, 512), Engine::kScalar);
  b.copy(tile(b), both.slice(0, 0, 512), Engine::kScalar);
  EXPECT_EQ(order_of(b.take(), 16), (Order{0, 1, 3, 2}));
}

// Two copies that Vector and Scalar can run: one each, where the kernel's engines are balanced. On trn1 they
// exclude each other on PSUM, so that the second starts no sooner on the other engine.
TEST(IssueOrder, GivesAnInstructionToTheEngineThatStartsItFirst) {
  TraceBuilder b("k", "test");
  for (int i = 0; i < 2; ++i) {
    b.copy(tile(b), b.psum("acc", kF32, 128, {512}));
  }
  const trace::Trace trace = b.take();
  Options options;
  options.window = 8;
  const auto engines = [&](const spec::CoreSpec& core) {
    return issue_order(trace, core, options).engines;
  };
  using Engines = std::vector<Engine>;
  EXPECT_EQ(engines(trn2()), (Engines{Engine::kVector, Engine::kVector}));
  options.engines = EnginePolicy::kBalance;
  EXPECT_EQ(engines(trn2()), (Engines{Engine::kVector, Engine::kScalar}));
  EXPECT_EQ(engines(trn1()), (Engines{Engine::kVector, Engine::kVector}));
  const auto program = lower(trace, trn2(), options);
  EXPECT_EQ(stream(*program, Engine::kScalar).size(), 1U);
}

TEST(IssueOrder, IsWhatLowerEmits) {
  Options options;
  options.window = 2;
  const auto program = lower(late_data(1, false), trn2(), options);
  const std::vector<Step>& vector = stream(*program, Engine::kVector);
  ASSERT_EQ(vector.size(), 2U);
  EXPECT_EQ(vector[0].trace_index, 2U);
  EXPECT_EQ(vector[1].trace_index, 1U);
}

TEST(IssueOrder, OfAnEmptyTraceIsEmpty) {
  EXPECT_TRUE(order_of(trace::Trace{}, 8).empty());
}

}  // namespace
}  // namespace trnsim::lower::test
