// The dtype table.
#include "trnsim/base/dtype.h"

#include <array>
#include <utility>

namespace trnsim {
namespace {

struct Row {
  DType dtype;
  std::string_view name;
  std::uint32_t bytes;
  bool is_float;
};

constexpr std::array<Row, kDTypeCount> kTable{{
    {DType::kFloat32, "float32", 4, true},
    {DType::kTFloat32, "tfloat32", 4, true},
    {DType::kBFloat16, "bfloat16", 2, true},
    {DType::kFloat16, "float16", 2, true},
    {DType::kFloat8E3, "float8_e3m4", 1, true},
    {DType::kFloat8E4, "float8_e4m3", 1, true},
    {DType::kFloat8E4Fn, "float8_e4m3fn", 1, true},
    {DType::kFloat8E5, "float8_e5m2", 1, true},
    {DType::kFloat8E4FnX4, "float8_e4m3fn_x4", 4, true},
    {DType::kFloat8E5X4, "float8_e5m2_x4", 4, true},
    {DType::kFloat4E2X4, "float4_e2m1fn_x4", 2, true},
    {DType::kInt32, "int32", 4, false},
    {DType::kUInt32, "uint32", 4, false},
    {DType::kInt16, "int16", 2, false},
    {DType::kUInt16, "uint16", 2, false},
    {DType::kInt8, "int8", 1, false},
    {DType::kUInt8, "uint8", 1, false},
    {DType::kBool, "bool", 1, false},
}};

constexpr std::array<std::pair<std::string_view, DType>, 10> kShortForms{{
    {"fp32", DType::kFloat32},
    {"f32", DType::kFloat32},
    {"tf32", DType::kTFloat32},
    {"bf16", DType::kBFloat16},
    {"fp16", DType::kFloat16},
    {"f16", DType::kFloat16},
    {"fp8", DType::kFloat8E4},
    {"fp8_e4m3", DType::kFloat8E4},
    {"fp8_e5m2", DType::kFloat8E5},
    {"fp8_e3m4", DType::kFloat8E3},
}};

const Row& row(DType dtype) { return kTable[static_cast<std::size_t>(dtype)]; }

}  // namespace

std::string_view name(DType dtype) { return row(dtype).name; }

std::optional<DType> parse_dtype(std::string_view text) {
  for (const Row& entry : kTable) {
    if (entry.name == text) {
      return entry.dtype;
    }
  }
  for (const auto& [short_form, dtype] : kShortForms) {
    if (short_form == text) {
      return dtype;
    }
  }
  return std::nullopt;
}

std::vector<std::string> dtype_names() {
  std::vector<std::string> names;
  for (const Row& entry : kTable) {
    names.emplace_back(entry.name);
  }
  return names;
}

std::uint32_t size_bytes(DType dtype) { return row(dtype).bytes; }
bool is_float(DType dtype) { return row(dtype).is_float; }
bool is_16bit_float(DType dtype) {
  return dtype == DType::kBFloat16 || dtype == DType::kFloat16;
}
bool is_fp8(DType dtype) {
  return dtype == DType::kFloat8E3 || dtype == DType::kFloat8E4 || dtype == DType::kFloat8E4Fn ||
         dtype == DType::kFloat8E5;
}
bool is_mx(DType dtype) {
  return dtype == DType::kFloat8E4FnX4 || dtype == DType::kFloat8E5X4 ||
         dtype == DType::kFloat4E2X4;
}
bool is_fp32(DType dtype) { return dtype == DType::kFloat32; }

}  // namespace trnsim
