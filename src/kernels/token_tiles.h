// How rows of tokens are cut into tiles of partitions x columns.
#pragma once

#include <algorithm>
#include <cstdint>
#include <string>
#include <vector>

#include "trnsim/base/error.h"
#include "trnsim/trace/builder.h"

namespace trnsim::kernels {

inline constexpr std::uint32_t kLanes = 128;
// Columns of one instruction: long enough to hide its fixed cost, short enough for many buffers.
inline constexpr std::uint32_t kColumns = 4096;
// Up to this many tokens a token is laid across the partitions.
inline constexpr std::uint32_t kFewTokens = 64;

inline bool across_partitions(std::uint32_t tokens, std::uint32_t width) {
  return tokens <= kFewTokens && width % kLanes == 0;
}

// Window [tokens, width] of an HBM tensor as [lanes, tokens, width / lanes].
inline trace::View laid_across(const trace::View& rows) {
  return rows.split(1, rows.dims[1].count / kLanes).permute(0, 1);
}

inline void check_rows(const char* kernel, std::uint32_t tokens, std::uint32_t width, DType dtype) {
  if (tokens == 0 || width == 0) {
    throw Error(
        fmt::format("{} sizes must be at least 1, got {} tokens of {}", kernel, tokens, width));
  }
  if (!is_16bit_float(dtype) && dtype != DType::kFloat32) {
    throw Error(fmt::format("{} takes float32, bfloat16 or float16, not {}", kernel, name(dtype)));
  }
}

}  // namespace trnsim::kernels
