// GEMM traces executed on data, against a reference in double precision.
#include <cmath>
#include <tuple>

#include "kernel_checks.h"
#include "trnsim/kernels/gemm.h"

namespace trnsim::kernels {
namespace {

using numerics::Values;

constexpr GemmVariant kVariants[] = {GemmVariant::kNaive,   GemmVariant::kHoisted,
                                     GemmVariant::kOneBank, GemmVariant::kBlockedFree,
                                     GemmVariant::kBlocked, GemmVariant::kBest,
                                     GemmVariant::kCompiler};

// Largest error over its tolerance: fp32 accumulation of K terms below 1 and one rounding of the
// result. Values nobody wrote count as infinitely wrong.
double worst_error(const GemmOptions& options, const trace::Trace& trace) {
  const std::size_t m = options.m;
  const std::size_t n = options.n;
  const std::size_t k = options.k;
  const Values a = test::numbers(1, m * k, options.dtype);
  const Values b = test::numbers(2, k * n, options.dtype);
  const numerics::Execution execution = numerics::execute(trace, {{"a", a}, {"b", b}});
  if (!execution.uninitialised_reads.empty()) {
    return INFINITY;
  }
  const Values& c = execution.outputs.at("c");
  const DType out =
      options.out_dtype.value_or(is_fp8(options.dtype) ? DType::kBFloat16 : options.dtype);
  double worst = 0;
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
      const double error = std::abs(c.at(i * n + j) - row[j]) / tolerance;
      worst = error <= worst ? worst : (std::isnan(error) ? INFINITY : error);
    }
  }
  return worst;
}

void expect_product(const GemmOptions& options, const spec::CoreSpec& core) {
  SCOPED_TRACE(testing::Message() << core.name << " " << name(options.variant) << " " << options.m
                                  << "x" << options.n << "x" << options.k << " "
                                  << name(options.dtype) << (options.a_is_km ? " KM" : " MK")
                                  << (options.b_is_kn ? " KN" : " NK"));
  EXPECT_LE(worst_error(options, gemm(options, core)), 1);
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
    for (const auto& shape : {std::tuple{1U, 1U, 1U},
                              {1U, 512U, 128U},
                              {512U, 1U, 128U},
                              {127U, 129U, 255U},
                              {130U, 513U, 131U},
                              {256U, 512U, 384U},
                              {3U, 1100U, 1U},
                              {400U, 1100U, 260U}}) {
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
  for (const std::uint32_t k :
       {1U, 2U, 127U, 128U, 129U, 130U, 255U, 256U, 257U, 384U, 385U, 387U, 511U, 643U, 900U}) {
    expect_product(problem({70U, 90U, k}, GemmVariant::kBest, DType::kFloat8E4), test::trn2());
  }
}

TEST(GemmNumerics, EveryLayoutMultiplies) {
  for (const GemmVariant variant : kVariants) {
    for (const DType dtype : {DType::kBFloat16, DType::kFloat32, DType::kFloat8E4}) {
      for (int layout = 1; layout < 4; ++layout) {
        GemmOptions options = problem({130U, 645U, 295U}, variant, dtype);
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
        GemmOptions options = problem({390U, 1100U, 150U}, GemmVariant::kBest, DType::kBFloat16);
        options.blocking = GemmBlocking{keep, mt, nt, panel, 100000, 1};
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

TEST(GemmNumerics, LeavingOutAnyInstructionIsNoticed) {
  for (const GemmVariant variant : kVariants) {
    for (const DType dtype : {DType::kBFloat16, DType::kFloat8E4}) {
      const GemmOptions options = problem({130U, 520U, 140U}, variant, dtype);
      const trace::Trace whole = gemm(options, test::trn2());
      for (std::size_t i = 0; i < whole.instructions.size(); ++i) {
        // Naive loads the same tile again and again, so a load left out may go unnoticed.
        if (variant == GemmVariant::kNaive && trace::is_dma(whole.instructions[i].opcode)) {
          continue;
        }
        trace::Trace trace = whole;
        trace.instructions.erase(trace.instructions.begin() + static_cast<std::ptrdiff_t>(i));
        EXPECT_GT(worst_error(options, trace), 1) << name(variant) << ", instruction " << i;
      }
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

// SBUF of 64 KiB per partition: A and B do not fit, so A is turned once, stored, and read again.
TEST(GemmNumerics, ACompilersStoredTransposeIsReadBack) {
  spec::CoreSpec core = test::trn2();
  core.sbuf.kib_per_partition = 64;
  core.sbuf.reserved_bytes_per_partition = 0;
  GemmOptions options = problem({700U, 2250U, 1000U}, GemmVariant::kCompiler, DType::kBFloat16);
  options.a_is_km = false;
  options.b_is_kn = false;
  options.transpose = TransposePath::kTensor;
  ASSERT_EQ(gemm_traffic(options, core).write_bytes, 700ULL * 2250 * 2 + 700ULL * 1000 * 2);
  expect_product(options, core);
}

}  // namespace
}  // namespace trnsim::kernels
