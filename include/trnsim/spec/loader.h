// YAML + --set overrides -> a validated SystemSpec with the provenance of every leaf.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include <nlohmann/json_fwd.hpp>

#include "trnsim/base/error.h"
#include "trnsim/spec/system_spec.h"

namespace trnsim::spec {

enum class Status : std::uint8_t { kPublished, kMeasured, kInferred, kAssumed };

// Where one leaf came from.
struct Provenance {
  std::string path;     // "chip.core.tensor.clock_ghz"
  std::string value;    // as text
  std::string unit;     // from the key, may be empty
  std::string source;   // "hardware.md 4, arch guides"
  Status status = Status::kAssumed;
  Location where;       // file:line:column, or "--set path=value" without line
  std::string doc;      // one line: what it means
  std::string reason;   // why an assumed value was chosen; may be empty
  bool inert = false;       // no model uses it yet
  bool structural = false;  // composition (names, counts, choices): needs no source
};

struct LoadedSystem {
  SystemSpec spec;
  std::vector<Provenance> leaves;   // in descriptor order; keys left at their default are absent
  std::string hash;                 // SHA-1 of the resolved values; names and texts do not count
  std::vector<std::string> warnings;  // odd but usable, e.g. clocks in an unusual ratio
};

// `name_or_path`: a system name (looked up in the configs folder) or a path to a YAML file.
// `overrides`: "a.b.c=v" each; the last one for a key wins. Throws Error with all findings together:
// unknown, duplicate or missing keys, wrong type or unit, out of range, inconsistent values; each with
// file:line:column and the nearest valid name.
[[nodiscard]] LoadedSystem load_system(const std::string& name_or_path,
                                       const std::vector<std::string>& overrides = {});

// "published", "measured", "inferred" or "assumed".
[[nodiscard]] std::string_view name(Status status);

// Names of the shipped systems, sorted.
[[nodiscard]] std::vector<std::string> system_names();

// Folder with systems/ and parts/: $TRNSIM_CONFIG_DIR, else the installed share/trnsim/configs beside
// the program, else the source tree. Throws Error if none exists.
[[nodiscard]] std::string config_folder();

// Resolved values as nested objects, key order as declared.
[[nodiscard]] nlohmann::ordered_json to_json(const LoadedSystem& system);
// One object per leaf: path, value, unit, status, source, reason, where.
[[nodiscard]] nlohmann::ordered_json provenance_json(const LoadedSystem& system);

}  // namespace trnsim::spec
