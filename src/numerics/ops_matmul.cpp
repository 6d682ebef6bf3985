// Tensor engine: matrix products and transposes.
#include <algorithm>
#include <array>

#include "ops.h"
#include "product.h"

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

// The product where the moving operand is a permutation: its zeros select nothing, so that NaN and
// infinity pass as in the transpose mode of NeuronCore-v3 and later.
Floats selection(const Floats& stationary, const Floats& moving) {
  Floats result(stationary.columns, moving.columns);
  for (std::uint64_t k = 0; k < moving.rows; ++k) {
    for (std::uint64_t n = 0; n < moving.columns; ++n) {
      const float factor = moving.row(k)[n];
      for (std::uint64_t m = 0; factor != 0 && m < stationary.columns; ++m) {
        result.row(m)[n] += stationary.row(k)[m] * factor;
      }
    }
  }
  return result;
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

}  // namespace

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
  write_product(context, context.attributes().is_transpose ? selection(stationary, moving)
                                                           : product(stationary, moving));
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

}  // namespace trnsim::numerics
