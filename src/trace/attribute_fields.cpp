// The table of attribute fields and their integer encoding.
#include "attribute_fields.h"

#include <array>
#include <bit>
#include <type_traits>

namespace trnsim::trace {
namespace {

using A = Attributes;

constexpr std::array<AttributeField, 37> kFields{{
    {1, "op0", &A::op0},
    {2, "op1", &A::op1},
    {3, "reduce_op", &A::reduce_op},
    {4, "compare", &A::compare},
    {5, "compare1", &A::compare1},
    {6, "func", &A::func},
    {7, "dge", &A::dge},
    {8, "accumulate", &A::accumulate},
    {9, "is_transpose", &A::is_transpose},
    {10, "double_row", &A::double_row},
    {11, "onezero", &A::onezero},
    {12, "reverse0", &A::reverse0},
    {13, "reverse1", &A::reverse1},
    {14, "negate", &A::negate},
    {15, "imm0_is_tensor", &A::imm0_is_tensor},
    {16, "imm1_is_tensor", &A::imm1_is_tensor},
    {17, "scale_is_tensor", &A::scale_is_tensor},
    {18, "bias_is_tensor", &A::bias_is_tensor},
    {19, "has_reduce_result", &A::has_reduce_result},
    {20, "indirect", &A::indirect},
    {21, "engine_pinned", &A::engine_pinned},
    {22, "reduce_dims", &A::reduce_dims},
    {23, "priority", &A::priority},
    {24, "tile_row", &A::tile_row},
    {25, "tile_column", &A::tile_column},
    {26, "tile_rows", &A::tile_rows},
    {27, "tile_columns", &A::tile_columns},
    {28, "imm0", &A::imm0},
    {29, "imm1", &A::imm1},
    {30, "scale", &A::scale},
    {31, "bias", &A::bias},
    {32, "affine_base", &A::affine_base},
    {33, "affine_channel", &A::affine_channel},
    {34, "affine_pattern", &A::affine_pattern},
    {35, "collective", &A::collective},
    {36, "replica_groups", &A::replica_groups},
    {37, "bytes_per_rank", &A::bytes_per_rank},
}};

template <typename T>
constexpr std::int64_t kLargest = UINT8_MAX;
template <>
constexpr std::int64_t kLargest<bool> = 1;
template <>
constexpr std::int64_t kLargest<AluOp> = kAluOpCount - 1;
template <>
constexpr std::int64_t kLargest<ActFunc> = kActFuncCount - 1;
template <>
constexpr std::int64_t kLargest<DgeRequest> = static_cast<std::int64_t>(DgeRequest::kHardware);
template <>
constexpr std::int64_t kLargest<CollectiveKind> = kCollectiveKindCount - 1;

}  // namespace

std::span<const AttributeField> attribute_fields() {
  return kFields;
}

std::int64_t encode(const Attributes& attributes, const AttributeField& field) {
  return std::visit(
      [&attributes](const auto member) -> std::int64_t {
        const auto value = attributes.*member;
        using T = std::remove_cv_t<decltype(value)>;
        if constexpr (std::is_same_v<T, double>) {
          return std::bit_cast<std::int64_t>(value);
        } else if constexpr (std::is_same_v<T, std::uint32_t> || std::is_same_v<T, StringId>) {
          const auto id = static_cast<std::uint32_t>(value);
          return id == kNone ? 0 : std::int64_t{id} + 1;
        } else {
          return static_cast<std::int64_t>(value);
        }
      },
      field.member);
}

bool decode(Attributes& attributes, const AttributeField& field, std::int64_t value) {
  return std::visit(
      [&attributes, value](const auto member) {
        using T = std::remove_cvref_t<decltype(attributes.*member)>;
        if constexpr (std::is_same_v<T, double>) {
          attributes.*member = std::bit_cast<double>(value);
        } else if constexpr (std::is_same_v<T, std::int64_t>) {
          attributes.*member = value;
        } else if constexpr (std::is_same_v<T, std::uint32_t> || std::is_same_v<T, StringId>) {
          if (value < 0 || value > std::int64_t{UINT32_MAX}) {
            return false;
          }
          attributes.*member =
              static_cast<T>(value == 0 ? kNone : static_cast<std::uint32_t>(value - 1));
        } else {
          if (value < 0 || value > kLargest<T>) {
            return false;
          }
          attributes.*member = static_cast<T>(value);
        }
        return true;
      },
      field.member);
}

}  // namespace trnsim::trace
