// Figures of the shipped models against the table of interconnect.md 2.2.
#include <unistd.h>

#include "trnsim/workload/model.h"

#include <gtest/gtest.h>

#include <fstream>

#include "trnsim/base/error.h"

namespace trnsim::workload {
namespace {

struct Row {
  const char* name;
  double total_billion;
  double active_billion;  // 0 = dense, not in the table
  double training_gflop;
  double kv_kib;
  double total_unit;  // of the last digit that is printed
  double active_unit;
  double gflop_unit;
};

// As printed; KV in KiB of BF16.
constexpr Row kRows[] = {{"llama-3.1-8b", 8.0, 0, 51.5, 128, 0.1, 0, 0.1},
                         {"llama-3.1-70b", 70.6, 0, 449, 320, 0.1, 0, 1},
                         {"llama-3.1-405b", 405.8, 0, 2524, 504, 0.1, 0, 1},
                         {"gpt-oss-120b", 116.8, 5.1, 38, 72, 0.1, 0.1, 1},
                         {"qwen3-235b-a22b", 235.1, 21.6, 167, 188, 0.1, 0.1, 1},
                         {"deepseek-v3", 671.0, 36.6, 281, 68.6, 0.1, 0.1, 1},
                         {"hyp-frontier-moe-2t", 2122, 98, 648, 384, 1, 1, 1}};

TEST(Model, FiguresFollowFromTheSizes) {
  ASSERT_EQ(model_names().size(), std::size(kRows));
  for (const Row& row : kRows) {
    SCOPED_TRACE(row.name);
    const Model model = load_model(row.name);
    // 405.853 is printed as 405.8: cut, not rounded.
    EXPECT_NEAR(parameters(model) / 1e9, row.total_billion, row.total_unit * 0.6);
    if (row.active_billion > 0) {
      EXPECT_NEAR(active_matmul(model) / 1e9, row.active_billion, row.active_unit / 2);
    }
    EXPECT_NEAR(training_flops_per_token(model, 8192) / 1e9, row.training_gflop,
                row.gflop_unit / 2);
    EXPECT_NEAR(kv_bytes_per_token(model) / 1024, row.kv_kib, 0.05);
  }
}

TEST(Model, AnInventedModelSaysSo) {
  EXPECT_EQ(load_model("hyp-frontier-moe-2t").label(), "hyp-frontier-moe-2t (hypothetical)");
  EXPECT_EQ(load_model("llama-3.1-8b").label(), "llama-3.1-8b");
}

std::string message_of(const std::string& text) {
  const std::string path = testing::TempDir() + std::to_string(::getpid()) + "model_test.yaml";
  std::ofstream(path) << text;
  try {
    static_cast<void>(load_model(path));
  } catch (const Error& error) {
    std::string what = error.what();
    for (std::size_t at = what.find(path); at != std::string::npos; at = what.find(path)) {
      what.replace(at, path.size(), "F");
    }
    return what;
  }
  return "";
}

TEST(Model, EveryFindingHasItsPlace) {
  EXPECT_EQ(
      message_of(
          "source: x\nlayers: 2\nd: 8\nff: 8\nheads: 0\nkv_head: 4\nhead_dim: 8\nvocabulary: 9\n"),
      "F:1:1: 'kv_heads' is missing\n"
      "F:5:8: 'heads' must be a whole number from 1 to 10000000\n"
      "F:6:1: unknown key 'kv_head'; did you mean 'kv_heads'?");
  EXPECT_EQ(
      message_of(
          "source: x\nlayers: 2\nd: 8\nff: 8\nheads: 6\nkv_heads: 4\nhead_dim: 8\nvocabulary: 9\n"),
      "F:6:11: 6 heads cannot share 4 key/value heads evenly");
}

TEST(Model, AnUnknownNameIsCorrected) {
  try {
    static_cast<void>(load_model("llama-3.1-80b"));
    FAIL();
  } catch (const Error& error) {
    EXPECT_STREQ(error.what(),
                 "model 'llama-3.1-80b' does not exist; did you mean 'llama-3.1-70b'?");
  }
}

}  // namespace
}  // namespace trnsim::workload
