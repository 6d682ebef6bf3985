// Error texts and typo hints.
#include "trnsim/base/error.h"

#include <gtest/gtest.h>

namespace trnsim {
namespace {

TEST(Error, NamesTheKnownPartsOfThePosition) {
  EXPECT_STREQ(Error("is wrong").what(), "is wrong");
  EXPECT_STREQ(Error("is wrong", {"a.yaml"}).what(), "a.yaml: is wrong");
  EXPECT_STREQ(Error("is wrong", {"a.yaml", 3, 0}).what(), "a.yaml:3: is wrong");
  EXPECT_STREQ(Error("is wrong", {"a.yaml", 3, 7}, "do this").what(),
               "a.yaml:3:7: is wrong; do this");
}

TEST(Error, SortsItsFindingsByPosition) {
  const Error error(
      {{{"b", 1, 1}, "third", ""}, {{"a", 9, 1}, "second", ""}, {{"a", 2, 5}, "first", ""}});
  EXPECT_STREQ(error.what(), "a:2:5: first\na:9:1: second\nb:1:1: third");
  ASSERT_EQ(error.findings().size(), 3U);
  EXPECT_EQ(error.findings()[0].what, "first");
}

TEST(InternalError, CarriesConditionAndMessage) {
  try {
    TRNSIM_CHECK(1 == 2, "numbers {}", 42);
    FAIL() << "did not throw";
  } catch (const InternalError& error) {
    const std::string text = error.what();
    EXPECT_NE(text.find("numbers 42"), std::string::npos);
    EXPECT_NE(text.find("1 == 2"), std::string::npos);
  }
}

TEST(NearestName, FindsTyposAndNothingElse) {
  const std::vector<std::string> names{"bandwidth_GBps", "capacity_gib", "clock_ghz"};
  EXPECT_EQ(nearest_name("bandwith_GBps", names), "bandwidth_GBps");
  EXPECT_EQ(nearest_name("clock_gzh", names), "clock_ghz");
  EXPECT_EQ(nearest_name("something_else", names), "");
  EXPECT_EQ(nearest_name("x", {}), "");
  EXPECT_EQ(did_you_mean("clock", {"clocks"}), "did you mean 'clocks'?");
  EXPECT_EQ(did_you_mean("zebra", {"clocks"}), "");
}

}  // namespace
}  // namespace trnsim
