// What `trnsim describe` shows: composition, peaks beside published ones with reasons, every value.
#pragma once

#include <cstdint>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "trnsim/spec/loader.h"

namespace trnsim::spec {

// One part of the difference between a published peak and the peak by formula.
struct PeakReason {
  double difference = 0;  // in the unit of its PeakRow
  std::string text;
};

// One peak of the system in use. The reasons add up to published - derived.
struct PeakRow {
  std::string label;     // "FP8"
  std::string unit;      // "TFLOPS", "PFLOPS" or "TB/s"
  double derived = 0;    // from the spec: the tensor engines, or the HBM stacks
  double published = 0;  // 0 = not published
  std::vector<PeakReason> reasons;
};

// HBM stacks of one chip that are local to a core in use.
[[nodiscard]] std::uint32_t stacks_in_use(const SystemSpec& system);

// BF16, FP8, FP32, MX where available, and HBM bandwidth (hardware.md 19).
[[nodiscard]] std::vector<PeakRow> peak_rows(const SystemSpec& system);

// At most 80 columns. `with_values`: also the resolved tree and the list of what is assumed.
[[nodiscard]] std::string describe_text(const LoadedSystem& system, bool with_values = true);
[[nodiscard]] nlohmann::ordered_json describe_json(const LoadedSystem& system);

// Names and descriptions of the shipped systems.
[[nodiscard]] std::string system_list_text();

}  // namespace trnsim::spec
