// Strict reading of a YAML map: values with checks, findings with positions.
#pragma once

#include <yaml-cpp/yaml.h>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "trnsim/base/error.h"

namespace trnsim::workload {

class Fields {
 public:
  explicit Fields(std::string path) : path_(std::move(path)) {}

  // Parses text that starts at this line of the file; syntax errors are thrown.
  [[nodiscard]] YAML::Node parse(const std::string& text, int first_line = 1);

  [[nodiscard]] Location where(const YAML::Node& node) const;
  void find(const YAML::Node& at, std::string what, std::string hint = {});
  void find(Finding finding) { findings_.push_back(std::move(finding)); }
  // Findings of an Error; those without a place get that of `at`.
  void adopt(const Error& error, const YAML::Node& at);
  // Unknown and duplicate keys of a map.
  void check_keys(const YAML::Node& map, const std::vector<std::string>& names);

  // Each leaves `target` alone when the key is absent; false = absent or wrong.
  bool text(const YAML::Node& map, const std::string& key, std::string& target);
  bool count(const YAML::Node& map, const std::string& key, std::uint32_t& target,
             std::uint32_t least, std::uint32_t most = UINT32_MAX);
  // A whole number of bytes, or with KiB, MiB, GiB, KB, MB, GB.
  bool bytes(const YAML::Node& map, const std::string& key, std::uint64_t& target);
  bool number(const YAML::Node& map, const std::string& key, double& target);  // not negative
  bool flag(const YAML::Node& map, const std::string& key, bool& target);
  // One of `names`; the index.
  std::optional<std::size_t> choice(const YAML::Node& map, const std::string& key,
                                    const std::vector<std::string>& names);

  [[nodiscard]] bool ok() const { return findings_.empty(); }
  // Throws Error when there are findings.
  void finish();
  [[nodiscard]] const std::string& path() const { return path_; }

 private:
  std::string path_;
  int first_line_ = 1;
  std::vector<Finding> findings_;
};

[[nodiscard]] std::string joined(const std::vector<std::string>& names);

}  // namespace trnsim::workload
