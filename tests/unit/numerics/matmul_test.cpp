// Tensor engine: products against double references, accumulation, double row, transposes.
#include <algorithm>

#include "helpers.h"

namespace trnsim::numerics::test {
namespace {

struct Gemm {
  std::uint32_t m;
  std::uint32_t k;
  std::uint32_t n;
  DType dtype;
};

// C[M, N] = A[K, M]^T x B[K, N], tiles of at most 128 x 128 x 512, partial last tiles.
// skip: index of a matmul instruction that is left out.
trace::Trace gemm_trace(const Gemm& gemm, int skip = -1) {
  TraceBuilder builder("gemm", "numerics_tests");
  const View a = builder.hbm("a", gemm.dtype, {gemm.k, gemm.m}, Role::kInput);
  const View b = builder.hbm("b", gemm.dtype, {gemm.k, gemm.n}, Role::kInput);
  const View c = builder.hbm("c", DType::kFloat32, {gemm.m, gemm.n}, Role::kOutput);
  int matmuls = 0;
  for (std::uint32_t m = 0; m < gemm.m; m += 128) {
    const std::uint32_t height = std::min(128U, gemm.m - m);
    for (std::uint32_t n = 0; n < gemm.n; n += 512) {
      const std::uint32_t width = std::min(512U, gemm.n - n);
      const View sum = builder.psum("sum", DType::kFloat32, height, {width});
      for (std::uint32_t k = 0; k < gemm.k; k += 128) {
        const std::uint32_t depth = std::min(128U, gemm.k - k);
        const View stationary = builder.sbuf("stationary", gemm.dtype, depth, {height});
        const View moving = builder.sbuf("moving", gemm.dtype, depth, {width});
        builder.dma(stationary, a.slice(0, k, depth).slice(1, m, height));
        builder.dma(moving, b.slice(0, k, depth).slice(1, n, width));
        if (matmuls++ != skip) {
          builder.matmul(sum, stationary, moving, k > 0);
        }
      }
      const View result = builder.sbuf("result", DType::kFloat32, height, {width});
      builder.copy(result, sum);
      builder.dma(c.slice(0, m, height).slice(1, n, width), result);
    }
  }
  return builder.take();
}

Values reference(const Gemm& gemm, const Values& a, const Values& b) {
  Values c(static_cast<std::size_t>(gemm.m) * gemm.n, 0);
  for (std::size_t k = 0; k < gemm.k; ++k) {
    for (std::size_t m = 0; m < gemm.m; ++m) {
      for (std::size_t n = 0; n < gemm.n; ++n) {
        c[m * gemm.n + n] += a[k * gemm.m + m] * b[k * gemm.n + n];
      }
    }
  }
  return c;
}

std::map<std::string, Values> gemm_inputs(const Gemm& gemm) {
  Numbers numbers(7);
  return {{"a", rounded(gemm.dtype, numbers.take(std::size_t{gemm.k} * gemm.m))},
          {"b", rounded(gemm.dtype, numbers.take(std::size_t{gemm.k} * gemm.n))}};
}

class GemmShapes : public testing::TestWithParam<Gemm> {};

// Inputs are exact in their dtype, so the only errors are the roundings to fp32: one per matmul of
// the K loop and one per addition, each at most 2^-24 of a partial sum, which is at most K.
TEST_P(GemmShapes, MatchADoubleReference) {
  const Gemm gemm = GetParam();
  const auto inputs = gemm_inputs(gemm);
  const Execution got = execute(gemm_trace(gemm), inputs);
  EXPECT_TRUE(got.uninitialised_reads.empty());
  const double steps = 2.0 * ((gemm.k + 127) / 128);
  expect_near(got.outputs.at("c"), reference(gemm, inputs.at("a"), inputs.at("b")), 0,
              steps * gemm.k * std::ldexp(1, -24));
}

INSTANTIATE_TEST_SUITE_P(
    All, GemmShapes,
    testing::Values(Gemm{128, 128, 512, DType::kBFloat16}, Gemm{1, 1, 1, DType::kFloat32},
                    Gemm{256, 384, 640, DType::kBFloat16}, Gemm{100, 200, 77, DType::kFloat16},
                    Gemm{130, 129, 513, DType::kFloat32}, Gemm{64, 256, 33, DType::kFloat8E4},
                    Gemm{5, 128, 34, DType::kFloat8E5}, Gemm{3, 130, 40, DType::kFloat8E3},
                    Gemm{31, 64, 31, DType::kTFloat32}));

TEST(Gemm, NoticesASkippedMatmulOfTheKLoop) {
  const Gemm gemm{128, 512, 128, DType::kBFloat16};
  const auto inputs = gemm_inputs(gemm);
  const Values want = reference(gemm, inputs.at("a"), inputs.at("b"));
  const Values got = execute(gemm_trace(gemm, 2), inputs).outputs.at("c");
  double worst = 0;
  for (std::size_t i = 0; i < want.size(); ++i) {
    worst = std::max(worst, std::fabs(got[i] - want[i]));
  }
  EXPECT_GT(worst, 1);  // tolerance of the full product: 8 x 512 x 2^-24 = 2.4e-4
}

TEST(Gemm, ReportsASkippedFirstMatmulAsUninitialisedRead) {
  const Gemm gemm{16, 256, 32, DType::kBFloat16};
  const Execution got = execute(gemm_trace(gemm, 0), gemm_inputs(gemm));
  ASSERT_FALSE(got.uninitialised_reads.empty());
  // Instructions: 4 DMA loads, of which two before the second matmul's index: dma dma dma dma
  // matmul.
  EXPECT_EQ(got.uninitialised_reads.front().instruction, 4U);
  EXPECT_EQ(got.uninitialised_reads.front().tensor, "sum");
  EXPECT_EQ(got.uninitialised_reads.front().elements, 16U * 32U);
  EXPECT_TRUE(std::isnan(got.outputs.at("c")[0]));
}

// Big enough to exceed the test's time limit if an inner loop turned slow.
TEST(Gemm, OfAThousandCubedIsRightInOneElement) {
  const Gemm gemm{1024, 1024, 1024, DType::kBFloat16};
  const auto inputs = gemm_inputs(gemm);
  const Execution got = execute(gemm_trace(gemm), inputs);
  double want = 0;
  for (std::size_t k = 0; k < 1024; ++k) {
    want += inputs.at("a")[k * 1024 + 5] * inputs.at("b")[k * 1024 + 9];
  }
  EXPECT_NEAR(got.outputs.at("c")[5 * 1024 + 9], want, 16 * 1024 * std::ldexp(1, -24));
}

// fp32 accumulation, not double: 2^24 + 1 is not an fp32 number.
TEST(Matmul, AccumulatesOntoPsumInFp32) {
  Bench bench;
  const View big = bench.input("big", DType::kFloat32, 1, {1}, {16777216});
  const View one = bench.input("one", DType::kFloat32, 1, {1}, {1});
  const View sum = bench.builder.psum("sum", DType::kFloat32, 1, {1});
  bench.builder.matmul(sum, big, one, false);
  bench.builder.matmul(sum, one, one, true);
  const View y = bench.tile(DType::kFloat32, 1, {1});
  bench.builder.copy(y, sum);
  bench.output("y", y);
  expect_equal(bench.result(), {16777216});
}

TEST(Matmul, WithoutAccumulateOverwrites) {
  Bench bench;
  const View two = bench.input("two", DType::kBFloat16, 1, {1}, {2});
  const View sum = bench.builder.psum("sum", DType::kFloat32, 1, {1});
  bench.builder.matmul(sum, two, two, false);
  bench.builder.matmul(sum, two, two, false);
  const View y = bench.tile(DType::kFloat32, 1, {1});
  bench.builder.copy(y, sum);
  bench.output("y", y);
  expect_equal(bench.result(), {4});
}

TEST(Matmul, DoubleRowContractsBothRows) {
  const std::uint32_t k = 3;
  const std::uint32_t m = 2;
  const std::uint32_t n = 5;
  Numbers numbers(3);
  const Values a = rounded(DType::kFloat8E4, numbers.take(k * 2 * m));
  const Values b = rounded(DType::kFloat8E4, numbers.take(k * 2 * n));
  Bench bench;
  const View stationary = bench.input("a", DType::kFloat8E4, k, {2, m}, a);
  const View moving = bench.input("b", DType::kFloat8E4, k, {2, n}, b);
  const View sum = bench.builder.psum("sum", DType::kFloat32, m, {n});
  bench.builder.matmul(sum, stationary, moving, false, true);
  const View y = bench.tile(DType::kFloat32, m, {n});
  bench.builder.copy(y, sum);
  bench.output("y", y);
  Values want(m * n, 0);
  for (std::size_t p = 0; p < k; ++p) {
    for (std::size_t row = 0; row < 2; ++row) {
      for (std::size_t i = 0; i < m; ++i) {
        for (std::size_t j = 0; j < n; ++j) {
          want[i * n + j] += a[(p * 2 + row) * m + i] * b[(p * 2 + row) * n + j];
        }
      }
    }
  }
  expect_equal(bench.result(), want);  // few bits: exact in fp32
}

TEST(Matmul, RefusesUnequalContraction) {
  Bench bench;
  const View a = bench.input("a", DType::kBFloat16, 3, {2}, Values(6, 1));
  const View b = bench.input("b", DType::kBFloat16, 4, {2}, Values(8, 1));
  bench.builder.matmul(bench.builder.psum("sum", DType::kFloat32, 2, {2}), a, b, false);
  EXPECT_EQ(error_of(bench), "instruction 2 (nc_matmul): contraction of 3 against 4 rows");
}

// A permutation as moving operand of a plain product would turn infinity times 0 into NaN.
TEST(Matmul, InTransposeModePassesInfinityAndNan) {
  for (const bool transpose : {false, true}) {
    Bench bench;
    const View x = bench.input("x", DType::kBFloat16, 2, {2}, {1, HUGE_VAL, 3, NAN});
    const View identity = bench.input("i", DType::kBFloat16, 2, {2}, {1, 0, 0, 1});
    const View turned = bench.builder.psum("turned", DType::kFloat32, 2, {2});
    Attributes attributes;
    attributes.is_transpose = transpose;
    bench.builder.emit(Opcode::kNcMatmul, Engine::kTensor, {turned}, {x, identity}, attributes);
    const View y = bench.tile(DType::kFloat32, 2, {2});
    bench.builder.copy(y, turned);
    bench.output("y", y);
    expect_equal(bench.result(), transpose ? Values{1, 3, HUGE_VAL, NAN} : Values{1, 3, NAN, NAN});
  }
}

TEST(Transpose, KeepsEveryBit) {
  Bench bench;
  const double infinity = HUGE_VAL;
  const View x = bench.input("x", DType::kBFloat16, 2, {3}, {1, infinity, 3, -0.5, NAN, 6});
  const View turned = bench.builder.psum("turned", DType::kBFloat16, 3, {2});
  bench.builder.transpose(turned, x);
  const View y = bench.tile(DType::kBFloat16, 3, {2});
  bench.builder.copy(y, turned);
  bench.output("y", y);
  expect_equal(bench.result(), {1, -0.5, infinity, NAN, 3, 6});
}

}  // namespace
}  // namespace trnsim::numerics::test
