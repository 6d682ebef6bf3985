// Text of one leaf to a typed value in its struct, and back.
#pragma once

#include <nlohmann/json.hpp>
#include <optional>
#include <string>

#include "trnsim/spec/descriptor.h"

namespace trnsim::spec {

struct ValueProblem {
  std::string what;
  std::string hint;
};

// Checks `text` against type and range of `key` and stores it at `address` (that of the member).
// `quoted`: the text was in quotes, so it is not a number or flag.
[[nodiscard]] std::optional<ValueProblem> store_value(const KeyNode& key, const std::string& text,
                                                      bool quoted, void* address);

[[nodiscard]] nlohmann::ordered_json json_value(const KeyNode& key, const void* address);
// The same as plain text, without quotes.
[[nodiscard]] std::string text_value(const KeyNode& key, const void* address);

}  // namespace trnsim::spec
