// Walks key descriptors and configuration side by side.
#include "resolve.h"

#include <algorithm>
#include <filesystem>

#include "value.h"

namespace trnsim::spec {
namespace {

std::string join_path(const std::string& group, const std::string& key) {
  return group.empty() ? key : group + "." + key;
}

class Resolver {
 public:
  Resolver(Resolved& out, std::vector<Finding>& findings) : out_(out), findings_(findings) {}

  void group(const KeyNode& keys, const ConfigNode& node, const std::string& path, void* object) {
    out_.places[path] = node.where;
    for (const auto& [name, child] : node.children) {
      if (keys.find(name) == nullptr) {
        findings_.push_back({child.key_where,
                             fmt::format("unknown key '{}' in {}", name, title(path)),
                             unknown_key_hint(name, keys)});
      }
    }
    std::vector<std::string> missing;
    for (const KeyNode& key : keys.children) {
      const auto entry = std::find_if(node.children.begin(), node.children.end(),
                                      [&](const auto& child) { return child.first == key.key; });
      const std::string child_path = join_path(path, key.key);
      if (entry != node.children.end()) {
        member(key, entry->second, child_path, key.member(object));
      } else if (!key.optional) {
        missing.push_back(key.key);
        out_.invalid.insert(child_path);
      }
    }
    if (!missing.empty()) {
      findings_.push_back(
          {node.where,
           fmt::format("{} lacks {} '{}'", title(path), missing.size() == 1 ? "key" : "keys",
                       fmt::join(missing, "', '")),
           ""});
    }
  }

 private:
  static std::string title(const std::string& path) { return path.empty() ? "the system" : path; }

  void member(const KeyNode& key, const ConfigNode& node, const std::string& path, void* address) {
    if (node.kind == ConfigNode::Kind::kInvalid) {
      out_.invalid.insert(path);
    } else if (key.is_leaf()) {
      leaf(key, node, path, address);
    } else if (node.kind == ConfigNode::Kind::kLeaf) {
      out_.invalid.insert(path);
      findings_.push_back({node.where,
                           fmt::format("'{}' is a group, it cannot be '{}'", path, node.text),
                           fmt::format("its keys: {}", fmt::join(key.child_names(), ", "))});
    } else if (key.kind == KeyKind::kTable) {
      table(key, node, path, address);
    } else {
      group(key, node, path, address);
    }
  }

  void table(const KeyNode& key, const ConfigNode& node, const std::string& path, void* address) {
    out_.places[path] = node.where;
    // Names first: adding rows moves earlier ones.
    for (const auto& [name, child] : node.children) {
      if (child.kind == ConfigNode::Kind::kGroup) {
        key.add_row(address, name);
      } else if (child.kind == ConfigNode::Kind::kLeaf) {
        findings_.push_back({child.where, fmt::format("'{}.{}' must be a group", path, name),
                             fmt::format("its keys: {}", fmt::join(key.child_names(), ", "))});
      }
    }
    for (const auto& [name, row] : key.rows(address)) {
      const auto entry = std::find_if(
          node.children.begin(), node.children.end(),
          [&, &row_name = name](const auto& child) { return child.first == row_name; });
      group(key, entry->second, join_path(path, name), row);
    }
  }

  void leaf(const KeyNode& key, const ConfigNode& node, const std::string& path, void* address) {
    if (node.kind != ConfigNode::Kind::kLeaf) {
      out_.invalid.insert(path);
      findings_.push_back({node.where, fmt::format("'{}' takes one value, not a group", path), ""});
      return;
    }
    if (const auto problem = store_value(key, node.text, node.quoted, address)) {
      out_.invalid.insert(path);
      findings_.push_back({node.where, problem->what, problem->hint});
      return;
    }
    out_.places[path] = node.where;
    out_.leaves.push_back({.path = path,
                           .value = text_value(key, address),
                           .unit = key.unit,
                           .source = node.source.value_or(default_source(node.where)),
                           .status = node.status.value_or(Status::kAssumed),
                           .where = node.where,
                           .doc = key.doc,
                           .reason = node.reason.value_or(""),
                           .inert = key.inert,
                           .structural = key.structural});
  }

  static std::string default_source(const Location& where) {
    return where.line == 0
               ? "--set"
               : fmt::format("{}:{}", std::filesystem::path(where.file).filename().string(),
                             where.line);
  }

  Resolved& out_;
  std::vector<Finding>& findings_;
};

}  // namespace

Resolved resolve(const ConfigNode& root, std::vector<Finding>& findings) {
  Resolved resolved;
  if (root.kind == ConfigNode::Kind::kGroup) {
    Resolver(resolved, findings).group(system_keys(), root, "", &resolved.spec);
  } else if (root.kind == ConfigNode::Kind::kLeaf) {
    findings.push_back({root.where, "is not a mapping of keys to values", ""});
  }
  return resolved;
}

}  // namespace trnsim::spec
