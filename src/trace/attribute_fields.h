// The fields of an attribute set as data: one row each, for both file formats and for validation.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>
#include <variant>

#include "trnsim/trace/ir.h"

namespace trnsim::trace {

struct AttributeField {
  std::uint32_t number;   // AttributeField in trace.proto
  std::string_view name;  // JSON Lines key
  std::variant<AluOp Attributes::*, ActFunc Attributes::*, DgeRequest Attributes::*,
               bool Attributes::*, std::uint8_t Attributes::*, double Attributes::*,
               std::int64_t Attributes::*, std::uint32_t Attributes::*,
               CollectiveKind Attributes::*, StringId Attributes::*>
      member;  // uint32: an optional pattern id; StringId: an optional text
};

// In the order of their numbers, which start at 1 without gaps.
[[nodiscard]] std::span<const AttributeField> attribute_fields();

// The stored integer of a field: doubles as their bits, optional ids as id + 1.
[[nodiscard]] std::int64_t encode(const Attributes& attributes, const AttributeField& field);
// False if `value` is not one the field can hold.
[[nodiscard]] bool decode(Attributes& attributes, const AttributeField& field, std::int64_t value);

}  // namespace trnsim::trace
