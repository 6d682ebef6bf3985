// GEMM traces executed on data, against a reference in double precision.
#include <tuple>

#include "kernel_checks.h"
#include "trnsim/kernels/gemm.h"

namespace trnsim::kernels {
namespace {

using numerics::Values;

constexpr GemmVariant kVariants[] = {GemmVariant::kNaive,       GemmVariant::kHoisted,
                                     GemmVariant::kOneBank,     GemmVariant::kBlockedFree,
                                     GemmVariant::kBlocked,     GemmVariant::kBest};

// fp32 accumulation of K terms below 1 and one rounding of the result. A missing 128-row step would
// be off by about sqrt(128) / 3, far above this.
void expect_product(const GemmOptions& options, const spec::CoreSpec& core) {
  SCOPED_TRACE(testing::Message() << core.name << " " << name(options.variant) << " " << options.m
                                  << "x" << options.n << "x" << options.k << " "
                                  << name(options.dtype) << (options.a_is_km ? " KM" : " MK")
                                  << (options.b_is_kn ? " KN" : " NK"));
  const std::size_t m = options.m;
  const std::size_t n = options.n;
  const std::size_t k = options.k;
  const Values a = test::numbers(1, m * k, options.dtype);
  const Values b = test::numbers(2, k * n, options.dtype);
  const trace::Trace trace = gemm(options, core);
  const numerics::Execution execution = numerics::execute(trace, {{"a", a}, {"b", b}});
  EXPECT_TRUE(execution.uninitialised_reads.empty());
  const Values& c = execution.outputs.at("c");
  ASSERT_EQ(c.size(), m * n);
  const DType out = options.out_dtype.value_or(
      is_fp8(options.dtype) ? DType::kBFloat16 : options.dtype);
  Values row(n);
  for (std::size_t i = 0; i < m; ++i) {
    std::fill(row.begin(), row.end(), 0.0);
    for (std::size_t x = 0; x < k; ++x) {
      const double left = options.a_is_km ? a[x * m + i] : a[i * k + x];
      for (std::size_t j = 0; j < n; ++j) {
        row[j] += left * (options.b_is_kn ? b[x * n + j] : b[j * k + x]);
      }
    }
    for (std::size_t j = 0; j < n; ++j) {
      const double tolerance =
          test::rounding(out) * std::abs(row[j]) + 1e-7 * static_cast<double>(k) + 1e-7;
      ASSERT_NEAR(c[i * n + j], row[j], tolerance) << "at " << i << ", " << j;
    }
  }
}

GemmOptions problem(std::tuple<std::uint32_t, std::uint32_t, std::uint32_t> shape,
                    GemmVariant variant, DType dtype) {
  GemmOptions options;
  std::tie(options.m, options.n, options.k) = shape;
  options.variant = variant;
  options.dtype = dtype;
  return options;
}

TEST(GemmNumerics, EveryVariantMultipliesEveryShapeInBf16) {
  for (const GemmVariant variant : kVariants) {
    for (const auto& shape :
         {std::tuple{1U, 1U, 1U}, {1U, 512U, 128U}, {512U, 1U, 128U}, {127U, 129U, 255U},
          {130U, 513U, 131U}, {256U, 512U, 384U}, {3U, 1100U, 1U}, {700U, 1300U, 260U}}) {
      expect_product(problem(shape, variant, DType::kBFloat16), test::trn2());
    }
  }
}

TEST(GemmNumerics, EveryVariantMultipliesEveryType) {
  for (const GemmVariant variant : kVariants) {
    for (const DType dtype : {DType::kFloat16, DType::kFloat32, DType::kFloat8E3, DType::kFloat8E4,
                              DType::kFloat8E4Fn, DType::kFloat8E5}) {
      for (const auto& shape : {std::tuple{127U, 129U, 255U}, {130U, 513U, 131U}}) {
        expect_product(problem(shape, variant, dtype), test::trn2());
      }
    }
  }
}

TEST(GemmNumerics, Fp8HandlesEveryRemainderOfK) {
  for (const std::uint32_t k : {1U, 2U, 127U, 128U, 129U, 130U, 255U, 256U, 257U, 384U, 385U, 387U,
                                511U, 643U, 900U}) {
    expect_product(problem({70U, 90U, k}, GemmVariant::kBest, DType::kFloat8E4), test::trn2());
  }
}

TEST(GemmNumerics, EveryLayoutMultiplies) {
  for (const GemmVariant variant : kVariants) {
    for (const DType dtype :
         {DType::kBFloat16, DType::kFloat32, DType::kFloat8E4}) {
      for (int layout = 1; layout < 4; ++layout) {
        GemmOptions options = problem({130U, 645U, 391U}, variant, dtype);
        options.a_is_km = (layout & 1) == 0;
        options.b_is_kn = (layout & 2) == 0;
        expect_product(options, test::trn2());
      }
    }
  }
}

TEST(GemmNumerics, TheTensorEngineTransposesSixteenBitTypesToo) {
  GemmOptions options = problem({200U, 600U, 300U}, GemmVariant::kBest, DType::kBFloat16);
  options.a_is_km = false;
  options.b_is_kn = false;
  options.transpose = TransposePath::kTensor;
  expect_product(options, test::trn2());
  options.transpose = TransposePath::kAuto;
  expect_product(options, test::core_of("trn1.2xlarge"));
}

TEST(GemmNumerics, OutputTypeIsTheCallersChoice) {
  for (const DType out : {DType::kFloat32, DType::kFloat16, DType::kBFloat16}) {
    GemmOptions options = problem({100U, 600U, 260U}, GemmVariant::kBest, DType::kBFloat16);
    options.out_dtype = out;
    expect_product(options, test::trn2());
  }
}

TEST(GemmNumerics, EveryLoopOrderMultiplies) {
  for (const GemmKeep keep : {GemmKeep::kNone, GemmKeep::kA, GemmKeep::kB}) {
    for (const std::uint32_t panel : {1U, 2U, 5U}) {
      for (const auto& [mt, nt] : {std::pair{1U, 1U}, {2U, 1U}, {1U, 2U}, {3U, 2U}}) {
        GemmOptions options = problem({520U, 1700U, 400U}, GemmVariant::kBest, DType::kBFloat16);
        options.blocking = GemmBlocking{keep, mt, nt, panel, 100000, 2};
        expect_product(options, test::trn2());
      }
    }
  }
}

TEST(GemmNumerics, FewRowsOnEitherSideMultiply) {
  for (const std::uint32_t m : {1U, 5U, 64U, 100U}) {
    for (const DType dtype : {DType::kBFloat16, DType::kFloat32, DType::kFloat8E4}) {
      expect_product(problem({m, 1500U, 300U}, GemmVariant::kBest, dtype), test::trn2());
      expect_product(problem({1500U, m, 300U}, GemmVariant::kBest, dtype), test::trn2());
    }
  }
}

TEST(GemmNumerics, TheOtherGenerationsMultiply) {
  for (const std::string system : {"trn1.2xlarge", "trn3-core"}) {
    for (const DType dtype : {DType::kBFloat16, DType::kFloat32, DType::kFloat8E4}) {
      expect_product(problem({130U, 1100U, 391U}, GemmVariant::kBest, dtype),
                     test::core_of(system));
    }
  }
}

}  // namespace
}  // namespace trnsim::kernels
