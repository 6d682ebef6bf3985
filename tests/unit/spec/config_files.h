// A fresh folder of configuration files for one test, and the findings of loading one of them.
#pragma once

#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <stdexcept>
#include <string>
#include <vector>

#include "trnsim/base/error.h"
#include "trnsim/spec/loader.h"

namespace trnsim::spec {

class ConfigFiles : public ::testing::Test {
 protected:
  ConfigFiles() {
    std::string pattern = (std::filesystem::temp_directory_path() / "trnsim-spec-XXXXXX").string();
    if (::mkdtemp(pattern.data()) == nullptr) {
      throw std::runtime_error("mkdtemp failed");
    }
    folder_ = pattern;
  }
  ~ConfigFiles() override {
    std::error_code ignored;
    std::filesystem::remove_all(folder_, ignored);
  }

  // Writes `content` and returns the path.
  std::string write(const std::string& name, const std::string& content) const {
    const std::string path = folder_ + "/" + name;
    std::ofstream(path, std::ios::binary) << content;
    return path;
  }

  // Findings as text with the folder cut off; empty if the system loads.
  std::vector<std::string> findings(const std::string& path,
                                    const std::vector<std::string>& overrides = {}) const {
    std::vector<std::string> texts;
    try {
      static_cast<void>(load_system(path, overrides));
    } catch (const Error& error) {
      for (const Finding& finding : error.findings()) {
        std::string text = finding.text();
        for (std::size_t at = 0; (at = text.find(folder_ + "/")) != std::string::npos;) {
          text.erase(at, folder_.size() + 1);
        }
        texts.push_back(text);
      }
    }
    return texts;
  }

  // Findings of a file based on trn2-core with `content` below.
  std::vector<std::string> findings_of(const std::string& content) const {
    return findings(write("my.yaml", "base: trn2-core\n" + content));
  }

  std::string folder_;
};

using Texts = std::vector<std::string>;

}  // namespace trnsim::spec
