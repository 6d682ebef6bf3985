// Conversions against bit patterns worked out by hand.
#include "trnsim/numerics/dtype_convert.h"

#include <gtest/gtest.h>

#include <array>
#include <bit>
#include <cmath>
#include <cstring>
#include <limits>
#include <vector>

namespace trnsim::numerics {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();
const double kNan = std::numeric_limits<double>::quiet_NaN();

struct Case {
  DType dtype;
  double value;
  std::uint32_t bits;
};

double power(int exponent) {
  return std::ldexp(1.0, exponent);
}

const std::vector<Case>& cases() {
  static const std::vector<Case> all{
      // float32: 1 + 2^-24 is half way to the next, the even neighbour is 1.
      {DType::kFloat32, 1, 0x3F800000},
      {DType::kFloat32, 1 + power(-24), 0x3F800000},
      {DType::kFloat32, 1 + power(-24) + power(-40), 0x3F800001},
      {DType::kFloat32, 1 + 3 * power(-24), 0x3F800002},
      {DType::kFloat32, -0.0, 0x80000000},
      {DType::kFloat32, power(-149), 0x00000001},
      {DType::kFloat32, power(-150), 0x00000000},
      {DType::kFloat32, 1.5 * power(-149), 0x00000002},
      {DType::kFloat32, power(-126) - power(-149), 0x007FFFFF},
      {DType::kFloat32, power(-126), 0x00800000},
      {DType::kFloat32, (2 - power(-23)) * power(127), 0x7F7FFFFF},
      {DType::kFloat32, power(128), 0x7F800000},
      {DType::kFloat32, 1e300, 0x7F800000},
      {DType::kFloat32, -kInfinity, 0xFF800000},
      {DType::kFloat32, kNan, 0x7FC00000},
      // tfloat32: 10 fraction bits in the upper bits of 4 bytes.
      {DType::kTFloat32, 1, 0x3F800000},
      {DType::kTFloat32, 1 + power(-10), 0x3F802000},
      {DType::kTFloat32, 1 + power(-11), 0x3F800000},
      {DType::kTFloat32, 1 + 3 * power(-11), 0x3F804000},
      // bfloat16: 7 fraction bits.
      {DType::kBFloat16, 1, 0x3F80},
      {DType::kBFloat16, 1 + power(-7), 0x3F81},
      {DType::kBFloat16, 1 + power(-8), 0x3F80},
      {DType::kBFloat16, 1 + 3 * power(-8), 0x3F82},
      {DType::kBFloat16, 1 + power(-8) + power(-30), 0x3F81},  // fp32 first would lose the last bit
      {DType::kBFloat16, 3.140625, 0x4049},
      {DType::kBFloat16, (2 - power(-7)) * power(127), 0x7F7F},
      {DType::kBFloat16, (2 - power(-8)) * power(127), 0x7F80},  // half way up: to infinity
      {DType::kBFloat16, power(-133), 0x0001},
      {DType::kBFloat16, power(-134), 0x0000},
      {DType::kBFloat16, -2, 0xC000},
      {DType::kBFloat16, kNan, 0x7FC0},
      // float16: bias 15, largest 65504, smallest 2^-24.
      {DType::kFloat16, 1, 0x3C00},
      {DType::kFloat16, 65504, 0x7BFF},
      {DType::kFloat16, 65519.99, 0x7BFF},
      {DType::kFloat16, 65520, 0x7C00},
      {DType::kFloat16, power(-14), 0x0400},
      {DType::kFloat16, power(-24), 0x0001},
      {DType::kFloat16, power(-25), 0x0000},
      {DType::kFloat16, 3 * power(-25), 0x0002},
      {DType::kFloat16, 1023.5 * power(-24), 0x0400},  // rounds up into the normals
      {DType::kFloat16, 2049, 0x6800},                 // half way, even is 2048
      {DType::kFloat16, 2051, 0x6802},                 // half way, even is 2052
      {DType::kFloat16, -kInfinity, 0xFC00},
      // float8_e3m4: bias 3, largest 15.5, smallest 2^-6.
      {DType::kFloat8E3, 1, 0x30},
      {DType::kFloat8E3, 15.5, 0x6F},
      {DType::kFloat8E3, 15.75, 0x70},
      {DType::kFloat8E3, power(-6), 0x01},
      {DType::kFloat8E3, power(-7), 0x00},
      {DType::kFloat8E3, 0.25, 0x10},
      {DType::kFloat8E3, -1.03125, 0xB0},  // half way between 1 and 1.0625
      {DType::kFloat8E3, kNan, 0x78},
      // float8_e4m3 with infinities: bias 7, largest 240, smallest 2^-9.
      {DType::kFloat8E4, 1, 0x38},
      {DType::kFloat8E4, 240, 0x77},
      {DType::kFloat8E4, 247.9, 0x77},
      {DType::kFloat8E4, 248, 0x78},
      {DType::kFloat8E4, power(-6), 0x08},
      {DType::kFloat8E4, power(-9), 0x01},
      {DType::kFloat8E4, power(-10), 0x00},
      {DType::kFloat8E4, 3 * power(-10), 0x02},
      {DType::kFloat8E4, -1.0625, 0xB8},
      {DType::kFloat8E4, 1.1875, 0x3A},
      {DType::kFloat8E4, kNan, 0x7C},
      // float8_e4m3fn: no infinity, largest 448, 0x7F is NaN.
      {DType::kFloat8E4Fn, 448, 0x7E},
      {DType::kFloat8E4Fn, 464, 0x7E},  // half way, even
      {DType::kFloat8E4Fn, 464.1, 0x7F},
      {DType::kFloat8E4Fn, 256, 0x78},
      {DType::kFloat8E4Fn, -kInfinity, 0xFF},
      {DType::kFloat8E4Fn, kNan, 0x7F},
      {DType::kFloat8E4Fn, power(-9), 0x01},
      // float8_e5m2: bias 15, largest 57344, smallest 2^-16.
      {DType::kFloat8E5, 1, 0x3C},
      {DType::kFloat8E5, 57344, 0x7B},
      {DType::kFloat8E5, 61439, 0x7B},
      {DType::kFloat8E5, 61440, 0x7C},
      {DType::kFloat8E5, power(-16), 0x01},
      {DType::kFloat8E5, power(-17), 0x00},
      {DType::kFloat8E5, 1.125, 0x3C},
      {DType::kFloat8E5, 1.375, 0x3E},
      {DType::kFloat8E5, kNan, 0x7E},
      // Integers: nearest even, saturating, NaN is 0.
      {DType::kInt32, 2.5, 2},
      {DType::kInt32, 3.5, 4},
      {DType::kInt32, -1, 0xFFFFFFFF},
      {DType::kInt32, 2147483647, 0x7FFFFFFF},
      {DType::kInt32, 3e9, 0x7FFFFFFF},
      {DType::kInt32, -kInfinity, 0x80000000},
      {DType::kInt32, kNan, 0},
      {DType::kUInt32, 4294967295.0, 0xFFFFFFFF},
      {DType::kUInt32, -5, 0},
      {DType::kInt16, -32769, 0xFFFF8000},
      {DType::kUInt16, 65536, 65535},
      {DType::kInt8, 127.5, 127},
      {DType::kInt8, -0.5, 0},
      {DType::kUInt8, 254.5, 254},
      {DType::kUInt8, 256, 255},
      {DType::kBool, 0.25, 1},
      {DType::kBool, -0.0, 0},
  };
  return all;
}

TEST(DTypeConvert, EncodesTheHandValues) {
  for (const Case& test : cases()) {
    EXPECT_EQ(encode(test.dtype, test.value), test.bits)
        << name(test.dtype) << " of " << test.value << ": " << std::hex
        << encode(test.dtype, test.value);
  }
}

// The float path (fast for normal numbers) must agree wherever the value is a float.
TEST(DTypeConvert, TheRowFormAgreesWithTheSingleForm) {
  for (const Case& test : cases()) {
    const auto value = static_cast<float>(test.value);
    if (static_cast<double>(value) != test.value) {
      continue;
    }
    std::array<std::byte, 4> memory{};
    encode_row(test.dtype, &value, 1, memory.data(), size_bytes(test.dtype));
    std::uint32_t bits = 0;
    std::memcpy(&bits, memory.data(), sizeof bits);
    const std::uint32_t mask =
        size_bytes(test.dtype) == 4 ? 0xFFFFFFFFU : (1U << (8 * size_bytes(test.dtype))) - 1;
    EXPECT_EQ(bits, test.bits & mask) << name(test.dtype) << " of " << test.value;
  }
}

TEST(DTypeConvert, EveryPatternOfTheSmallTypesSurvivesARoundTrip) {
  for (const DType dtype :
       {DType::kFloat8E3, DType::kFloat8E4, DType::kFloat8E4Fn, DType::kFloat8E5, DType::kBFloat16,
        DType::kFloat16, DType::kInt8, DType::kUInt8, DType::kInt16, DType::kUInt16}) {
    const std::uint32_t patterns = 1U << (8 * size_bytes(dtype));
    for (std::uint32_t bits = 0; bits < patterns; ++bits) {
      const double value = decode(dtype, bits);
      if (!std::isnan(value)) {
        ASSERT_EQ(encode(dtype, value) & (patterns - 1), bits) << name(dtype) << " " << bits;
      }
    }
  }
}

// Between two neighbours everything rounds to the nearer, the middle to the even pattern; both the
// double and the float path.
TEST(DTypeConvert, RoundsToTheNearerNeighbourEverywhere) {
  for (const DType dtype : {DType::kFloat8E3, DType::kFloat8E4, DType::kFloat8E4Fn,
                            DType::kFloat8E5, DType::kFloat16, DType::kBFloat16}) {
    for (std::uint32_t bits = 0;; ++bits) {
      const double low = decode(dtype, bits);
      const double high = decode(dtype, bits + 1);
      if (!std::isfinite(high)) {
        break;
      }
      const double middle = (low + high) / 2;
      const std::uint32_t even = bits % 2 == 0 ? bits : bits + 1;
      ASSERT_EQ(encode(dtype, middle), even) << name(dtype) << " " << middle;
      ASSERT_EQ(encode(dtype, (low + middle) / 2), bits) << name(dtype);
      ASSERT_EQ(encode(dtype, (high + middle) / 2), bits + 1) << name(dtype);
      const auto value = static_cast<float>(middle);
      if (static_cast<double>(value) == middle) {
        std::uint16_t row = 0;
        encode_row(dtype, &value, 1, reinterpret_cast<std::byte*>(&row), 2);
        ASSERT_EQ(row, even) << name(dtype) << " " << middle;
      }
    }
  }
}

TEST(DTypeConvert, DecodesSpecialPatterns) {
  EXPECT_EQ(decode(DType::kFloat8E4, 0x78), kInfinity);
  EXPECT_EQ(decode(DType::kFloat8E4, 0xF8), -kInfinity);
  EXPECT_TRUE(std::isnan(decode(DType::kFloat8E4, 0x7F)));
  EXPECT_EQ(decode(DType::kFloat8E4Fn, 0x78), 256);
  EXPECT_TRUE(std::isnan(decode(DType::kFloat8E4Fn, 0xFF)));
  EXPECT_EQ(decode(DType::kFloat8E3, 0x70), kInfinity);
  EXPECT_EQ(decode(DType::kFloat8E5, 0x7C), kInfinity);
  EXPECT_TRUE(std::isnan(decode(DType::kFloat16, 0x7C01)));
  EXPECT_TRUE(std::signbit(decode(DType::kFloat16, 0x8000)));
  EXPECT_EQ(decode(DType::kInt16, 0x8000), -32768);
  EXPECT_EQ(decode(DType::kTFloat32, 0x3F801FFF), 1 + power(-10));  // fp32 bits, rounded
}

TEST(DTypeConvert, KnowsTheLargestNumbers) {
  EXPECT_EQ(largest_finite(DType::kFloat8E3), 15.5);
  EXPECT_EQ(largest_finite(DType::kFloat8E4), 240);
  EXPECT_EQ(largest_finite(DType::kFloat8E4Fn), 448);
  EXPECT_EQ(largest_finite(DType::kFloat8E5), 57344);
  EXPECT_EQ(largest_finite(DType::kFloat16), 65504);
  EXPECT_EQ(largest_finite(DType::kFloat4E2X4), 6);
}

TEST(DTypeConvert, PacksFourMxValuesLowestFirst) {
  // e2m1: 0.5 = 1, 1 = 2, -6 = 15, 2.5 is half way between 2 (4) and 3 (5).
  EXPECT_EQ(encode_x4(DType::kFloat4E2X4, {0.5F, 1, -6, 2.5F}), 0x4F21U);
  EXPECT_EQ(encode_x4(DType::kFloat4E2X4, {100, -100, 0, 5}), 0x60F7U);
  EXPECT_EQ(encode_x4(DType::kFloat8E4FnX4, {1, 448, -1000, 0}), 0x00FE7E38U);
  EXPECT_EQ(decode_x4(DType::kFloat4E2X4, 0x4F21), (std::array<float, 4>{0.5F, 1, -6, 2}));
  EXPECT_EQ(decode_x4(DType::kFloat8E5X4, 0x3C000000), (std::array<float, 4>{0, 0, 0, 1}));
}

TEST(DTypeConvert, DecodesBlockScales) {
  EXPECT_EQ(decode_e8m0(127), 1);
  EXPECT_EQ(decode_e8m0(0), power(-127));
  EXPECT_EQ(decode_e8m0(254), power(127));
  EXPECT_TRUE(std::isnan(decode_e8m0(255)));
}

}  // namespace
}  // namespace trnsim::numerics
