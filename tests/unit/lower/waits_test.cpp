// Exact waits of hand-made traces, pruning, fences, pairs and elision.
//
// Queues 0..4 are Tensor, Vector, Scalar, GpSimd, Sync; DMA queues follow in order of first use.
#include <gtest/gtest.h>

#include "helpers.h"

namespace trnsim::lower::test {
namespace {

using Waits = std::vector<Wait>;

View tile(TraceBuilder& b, const char* name) {
  return b.sbuf(name, kBf16, 128, {512});
}
View input(TraceBuilder& b) {
  return b.hbm("x", kBf16, {128, 512}, Role::kInput);
}
View output(TraceBuilder& b) {
  return b.hbm("y", kBf16, {128, 512}, Role::kOutput);
}

TEST(Waits, FollowLoadComputeStore) {
  TraceBuilder b("k", "test");
  const View x = tile(b, "x");
  const View y = tile(b, "y");
  b.dma(x, input(b));
  b.copy(y, x, Engine::kVector);
  b.dma(output(b), y);
  const auto p = lower(b.take(), trn2());
  const QueueId load = dma_queue(*p, "qSyncLoad");
  EXPECT_EQ(waits(*p, Engine::kSync, 0), Waits{});
  EXPECT_EQ(waits(*p, Engine::kVector, 0), (Waits{{load, 1}}));
  EXPECT_EQ(waits(*p, Engine::kGpSimd, 0), (Waits{{kVectorQ, 1}}));
  EXPECT_EQ(p->trace_instructions, 3U);
  EXPECT_EQ(p->hardware_instructions(), 3U);
}

// Tensor-engine-free WAW and WAR inside one in-order queue are free, a true dependency is not.
TEST(Waits, InsideOneEngineOnlyForTrueDependencies) {
  TraceBuilder b("k", "test");
  const View x = tile(b, "x");
  const View y = tile(b, "y");
  const View z = tile(b, "z");
  b.copy(y, x, Engine::kVector);
  b.copy(y, x, Engine::kVector);  // WAW
  b.copy(x, z, Engine::kVector);  // WAR
  b.copy(z, y, Engine::kVector);  // RAW on the second, WAR on the third
  const auto p = lower(b.take(), trn2());
  EXPECT_EQ(waits(*p, Engine::kVector, 0), Waits{});
  EXPECT_EQ(waits(*p, Engine::kVector, 1), Waits{});
  EXPECT_EQ(waits(*p, Engine::kVector, 2), Waits{});
  EXPECT_EQ(waits(*p, Engine::kVector, 3), (Waits{{kVectorQ, 2}}));
}

TEST(Waits, OrderAWriteAfterReadsOnOtherEngines) {
  TraceBuilder b("k", "test");
  const View x = tile(b, "x");
  b.dma(x, input(b));
  b.copy(tile(b, "y"), x, Engine::kVector);
  b.copy(tile(b, "z"), x, Engine::kScalar);
  b.dma(x, input(b));  // same queue as the first load: only the readers
  const auto p = lower(b.take(), trn2());
  EXPECT_EQ(waits(*p, Engine::kSync, 1), (Waits{{kVectorQ, 1}, {kScalarQ, 1}}));
}

TEST(Waits, OrderTwoWritersOnDifferentEngines) {
  TraceBuilder b("k", "test");
  const View x = tile(b, "x");
  b.memset(x, 0, Engine::kVector);
  b.memset(x, 0, Engine::kGpSimd);
  const auto p = lower(b.take(), trn2());
  EXPECT_EQ(waits(*p, Engine::kGpSimd, 0), (Waits{{kVectorQ, 1}}));
}

// Scalar needs the load and the vector step; the vector step waited for the load already.
TEST(Waits, DropWhatAnotherWaitImplies) {
  TraceBuilder b("k", "test");
  const View x = tile(b, "x");
  const View y = tile(b, "y");
  b.dma(x, input(b));
  b.copy(y, x, Engine::kVector);
  b.tensor_tensor(tile(b, "z"), x, AluOp::kAdd, y, Engine::kGpSimd);
  const auto p = lower(b.take(), trn2());
  EXPECT_EQ(waits(*p, Engine::kGpSimd, 0), (Waits{{kVectorQ, 1}}));
  EXPECT_EQ(p->dependency_edges, 3U);  // load -> copy, load -> add, copy -> add
  EXPECT_EQ(p->waits.size(), 2U);
}

// What an earlier step of the stream waited for, later steps know.
TEST(Waits, DropWhatTheStreamKnows) {
  TraceBuilder b("k", "test");
  const View x = tile(b, "x");
  const View y = tile(b, "y");
  const View in = input(b);
  b.dma(x, in);
  b.dma(y, in);
  b.copy(tile(b, "a"), y, Engine::kVector);  // waits for load 2: load 1 is complete as well
  b.copy(tile(b, "b"), x, Engine::kVector);
  b.copy(tile(b, "c"), y, Engine::kVector);
  const auto p = lower(b.take(), trn2());
  EXPECT_EQ(waits(*p, Engine::kVector, 0), (Waits{{dma_queue(*p, "qSyncLoad"), 2}}));
  EXPECT_EQ(waits(*p, Engine::kVector, 1), Waits{});
  EXPECT_EQ(waits(*p, Engine::kVector, 2), Waits{});
}

// Loads of different tensors take up to four rings, a tensor always the same one.
TEST(Queues, LoadsOfDifferentTensorsTakeRingsInTurn) {
  TraceBuilder b("k", "test");
  const View first = input(b);
  b.dma(tile(b, "a"), first);
  for (int i = 0; i < 4; ++i) {
    b.dma(tile(b, "b"), input(b));
  }
  b.dma(tile(b, "c"), first);
  const auto p = lower(b.take(), trn2());
  std::vector<std::string> names;
  for (const DmaRequest& dma : p->dmas) {
    names.push_back(p->dma_queues[dma.queue].name);
  }
  EXPECT_EQ(names, (std::vector<std::string>{"qSyncLoad", "qSyncLoad1", "qSyncLoad2", "qSyncLoad3",
                                             "qSyncLoad", "qSyncLoad"}));
}

// Knowledge travels over two hops: Scalar's wait for Vector brings the load to GpSimd.
TEST(Waits, DropWhatFollowsOverTwoHops) {
  TraceBuilder b("k", "test");
  const View x = tile(b, "x");
  const View y = tile(b, "y");
  const View z = tile(b, "z");
  b.dma(x, input(b));
  b.copy(y, x, Engine::kVector);
  b.copy(z, y, Engine::kScalar);
  b.tensor_tensor(tile(b, "w"), x, AluOp::kAdd, z, Engine::kGpSimd);
  const auto p = lower(b.take(), trn2());
  EXPECT_EQ(waits(*p, Engine::kScalar, 0), (Waits{{kVectorQ, 1}}));
  EXPECT_EQ(waits(*p, Engine::kGpSimd, 0), (Waits{{kScalarQ, 1}}));
}

TEST(Waits, HoldEveryEngineAtAFenceOnce) {
  TraceBuilder b("k", "test");
  b.dma(tile(b, "x"), input(b));
  b.memset(tile(b, "y"), 0, Engine::kVector);
  b.fence();
  b.memset(tile(b, "z"), 0, Engine::kGpSimd);
  b.memset(tile(b, "w"), 0, Engine::kGpSimd);
  b.memset(tile(b, "v"), 0, Engine::kVector);
  const auto p = lower(b.take(), trn2());
  const Waits gpsimd = waits(*p, Engine::kGpSimd, 0);
  const auto has = [](const Waits& list, Wait wait) {
    return std::find(list.begin(), list.end(), wait) != list.end();
  };
  EXPECT_TRUE(has(gpsimd, {kVectorQ, 1}));
  EXPECT_TRUE(has(gpsimd, {dma_queue(*p, "qSyncLoad"), 1}));
  EXPECT_EQ(waits(*p, Engine::kGpSimd, 1), Waits{});
  EXPECT_TRUE(has(waits(*p, Engine::kVector, 1), {kVectorQ, 1}));  // its own work too
  EXPECT_TRUE(has(waits(*p, Engine::kVector, 1), {dma_queue(*p, "qSyncLoad"), 1}));
}

// Dependencies are exact bytes, not whole tiles.
TEST(Waits, LetDifferentColumnsOfATileProceed) {
  TraceBuilder b("k", "test");
  const View x = tile(b, "x");
  b.memset(x.slice(0, 0, 256), 0, Engine::kVector);
  b.memset(x.slice(0, 256, 256), 0, Engine::kGpSimd);
  b.copy(tile(b, "y").slice(0, 0, 256), x.slice(0, 128, 256), Engine::kScalar);  // half of each
  const auto p = lower(b.take(), trn2());
  EXPECT_EQ(waits(*p, Engine::kGpSimd, 0), Waits{});
  EXPECT_EQ(waits(*p, Engine::kScalar, 0), (Waits{{kVectorQ, 1}, {kGpSimdQ, 1}}));
}

TEST(Waits, LetInterleavedColumnsOfATileProceed) {
  TraceBuilder b("k", "test");
  const View pairs = tile(b, "x").split(0, 2);
  b.memset(pairs.slice(1, 0, 1), 0, Engine::kVector);
  b.memset(pairs.slice(1, 1, 1), 0, Engine::kGpSimd);
  const auto p = lower(b.take(), trn2());
  EXPECT_EQ(waits(*p, Engine::kGpSimd, 0), Waits{});
}

// Partitions count in quadrants of 32, the granularity of start partitions (10).
TEST(Waits, LetDifferentQuadrantsProceed) {
  TraceBuilder b("k", "test");
  const View x = tile(b, "x");
  b.memset(x.part(0, 32), 0, Engine::kVector);
  b.memset(x.part(32, 32), 0, Engine::kGpSimd);
  b.memset(x.part(0, 16), 0, Engine::kGpSimd);
  const auto p = lower(b.take(), trn2());
  EXPECT_EQ(waits(*p, Engine::kGpSimd, 0), Waits{});
  EXPECT_EQ(waits(*p, Engine::kGpSimd, 1), (Waits{{kVectorQ, 1}}));
}

TEST(Waits, SeeOverlapsOfPinnedTiles) {
  TraceBuilder b("k", "test");
  const View a = b.sbuf("a", kF32, 128, {64}, 0);
  const View overlapping = b.sbuf("b", kF32, 128, {64}, 255);
  const View apart = b.sbuf("c", kF32, 128, {64}, 511);
  b.memset(a, 0, Engine::kVector);
  b.memset(apart, 0, Engine::kGpSimd);
  b.memset(overlapping, 0, Engine::kGpSimd);  // shares byte 255 with a
  const auto p = lower(b.take(), trn2());
  EXPECT_EQ(waits(*p, Engine::kGpSimd, 0), Waits{});
  EXPECT_EQ(waits(*p, Engine::kGpSimd, 1), (Waits{{kVectorQ, 1}}));
}

// Reuse of freed memory is a dependency although the tiles are different.
TEST(Waits, OrderTheNextOwnerOfAnAddress) {
  TraceBuilder b("k", "test");
  const View a = b.sbuf("a", kF32, 128, {256});  // all of 1 KiB
  b.memset(a, 0, Engine::kVector);
  b.memset(b.sbuf("b", kF32, 128, {256}), 0, Engine::kGpSimd);
  const auto p = lower(b.take(), with_sbuf(1024));
  EXPECT_EQ(p->alloc.spills, 0U);
  EXPECT_EQ(waits(*p, Engine::kGpSimd, 0), (Waits{{kVectorQ, 1}}));
}

// Through HBM: a load of what a store wrote.
TEST(Waits, FollowDataThroughHbm) {
  TraceBuilder b("k", "test");
  const View y = output(b);
  const View x = tile(b, "x");
  b.memset(x, 0, Engine::kVector);
  b.dma(y.slice(0, 0, 64), x.part(0, 64));
  b.dma(tile(b, "z").part(0, 64), y.slice(0, 64, 64));  // the other rows
  b.dma(tile(b, "w").part(0, 64), y.slice(0, 0, 64));
  const auto p = lower(b.take(), trn2());
  EXPECT_EQ(waits(*p, Engine::kSync, 0), Waits{});
  EXPECT_EQ(waits(*p, Engine::kSync, 1), (Waits{{dma_queue(*p, "qGpSimdStore"), 1}}));
}

// fp32 on v3 is two LDWEIGHTS + MATMUL pairs; who reads the result waits for the second.
TEST(Waits, CoverBothPairsOfFp32) {
  TraceBuilder b("k", "test");
  const View w = b.sbuf("w", kF32, 128, {128});
  const View x = b.sbuf("x", kF32, 128, {512});
  const View acc = b.psum("acc", kF32, 128, {512});
  b.memset(w, 0, Engine::kVector);
  b.matmul(acc, w, x, false);
  b.copy(b.sbuf("y", kF32, 128, {512}), acc, Engine::kVector);
  const trace::Trace trace = b.take();
  const auto p = lower(trace, trn2());
  const std::vector<Step>& tensor = stream(*p, Engine::kTensor);
  ASSERT_EQ(tensor.size(), 2U);
  EXPECT_EQ(waits(*p, Engine::kTensor, 0), (Waits{{kVectorQ, 1}}));
  EXPECT_EQ(waits(*p, Engine::kTensor, 1), Waits{});
  EXPECT_EQ(waits(*p, Engine::kVector, 1), (Waits{{kTensorQ, 2}}));
  EXPECT_EQ(tensor[0].interval_cycles, 1024U);  // 2 passes x 512
  EXPECT_EQ(tensor[0].flops, 8'388'608.0);      // half of 2 x 128 x 128 x 512
  EXPECT_EQ(p->model_flops, 16'777'216.0);
  EXPECT_EQ(p->trace_instructions, 3U);
  EXPECT_EQ(p->hardware_instructions(), 2U + 4U);
  EXPECT_EQ(p->main_dtype, kF32);
  EXPECT_EQ(stream(*lower(trace, trn1()), Engine::kTensor).size(), 1U);
}

TEST(Waits, AccumulatingMatmulsFollowEachOtherFreely) {
  TraceBuilder b("k", "test");
  const View w = b.sbuf("w", kBf16, 128, {128});
  const View x = b.sbuf("x", kBf16, 128, {512});
  const View acc = b.psum("acc", kF32, 128, {512});
  b.matmul(acc, w, x, false);
  b.matmul(acc, w, x, true);
  b.copy(b.sbuf("y", kBf16, 128, {512}), acc, Engine::kScalar);
  b.matmul(acc, w, x, false);
  const auto p = lower(b.take(), trn2());
  EXPECT_EQ(waits(*p, Engine::kTensor, 1), Waits{});
  EXPECT_EQ(waits(*p, Engine::kScalar, 0), (Waits{{kTensorQ, 2}}));
  EXPECT_EQ(waits(*p, Engine::kTensor, 2), (Waits{{kScalarQ, 1}}));
}

std::uint32_t elided(double value, bool psum, bool matmul_next) {
  TraceBuilder b("k", "test");
  const View w = b.sbuf("w", kBf16, 128, {128});
  const View x = b.sbuf("x", kBf16, 128, {512});
  const View acc = b.psum("acc", kF32, 128, {512});
  b.memset(psum ? acc : x, value, Engine::kVector);
  if (!matmul_next) {
    b.copy(b.sbuf("y", kBf16, 128, {512}), acc, Engine::kScalar);
  }
  b.matmul(acc, w, x, true);
  const auto p = lower(b.take(), trn2());
  EXPECT_EQ(stream(*p, Engine::kVector).size(), 1 - p->elided_memsets);
  return p->elided_memsets;
}

// The first matmul of a group overwrites (5.1): zeroing PSUM for it does nothing.
TEST(Elision, DropsOnlyZeroMemsetsOfPsumInFrontOfAMatmul) {
  EXPECT_EQ(elided(0, true, true), 1U);
  EXPECT_EQ(elided(1, true, true), 0U);
  EXPECT_EQ(elided(0, false, true), 0U);
  EXPECT_EQ(elided(0, true, false), 0U);
}

TEST(Waits, PairCarriesItsTimes) {
  TraceBuilder b("k", "test");
  b.matmul(b.psum("acc", kF32, 128, {512}), b.sbuf("w", kBf16, 128, {128}),
           b.sbuf("x", kBf16, 128, {512}), false);
  const Step step = stream(*lower(b.take(), trn2()), Engine::kTensor).at(0);
  EXPECT_EQ(step.kind, StepKind::kMatmulPair);
  EXPECT_EQ(step.load_cycles, 32U);           // 128 / 4
  EXPECT_EQ(step.load_latency_cycles, 232U);  // + 200
  EXPECT_EQ(step.interval_cycles, 512U);
  EXPECT_EQ(step.latency_cycles, 907U);  // 512 + 395
}

}  // namespace
}  // namespace trnsim::lower::test
