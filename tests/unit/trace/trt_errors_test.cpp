// Damaged .trt files: each prefix and each flipped byte gives a clear Error or the same trace.
#include <gtest/gtest.h>

#include "example_traces.h"
#include "trnsim/trace/file.h"

namespace trnsim::trace {
namespace {

std::string read_error(const std::string& content) {
  const TemporaryFile file(".trt");
  file.fill(content);
  std::string text = error_of([&] { (void)read_trt(file.path()); });
  if (!text.empty()) {
    EXPECT_EQ(text.rfind(file.path() + ": ", 0), 0U) << text;
    text.erase(0, file.path().size() + 2);
  }
  return text;
}

std::string good_file() {
  const TemporaryFile file(".trt");
  write_trt(small_trace(), file.path());
  return file.content();
}

TEST(TrtErrors, MissingFilesAndFoldersAreNamed) {
  EXPECT_EQ(error_of([] { (void)read_trt("/nonexistent/x.trt"); }),
            "/nonexistent/x.trt: cannot be read: No such file or directory");
  EXPECT_EQ(error_of([] { (void)read_trt("/tmp"); }), "/tmp: is a folder, not a file");
}

TEST(TrtErrors, OtherFilesAreNotTrt) {
  EXPECT_EQ(read_error(""), "is empty");
  EXPECT_EQ(read_error("hello, world"), "not a .trt file (no gzip header)");
  const std::string other = "not a .trt file (a gzip file of something else)";
  EXPECT_EQ(read_error(gzip("hello, world")).substr(0, other.size()), other);
  EXPECT_EQ(read_error(gzip(std::string(100'000, '\0'))).substr(0, other.size()), other);
  EXPECT_NE(read_error(gzip("")), "");
}

TEST(TrtErrors, EveryPrefixIsTruncated) {
  const std::string good = good_file();
  for (std::size_t length = 2; length < good.size(); ++length) {
    EXPECT_NE(read_error(good.substr(0, length)).find("is truncated"), std::string::npos) << length;
  }
}

TEST(TrtErrors, EveryPrefixOfTheContentIsAnError) {
  const std::string plain = gunzip(good_file());
  for (std::size_t length = 0; length < plain.size(); ++length) {
    EXPECT_NE(read_error(gzip(plain.substr(0, length))).find("is truncated"), std::string::npos)
        << length;
  }
}

TEST(TrtErrors, EveryFlippedByteOfTheFileIsNoticedOrHarmless) {
  const std::string good = good_file();
  const Trace expected = small_trace();
  const TemporaryFile file(".trt");
  for (std::size_t at = 0; at < good.size(); ++at) {
    for (const int mask : {0x01, 0x80, 0xff}) {
      std::string bad = good;
      bad[at] = static_cast<char>(bad[at] ^ mask);
      file.fill(bad);
      Trace trace;
      const std::string text = error_of([&] { trace = read_trt(file.path()); });
      // Harmless: time and system of the gzip header, and a copy from another place of equal bytes.
      EXPECT_TRUE(!text.empty() || trace == expected) << at;
    }
  }
}

TEST(TrtErrors, EveryFlippedByteOfTheContentIsNoticed) {
  const std::string plain = gunzip(good_file());
  for (std::size_t at = 0; at < plain.size(); ++at) {
    for (const int mask : {0x01, 0x08, 0x80, 0xff}) {
      std::string bad = plain;
      bad[at] = static_cast<char>(bad[at] ^ mask);
      EXPECT_NE(read_error(gzip(bad)), "") << at;
    }
  }
}

TEST(TrtErrors, DataAfterTheEndIsNoticed) {
  EXPECT_NE(read_error(good_file() + "x").find("data after the end of the gzip stream"),
            std::string::npos);
  EXPECT_NE(read_error(gzip(gunzip(good_file()) + "x")).find("data after the footer"),
            std::string::npos);
}

TEST(TrtErrors, ADamagedGzipChecksumIsNoticed) {
  std::string bad = good_file();
  bad[bad.size() - 6] = static_cast<char>(bad[bad.size() - 6] ^ 1);
  EXPECT_NE(read_error(bad).find("is corrupted: incorrect data check"), std::string::npos);
}

TEST(ReadTrace, ChoosesByExtension) {
  EXPECT_EQ(error_of([] { (void)read_trace("kernel.txt"); }),
            "kernel.txt: is no trace: the name must end in .trt or .jsonl");
  const TemporaryFile file(".trt");
  write_trt(small_trace(), file.path());
  EXPECT_TRUE(read_trace(file.path()) == small_trace());
}

}  // namespace
}  // namespace trnsim::trace
