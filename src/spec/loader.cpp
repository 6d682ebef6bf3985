// Finds the files, reads, composes, overrides, checks, and reports every finding at once.
#include "trnsim/spec/loader.h"

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "config_tree.h"
#include "json_tree.h"
#include "resolve.h"
#include "trnsim/base/files.h"

namespace trnsim::spec {
namespace fs = std::filesystem;
namespace {

bool is_path(const std::string& name) {
  return name.find('/') != std::string::npos || name.ends_with(".yaml") || name.ends_with(".yml");
}

std::string system_path(const std::string& name) {
  std::error_code code;
  if (is_path(name)) {
    if (!fs::exists(name, code)) {
      throw Error("does not exist", {name});
    }
    return name;
  }
  const fs::path shipped = fs::path(config_folder()) / "systems" / (name + ".yaml");
  if (!name.empty() && fs::is_regular_file(shipped, code)) {
    return shipped.string();
  }
  const std::vector<std::string> names = system_names();
  const std::string hint = did_you_mean(name, names);
  throw Error(
      fmt::format("unknown system '{}'", name), {},
      hint.empty() ? fmt::format("use a YAML file or one of {}", fmt::join(names, ", ")) : hint);
}

// The name a file gives itself, else its own name; a name inherited from a base would be
// misleading.
void set_name(ConfigNode& root, const std::string& path) {
  ConfigNode* const given = root.find("name");
  if (root.kind != ConfigNode::Kind::kGroup || (given != nullptr && given->where.file == path)) {
    return;
  }
  ConfigNode node;
  node.kind = ConfigNode::Kind::kLeaf;
  node.text = fs::path(path).stem().string();
  node.where = {path, 1, 1};
  node.key_where = node.where;
  if (given != nullptr) {
    *given = std::move(node);
  } else {
    root.children.emplace_back("name", std::move(node));
  }
}

}  // namespace

LoadedSystem load_system(const std::string& name_or_path,
                         const std::vector<std::string>& overrides) {
  const std::string path = system_path(name_or_path);
  std::vector<Finding> findings;
  ConfigNode root = read_config(path, findings);
  set_name(root, path);
  for (const std::string& text : overrides) {
    apply_override(text, root, findings);
  }
  Resolved resolved = resolve(root, findings);
  LoadedSystem system;
  check_relations(resolved, findings, system.warnings);
  if (!findings.empty()) {
    throw Error(std::move(findings));
  }
  for (const Provenance& leaf : resolved.leaves) {
    if (leaf.inert && !leaf.structural && leaf.where.line == 0) {
      system.warnings.push_back(
          fmt::format("'{}' was overridden, but no model uses it yet", leaf.path));
    }
  }
  system.spec = std::move(resolved.spec);
  system.leaves = std::move(resolved.leaves);
  system.hash = content_hash(hashed_values(system.spec).dump());
  return system;
}

std::vector<std::string> system_names() {
  std::vector<std::string> names;
  for (const fs::directory_entry& entry :
       fs::directory_iterator(fs::path(config_folder()) / "systems")) {
    if (entry.path().extension() == ".yaml") {
      names.push_back(entry.path().stem().string());
    }
  }
  std::sort(names.begin(), names.end());
  return names;
}

std::string config_folder() {
  std::error_code code;
  const auto usable = [&code](const fs::path& folder) {
    return fs::is_directory(folder / "systems", code);
  };
  if (const char* const given = std::getenv("TRNSIM_CONFIG_DIR");
      given != nullptr && *given != '\0') {
    if (!usable(given)) {
      throw Error("TRNSIM_CONFIG_DIR has no folder 'systems'", {given});
    }
    return given;
  }
  const fs::path program = fs::read_symlink("/proc/self/exe", code);
  const fs::path installed = (program.parent_path() / "../share/trnsim/configs").lexically_normal();
  if (!program.empty() && usable(installed)) {
    return installed.string();
  }
  if (usable(TRNSIM_SOURCE_CONFIGS)) {
    return TRNSIM_SOURCE_CONFIGS;
  }
  throw Error("no configuration folder found", {},
              fmt::format("set TRNSIM_CONFIG_DIR, or install to {}", installed.string()));
}

std::string_view name(Status status) {
  return status_names().at(static_cast<std::size_t>(status));
}

}  // namespace trnsim::spec
