// Rounding and packing of every element type.
#include "trnsim/numerics/dtype_convert.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>
#include <limits>

#include "float_format.h"
#include "trnsim/base/error.h"

namespace trnsim::numerics {
namespace {

struct IntegerRange {
  double low;
  double high;
};

IntegerRange integer_range(DType dtype) {
  switch (dtype) {
    case DType::kInt32:
      return {-2147483648.0, 2147483647.0};
    case DType::kUInt32:
      return {0, 4294967295.0};
    case DType::kInt16:
      return {-32768, 32767};
    case DType::kUInt16:
      return {0, 65535};
    case DType::kInt8:
      return {-128, 127};
    case DType::kUInt8:
      return {0, 255};
    default:
      throw_internal(__FILE__, __LINE__, "integer dtype", std::string(name(dtype)));
  }
}

std::uint32_t encode_integer(DType dtype, double value) {
  if (std::isnan(value)) {
    return 0;
  }
  const IntegerRange range = integer_range(dtype);
  const double rounded = std::clamp(std::nearbyint(value), range.low, range.high);
  return static_cast<std::uint32_t>(static_cast<std::int64_t>(rounded));
}

double decode_integer(DType dtype, std::uint32_t bits) {
  switch (dtype) {
    case DType::kInt32:
      return static_cast<std::int32_t>(bits);
    case DType::kUInt32:
      return bits;
    case DType::kInt16:
      return static_cast<std::int16_t>(bits);
    case DType::kUInt16:
      return static_cast<std::uint16_t>(bits);
    case DType::kInt8:
      return static_cast<std::int8_t>(bits);
    case DType::kBool:
      return (bits & 0xFF) == 0 ? 0 : 1;
    default:
      return static_cast<std::uint8_t>(bits);
  }
}

// The 256 values of an 8-bit type, so that decoding is a look-up.
const std::array<float, 256>& byte_values(DType dtype) {
  static const auto tables = [] {
    std::array<std::array<float, 256>, kDTypeCount> all{};
    for (int type = 0; type < kDTypeCount; ++type) {
      const auto id = static_cast<DType>(type);
      if (size_bytes(id) != 1) {
        continue;
      }
      for (std::uint32_t bits = 0; bits < 256; ++bits) {
        all[static_cast<std::size_t>(type)][bits] = static_cast<float>(decode(id, bits));
      }
    }
    return all;
  }();
  return tables[static_cast<std::size_t>(dtype)];
}

template <typename T>
T load(const std::byte* memory) {
  T value;
  std::memcpy(&value, memory, sizeof value);
  return value;
}

// Calls body(i, address of element i); the compiler sees a constant stride in the packed case.
template <std::int64_t kBytes, typename Byte, typename Body>
void for_each(Byte* memory, std::int64_t stride_bytes, std::size_t count, Body body) {
  const auto elements = static_cast<std::int64_t>(count);
  if (stride_bytes == kBytes) {
    for (std::int64_t i = 0; i < elements; ++i) {
      body(i, memory + i * kBytes);
    }
  } else {
    for (std::int64_t i = 0; i < elements; ++i) {
      body(i, memory + i * stride_bytes);
    }
  }
}

}  // namespace

std::uint32_t encode(DType dtype, double value) {
  if (dtype == DType::kBool) {
    return value != 0 ? 1 : 0;
  }
  if (!is_float(dtype)) {
    return encode_integer(dtype, value);
  }
  TRNSIM_CHECK(!is_mx(dtype), "{} has no single-value form", name(dtype));
  return encode_float(float_format(dtype), value) << (dtype == DType::kTFloat32 ? 13 : 0);
}

double decode(DType dtype, std::uint32_t bits) {
  if (!is_float(dtype)) {
    return decode_integer(dtype, bits);
  }
  TRNSIM_CHECK(!is_mx(dtype), "{} has no single-value form", name(dtype));
  if (dtype == DType::kFloat32) {
    return std::bit_cast<float>(bits);
  }
  if (dtype == DType::kTFloat32) {
    const FloatFormat& format = float_format(dtype);
    return decode_float(format, encode_float(format, std::bit_cast<float>(bits)));
  }
  return decode_float(float_format(dtype), bits);
}

double round_to(DType dtype, double value) {
  return decode(dtype, encode(dtype, value));
}

double largest_finite(DType dtype) {
  const FloatFormat& format = float_format(dtype);
  return decode_float(format, format.max_finite);
}

std::uint32_t encode_x4(DType dtype, const std::array<float, 4>& values) {
  const FloatFormat& format = float_format(dtype);
  const double largest = largest_finite(dtype);
  std::uint32_t packed = 0;
  for (std::uint32_t i = 0; i < 4; ++i) {
    const double value = std::isnan(values[i]) ? static_cast<double>(values[i])
                                               : std::clamp<double>(values[i], -largest, largest);
    packed |= encode_float(format, value) << (i * format.bits());
  }
  return packed;
}

std::array<float, 4> decode_x4(DType dtype, std::uint32_t bits) {
  const FloatFormat& format = float_format(dtype);
  const std::uint32_t mask = (1U << format.bits()) - 1;
  std::array<float, 4> values{};
  for (std::uint32_t i = 0; i < 4; ++i) {
    values[i] = static_cast<float>(decode_float(format, (bits >> (i * format.bits())) & mask));
  }
  return values;
}

double decode_e8m0(std::uint8_t bits) {
  return bits == 255 ? std::numeric_limits<double>::quiet_NaN() : std::ldexp(1.0, bits - 127);
}

void decode_row(DType dtype, const std::byte* memory, std::int64_t stride_bytes, std::size_t count,
                float* values) {
  if (dtype == DType::kFloat32) {
    for_each<4>(memory, stride_bytes, count,
                [&](std::int64_t i, const std::byte* from) { values[i] = load<float>(from); });
  } else if (dtype == DType::kBFloat16) {
    for_each<2>(memory, stride_bytes, count, [&](std::int64_t i, const std::byte* from) {
      values[i] = std::bit_cast<float>(std::uint32_t{load<std::uint16_t>(from)} << 16);
    });
  } else if (size_bytes(dtype) == 1) {
    const std::array<float, 256>& table = byte_values(dtype);
    for_each<1>(memory, stride_bytes, count, [&](std::int64_t i, const std::byte* from) {
      values[i] = table[std::to_integer<std::size_t>(*from)];
    });
  } else if (size_bytes(dtype) == 2) {
    for_each<2>(memory, stride_bytes, count, [&](std::int64_t i, const std::byte* from) {
      values[i] = static_cast<float>(decode(dtype, load<std::uint16_t>(from)));
    });
  } else {
    for_each<4>(memory, stride_bytes, count, [&](std::int64_t i, const std::byte* from) {
      values[i] = static_cast<float>(decode(dtype, load<std::uint32_t>(from)));
    });
  }
}

void encode_row(DType dtype, const float* values, std::size_t count, std::byte* memory,
                std::int64_t stride_bytes) {
  const auto put = [&]<typename T>(T, auto encoder) {
    for_each<sizeof(T)>(memory, stride_bytes, count, [&](std::int64_t i, std::byte* to) {
      const auto bits = static_cast<T>(encoder(values[i]));
      std::memcpy(to, &bits, sizeof bits);
    });
  };
  if (dtype == DType::kFloat32) {
    put(std::uint32_t{}, [](float value) { return std::bit_cast<std::uint32_t>(value); });
  } else if (dtype == DType::kBFloat16) {
    put(std::uint16_t{}, [](float value) { return encode_bfloat16(value); });
  } else if (is_float(dtype) && size_bytes(dtype) <= 2) {
    const FloatFormat& format = float_format(dtype);
    const auto encoder = [&](float value) { return encode_float(format, value); };
    size_bytes(dtype) == 1 ? put(std::uint8_t{}, encoder) : put(std::uint16_t{}, encoder);
  } else {
    const auto encoder = [&](float value) { return encode(dtype, static_cast<double>(value)); };
    if (size_bytes(dtype) == 1) {
      put(std::uint8_t{}, encoder);
    } else if (size_bytes(dtype) == 2) {
      put(std::uint16_t{}, encoder);
    } else {
      put(std::uint32_t{}, encoder);
    }
  }
}

void read_bits(std::uint32_t element_bytes, const std::byte* memory, std::int64_t stride_bytes,
               std::size_t count, std::uint32_t* bits) {
  const auto get = [&]<typename T>(T) {
    for_each<sizeof(T)>(memory, stride_bytes, count,
                        [&](std::int64_t i, const std::byte* from) { bits[i] = load<T>(from); });
  };
  element_bytes == 4 ? get(std::uint32_t{})
                     : (element_bytes == 2 ? get(std::uint16_t{}) : get(std::uint8_t{}));
}

void write_bits(std::uint32_t element_bytes, const std::uint32_t* bits, std::size_t count,
                std::byte* memory, std::int64_t stride_bytes) {
  const auto put = [&]<typename T>(T) {
    for_each<sizeof(T)>(memory, stride_bytes, count, [&](std::int64_t i, std::byte* to) {
      const auto element = static_cast<T>(bits[i]);
      std::memcpy(to, &element, sizeof element);
    });
  };
  element_bytes == 4 ? put(std::uint32_t{})
                     : (element_bytes == 2 ? put(std::uint16_t{}) : put(std::uint8_t{}));
}

}  // namespace trnsim::numerics
