// `trnsim describe --json`.
#include <nlohmann/json.hpp>

#include "trnsim/spec/describe.h"

namespace trnsim::spec {
namespace {

using Json = nlohmann::ordered_json;

Json peak_json(const PeakRow& row) {
  Json entry = {{"name", row.label}, {"unit", row.unit}, {"derived", row.derived}};
  entry["published"] = row.published > 0 ? Json(row.published) : Json(nullptr);
  entry["reasons"] = Json::array();
  for (const PeakReason& reason : row.reasons) {
    entry["reasons"].push_back({{"difference", reason.difference}, {"text", reason.text}});
  }
  return entry;
}

}  // namespace

Json describe_json(const LoadedSystem& system) {
  Json result = {{"format", "trnsim-system"},
                 {"version", 1},
                 {"name", system.spec.name},
                 {"hash", system.hash}};
  result["warnings"] = system.warnings;
  result["peaks"] = Json::array();
  for (const PeakRow& row : peak_rows(system.spec)) {
    result["peaks"].push_back(peak_json(row));
  }
  result["values"] = to_json(system);
  result["provenance"] = provenance_json(system);
  return result;
}

}  // namespace trnsim::spec
