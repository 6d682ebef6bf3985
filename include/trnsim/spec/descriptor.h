// The key descriptors: one entry per configuration key, written once (src/spec/keys_*.cpp). YAML
// reading,
// --set, describe, JSON and the key table of configs/README.md all walk this tree.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "trnsim/spec/system_spec.h"

namespace trnsim::spec {

// Allowed values of a number, both ends included.
struct Range {
  double min = 0;
  double max = 0;

  [[nodiscard]] bool contains(double value) const;
  // "1 to 100".
  [[nodiscard]] std::string text() const;
};

enum class KeyKind : std::uint8_t {
  kGroup,   // keys below it
  kTable,   // named rows with the same keys each
  kReal,    // double
  kCount,   // std::uint32_t
  kFlag,    // bool
  kChoice,  // enum of one byte; its value indexes `choices`
  kText,    // std::string
};

struct KeyNode {
  std::string key;
  KeyKind kind = KeyKind::kGroup;
  std::string unit;                  // "" = none
  Range range;                       // kReal and kCount
  std::vector<std::string> choices;  // kChoice
  std::string doc;                   // one line
  bool optional = false;             // may be left out: the default of the struct holds
  bool structural = false;           // composition, not a hardware number: needs no source
  bool inert = false;                // described, but no model uses it yet: overriding it warns
  // Address of this member, given the address of the struct that holds it.
  std::function<void*(void*)> member;
  // kTable: adds a row to the member; all rows of the member.
  std::function<void*(void*, const std::string&)> add_row;
  std::function<std::vector<std::pair<std::string, void*>>(void*)> rows;
  std::vector<KeyNode> children;  // kGroup and kTable

  [[nodiscard]] bool is_leaf() const { return kind > KeyKind::kTable; }
  [[nodiscard]] const KeyNode* find(const std::string& name) const;
  [[nodiscard]] std::vector<std::string> child_names() const;
};

// The whole tree; its root is a SystemSpec. Built once.
[[nodiscard]] const KeyNode& system_keys();

// Every leaf of the tree as a dotted path; rows of a table appear as "<name>".
struct KeyPath {
  std::string path;
  const KeyNode* key = nullptr;
};
[[nodiscard]] std::vector<KeyPath> key_paths();

// configs/README.md: how to read it and one table per group.
[[nodiscard]] std::string key_table_markdown();

}  // namespace trnsim::spec
