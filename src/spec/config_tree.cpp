// YAML files to a ConfigNode: syntax, duplicate keys, leaves with provenance, `base:` composition.
#include "config_tree.h"

#include <yaml-cpp/depthguard.h>
#include <yaml-cpp/yaml.h>

#include <algorithm>
#include <filesystem>

#include "trnsim/base/files.h"

namespace trnsim::spec {
namespace fs = std::filesystem;
namespace {

// Limits that no sensible file reaches; aliases could otherwise build endless or enormous trees.
constexpr int kMaxDepth = 32;
constexpr int kMaxNodes = 100'000;

using Entries = std::vector<std::pair<YAML::Node, YAML::Node>>;

bool is_leaf_key(const std::string& key) {
  return key == "value" || key == "source" || key == "status" || key == "reason";
}

// The first that exists: relative to the file, a system name, relative to the config folder.
std::string base_path(const std::string& base, const std::string& file) {
  const fs::path beside = (fs::path(file).parent_path() / base).lexically_normal();
  std::error_code code;
  if (fs::is_regular_file(beside, code)) {
    return beside.string();
  }
  const fs::path folder = config_folder();
  for (const fs::path& candidate : {folder / "systems" / (base + ".yaml"), folder / base}) {
    if (fs::is_regular_file(candidate, code)) {
      return candidate.lexically_normal().string();
    }
  }
  return beside.string();
}

class ConfigReader {
 public:
  explicit ConfigReader(std::vector<Finding>& findings) : findings_(findings) {}

  ConfigNode file(const std::string& path) {
    std::error_code code;
    const std::string identity = fs::weakly_canonical(path, code).string();
    open_.push_back(identity);
    ConfigNode node;
    try {
      const std::vector<YAML::Node> documents = YAML::LoadAll(read_file(path));
      if (documents.size() > 1) {
        const YAML::Mark mark = documents[1].Mark();
        report({path, mark.line + 1, mark.column + 1}, "has more than one YAML document",
               "put each system in its own file");
      }
      if (documents.empty() || !documents[0].IsMap()) {
        report({path, 1, 1}, "is not a mapping of keys to values");
      } else {
        node = value(documents[0], path, "the file", {path, 1, 1}, 0);
      }
    } catch (const YAML::DeepRecursion& error) {
      report({path, error.mark.line + 1, error.mark.column + 1}, "YAML: nests too deeply");
    } catch (const YAML::Exception& error) {
      report({path, error.mark.line + 1, error.mark.column + 1}, "YAML: " + error.msg);
    }
    open_.pop_back();
    return node;
  }

 private:
  void report(Location where, std::string what, std::string hint = {}) {
    findings_.push_back({std::move(where), std::move(what), std::move(hint)});
  }

  static Location locate(const YAML::Node& yaml, const std::string& path,
                         const Location& fallback) {
    const YAML::Mark mark = yaml.Mark();
    if (mark.is_null() || yaml.IsNull()) {
      return fallback;  // an empty value has no position of its own
    }
    return {path, mark.line + 1, mark.column + 1};
  }

  ConfigNode value(const YAML::Node& yaml, const std::string& path, const std::string& key,
                   const Location& key_where, int depth) {
    ConfigNode node;
    node.key_where = key_where;
    node.where = locate(yaml, path, key_where);
    if (depth > kMaxDepth || ++nodes_ > kMaxNodes) {
      if (!too_large_) {
        report(node.where, "the file nests too deeply or is too large", "check its aliases");
      }
      too_large_ = true;
      return node;
    }
    if (yaml.IsScalar()) {
      node.kind = ConfigNode::Kind::kLeaf;
      node.text = yaml.Scalar();
      node.quoted = yaml.Tag() == "!";
    } else if (yaml.IsMap()) {
      map(yaml, path, depth, node);
    } else if (yaml.IsSequence()) {
      report(node.where, fmt::format("'{}' is a list; no key takes a list", key));
    } else {
      report(node.where, fmt::format("'{}' is empty", key), "give it a value or remove the key");
    }
    return node;
  }

  void map(const YAML::Node& yaml, const std::string& path, int depth, ConfigNode& node) {
    const Entries entries = checked_entries(yaml, path, node.where);
    const bool is_leaf = std::any_of(entries.begin(), entries.end(), [](const auto& entry) {
      return is_leaf_key(entry.first.Scalar());
    });
    if (is_leaf) {
      leaf(entries, path, node);
      return;
    }
    node.kind = ConfigNode::Kind::kGroup;
    ConfigNode own = node;
    for (const auto& [key, child] : entries) {
      const Location where = locate(key, path, node.where);
      if (key.Scalar() == "base") {
        node = base(child, path, where);
        node.afresh = true;
      } else {
        own.children.emplace_back(key.Scalar(), value(child, path, key.Scalar(), where, depth + 1));
      }
    }
    if (!node.afresh) {
      node = std::move(own);
    } else if (node.kind == ConfigNode::Kind::kGroup) {
      overlay(node, std::move(own));
    }
  }

  // Entries in file order without those whose key cannot be used.
  Entries checked_entries(const YAML::Node& yaml, const std::string& path,
                          const Location& fallback) {
    Entries entries;
    std::vector<std::pair<std::string, Location>> seen;
    for (const auto& entry : yaml) {
      const Location where = locate(entry.first, path, fallback);
      if (!entry.first.IsScalar()) {
        report(where, "a key must be a plain word");
        continue;
      }
      const std::string& key = entry.first.Scalar();
      const auto first = std::find_if(seen.begin(), seen.end(),
                                      [&](const auto& other) { return other.first == key; });
      if (key == "<<") {
        report(where, "YAML merge keys ('<<') are not supported", "use 'base: file.yaml'");
      } else if (first != seen.end()) {
        report(where,
               fmt::format("duplicate key '{}', first given on line {}", key, first->second.line));
      } else {
        seen.emplace_back(key, where);
        entries.emplace_back(entry.first, entry.second);
      }
    }
    return entries;
  }

  ConfigNode base(const YAML::Node& yaml, const std::string& path, const Location& key_where) {
    ConfigNode node;
    const Location where = locate(yaml, path, key_where);
    if (!yaml.IsScalar() || yaml.Scalar().empty()) {
      report(where, "'base' must be the name of one file");
      return node;
    }
    const std::string target = base_path(yaml.Scalar(), path);
    std::error_code code;
    const std::string identity = fs::weakly_canonical(target, code).string();
    if (std::find(open_.begin(), open_.end(), identity) != open_.end()) {
      report(where, fmt::format("base '{}' leads back to itself", yaml.Scalar()));
    } else if (!fs::is_regular_file(target, code)) {
      report(where, fmt::format("base '{}' does not exist", yaml.Scalar()),
             fmt::format("looked for {} and in {}", target, config_folder()));
    } else {
      node = file(target);
    }
    return node;
  }

  void leaf(const Entries& entries, const std::string& path, ConfigNode& node) {
    const Location start = node.where;
    bool has_value = false;
    bool valid = true;
    for (const auto& [key, child] : entries) {
      const std::string& name = key.Scalar();
      const Location key_where = locate(key, path, start);
      if (!is_leaf_key(name)) {
        report(key_where, fmt::format("unknown key '{}' beside 'value'", name),
               "a leaf has value, source, status and reason");
        valid = false;
        continue;
      }
      if (!child.IsScalar()) {
        report(locate(child, path, key_where), fmt::format("'{}' must be a plain value", name));
        valid = false;
        continue;
      }
      if (name == "value") {
        has_value = true;
        node.where = locate(child, path, key_where);
        node.text = child.Scalar();
        node.quoted = child.Tag() == "!";
      } else if (name == "source") {
        node.source = child.Scalar();
      } else if (name == "reason") {
        node.reason = child.Scalar();
      } else {
        valid = status(child.Scalar(), locate(child, path, key_where), node) && valid;
      }
    }
    if (!has_value && valid) {
      report(start, "a leaf with source, status or reason needs 'value' too");
    }
    node.kind = has_value && valid ? ConfigNode::Kind::kLeaf : ConfigNode::Kind::kInvalid;
  }

  bool status(const std::string& text, const Location& where, ConfigNode& node) {
    const std::vector<std::string>& names = status_names();
    const auto found = std::find(names.begin(), names.end(), text);
    if (found == names.end()) {
      report(where, fmt::format("unknown status '{}'", text),
             "one of published, measured, inferred, assumed");
      return false;
    }
    node.status = static_cast<Status>(found - names.begin());
    return true;
  }

  std::vector<Finding>& findings_;
  std::vector<std::string> open_;  // files being read, to find cycles
  int nodes_ = 0;
  bool too_large_ = false;
};

}  // namespace

const std::vector<std::string>& status_names() {
  static const std::vector<std::string> names = {"published", "measured", "inferred", "assumed"};
  return names;
}

const ConfigNode* ConfigNode::find(const std::string& key) const {
  const auto found = std::find_if(children.begin(), children.end(),
                                  [&](const auto& child) { return child.first == key; });
  return found == children.end() ? nullptr : &found->second;
}

ConfigNode* ConfigNode::find(const std::string& key) {
  return const_cast<ConfigNode*>(std::as_const(*this).find(key));
}

ConfigNode read_config(const std::string& path, std::vector<Finding>& findings) {
  return ConfigReader(findings).file(path);
}

void overlay(ConfigNode& node, ConfigNode over) {
  if (node.kind != ConfigNode::Kind::kGroup || over.kind != ConfigNode::Kind::kGroup ||
      over.afresh) {
    node = std::move(over);
    return;
  }
  node.key_where = over.key_where;
  node.where = over.where;
  for (auto& [name, child] : over.children) {
    if (ConfigNode* existing = node.find(name)) {
      overlay(*existing, std::move(child));
    } else {
      node.children.emplace_back(name, std::move(child));
    }
  }
}

}  // namespace trnsim::spec
