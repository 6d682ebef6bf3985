// Encoding and decoding of small binary floating-point formats.
#include "float_format.h"

#include <array>
#include <bit>
#include <cmath>
#include <limits>

#include "trnsim/base/error.h"

namespace trnsim::numerics {
namespace {

// All exponent ones is infinity or NaN, as in IEEE 754.
constexpr FloatFormat ieee(std::uint32_t exponent_bits, std::uint32_t mantissa_bits) {
  const std::uint32_t infinity = ((1U << exponent_bits) - 1) << mantissa_bits;
  return {exponent_bits, mantissa_bits, (1 << (exponent_bits - 1)) - 1,
          infinity - 1,  infinity,      infinity | (1U << (mantissa_bits - 1))};
}

constexpr FloatFormat kFloat32 = ieee(8, 23);
constexpr FloatFormat kTFloat32 = ieee(8, 10);
constexpr FloatFormat kBFloat16 = ieee(8, 7);
constexpr FloatFormat kFloat16 = ieee(5, 10);
constexpr FloatFormat kE3M4 = ieee(3, 4);
constexpr FloatFormat kE4M3 = ieee(4, 3);
constexpr FloatFormat kE4M3Fn{4, 3, 7, 0x7E, 0x7F, 0x7F};
constexpr FloatFormat kE5M2 = ieee(5, 2);
constexpr FloatFormat kE2M1{2, 1, 1, 0x7, 0x7, 0};

}  // namespace

const FloatFormat& float_format(DType dtype) {
  switch (dtype) {
    case DType::kFloat32:
      return kFloat32;
    case DType::kTFloat32:
      return kTFloat32;
    case DType::kBFloat16:
      return kBFloat16;
    case DType::kFloat16:
      return kFloat16;
    case DType::kFloat8E3:
      return kE3M4;
    case DType::kFloat8E4:
      return kE4M3;
    case DType::kFloat8E4Fn:
    case DType::kFloat8E4FnX4:
      return kE4M3Fn;
    case DType::kFloat8E5:
    case DType::kFloat8E5X4:
      return kE5M2;
    case DType::kFloat4E2X4:
      return kE2M1;
    default:
      throw_internal(__FILE__, __LINE__, "floating dtype", std::string(name(dtype)));
  }
}

std::uint32_t encode_float(const FloatFormat& format, double value) {
  const std::uint32_t sign = std::signbit(value) ? 1U << (format.bits() - 1) : 0;
  if (std::isnan(value)) {
    return sign | (format.nan != 0 ? format.nan : format.max_finite);
  }
  if (std::isinf(value)) {
    return sign | format.overflow;
  }
  if (value == 0) {
    return sign;
  }
  int exponent = 0;
  std::frexp(value, &exponent);
  exponent = std::max(exponent - 1, 1 - format.bias);  // below: fixed-point subnormals
  const int mantissa_bits = static_cast<int>(format.mantissa_bits);
  // Exact: scaling by a power of two; nearbyint rounds ties to even in the default mode.
  const double units = std::nearbyint(std::ldexp(std::fabs(value), mantissa_bits - exponent));
  // A rounding carry out of the mantissa adds one to the exponent field by itself.
  const std::uint64_t magnitude =
      (static_cast<std::uint64_t>(exponent + format.bias - 1) << format.mantissa_bits) +
      static_cast<std::uint64_t>(units);
  return sign |
         (magnitude > format.max_finite ? format.overflow : static_cast<std::uint32_t>(magnitude));
}

std::uint32_t encode_float(const FloatFormat& format, float value) {
  const auto bits = std::bit_cast<std::uint32_t>(value);
  const std::uint32_t magnitude = bits & 0x7FFFFFFFU;
  const auto exponent = static_cast<int>(magnitude >> 23) - 127;
  if (exponent < 1 - format.bias || exponent < -126 || exponent > 127) {
    return encode_float(format, static_cast<double>(value));
  }
  const std::uint32_t shift = 23 - format.mantissa_bits;
  std::uint32_t rounded = magnitude;
  if (shift > 0) {
    rounded += (1U << (shift - 1)) - 1 + ((magnitude >> shift) & 1U);
  }
  const std::uint32_t encoded =
      (rounded >> shift) - (static_cast<std::uint32_t>(127 - format.bias) << format.mantissa_bits);
  const std::uint32_t sign = (bits >> 31) << (format.bits() - 1);
  return sign | (encoded > format.max_finite ? format.overflow : encoded);
}

double decode_float(const FloatFormat& format, std::uint32_t bits) {
  const double sign = ((bits >> (format.bits() - 1)) & 1U) != 0 ? -1 : 1;
  const std::uint32_t magnitude = bits & ((1U << (format.bits() - 1)) - 1);
  if (magnitude > format.max_finite) {
    const bool infinity = magnitude == format.overflow && format.overflow != format.nan;
    return sign * (infinity ? std::numeric_limits<double>::infinity()
                            : std::numeric_limits<double>::quiet_NaN());
  }
  const int mantissa_bits = static_cast<int>(format.mantissa_bits);
  const auto field = static_cast<int>(magnitude >> format.mantissa_bits);
  const std::uint32_t fraction = magnitude & ((1U << format.mantissa_bits) - 1);
  if (field == 0) {
    return sign * std::ldexp(static_cast<double>(fraction), 1 - format.bias - mantissa_bits);
  }
  return sign * std::ldexp(static_cast<double>(fraction | (1U << format.mantissa_bits)),
                           field - format.bias - mantissa_bits);
}

std::uint16_t encode_bfloat16(float value) {
  const auto bits = std::bit_cast<std::uint32_t>(value);
  if ((bits & 0x7FFFFFFFU) > 0x7F800000U) {
    return static_cast<std::uint16_t>((bits >> 16) | 0x40U);
  }
  return static_cast<std::uint16_t>((bits + 0x7FFFU + ((bits >> 16) & 1U)) >> 16);
}

}  // namespace trnsim::numerics
