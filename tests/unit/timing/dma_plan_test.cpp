// How DMAs spread over engines and descriptors (hardware.md 12.2, 12.7).
#include <gtest/gtest.h>

#include <functional>

#include "helpers.h"
#include "trnsim/timing/dma_cost.h"
#include "trnsim/trace/builder.h"

namespace trnsim::timing {

// Beside the type, where the comparison of vectors looks.
static bool operator==(const DmaShare& a, const DmaShare& b) {
  return a.engine == b.engine && a.bytes == b.bytes && a.descriptors == b.descriptors;
}
static void PrintTo(const DmaShare& share, std::ostream* out) {
  *out << "{" << share.engine << ", " << share.bytes << ", " << share.descriptors << "}";
}

namespace test {
namespace {

using trace::Role;
using trace::TraceBuilder;
using trace::View;

// The plan of the last instruction that `build` writes.
DmaPlan plan(const spec::CoreSpec& core, const std::function<void(TraceBuilder&)>& build) {
  TraceBuilder b("k", "test");
  build(b);
  const trace::Trace trace = b.take();
  trace::validate(trace);
  return plan_dma(core, trace, trace.instructions.back());
}

// A contiguous load [partitions, elements] into partitions from `first` on.
DmaPlan load(const spec::CoreSpec& core, std::uint32_t partitions, std::uint32_t elements,
             DType dtype = kBf16, std::uint32_t first = 0) {
  return plan(core, [&](TraceBuilder& b) {
    const View source = b.hbm("x", dtype, {partitions, elements}, Role::kInput);
    b.dma(b.sbuf("t", dtype, 128, {elements}).part(first, partitions), source);
  });
}

std::vector<DmaShare> equal(std::uint32_t first, std::uint32_t engines, std::uint64_t bytes,
                            std::uint64_t descriptors) {
  std::vector<DmaShare> shares;
  for (std::uint32_t e = first; e < first + engines; ++e) {
    shares.push_back({e, bytes, descriptors});
  }
  return shares;
}

void expect_sums_match(const DmaPlan& p) {
  std::uint64_t bytes = 0;
  std::uint64_t descriptors = 0;
  for (const DmaShare& share : p.shares) {
    bytes += share.bytes;
    descriptors += share.descriptors;
  }
  EXPECT_EQ(bytes, p.bytes);
  EXPECT_EQ(descriptors, p.descriptors);
}

// 12.7: [128, 128] bf16 = 16 engines x 2 KiB as 8 x 256 B.
TEST(DmaPlan, GivesEachEngineEightPartitions) {
  const DmaPlan p = load(trn2(), 128, 128);
  EXPECT_EQ(p.bytes, 32768U);
  EXPECT_EQ(p.hbm_read_bytes, 32768U);
  EXPECT_EQ(p.hbm_write_bytes, 0U);
  EXPECT_EQ(p.descriptor_bytes, 256U);
  EXPECT_EQ(p.descriptors, 128U);
  EXPECT_EQ(p.shares, equal(0, 16, 2048, 8));
  EXPECT_EQ(p.hbm_row_stride_bytes, 256U);
  // The split is the same on all generations; [128, 1024] fp32 = 16 x 32 KiB.
  EXPECT_EQ(load(trn1(), 128, 128).shares, equal(0, 16, 2048, 8));
  EXPECT_EQ(load(trn3(), 128, 1024, kF32).shares, equal(0, 16, 32768, 8));
}

// ceil(P / 8) engines, lowest first. [4, 4096] bf16: one engine, 4 rows of 8 KiB.
TEST(DmaPlan, UsesFewerEnginesForFewerPartitions) {
  EXPECT_EQ(load(trn2(), 4, 4096).shares, equal(0, 1, 32768, 4));
  EXPECT_EQ(load(trn2(), 1, 4096).shares, equal(0, 1, 8192, 1));
  EXPECT_EQ(load(trn2(), 8, 4096).shares, equal(0, 1, 65536, 8));
  EXPECT_EQ(load(trn2(), 9, 4096).shares, (std::vector<DmaShare>{{0, 65536, 8}, {1, 8192, 1}}));
  EXPECT_EQ(load(trn2(), 64, 512).shares, equal(0, 8, 8192, 8));
}

// Engine = absolute partition / 8: 60..63 on 7, 64..71 on 8, 72..75 on 9.
TEST(DmaPlan, CountsPartitionsAbsolutely) {
  EXPECT_EQ(load(trn2(), 16, 64, kBf16, 60).shares,
            (std::vector<DmaShare>{{7, 512, 4}, {8, 1024, 8}, {9, 512, 4}}));
  EXPECT_EQ(load(trn2(), 32, 64, kBf16, 96).shares, equal(12, 4, 1024, 8));
  const DmaPlan pinned = plan(trn2(), [](TraceBuilder& b) {
    const View tile = b.sbuf("t", kBf16, 32, {64});
    b.trace().tensors[tile.tensor].pinned_partition = 64;
    b.dma(tile, b.hbm("x", kBf16, {32, 64}, Role::kInput));
  });
  EXPECT_EQ(pinned.shares, equal(8, 4, 1024, 8));
}

// One descriptor per contiguous run of the side with the shorter runs.
TEST(DmaPlan, CutsDescriptorsAtTheShorterRuns) {
  // 64 of 1024 columns of HBM, offset 128 columns: 128 B per row, rows 2048 B apart, from byte 256
  const DmaPlan columns = plan(trn2(), [](TraceBuilder& b) {
    const View source = b.hbm("x", kBf16, {128, 1024}, Role::kInput).slice(1, 128, 64);
    b.dma(b.sbuf("t", kBf16, 128, {64}), source);
  });
  EXPECT_EQ(columns.descriptor_bytes, 128U);
  EXPECT_EQ(columns.descriptors, 128U);
  EXPECT_EQ(columns.hbm_first_byte, 256U);
  EXPECT_EQ(columns.hbm_row_stride_bytes, 2048U);
  // Runs of 32 in SBUF, contiguous in HBM: 4 runs of 64 B per partition
  const DmaPlan chunks = plan(trn2(), [](TraceBuilder& b) {
    const View tile = b.sbuf("t", kBf16, 128, {4, 64}).slice(1, 0, 32);
    b.dma(tile, b.hbm("x", kBf16, {128, 4, 32}, Role::kInput));
  });
  EXPECT_EQ(chunks.descriptor_bytes, 64U);
  EXPECT_EQ(chunks.descriptors, 512U);
  EXPECT_EQ(chunks.shares, equal(0, 16, 2048, 32));
  // A transposed walk: one element each
  const DmaPlan elements = plan(trn2(), [](TraceBuilder& b) {
    b.dma(b.sbuf("t", kBf16, 128, {64}), b.hbm("x", kBf16, {64, 128}, Role::kInput).permute(0, 1));
  });
  EXPECT_EQ(elements.descriptor_bytes, 2U);
  EXPECT_EQ(elements.descriptors, 8192U);
}

// Rows of 6 fp32 from HBM runs of 4 (16 B): 24 B need ceil(24 / 16) = 2 descriptors per partition.
TEST(DmaPlan, RoundsRaggedRowsUp) {
  const DmaPlan p = plan(trn2(), [](TraceBuilder& b) {
    const View source = b.hbm("x", kF32, {192, 8}, Role::kInput).slice(1, 0, 4);
    b.dma(b.sbuf("t", kF32, 128, {6}).split(0, 6), source);
  });
  EXPECT_EQ(p.bytes, 3072U);
  EXPECT_EQ(p.descriptor_bytes, 16U);
  EXPECT_EQ(p.shares, equal(0, 16, 192, 16));
  expect_sums_match(p);
}

// 12.2: at most 64 KiB per descriptor. Rows of 64 KiB: 1; 64 KiB + 4 B: 2; 100 KiB: 2.
TEST(DmaPlan, CutsDescriptorsAt64KiB) {
  EXPECT_EQ(load(trn2(), 128, 16384, kF32).shares, equal(0, 16, 524288, 8));
  EXPECT_EQ(load(trn2(), 128, 16385, kF32).shares, equal(0, 16, 524320, 16));
  const DmaPlan p = load(trn2(), 128, 25600, kF32);
  EXPECT_EQ(p.descriptor_bytes, 65536U);
  EXPECT_EQ(p.descriptors, 256U);
  expect_sums_match(p);
}

DmaPlan hbm_copy(std::uint32_t elements, DType dtype) {
  return plan(trn2(), [&](TraceBuilder& b) {
    b.dma(b.hbm("y", dtype, {elements}, Role::kOutput),
          b.hbm("x", dtype, {elements}, Role::kInput));
  });
}

// 12.7: HBM to HBM in equal contiguous shares, cut at 64 KiB. 1 MiB / 16 = 64 KiB: 1 descriptor
// each.
TEST(DmaPlan, SharesHbmToHbmEquallyOverAllEngines) {
  const DmaPlan one = hbm_copy(1048576, DType::kUInt8);
  EXPECT_EQ(one.shares, equal(0, 16, 65536, 1));
  EXPECT_EQ(one.hbm_read_bytes, 1048576U);
  EXPECT_EQ(one.hbm_write_bytes, 1048576U);
  EXPECT_EQ(hbm_copy(1048576, kF32).shares, equal(0, 16, 262144, 4));
  // 1000 = 16 x 62 + 8: eight shares of 63, eight of 62, one descriptor each
  const DmaPlan small = hbm_copy(1000, DType::kUInt8);
  ASSERT_EQ(small.shares.size(), 16U);
  EXPECT_EQ(small.shares[7], (DmaShare{7, 63, 1}));
  EXPECT_EQ(small.shares[8], (DmaShare{8, 62, 1}));
  EXPECT_EQ(small.descriptor_bytes, 63U);
  expect_sums_match(small);
  // Fewer bytes than engines
  EXPECT_EQ(hbm_copy(5, DType::kUInt8).shares, equal(0, 5, 1, 1));
}

// 12.1: an inline cast moves the wider type; HBM traffic is that of its own side.
TEST(DmaPlan, CountsCastsOnTheWiderSide) {
  const DmaPlan narrow = plan(trn2(), [](TraceBuilder& b) {
    b.dma(b.sbuf("t", kBf16, 128, {512}), b.hbm("x", kF32, {128, 512}, Role::kInput));
  });
  EXPECT_EQ(narrow.bytes, 262144U);  // 128 x 512 x 4
  EXPECT_EQ(narrow.hbm_read_bytes, 262144U);
  EXPECT_EQ(narrow.descriptor_bytes, 2048U);
  const DmaPlan store = plan(trn2(), [](TraceBuilder& b) {
    b.dma(b.hbm("y", kBf16, {128, 512}, Role::kOutput), b.sbuf("t", kF32, 128, {512}));
  });
  EXPECT_EQ(store.bytes, 262144U);
  EXPECT_EQ(store.hbm_write_bytes, 131072U);  // 128 x 512 x 2
  EXPECT_EQ(store.hbm_read_bytes, 0U);
}

TEST(DmaPlan, MovesBetweenTilesWithoutHbm) {
  const DmaPlan p = plan(trn2(), [](TraceBuilder& b) {
    b.dma(b.sbuf("t", kBf16, 128, {512}).part(64, 16), b.sbuf("s", kBf16, 128, {512}).part(0, 16));
  });
  EXPECT_EQ(p.hbm_read_bytes + p.hbm_write_bytes, 0U);
  EXPECT_EQ(p.shares, equal(8, 2, 8192, 8));  // by the destination
}

// 12.7: all 16 engines cooperate on a transpose whatever its partitions.
TEST(DmaPlan, TransposesOnAllEngines) {
  const DmaPlan p = plan(trn2(), [](TraceBuilder& b) {
    b.dma_transpose(b.sbuf("t", kBf16, 64, {128}), b.hbm("x", kBf16, {128, 64}, Role::kInput));
  });
  ASSERT_EQ(p.shares.size(), 16U);
  EXPECT_EQ(p.shares[0].bytes, 1024U);  // 64 x 128 x 2 / 16
  EXPECT_EQ(p.shares[15].bytes, 1024U);
}

// One row of HBM for every partition: stride 0 between them, read 128 times.
TEST(DmaPlan, BroadcastsARowToAllPartitions) {
  const DmaPlan p = plan(trn2(), [](TraceBuilder& b) {
    View source = b.hbm("x", kF32, {512}, Role::kInput);
    source.dims.insert(source.dims.begin(), {0, 128});
    b.dma(b.sbuf("t", kF32, 128, {512}), source);
  });
  EXPECT_EQ(p.hbm_row_stride_bytes, 0U);
  EXPECT_EQ(p.descriptor_bytes, 2048U);
  EXPECT_EQ(p.hbm_read_bytes, 262144U);
}

TEST(DmaPlan, MovesWholeTilesForSpills) {
  const DmaPlan out = plan_tile_move(trn2(), 0, 128, 4096, true);
  EXPECT_EQ(out.bytes, 524288U);
  EXPECT_EQ(out.hbm_write_bytes, 524288U);
  EXPECT_EQ(out.hbm_read_bytes, 0U);
  EXPECT_EQ(out.shares, equal(0, 16, 32768, 8));
  const DmaPlan in = plan_tile_move(trn2(), 64, 32, 100000, false);
  EXPECT_EQ(in.hbm_read_bytes, 3200000U);
  EXPECT_EQ(in.descriptors, 64U);  // ceil(100000 / 65536) = 2 each
  EXPECT_EQ(in.shares, equal(8, 4, 800000, 16));
}

}  // namespace
}  // namespace test
}  // namespace trnsim::timing
