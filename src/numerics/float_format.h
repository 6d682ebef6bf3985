// Small binary floating-point formats described by their field widths.
#pragma once

#include <cstdint>

#include "trnsim/base/dtype.h"

namespace trnsim::numerics {

struct FloatFormat {
  std::uint32_t exponent_bits;
  std::uint32_t mantissa_bits;
  int bias;
  std::uint32_t max_finite;  // bit pattern without sign
  std::uint32_t overflow;    // what a too large value becomes, without sign
  std::uint32_t nan;         // 0 = the format has no NaN: it saturates instead

  [[nodiscard]] constexpr std::uint32_t bits() const { return 1 + exponent_bits + mantissa_bits; }
};

// Format of a floating type; of the packed element for MX types.
[[nodiscard]] const FloatFormat& float_format(DType dtype);

// Round to nearest, ties to even, in one step from the exact value.
[[nodiscard]] std::uint32_t encode_float(const FloatFormat& format, double value);
// The same from float, without the slow path for all values that are normal in the format.
[[nodiscard]] std::uint32_t encode_float(const FloatFormat& format, float value);
[[nodiscard]] double decode_float(const FloatFormat& format, std::uint32_t bits);

[[nodiscard]] std::uint16_t encode_bfloat16(float value);

}  // namespace trnsim::numerics
