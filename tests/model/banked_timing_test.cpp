// Bank timing by hand on a small stack: 2 channels of 16 GB/s, 2 banks each, rows of 1 KiB, 256 B
// interleave, so 256 B cross a bus in 16 ns. tRCD 14, tRP 14, tRAS 33, turnaround 8, refresh every
// 3,900 for 350 ns.
//
// Address map: unit = address / 256; the channel is the sum of the binary digits of the unit,
// modulo 2. Channel 0: units 0, 3, 5, 6 are row 0 (bank 0), unit 9 = byte 2304 begins row 1 (bank
// 1). The bank is the digit sum of the row, so row 3 is bank 0 again: unit 24 = byte 6144.
#include "hbm/banked_timing.h"

#include <gtest/gtest.h>

namespace trnsim::models {
namespace {

spec::HbmSpec small_stack() {
  spec::HbmSpec spec;
  spec.peak_GBps_per_stack = 32;
  spec.channels = 2;
  spec.banks_per_channel = 2;
  spec.row_bytes = 1024;
  spec.interleave_bytes = 256;
  spec.trcd_ns = 14;
  spec.trp_ns = 14;
  spec.tras_ns = 33;
  spec.twr_turnaround_ns = 8;
  spec.trefi_ns = 3900;
  spec.trfc_ns = 350;
  return spec;
}

class BankedTimingTest : public ::testing::Test {
 protected:
  double serve(double now_ns, std::uint64_t address, std::uint64_t bytes = 256,
               bool write = false) {
    return timing_.serve(from_ns(now_ns), address, bytes, write).ns();
  }
  const spec::HbmSpec spec_ = small_stack();
  BankedTiming timing_{spec_};
};

TEST_F(BankedTimingTest, FirstAccessActivates) {
  EXPECT_DOUBLE_EQ(serve(0, 0), 14 + 16);
  EXPECT_EQ(timing_.row_misses(), 1U);
  EXPECT_EQ(timing_.row_hits(), 0U);
}

TEST_F(BankedTimingTest, OpenRowCostsTheBurstOnly) {
  serve(0, 0);
  EXPECT_DOUBLE_EQ(serve(30, 768), 30 + 16);
  EXPECT_DOUBLE_EQ(serve(46, 1280, 128), 46 + 8);  // half a unit, half the time
  EXPECT_EQ(timing_.row_hits(), 2U);
}

// Bank 0 was activated at 0, so it may precharge at 33; activate at 47, column at 61.
TEST_F(BankedTimingTest, OtherRowOfTheBankWaitsForTrasAndPrecharge) {
  serve(0, 0);
  EXPECT_DOUBLE_EQ(serve(30, 6144), 33 + 14 + 14 + 16);
  EXPECT_EQ(timing_.row_misses(), 2U);
}

// Long after tRAS only precharge and activate are left.
TEST_F(BankedTimingTest, OtherRowLaterPaysPrechargeAndActivate) {
  serve(0, 0);
  EXPECT_DOUBLE_EQ(serve(100, 6144), 100 + 14 + 14 + 16);
}

// Four reads of row 0 occupy the bus from 14 to 78, the last one from 62. The row may not close
// before that one has its column: precharge at 62, activate at 76, column at 90.
TEST_F(BankedTimingTest, RowStaysOpenForReadsThatStillQueueForTheBus) {
  EXPECT_DOUBLE_EQ(serve(0, 0, 2048), 78);
  EXPECT_DOUBLE_EQ(serve(0, 6144), 62 + 14 + 14 + 16);
}

// The activate of bank 1 hides behind the transfers of bank 0.
TEST_F(BankedTimingTest, AnotherBankActivatesMeanwhile) {
  EXPECT_DOUBLE_EQ(serve(0, 0, 2048), 14 + 4 * 16);  // four units on each channel
  EXPECT_DOUBLE_EQ(serve(0, 2304), 14 + 5 * 16);
}

TEST_F(BankedTimingTest, ChannelsWorkInParallel) {
  EXPECT_DOUBLE_EQ(serve(0, 0, 512), 14 + 16);
  EXPECT_DOUBLE_EQ(serve(0, 512, 1024), 14 + 3 * 16);
}

// Two units apart, and still on different channels.
TEST_F(BankedTimingTest, StreamsAPowerOfTwoApartDoNotMeet) {
  EXPECT_DOUBLE_EQ(serve(0, 0), 14 + 16);
  EXPECT_DOUBLE_EQ(serve(0, 512), 14 + 16);
}

TEST_F(BankedTimingTest, OneChannelWithOneBankWorks) {
  spec::HbmSpec spec = small_stack();
  spec.channels = 1;
  spec.banks_per_channel = 1;
  BankedTiming timing(spec);
  // 32 GB/s: 8 ns a unit. Row 0 holds four; the fifth unit is row 1 of the same bank, whose last
  // access began at 14 + 24 = 38: precharge until 52, activate until 66.
  EXPECT_DOUBLE_EQ(timing.serve(Femtos{0}, 0, 1280, false).ns(), 66 + 8);
}

TEST_F(BankedTimingTest, TurningTheBusCosts) {
  serve(0, 0);
  EXPECT_DOUBLE_EQ(serve(30, 768, 256, true), 30 + 8 + 16);
  EXPECT_DOUBLE_EQ(serve(54, 768, 256, true), 54 + 16);  // write after write
  EXPECT_DOUBLE_EQ(serve(70, 768, 256, false), 70 + 8 + 16);
}

// Ready at 3,914, in the refresh of 3,900 to 4,250. A femtosecond before 3,900 it starts in time.
TEST_F(BankedTimingTest, RefreshHoldsBackWhatWouldStartInIt) {
  EXPECT_DOUBLE_EQ(serve(3900, 0), 4250 + 16);
  BankedTiming other(spec_);
  EXPECT_NEAR(other.serve(from_ns(3886) - Femtos{1}, 0, 256, false).ns(), 3900 + 16, 1e-5);
  BankedTiming last(spec_);
  EXPECT_DOUBLE_EQ(last.serve(from_ns(4236), 0, 256, false).ns(), 4250 + 16);  // refresh just over
}

}  // namespace
}  // namespace trnsim::models
