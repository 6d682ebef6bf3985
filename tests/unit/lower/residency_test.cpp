// Which tile is on chip when: addresses, spills, reloads and their report.
//
// Tiles are [128, 128] fp32: 512 bytes per partition, 65,536 in all. A core with 1 KiB holds two.
#include "residency.h"

#include <gtest/gtest.h>

#include <map>
#include <numeric>

#include "helpers.h"

namespace trnsim::lower::test {
namespace {

View tile(TraceBuilder& b, const char* name, std::int64_t pinned = -1) {
  return b.sbuf(name, kF32, 128, {128}, pinned);
}

void store(TraceBuilder& b, const View& source) {
  b.dma(b.hbm("y", kF32, {128, 128}, Role::kOutput), source);
}

TEST(Residency, ReleasesATileAfterItsLastAccess) {
  TraceBuilder b("k", "test");
  for (int i = 0; i < 20; ++i) {
    b.memset(tile(b, "t"), 0, Engine::kVector);  // dead at once
  }
  const auto program = lower(b.take(), with_sbuf(1024));
  EXPECT_EQ(program->alloc.spills, 0U);
  EXPECT_EQ(program->alloc.sbuf_peak_bytes_per_partition, 512U);
}

// Nine tiles, room for eight: the ninth takes the place of t6, which is needed last, at 36. The ninth is free
// from 9 on, so t6 comes back 16 instructions before its turn, at 20; then nothing has to move.
TEST(Residency, BringsASpilledTileBackBeforeItsTurn) {
  TraceBuilder b("k", "test");
  std::vector<View> tiles;
  for (int i = 0; i < 9; ++i) {
    tiles.push_back(tile(b, "t"));
    b.memset(tiles.back(), 0, Engine::kVector);  // 0 to 8
  }
  store(b, tiles[8]);
  for (int i = 10; i < 30; ++i) {
    store(b, tiles[7]);
  }
  for (int i = 30; i < 37; ++i) {
    store(b, tiles[static_cast<std::size_t>(i - 30)]);
  }
  const trace::Trace trace = b.take();
  std::vector<std::uint32_t> order(trace.instructions.size());
  std::iota(order.begin(), order.end(), 0U);
  AllocReport report;
  Residency residency(trace, order, with_sbuf(4096), {}, report);
  std::map<std::uint32_t, std::size_t> moved;
  for (std::uint32_t at = 0; at < order.size(); ++at) {
    std::vector<TileMove> moves;
    residency.prepare(at, 16, moves);
    residency.enter(at, trace.instructions[at], moves);
    residency.leave(at, trace.instructions[at]);
    if (!moves.empty()) {
      moved[at] = moves.size();
      EXPECT_EQ(moves[0].tensor, tiles[6].tensor);
      EXPECT_EQ(moves[0].to_hbm, at == 8);
    }
  }
  EXPECT_EQ(moved, (std::map<std::uint32_t, std::size_t>{{8, 1}, {20, 1}}));
  EXPECT_EQ(report.spills, 1U);
  EXPECT_EQ(report.reloads, 1U);
}

// depth:2 gives a site two buffers in turn, whatever room there is: addresses 0, 512, 0. A third tile
// that is alive at the same time gets one of its own.
TEST(Residency, GivesASiteAsManyBuffersAsItsDepth) {
  Options options;
  options.alloc = AllocPolicy::kDepth;
  options.depth = 2;
  TraceBuilder b("k", "test");
  for (int i = 0; i < 3; ++i) {
    b.memset(tile(b, "t"), 0, Engine::kVector);
  }
  const auto rotating = lower(b.take(), with_sbuf(4096), options);
  EXPECT_EQ(rotating->alloc.sbuf_peak_bytes_per_partition, 1024U);

  TraceBuilder c("k", "test");
  const std::vector<View> alive{tile(c, "t"), tile(c, "t"), tile(c, "t")};
  for (const View& view : alive) {
    c.memset(view, 0, Engine::kVector);
  }
  for (const View& view : alive) {
    store(c, view);
  }
  EXPECT_EQ(lower(c.take(), with_sbuf(4096), options)->alloc.sbuf_peak_bytes_per_partition, 1536U);
}

// At the memset of c, a is next used at 3 and b at 4: b goes out and comes back for its store.
TEST(Residency, SpillsTheTileWithTheFurthestNextUse) {
  TraceBuilder t("k", "test");
  const View a = tile(t, "a");
  const View b = tile(t, "b");
  const View c = tile(t, "c");
  t.memset(a, 0, Engine::kVector);  // 0
  t.memset(b, 0, Engine::kVector);  // 1
  t.memset(c, 0, Engine::kVector);  // 2
  store(t, a);                      // 3
  store(t, b);                      // 4
  store(t, c);                      // 5
  const auto program = lower(t.take(), with_sbuf(1024));
  EXPECT_EQ(program->alloc.spills, 1U);
  EXPECT_EQ(program->alloc.reloads, 1U);
  EXPECT_EQ(program->alloc.spill_bytes, 2U * 65536U);
  EXPECT_EQ(program->alloc.sbuf_peak_bytes_per_partition, 1024U);
  const QueueId stores = dma_queue(*program, "qGpSimdStore");
  const QueueId spills = dma_queue(*program, "qSyncSpill");
  ASSERT_EQ(stream(*program, Engine::kSync).size(), 2U);
  // The spill of b waits for its memset, the reload into a's place for a's store and for the spill.
  EXPECT_EQ(waits(*program, Engine::kSync, 0), (std::vector<Wait>{{kVectorQ, 2}}));
  EXPECT_EQ(waits(*program, Engine::kSync, 1), (std::vector<Wait>{{stores, 1}, {spills, 1}}));
  // The memset of c waits until b's place is free, the store of b until it is back.
  EXPECT_EQ(waits(*program, Engine::kVector, 2), (std::vector<Wait>{{spills, 1}}));
  EXPECT_EQ(waits(*program, Engine::kGpSimd, 1), (std::vector<Wait>{{spills, 2}}));
  // Three stores of 64 KiB and the spill; the reload reads.
  EXPECT_EQ(program->hbm_write_bytes, 4U * 65536U);
  EXPECT_EQ(program->hbm_read_bytes, 65536U);
}

// x: 0, 5, 8; y: 1, 3, 7; z: 2, 4; w: 6, 9. At 2 x goes (5 > 3), at 6 x goes again (8 > 7).
AllocReport twice_evicted(bool write_between) {
  TraceBuilder t("k", "test");
  const View x = tile(t, "x");
  const View y = tile(t, "y");
  const View z = tile(t, "z");
  const View w = tile(t, "w");
  t.memset(x, 0, Engine::kVector);
  t.memset(y, 0, Engine::kVector);
  t.memset(z, 0, Engine::kVector);
  store(t, y);
  store(t, z);
  if (write_between) {
    t.memset(x, 1, Engine::kVector);
  } else {
    store(t, x);
  }
  t.memset(w, 0, Engine::kVector);
  store(t, y);
  store(t, x);
  store(t, w);
  return lower(t.take(), with_sbuf(1024))->alloc;
}

TEST(Residency, WritesACleanTileOutOnlyOnce) {
  const AllocReport clean = twice_evicted(false);
  EXPECT_EQ(clean.spills, 1U);
  EXPECT_EQ(clean.reloads, 2U);
  EXPECT_EQ(clean.spill_bytes, 3U * 65536U);
}

TEST(Residency, WritesADirtyTileOutAgain) {
  const AllocReport dirty = twice_evicted(true);
  EXPECT_EQ(dirty.spills, 2U);
  EXPECT_EQ(dirty.reloads, 2U);
  EXPECT_EQ(dirty.spill_bytes, 4U * 65536U);
}

TEST(Residency, ReloadsFromWhereItSpilledEvenWithoutHbmTensors) {
  TraceBuilder t("k", "test");
  const View a = tile(t, "a");
  const View b = tile(t, "b");
  t.memset(a, 0, Engine::kVector);
  t.memset(b, 0, Engine::kVector);
  t.memset(tile(t, "c"), 0, Engine::kVector);
  t.memset(a, 0, Engine::kVector);
  t.memset(b, 0, Engine::kVector);
  const auto program = lower(t.take(), with_sbuf(1024));
  ASSERT_EQ(program->dmas.size(), 2U);
  EXPECT_TRUE(program->dmas[0].spill);
  EXPECT_EQ(program->dmas[0].hbm_address, program->dmas[1].hbm_address);
  EXPECT_EQ(program->hbm_footprint_bytes, 65536U);
}

TEST(Residency, SpillsSeveralTilesForALargeOne) {
  TraceBuilder t("k", "test");
  const View a = tile(t, "a");
  const View b = tile(t, "b");
  t.memset(a, 0, Engine::kVector);
  t.memset(b, 0, Engine::kVector);
  t.memset(t.sbuf("large", kF32, 128, {256}), 0, Engine::kVector);
  store(t, a);
  store(t, b);
  const auto program = lower(t.take(), with_sbuf(1024));
  EXPECT_EQ(program->alloc.spills, 2U);
  EXPECT_EQ(program->alloc.reloads, 2U);
}

TEST(Residency, NeverSpillsWithUnlimitedMemory) {
  TraceBuilder t("k", "test");
  std::vector<View> tiles;
  for (int i = 0; i < 10; ++i) {
    tiles.push_back(tile(t, "t"));
    t.memset(tiles.back(), 0, Engine::kVector);
  }
  for (const View& view : tiles) {
    store(t, view);
  }
  Options options;
  options.alloc = AllocPolicy::kUnlimited;
  const auto program = lower(t.take(), with_sbuf(1024), options);
  EXPECT_EQ(program->alloc.spills, 0U);
  EXPECT_EQ(program->alloc.sbuf_peak_bytes_per_partition, 5120U);
}

// Addresses themselves: a pinned tile keeps its own, others go around it.
TEST(Residency, HonoursPinnedAddresses) {
  TraceBuilder t("k", "test");
  const View pinned = tile(t, "pinned", 512);
  const View first = tile(t, "first");
  const View second = tile(t, "second");
  t.memset(first, 0, Engine::kVector);
  t.memset(second, 0, Engine::kVector);
  t.memset(pinned, 0, Engine::kVector);
  t.memset(first, 0, Engine::kVector);
  t.memset(second, 0, Engine::kVector);
  const trace::Trace trace = t.take();
  AllocReport report;
  Residency residency(trace, {0, 1, 2, 3, 4}, with_sbuf(2048), {}, report);
  std::vector<TileMove> moves;
  for (std::uint32_t i = 0; i < 3; ++i) {
    residency.enter(i, trace.instructions[i], moves);
    residency.leave(i, trace.instructions[i]);
  }
  EXPECT_TRUE(moves.empty());
  EXPECT_EQ(residency.address(pinned.tensor), 512U);
  EXPECT_EQ(residency.address(first.tensor), 0U);
  EXPECT_EQ(residency.address(second.tensor), 1024U);
  EXPECT_EQ(report.sbuf_peak_bytes_per_partition, 1536U);
}

TEST(Residency, NeverSpillsAPinnedTile) {
  TraceBuilder t("k", "test");
  const View pinned = tile(t, "pinned", 0);
  const View a = tile(t, "a");
  const View b = tile(t, "b");
  t.memset(pinned, 0, Engine::kVector);
  t.memset(a, 0, Engine::kVector);
  t.memset(b, 0, Engine::kVector);  // a has to go although pinned is used last
  store(t, a);
  store(t, b);
  store(t, pinned);
  const auto program = lower(t.take(), with_sbuf(1024));
  EXPECT_EQ(program->alloc.spills, 2U);  // a for b, then b for a's store
  EXPECT_EQ(program->alloc.reloads, 2U);
}

// One bank per PSUM tile, 8 banks.
TEST(Residency, GivesEveryPsumTileItsOwnBanks) {
  TraceBuilder t("k", "test");
  const View w = t.sbuf("w", kBf16, 128, {128});
  for (int i = 0; i < 2; ++i) {
    t.matmul(t.psum("p", kF32, 128, {64}), w, w.slice(0, 0, 64), false);
  }
  const auto program = lower(t.take(), trn2());
  EXPECT_EQ(stream(*program, Engine::kTensor)[0].psum_banks, 0b01);
  EXPECT_EQ(stream(*program, Engine::kTensor)[1].psum_banks, 0b10);
}

}  // namespace
}  // namespace trnsim::lower::test
