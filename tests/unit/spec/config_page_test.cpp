// The messages shown in docs/config.md are what the loader says.
#include "config_files.h"
#include "trnsim/base/files.h"

namespace trnsim::spec {
namespace {

using ConfigPage = ConfigFiles;

// The fenced block of `page` that starts with `first_line`.
std::string block(const std::string& page, const std::string& first_line) {
  const std::size_t start = page.find("\n" + first_line);
  if (start == std::string::npos) {
    throw std::runtime_error("no block starts with " + first_line);
  }
  return page.substr(start + 1, page.find("```", start) - start - 1);
}

std::string lines(const Texts& texts) {
  std::string all;
  for (const std::string& text : texts) {
    all += text + "\n";
  }
  return all;
}

TEST_F(ConfigPage, ShowsRealMessages) {
  const std::string page = read_file(TRNSIM_SOURCE_DIR "/docs/config.md");
  const std::string wrong = write("wrong.yaml", block(page, "base: trn2.48xlarge\nlnc: 3"));
  EXPECT_EQ(lines(findings(wrong)), block(page, "wrong.yaml:2:6"));
  const std::string odd = write("odd.yaml",
                                "base: trn2.48xlarge\n"
                                "cores_per_chip_used: 12\n"
                                "fabric:\n"
                                "  link_classes:\n"
                                "    x: {extent: 8}\n");
  EXPECT_EQ(lines(findings(odd)), block(page, "odd.yaml:2:22"));
  EXPECT_EQ(lines(findings("trn2-core", {"lnc=two", "tensor.clock_ghz=3"})),
            block(page, "--set lnc=two"));
}

TEST_F(ConfigPage, ShowsASystemThatLoads) {
  const std::string page = read_file(TRNSIM_SOURCE_DIR "/docs/config.md");
  const LoadedSystem system = load_system(write("fast.yaml", block(page, "# fast.yaml")));
  EXPECT_TRUE(system.warnings.empty());
  EXPECT_EQ(system.spec.chip.hbm.peak_GBps_per_stack, 1000);
}

}  // namespace
}  // namespace trnsim::spec
