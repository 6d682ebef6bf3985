// Walks the key descriptors over a SystemSpec.
#include "json_tree.h"

#include "trnsim/spec/descriptor.h"
#include "trnsim/spec/loader.h"
#include "value.h"

namespace trnsim::spec {
namespace {

using Json = nlohmann::ordered_json;

Json group_json(const KeyNode& keys, void* object, bool with_texts) {
  Json result = Json::object();
  for (const KeyNode& key : keys.children) {
    void* const member = key.member(object);
    if (key.kind == KeyKind::kTable) {
      Json rows = Json::object();
      for (const auto& [name, row] : key.rows(member)) {
        rows[name] = group_json(key, row, with_texts);
      }
      result[key.key] = std::move(rows);
    } else if (key.kind == KeyKind::kGroup) {
      result[key.key] = group_json(key, member, with_texts);
    } else if (with_texts || key.kind != KeyKind::kText) {
      result[key.key] = json_value(key, member);
    }
  }
  return result;
}

Json system_json(const SystemSpec& spec, bool with_texts) {
  SystemSpec copy = spec;  // descriptors give writable addresses
  return group_json(system_keys(), &copy, with_texts);
}

// Shipped files relative to the config folder, so that the output does not depend on where it lies.
std::string shown(const Location& where) {
  if (where.line == 0) {
    return where.file;
  }
  const std::string folder = config_folder() + "/";
  const std::string file =
      where.file.starts_with(folder) ? where.file.substr(folder.size()) : where.file;
  return fmt::format("{}:{}:{}", file, where.line, where.column);
}

}  // namespace

Json values_json(const SystemSpec& spec) {
  return system_json(spec, true);
}

Json hashed_values(const SystemSpec& spec) {
  return system_json(spec, false);
}

Json to_json(const LoadedSystem& system) {
  return values_json(system.spec);
}

Json provenance_json(const LoadedSystem& system) {
  Json leaves = Json::array();
  for (const Provenance& leaf : system.leaves) {
    Json entry = {{"path", leaf.path}, {"value", leaf.value}};
    if (!leaf.unit.empty()) {
      entry["unit"] = leaf.unit;
    }
    if (!leaf.structural) {
      entry["status"] = name(leaf.status);
      entry["source"] = leaf.source;
    }
    if (!leaf.reason.empty()) {
      entry["reason"] = leaf.reason;
    }
    entry["where"] = shown(leaf.where);
    leaves.push_back(std::move(entry));
  }
  return leaves;
}

}  // namespace trnsim::spec
