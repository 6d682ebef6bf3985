// --set a.b.c=v: finds the leaf among the key descriptors and puts the value on top of the tree.
#include <algorithm>

#include "resolve.h"

namespace trnsim::spec {
namespace {

std::vector<std::string> split_path(const std::string& path) {
  std::vector<std::string> parts;
  std::size_t start = 0;
  while (true) {
    const std::size_t dot = path.find('.', start);
    parts.push_back(path.substr(start, dot - start));
    if (dot == std::string::npos) {
      return parts;
    }
    start = dot + 1;
  }
}

// Whole paths that end in `path`, for "tensor.clock_ghz" instead of "chip.core.tensor.clock_ghz".
std::string suffix_hint(const std::string& path) {
  std::vector<std::string> matches;
  for (const KeyPath& candidate : key_paths()) {
    if (candidate.path.ends_with("." + path)) {
      matches.push_back(candidate.path);
    }
  }
  constexpr std::size_t kMostShown = 4;
  if (matches.empty() || matches.size() > kMostShown) {
    return {};
  }
  return fmt::format("did you mean {}?", fmt::join(matches, " or "));
}

// The descriptor of `parts`, or nullptr after reporting.
const KeyNode* find_leaf(const std::vector<std::string>& parts, const std::string& path,
                         const ConfigNode& root, const Location& where,
                         std::vector<Finding>& findings) {
  const KeyNode* key = &system_keys();
  const ConfigNode* node = &root;
  std::string done;
  bool in_row = false;  // `key` is a table and its row has been named
  for (const std::string& part : parts) {
    const bool names_row = key->kind == KeyKind::kTable && !in_row;
    const KeyNode* const next = names_row ? key : key->find(part);
    if (next == nullptr) {
      const std::string hint =
          key->is_leaf() ? "'" + done + "' is a value, it has no keys" : suffix_hint(path);
      findings.push_back(
          {where, fmt::format("unknown key '{}' in {}", part, done.empty() ? "the system" : done),
           hint.empty() ? unknown_key_hint(part, *key) : hint});
      return nullptr;
    }
    node = node == nullptr ? nullptr : node->find(part);
    if (names_row && node == nullptr) {
      findings.push_back({where, fmt::format("no row '{}' in {}", part, done), ""});
      return nullptr;
    }
    done += (done.empty() ? "" : ".") + part;
    key = next;
    in_row = names_row;
  }
  if (!key->is_leaf()) {
    findings.push_back({where, fmt::format("'{}' is a group, not a value", path),
                        fmt::format("its keys: {}", fmt::join(key->child_names(), ", "))});
    return nullptr;
  }
  return key;
}

}  // namespace

void apply_override(const std::string& text, ConfigNode& root, std::vector<Finding>& findings) {
  const Location where{"--set " + text, 0, 0};
  const std::size_t equals = text.find('=');
  if (equals == std::string::npos || equals == 0) {
    findings.push_back({where, "is not of the form a.b.c=value", ""});
    return;
  }
  const std::string path = text.substr(0, equals);
  const std::vector<std::string> parts = split_path(path);
  if (root.kind != ConfigNode::Kind::kGroup ||
      find_leaf(parts, path, root, where, findings) == nullptr) {
    return;
  }
  ConfigNode node;
  node.kind = ConfigNode::Kind::kLeaf;
  node.text = text.substr(equals + 1);
  node.where = where;
  node.key_where = where;
  ConfigNode* parent = &root;
  for (std::size_t i = 0; i + 1 < parts.size(); ++i) {
    ConfigNode* next = parent->find(parts[i]);
    if (next == nullptr) {
      ConfigNode group;
      group.kind = ConfigNode::Kind::kGroup;
      group.where = where;
      group.key_where = where;
      parent->children.emplace_back(parts[i], std::move(group));
      next = &parent->children.back().second;
    }
    if (next->kind != ConfigNode::Kind::kGroup) {
      return;  // the file puts a value here, which is reported with the file
    }
    parent = next;
  }
  if (ConfigNode* existing = parent->find(parts.back())) {
    *existing = std::move(node);
  } else {
    parent->children.emplace_back(parts.back(), std::move(node));
  }
}

}  // namespace trnsim::spec
