// What the YAML files say, with positions, after `base:` composition and before any check against
// the key descriptors.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "trnsim/base/error.h"
#include "trnsim/spec/loader.h"

namespace trnsim::spec {

struct ConfigNode {
  enum class Kind : std::uint8_t {
    kLeaf,
    kGroup,
    kInvalid,  // already reported
  };

  Kind kind = Kind::kInvalid;
  Location key_where;
  Location where;    // of the value
  std::string text;  // kLeaf
  bool quoted = false;
  std::optional<std::string> source;
  std::optional<std::string> reason;
  std::optional<Status> status;
  bool afresh = false;  // kGroup with `base`: replaces what it overrides
  std::vector<std::pair<std::string, ConfigNode>> children;  // kGroup

  [[nodiscard]] const ConfigNode* find(const std::string& key) const;
  [[nodiscard]] ConfigNode* find(const std::string& key);
};

// Reads `path` and everything it is based on. Adds to `findings` what is not a tree of groups and
// leaves.
[[nodiscard]] ConfigNode read_config(const std::string& path, std::vector<Finding>& findings);

// Puts `over` on top of `node`: leaves replace, groups merge, a group with its own base replaces.
void overlay(ConfigNode& node, ConfigNode over);

// "published", ...; in the order of Status.
[[nodiscard]] const std::vector<std::string>& status_names();

}  // namespace trnsim::spec
