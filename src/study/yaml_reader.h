// Strict access to a YAML file: findings with positions instead of exceptions.
#pragma once

#include <yaml-cpp/yaml.h>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "trnsim/base/error.h"

namespace trnsim::study {

class YamlReader {
 public:
  explicit YamlReader(std::string path) : path_(std::move(path)) {}

  // Throws Error: unreadable, no YAML.
  [[nodiscard]] YAML::Node load() const;
  // Throws Error if there are findings.
  void finish();

  [[nodiscard]] const std::string& path() const { return path_; }
  [[nodiscard]] Location where(const YAML::Node& node) const;
  void find(const YAML::Node& at, std::string what, std::string hint = {});

  // False and a finding where `node` is no map; unknown and repeated keys are findings.
  bool check_map(const YAML::Node& node, const std::vector<std::string>& keys);
  // Each reads map[key] if it is there: a value of the wrong kind is a finding and changes nothing.
  void text(const YAML::Node& map, const char* key, std::string& value);
  void number(const YAML::Node& map, const char* key, double least, double most, double& value);
  void number(const YAML::Node& map, const char* key, double least, double most,
              std::optional<double>& value);
  void count(const YAML::Node& map, const char* key, std::uint32_t least, std::uint32_t most,
             std::uint32_t& value);
  void texts(const YAML::Node& map, const char* key, std::vector<std::string>& values);
  void counts(const YAML::Node& map, const char* key, std::vector<std::uint32_t>& values);
  // Index in `names`.
  void choice(const YAML::Node& map, const char* key, const std::vector<std::string>& names,
              std::size_t& index);
  // The entries of a list; none if it is absent or no list (a finding).
  [[nodiscard]] std::vector<YAML::Node> list(const YAML::Node& map, const char* key);

 private:
  std::string path_;
  std::vector<Finding> findings_;
};

}  // namespace trnsim::study
