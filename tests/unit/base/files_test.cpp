// Reading and atomic writing.
#include "trnsim/base/files.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <ostream>
#include <stdexcept>

#include "trnsim/base/error.h"

namespace trnsim {
namespace {

namespace fs = std::filesystem;

class Files : public ::testing::Test {
 protected:
  void SetUp() override {
    std::string pattern = (fs::temp_directory_path() / "trnsim-files-XXXXXX").string();
    ASSERT_NE(::mkdtemp(pattern.data()), nullptr);
    folder_ = pattern;
  }
  void TearDown() override {
    fs::permissions(folder_, fs::perms::owner_all);
    fs::remove_all(folder_);
  }
  [[nodiscard]] std::string path(const char* name) const { return (folder_ / name).string(); }
  [[nodiscard]] std::size_t entries() const {
    return static_cast<std::size_t>(
        std::distance(fs::directory_iterator(folder_), fs::directory_iterator()));
  }

  fs::path folder_;
};

template <typename Function>
std::string error_of(Function function) {
  try {
    function();
  } catch (const Error& error) {
    return error.what();
  }
  return "no error";
}

TEST_F(Files, ReadsBackWhatWasWritten) {
  const std::string content("a\0b\n", 4);
  write_file_atomically(path("x"), [&](std::ostream& out) { out << content; });
  EXPECT_EQ(read_file(path("x")), content);
  EXPECT_EQ(entries(), 1U);
}

TEST_F(Files, AFailedWriteLeavesTheOldFileAndNothingElse) {
  write_file_atomically(path("x"), [](std::ostream& out) { out << "old"; });
  EXPECT_THROW(write_file_atomically(path("x"),
                                     [](std::ostream& out) {
                                       out << "half";
                                       throw std::runtime_error("stop");
                                     }),
               std::runtime_error);
  EXPECT_EQ(read_file(path("x")), "old");
  EXPECT_EQ(entries(), 1U);
}

TEST_F(Files, AFullDeviceIsAnError) {
  if (!fs::exists("/dev/full")) {
    GTEST_SKIP();
  }
  // The temporary's name cannot be chosen, so the stream itself is made to fail.
  const std::string text = error_of([&] {
    write_file_atomically(path("x"), [](std::ostream& out) { out.setstate(std::ios::badbit); });
  });
  EXPECT_NE(text.find("writing failed"), std::string::npos) << text;
  EXPECT_EQ(entries(), 0U);
}

TEST_F(Files, MissingFilesAndFoldersAreNamed) {
  const std::string missing = error_of([&] { (void)read_file(path("none")); });
  EXPECT_EQ(missing, path("none") + ": cannot be read: No such file or directory");
  EXPECT_EQ(error_of([&] { (void)read_file(folder_.string()); }),
            folder_.string() + ": is a folder, not a file");
}

TEST_F(Files, WritingIntoAMissingFolderIsAnError) {
  const std::string target = path("none/x");
  EXPECT_EQ(error_of([&] { write_file_atomically(target, [](std::ostream&) {}); }),
            target + ": cannot be written: No such file or directory");
  EXPECT_EQ(error_of([&] { check_writable(target); }),
            target + ": cannot be written: folder '" + path("none") + "' does not exist");
}

TEST_F(Files, AReadOnlyFolderIsAnError) {
  if (::geteuid() == 0) {
    GTEST_SKIP() << "root writes anywhere";
  }
  fs::permissions(folder_, fs::perms::owner_read | fs::perms::owner_exec);
  EXPECT_NE(error_of([&] { check_writable(path("x")); }).find("Permission denied"),
            std::string::npos);
  EXPECT_NE(error_of([&] {
              write_file_atomically(path("x"), [](std::ostream&) {});
            }).find("cannot be written: Permission denied"),
            std::string::npos);
}

TEST_F(Files, AFolderOnAReadOnlyFileSystemIsAnError) {
  // /proc refuses new files even to root.
  const std::string text = error_of(
      [] { write_file_atomically("/proc/trnsim-test", [](std::ostream& out) { out << "x"; }); });
  EXPECT_EQ(text.rfind("/proc/trnsim-test: cannot be written", 0), 0U) << text;
}

TEST_F(Files, CheckWritableAcceptsWhatCanBeWritten) {
  EXPECT_NO_THROW(check_writable("-"));
  EXPECT_NO_THROW(check_writable(path("new")));
  EXPECT_EQ(entries(), 0U);
  EXPECT_NE(error_of([&] { check_writable(folder_.string()); }).find("is a folder"),
            std::string::npos);
}

TEST(ContentHash, IsSha1) {
  // FIPS 180 test vector.
  EXPECT_EQ(content_hash("abc"), "a9993e364706816aba3e25717850c26c9cd0d89d");
  EXPECT_EQ(content_hash(""), "da39a3ee5e6b4b0d3255bfef95601890afd80709");
}

}  // namespace
}  // namespace trnsim
