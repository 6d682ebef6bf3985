// A composed ConfigNode to a SystemSpec: shape and range of every leaf, with provenance.
#pragma once

#include <map>
#include <set>
#include <string>
#include <vector>

#include "config_tree.h"
#include "trnsim/spec/descriptor.h"
#include "trnsim/spec/loader.h"

namespace trnsim::spec {

struct Resolved {
  SystemSpec spec;
  std::vector<Provenance> leaves;          // in descriptor order, only those given
  std::map<std::string, Location> places;  // of every leaf and group given
  std::set<std::string> invalid;           // paths with a finding: relations on them are skipped
};

// Never throws for user input; adds to `findings`.
[[nodiscard]] Resolved resolve(const ConfigNode& root, std::vector<Finding>& findings);

// Checks relations between values (src/spec/relations.cpp).
void check_relations(const Resolved& resolved, std::vector<Finding>& findings,
                     std::vector<std::string>& warnings);

// Applies one "a.b.c=v" (src/spec/overrides.cpp).
void apply_override(const std::string& text, ConfigNode& root, std::vector<Finding>& findings);

// Hint for a key that `group` does not have (src/spec/key_hints.cpp).
[[nodiscard]] std::string unknown_key_hint(const std::string& word, const KeyNode& group);

}  // namespace trnsim::spec
