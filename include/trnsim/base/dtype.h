// Element types of the NKI language and their sizes.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace trnsim {

enum class DType : std::uint8_t {
  kFloat32,
  kTFloat32,
  kBFloat16,
  kFloat16,
  kFloat8E3,      // cFP8 third format (e3m4)
  kFloat8E4,      // legacy e4m3 with infinities
  kFloat8E4Fn,    // OCP e4m3fn
  kFloat8E5,      // e5m2
  kFloat8E4FnX4,  // four MXFP8 values packed in 4 bytes
  kFloat8E5X4,
  kFloat4E2X4,    // four MXFP4 values packed in 2 bytes
  kInt32,
  kUInt32,
  kInt16,
  kUInt16,
  kInt8,
  kUInt8,
  kBool,
};
inline constexpr int kDTypeCount = static_cast<int>(DType::kBool) + 1;

// NKI name, e.g. "bfloat16".
[[nodiscard]] std::string_view name(DType dtype);
// By NKI name or common short form ("bf16", "fp32", "fp8_e4m3"); nothing if unknown.
[[nodiscard]] std::optional<DType> parse_dtype(std::string_view text);
// NKI names of all types, in enum order.
[[nodiscard]] std::vector<std::string> dtype_names();

// Bytes of one element in memory (an x4 type is one element of 4 packed values).
[[nodiscard]] std::uint32_t size_bytes(DType dtype);
[[nodiscard]] bool is_float(DType dtype);
// bfloat16 or float16.
[[nodiscard]] bool is_16bit_float(DType dtype);
// Any 8-bit float that is not MX-packed.
[[nodiscard]] bool is_fp8(DType dtype);
[[nodiscard]] bool is_mx(DType dtype);
// float32 (but not tfloat32): takes several tensor-engine passes.
[[nodiscard]] bool is_fp32(DType dtype);

}  // namespace trnsim
