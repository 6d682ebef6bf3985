// The interval map of writers and readers.
#include "dependency.h"

#include <gtest/gtest.h>

#include "helpers.h"

namespace trnsim::lower::test {
namespace {

constexpr std::uint32_t kQueues = 4;

class AccessMapTest : public testing::Test {
 protected:
  void read(std::uint64_t begin, std::uint64_t end, QueueId queue, std::uint32_t count) {
    needs_.clear();
    map_.read({begin, end}, queue, count, needs_);
  }
  void write(std::uint64_t begin, std::uint64_t end, QueueId queue, std::uint32_t count) {
    needs_.clear();
    map_.write({begin, end}, queue, count, needs_);
  }
  // Counts per queue: true dependencies, and all.
  [[nodiscard]] std::vector<std::uint32_t> raw() const {
    return {needs_.raw(0), needs_.raw(1), needs_.raw(2), needs_.raw(3)};
  }
  [[nodiscard]] std::vector<std::uint32_t> any() const {
    return {needs_.any(0), needs_.any(1), needs_.any(2), needs_.any(3)};
  }
  using Counts = std::vector<std::uint32_t>;

 private:
  AccessMap map_;
  Needs needs_{kQueues};
};

TEST_F(AccessMapTest, ReadersNeedTheWriter) {
  write(0, 64, 0, 1);
  EXPECT_EQ(any(), (Counts{0, 0, 0, 0}));
  read(0, 64, 1, 1);
  EXPECT_EQ(raw(), (Counts{1, 0, 0, 0}));
}

TEST_F(AccessMapTest, WritersNeedReadersAndWriterForOrderOnly) {
  write(0, 64, 0, 1);
  read(0, 64, 1, 1);
  read(0, 64, 2, 7);
  write(0, 64, 3, 1);
  EXPECT_EQ(raw(), (Counts{0, 0, 0, 0}));
  EXPECT_EQ(any(), (Counts{1, 1, 7, 0}));
}

TEST_F(AccessMapTest, NeighboursDoNotMeet) {
  write(0, 8, 0, 1);
  read(8, 16, 1, 1);
  EXPECT_EQ(any(), (Counts{0, 0, 0, 0}));
  write(16, 24, 2, 1);
  EXPECT_EQ(any(), (Counts{0, 0, 0, 0}));
  read(7, 9, 3, 1);  // one byte of the first
  EXPECT_EQ(raw(), (Counts{1, 0, 0, 0}));
}

TEST_F(AccessMapTest, PartialWritesSplitTheRange) {
  write(0, 64, 0, 1);
  write(16, 32, 1, 1);
  EXPECT_EQ(any(), (Counts{1, 0, 0, 0}));
  read(0, 16, 2, 1);
  EXPECT_EQ(raw(), (Counts{1, 0, 0, 0}));
  read(16, 32, 2, 2);
  EXPECT_EQ(raw(), (Counts{0, 1, 0, 0}));
  read(32, 64, 2, 3);
  EXPECT_EQ(raw(), (Counts{1, 0, 0, 0}));
  read(8, 40, 2, 4);
  EXPECT_EQ(raw(), (Counts{1, 1, 0, 0}));
}

TEST_F(AccessMapTest, PartialReadsAreRememberedWhereTheyWere) {
  write(0, 64, 0, 1);
  read(0, 32, 1, 1);
  write(32, 64, 2, 1);  // nobody read this half
  EXPECT_EQ(any(), (Counts{1, 0, 0, 0}));
  write(31, 33, 3, 1);
  EXPECT_EQ(any(), (Counts{1, 1, 1, 0}));
}

TEST_F(AccessMapTest, ReadersOfUnwrittenBytesCountToo) {
  read(0, 8, 1, 5);
  EXPECT_EQ(any(), (Counts{0, 0, 0, 0}));
  write(4, 12, 2, 1);
  EXPECT_EQ(any(), (Counts{0, 5, 0, 0}));
}

TEST_F(AccessMapTest, KeepsTheLatestReaderOfAQueue) {
  read(0, 8, 1, 1);
  read(0, 8, 1, 3);
  write(0, 8, 2, 1);
  EXPECT_EQ(any(), (Counts{0, 3, 0, 0}));
}

TEST_F(AccessMapTest, AWriteReplacesWhatItCovers) {
  write(0, 8, 0, 1);
  read(0, 8, 1, 1);
  write(0, 8, 2, 1);
  write(0, 8, 3, 1);  // the first two are behind queue 2 now
  EXPECT_EQ(any(), (Counts{0, 0, 1, 0}));
}

TEST_F(AccessMapTest, AnInstructionDoesNotNeedItself) {
  read(0, 8, 1, 1);
  write(0, 8, 1, 1);  // in place
  EXPECT_EQ(any(), (Counts{0, 0, 0, 0}));
  read(0, 8, 1, 2);
  EXPECT_EQ(raw(), (Counts{0, 1, 0, 0}));
}

}  // namespace
}  // namespace trnsim::lower::test
