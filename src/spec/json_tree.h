// A SystemSpec as nested JSON values.
#pragma once

#include <nlohmann/json.hpp>

#include "trnsim/spec/system_spec.h"

namespace trnsim::spec {

[[nodiscard]] nlohmann::ordered_json values_json(const SystemSpec& spec);
// Without texts, which change no result.
[[nodiscard]] nlohmann::ordered_json hashed_values(const SystemSpec& spec);

}  // namespace trnsim::spec
