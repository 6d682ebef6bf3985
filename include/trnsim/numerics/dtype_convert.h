// Exact conversion between numbers and the bit patterns of every element type.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "trnsim/base/dtype.h"

namespace trnsim::numerics {

// Bit pattern of `value` in the low bits of the result. Rules (docs/numerics.md):
//   floats    one rounding, to nearest, ties to even; subnormals kept; signed zero kept.
//             Too large: infinity where the type has one, NaN in float8_e4m3fn, largest in
//             float4_e2m1.
//   integers  to nearest, ties to even; out of range saturates; NaN becomes 0.
//   bool      anything but zero is 1.
// `dtype` must not be MX-packed (InternalError); those go through encode_x4.
[[nodiscard]] std::uint32_t encode(DType dtype, double value);

// Value of the low bits of `bits`; every value of every type is exact in double. float32 patterns
// read as tfloat32 are rounded to its 10 fraction bits. Not for MX-packed types.
[[nodiscard]] double decode(DType dtype, std::uint32_t bits);

// decode(encode(value)): what storing to `dtype` keeps of a value.
[[nodiscard]] double round_to(DType dtype, double value);

// Largest finite value of a floating type; of the element for MX-packed types.
[[nodiscard]] double largest_finite(DType dtype);

// MX-packed elements; value 0 sits in the lowest bits. Too large saturates (OCP MX v1.0, 6.3).
[[nodiscard]] std::uint32_t encode_x4(DType dtype, const std::array<float, 4>& values);
[[nodiscard]] std::array<float, 4> decode_x4(DType dtype, std::uint32_t bits);

// E8M0 block scale: 2^(bits - 127), 255 is NaN.
[[nodiscard]] double decode_e8m0(std::uint8_t bits);

// Rows of `count` elements, `stride_bytes` apart in memory. Integers beyond 2^24 lose bits in the
// float form, as they do in an engine that casts its inputs to fp32.
void decode_row(DType dtype, const std::byte* memory, std::int64_t stride_bytes, std::size_t count,
                float* values);
void encode_row(DType dtype, const float* values, std::size_t count, std::byte* memory,
                std::int64_t stride_bytes);

// Raw element patterns, for copies that must not change a bit.
void read_bits(std::uint32_t element_bytes, const std::byte* memory, std::int64_t stride_bytes,
               std::size_t count, std::uint32_t* bits);
void write_bits(std::uint32_t element_bytes, const std::uint32_t* bits, std::size_t count,
                std::byte* memory, std::int64_t stride_bytes);

}  // namespace trnsim::numerics
