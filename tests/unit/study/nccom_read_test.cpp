// Measured collectives as nccom-test prints them and as CSV.
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "trnsim/base/error.h"
#include "trnsim/study/collective_sweep.h"

namespace trnsim::study {
namespace {

class ReadNccom : public ::testing::Test {
 protected:
  ReadNccom()
      : path((std::filesystem::temp_directory_path() /
              ("trnsim_" + std::string(::testing::UnitTest::GetInstance()->current_test_info()->name()) +
               ".txt"))
                 .string()) {}
  ~ReadNccom() override { std::filesystem::remove(path); }

  std::vector<MeasuredCollective> read(const std::string& text) const {
    std::ofstream(path, std::ios::binary) << text;
    return read_nccom(path);
  }
  void expect(const std::string& text, const std::vector<std::pair<std::uint64_t, double>>& rows) const {
    const std::vector<MeasuredCollective> got = read(text);
    ASSERT_EQ(got.size(), rows.size()) << text;
    for (std::size_t i = 0; i < rows.size(); ++i) {
      EXPECT_EQ(got[i].bytes, rows[i].first) << text;
      EXPECT_EQ(got[i].time_us, rows[i].second) << text;
    }
  }
  // Where is "line:column", what a part of the message.
  void expect_error(const std::string& text, const std::string& where, const std::string& what) const {
    try {
      (void)read(text);
      ADD_FAILURE() << "no error for: " << text;
    } catch (const Error& error) {
      const std::string said = error.what();
      EXPECT_EQ(said.find(path + ":" + where + ": "), 0U) << said;
      EXPECT_NE(said.find(what), std::string::npos) << said;
    }
  }

  const std::string path;
};

TEST_F(ReadNccom, TheTableOfNccomTest) {
  expect(
      "NCCOM test: allr on 64 ranks\n"
      "    size(B)    count(elems)     type    time:avg(us)    algbw(GB/s)    busbw(GB/s)\n"
      "       1024             512     bf16           41.50           0.02           0.05\n"
      "  268435456       134217728     bf16         2981.25          90.04         177.27\n"
      "\n"
      "Avg bus bandwidth:      88.6600GB/s\n",
      {{1024, 41.5}, {268435456, 2981.25}});
  expect("size(B) count(elems) type time(us) algbw(GB/s) busbw(GB/s)\n2048 512 fp32 7.25 1 2\n",
         {{2048, 7.25}});
}

TEST_F(ReadNccom, CsvInAnyOrderOfColumns) {
  expect("time_us,bytes\n12.5,4096\n25,8192\n", {{4096, 12.5}, {8192, 25}});
  expect("op, size(B), Time (us)\nall_reduce, 1024, 9.75\n", {{1024, 9.75}});
  expect("size,time\r\n1024,3\r\n", {{1024, 3}});  // written on Windows
}

TEST_F(ReadNccom, TakesTheFirstColumnOfTimes) {
  expect("size_bytes time:avg(us) time(us)\n64 5 6\n", {{64, 5}});
}

TEST_F(ReadNccom, SaysWhereATableIsWrong) {
  expect_error("size(B) algbw\n1 2\n", "1:1", "a column of sizes and none of times");
  expect_error("first\nsize,time\n1024\n", "3:1", "1 columns, the header has 2");
  expect_error("size,time\n1024,3\n2048,fast\n", "3:1", "'fast' is not a number above zero");
  expect_error("size,time\n1024,0\n", "2:1", "'0' is not a number above zero");
  expect_error("time,size\n3,1K\n", "2:1", "'1K' is not a number above zero");
  expect_error("time,size\n-3,1024\n", "2:1", "'-3' is not a number above zero");
  expect_error("size,time\n1024,3us\n", "2:1", "'3us' is not");
}

TEST_F(ReadNccom, TimesAreFinite) {
  expect_error("size,time\n1024,nan\n", "2:1", "'nan' is not a number above zero");
  expect_error("size,time\n1024,inf\n", "2:1", "'inf' is not a number above zero");
}

TEST_F(ReadNccom, AFileWithoutATableIsAnError) {
  for (const char* text : {"", "hello\n", "size(B) time(us)\n", "1024 3\n"}) {
    expect_error(text, "1:1", "has no table with sizes and times");
  }
}

TEST_F(ReadNccom, AMissingFileIsAnError) {
  EXPECT_THROW((void)read_nccom("/nonexistent/nccom.txt"), Error);
}

}  // namespace
}  // namespace trnsim::study
