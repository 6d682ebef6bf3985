// Microscaling: quantisation and block-scaled products against plain loops.
#include <algorithm>

#include "helpers.h"

namespace trnsim::numerics::test {
namespace {

constexpr std::uint32_t kPartitions = 64;

// Value of packed element i of partition p, column c after scaling; packed: 4 values per element.
double scaled(const Values& packed, const Values& scales, std::size_t columns, std::size_t p,
              std::size_t c, std::size_t i) {
  const std::size_t scale_row = p / 32 * 32 + p % 32 / 8;
  return packed[(p * columns + c) * 4 + i] *
         std::ldexp(1, static_cast<int>(scales[scale_row * columns + c]) - 127);
}

struct Operand {
  Values packed;
  Values scales;  // [36, columns]: rows 0..3 and 32..35 count
};

Operand random_operand(DType element, std::size_t columns, std::uint32_t seed) {
  Numbers numbers(seed);
  Operand operand{rounded(element, numbers.take(kPartitions * columns * 4, 4)),
                  Values(36 * columns)};
  for (double& scale : operand.scales) {
    scale = 125 + std::floor((numbers.next() + 1) * 3);
  }
  return operand;
}

TEST(MatmulMx, ContractsPartitionsAndPackedValuesWithBlockScales) {
  constexpr std::size_t kM = 6;
  constexpr std::size_t kN = 10;
  const Operand a = random_operand(DType::kFloat8E4Fn, kM, 1);
  const Operand b = random_operand(DType::kFloat8E5, kN, 2);
  Bench bench;
  const View stationary = bench.input("a", DType::kFloat8E4FnX4, kPartitions, {kM}, a.packed);
  const View moving = bench.input("b", DType::kFloat8E5X4, kPartitions, {kN}, b.packed);
  const View stationary_scale = bench.input("as", DType::kUInt8, 36, {kM}, a.scales);
  const View moving_scale = bench.input("bs", DType::kUInt8, 36, {kN}, b.scales);
  const View sum = bench.builder.psum("sum", DType::kFloat32, kM, {kN});
  bench.builder.emit(Opcode::kNcMatmulMx, Engine::kTensor, {sum},
                     {stationary, moving, stationary_scale, moving_scale});
  const View y = bench.tile(DType::kFloat32, kM, {kN});
  bench.builder.copy(y, sum);
  bench.output("y", y);
  Values want;
  for (std::size_t m = 0; m < kM; ++m) {
    for (std::size_t n = 0; n < kN; ++n) {
      double total = 0;
      for (std::size_t p = 0; p < kPartitions; ++p) {
        for (std::size_t i = 0; i < 4; ++i) {
          total +=
              scaled(a.packed, a.scales, kM, p, m, i) * scaled(b.packed, b.scales, kN, p, n, i);
        }
      }
      want.push_back(round_to(DType::kFloat32, total));
    }
  }
  expect_equal(bench.result(), want);
}

TEST(MatmulMx, NeedsScalesForEveryQuadrant) {
  Bench bench;
  const View a =
      bench.input("a", DType::kFloat8E4FnX4, kPartitions, {2}, Values(kPartitions * 8, 1));
  const View s = bench.input("s", DType::kUInt8, 8, {2}, Values(16, 127));
  const View sum = bench.builder.psum("sum", DType::kFloat32, 2, {2});
  bench.builder.emit(Opcode::kNcMatmulMx, Engine::kTensor, {sum}, {a, a, s, s});
  EXPECT_EQ(error_of(bench),
            "instruction 2 (nc_matmul_mx): scales [8, 2] do not fit data [64, 2]: at least 36 "
            "partitions");
}

// Scale 2^(exponent of the largest - 8 + 1) for e4m3fn (largest 448 = 1.75 x 2^8).
TEST(QuantizeMx, ScalesEachBlockOfEightPartitionsByFourValues) {
  constexpr std::size_t kColumns = 8;
  Numbers numbers(6);
  Values x = rounded(DType::kBFloat16, numbers.take(kPartitions * kColumns, 100));
  for (std::size_t p = 8; p < 16; ++p) {
    std::fill_n(x.begin() + static_cast<std::ptrdiff_t>(p * kColumns), 4, 0.0);  // a zero block
  }
  Bench bench;
  const View source = bench.input("x", DType::kBFloat16, kPartitions, {kColumns}, x);
  const View y = bench.tile(DType::kFloat8E4FnX4, kPartitions, {kColumns / 4});
  const View s = bench.tile(DType::kUInt8, 36, {kColumns / 4});
  bench.builder.memset(s, 0);
  bench.builder.emit(Opcode::kQuantizeMx, Engine::kVector, {y, s}, {source});
  bench.output("y", y);
  bench.output("s", s);
  Execution got = bench.run();
  EXPECT_TRUE(got.uninitialised_reads.empty());
  const Values& values = got.outputs["y"];
  const Values& scales = got.outputs["s"];
  EXPECT_EQ(scales[1 * 2], 0);  // zero block
  EXPECT_EQ(scales[4 * 2], 0);  // row 4 holds no scale
  for (std::size_t p = 0; p < kPartitions; ++p) {
    for (std::size_t c = 0; c < kColumns; ++c) {
      double largest = 0;
      for (std::size_t q = p / 8 * 8; q < p / 8 * 8 + 8; ++q) {
        for (std::size_t i = c / 4 * 4; i < c / 4 * 4 + 4; ++i) {
          largest = std::max(largest, std::fabs(x[q * kColumns + i]));
        }
      }
      const double exponent = largest == 0 ? -127 : std::floor(std::log2(largest)) - 8 + 1;
      ASSERT_EQ(scales[(p / 32 * 32 + p % 32 / 8) * 2 + c / 4], exponent + 127);
      const double want = round_to(DType::kFloat8E4Fn, x[p * kColumns + c] / std::exp2(exponent));
      ASSERT_EQ(values[p * kColumns + c], want) << p << " " << c;
    }
  }
}

}  // namespace
}  // namespace trnsim::numerics::test
