// Tensor engine: matrix products, MX products and transposes; MX quantisation.
#include <algorithm>
#include <array>
#include <cmath>

#include "ops.h"
#include "trnsim/numerics/dtype_convert.h"

namespace trnsim::numerics {
namespace {

// One block of `kRows` x `width` results: products exact and sums in double, rounded once to fp32.
// Blocked so that sums stay in registers and the moving block in the first-level cache.
constexpr std::uint64_t kRows = 4;
constexpr std::uint64_t kWidth = 32;

void multiply_block(const float* stationary, std::uint64_t m_stride, const float* moving,
                    std::uint64_t n_stride, std::uint64_t depth, std::uint64_t height,
                    std::uint64_t width, float* result) {
  std::array<std::array<double, kWidth>, kRows> sums{};
  if (height == kRows && width == kWidth) {
    for (std::uint64_t k = 0; k < depth; ++k) {
      const float* row = moving + k * n_stride;
      for (std::uint64_t m = 0; m < kRows; ++m) {
        const double factor = stationary[k * m_stride + m];
        for (std::uint64_t n = 0; n < kWidth; ++n) {
          sums[m][n] += factor * static_cast<double>(row[n]);
        }
      }
    }
  } else {
    for (std::uint64_t k = 0; k < depth; ++k) {
      for (std::uint64_t m = 0; m < height; ++m) {
        const double factor = stationary[k * m_stride + m];
        for (std::uint64_t n = 0; n < width; ++n) {
          sums[m][n] += factor * static_cast<double>(moving[k * n_stride + n]);
        }
      }
    }
  }
  for (std::uint64_t m = 0; m < height; ++m) {
    for (std::uint64_t n = 0; n < width; ++n) {
      result[m * n_stride + n] = static_cast<float>(sums[m][n]);
    }
  }
}

// stationary^T x moving of [depth, M] and [depth, N].
Floats product(const Floats& stationary, const Floats& moving) {
  Floats result(stationary.columns, moving.columns);
  for (std::uint64_t n = 0; n < moving.columns; n += kWidth) {
    const std::uint64_t width = std::min(kWidth, moving.columns - n);
    for (std::uint64_t m = 0; m < stationary.columns; m += kRows) {
      multiply_block(stationary.values.data() + m, stationary.columns, moving.values.data() + n,
                     moving.columns, moving.rows, std::min(kRows, stationary.columns - m), width,
                     result.row(m) + n);
    }
  }
  return result;
}

// Overwrites the destination or adds onto it in fp32.
void write_product(Context& context, Floats result) {
  const trace::Operand& to = context.output(0);
  if (context.attributes().accumulate) {
    const Floats old = context.load(to);
    context.require(old.rows == result.rows && old.columns == result.columns,
                    "the product is [{}, {}], dst is [{}, {}]", result.rows, result.columns,
                    old.rows, old.columns);
    for (std::size_t i = 0; i < result.values.size(); ++i) {
      result.values[i] += old.values[i];
    }
  }
  context.store(to, result);
}

// [K, 2 x free] as [2K, free]: the second contraction axis is the outer free dim.
void fold_double_row(Context& context, Floats& operand, const trace::Operand& source) {
  const std::vector<std::uint64_t> shape = context.shape(source);
  context.require(shape.size() >= 2 && shape[1] == 2,
                  "double_row needs inputs [K, 2, free]; the first free dim is {}",
                  shape.size() < 2 ? 1 : shape[1]);
  operand.rows *= 2;
  operand.columns /= 2;
}

// Elements of an x4 operand as [4 x P, free], scaled by the E8M0 scale of their block of 8
// partitions. The scale of partitions 8g..8g+7 of a 32-partition quadrant q is in row 32q + g when
// the scale tensor spans several quadrants, else the scale rows are packed: row g of all groups.
Floats load_mx(Context& context, const trace::Operand& data, const trace::Operand& scale) {
  const DType type = context.dtype(data);
  context.require(is_mx(type), "needs an MX-packed operand, not {}", name(type));
  const Bits packed = context.load_bits(data);
  const Bits scales = context.load_bits(scale);
  const std::uint64_t groups = packed.rows / 8;
  const bool spread = scales.rows != groups;
  context.require(packed.rows % 8 == 0 && scales.columns == packed.columns &&
                      (!spread || scales.rows + 28 >= packed.rows),
                  "scales [{}, {}] do not fit data [{}, {}]", scales.rows, scales.columns,
                  packed.rows, packed.columns);
  Floats block(packed.rows * 4, packed.columns);
  for (std::uint64_t p = 0; p < packed.rows; ++p) {
    const std::uint64_t scale_row = spread ? p / 32 * 32 + p % 32 / 8 : p / 8;
    for (std::uint64_t c = 0; c < packed.columns; ++c) {
      const auto factor =
          static_cast<float>(decode_e8m0(static_cast<std::uint8_t>(scales.row(scale_row)[c])));
      const std::array<float, 4> values = decode_x4(type, packed.row(p)[c]);
      for (std::uint64_t i = 0; i < 4; ++i) {
        block.row(p * 4 + i)[c] = values[i] * factor;
      }
    }
  }
  return block;
}

}  // namespace

void run_matmul(Context& context) {
  const trace::Operand& stationary_operand = context.input(0);
  const trace::Operand& moving_operand = context.input(1);
  Floats stationary = context.load(stationary_operand);
  Floats moving = context.load(moving_operand);
  if (context.attributes().double_row) {
    fold_double_row(context, stationary, stationary_operand);
    fold_double_row(context, moving, moving_operand);
  }
  context.require(stationary.rows == moving.rows, "contraction of {} against {} rows",
                  stationary.rows, moving.rows);
  write_product(context, product(stationary, moving));
}

void run_matmul_mx(Context& context) {
  const Floats stationary = load_mx(context, context.input(0), context.input(2));
  const Floats moving = load_mx(context, context.input(1), context.input(3));
  context.require(stationary.rows == moving.rows, "contraction of {} against {} rows",
                  stationary.rows, moving.rows);
  write_product(context, product(stationary, moving));
}

void run_transpose(Context& context) {
  const trace::Operand& to = context.output(0);
  const trace::Operand& from = context.input(0);
  const auto transpose = [](const auto& block) {
    auto turned = block;
    turned.rows = block.columns;
    turned.columns = block.rows;
    for (std::uint64_t r = 0; r < block.rows; ++r) {
      for (std::uint64_t c = 0; c < block.columns; ++c) {
        turned.row(c)[r] = block.row(r)[c];
      }
    }
    return turned;
  };
  if (context.dtype(to) == context.dtype(from)) {
    context.store_bits(to, transpose(context.load_bits(from)));
  } else {
    context.store(to, transpose(context.load(from)));
  }
}

// Shared exponent of a block: that of its largest magnitude minus that of the type's largest number
// (OCP MX v1.0, 6.3); elements that still overflow saturate.
void run_quantize_mx(Context& context) {
  const trace::Operand& to = context.output(0);
  const DType type = context.dtype(to);
  context.require(is_mx(type), "needs an MX-packed destination, not {}", name(type));
  const Floats source = context.load(context.input(0));
  context.require(source.rows % 32 == 0 && source.columns % 4 == 0,
                  "needs a multiple of 32 partitions and of 4 elements, not [{}, {}]", source.rows,
                  source.columns);
  const int largest_exponent = std::ilogb(largest_finite(type));
  const std::uint64_t scale_rows = context.rows(context.output(1));
  const bool spread = scale_rows != source.rows / 8;
  context.require(!spread || scale_rows + 28 >= source.rows, "scale has {} rows for {} partitions",
                  scale_rows, source.rows);
  Bits packed(source.rows, source.columns / 4);
  Bits scales(scale_rows, source.columns / 4);
  if (spread) {
    scales = context.load_bits(context.output(1));
  }
  for (std::uint64_t group = 0; group < source.rows / 8; ++group) {
    for (std::uint64_t c = 0; c < packed.columns; ++c) {
      float largest = 0;
      bool nan = false;
      for (std::uint64_t i = 0; i < 32; ++i) {
        const float value = std::fabs(source.row(group * 8 + i / 4)[c * 4 + i % 4]);
        nan = nan || !std::isfinite(value);
        largest = std::max(largest, value);
      }
      const int exponent = largest == 0 || nan
                               ? -127
                               : std::clamp(std::ilogb(largest) - largest_exponent, -127, 127);
      const std::uint64_t scale_row = spread ? group / 4 * 32 + group % 4 : group;
      scales.row(scale_row)[c] = nan ? 255U : static_cast<std::uint32_t>(exponent + 127);
      for (std::uint64_t p = group * 8; p < group * 8 + 8; ++p) {
        std::array<float, 4> values{};
        for (std::uint64_t i = 0; i < 4; ++i) {
          values[i] = std::ldexp(source.row(p)[c * 4 + i], -exponent);
        }
        packed.row(p)[c] = encode_x4(type, values);
      }
    }
  }
  context.store_bits(to, packed);
  context.store_bits(context.output(1), scales);
}

}  // namespace trnsim::numerics
