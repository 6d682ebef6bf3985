// Microscaling formats: block-scaled matrix products and quantisation.
#include <algorithm>
#include <array>
#include <cmath>

#include "ops.h"
#include "product.h"
#include "trnsim/numerics/dtype_convert.h"

namespace trnsim::numerics {
namespace {

// A block is 8 partitions x 4 packed values. Scales of the blocks of a quadrant of 32 partitions
// are in the first 4 partitions of the same quadrant of the scale tile.
constexpr std::uint64_t kBlock = 8;
constexpr std::uint64_t kQuadrant = 32;
constexpr std::uint64_t kScalesPerQuadrant = kQuadrant / kBlock;

void check_scales(const Context& context, const trace::Operand& scale, std::uint64_t partitions,
                  std::uint64_t columns) {
  context.require(partitions % kQuadrant == 0, "needs a multiple of {} partitions, not {}",
                  kQuadrant, partitions);
  context.require(size_bytes(context.dtype(scale)) == 1 && !is_float(context.dtype(scale)),
                  "scales are uint8 (E8M0), not {}", name(context.dtype(scale)));
  const std::uint64_t needed = partitions - kQuadrant + kScalesPerQuadrant;
  context.require(context.rows(scale) >= needed && context.columns(scale) == columns,
                  "scales [{}, {}] do not fit data [{}, {}]: at least {} partitions",
                  context.rows(scale), context.columns(scale), partitions, columns, needed);
}

// The scale rows of one quadrant; the rows between quadrants hold nothing.
trace::Operand quadrant_scales(trace::Operand scale, std::uint64_t partition) {
  scale.partition_start += static_cast<std::uint32_t>(partition);
  scale.partition_count = kScalesPerQuadrant;
  return scale;
}

// Scaled values of an x4 operand as [4 x P, free]: packed values are the inner contraction axis.
Floats load_mx(Context& context, const trace::Operand& data, const trace::Operand& scale) {
  const DType type = context.dtype(data);
  context.require(is_mx(type), "needs an MX-packed operand, not {}", name(type));
  const Bits packed = context.load_bits(data);
  check_scales(context, scale, packed.rows, packed.columns);
  Floats block(packed.rows * 4, packed.columns);
  Bits scales;
  for (std::uint64_t p = 0; p < packed.rows; ++p) {
    if (p % kQuadrant == 0) {
      scales = context.load_bits(quadrant_scales(scale, p));
    }
    for (std::uint64_t c = 0; c < packed.columns; ++c) {
      const std::uint32_t bits = scales.row(p % kQuadrant / kBlock)[c];
      const auto factor = static_cast<float>(decode_e8m0(static_cast<std::uint8_t>(bits)));
      const std::array<float, 4> values = decode_x4(type, packed.row(p)[c]);
      for (std::uint64_t i = 0; i < 4; ++i) {
        block.row(p * 4 + i)[c] = values[i] * factor;
      }
    }
  }
  return block;
}

// Exponent of a block's scale: one more than OCP MX v1.0 6.3 takes, so that the largest value has
// room to round up (nki.isa.quantize_mx of SDK 2.32). kNanScale if a value is not finite.
constexpr int kNanScale = 128;

int block_exponent(const Floats& source, std::uint64_t partition, std::uint64_t column,
                   int largest_exponent) {
  float largest = 0;
  for (std::uint64_t p = partition; p < partition + kBlock; ++p) {
    for (std::uint64_t i = column; i < column + 4; ++i) {
      const float value = std::fabs(source.row(p)[i]);
      if (!std::isfinite(value)) {
        return kNanScale;
      }
      largest = std::max(largest, value);
    }
  }
  return largest == 0 ? -127 : std::clamp(std::ilogb(largest) - largest_exponent + 1, -127, 127);
}

}  // namespace

void run_matmul_mx(Context& context) {
  const Floats stationary = load_mx(context, context.input(0), context.input(2));
  const Floats moving = load_mx(context, context.input(1), context.input(3));
  context.require(stationary.rows == moving.rows, "contraction of {} against {} rows",
                  stationary.rows, moving.rows);
  write_product(context, product(stationary, moving));
}

void run_quantize_mx(Context& context) {
  const DType type = context.dtype(context.output(0));
  context.require(is_mx(type), "needs an MX-packed destination, not {}", name(type));
  const Floats source = context.load(context.input(0));
  context.require(source.columns % 4 == 0, "needs a multiple of 4 elements, not {}",
                  source.columns);
  Bits packed(source.rows, source.columns / 4);
  check_scales(context, context.output(1), packed.rows, packed.columns);
  const int largest_exponent = std::ilogb(largest_finite(type));
  for (std::uint64_t quadrant = 0; quadrant < source.rows; quadrant += kQuadrant) {
    Bits scales(kScalesPerQuadrant, packed.columns);
    for (std::uint64_t p = quadrant; p < quadrant + kQuadrant; ++p) {
      for (std::uint64_t c = 0; c < packed.columns; ++c) {
        const int exponent = block_exponent(source, p / kBlock * kBlock, c * 4, largest_exponent);
        std::array<float, 4> values{};
        for (std::uint64_t i = 0; i < 4; ++i) {
          values[i] = std::ldexp(source.row(p)[c * 4 + i], -exponent);
        }
        packed.row(p)[c] = encode_x4(type, values);
        scales.row(p % kQuadrant / kBlock)[c] = static_cast<std::uint32_t>(exponent + 127);
      }
    }
    context.store_bits(quadrant_scales(context.output(1), quadrant), scales);
  }
  context.store_bits(context.output(0), packed);
}

}  // namespace trnsim::numerics
