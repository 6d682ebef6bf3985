// GEMM traces by count: FLOPs, traffic, memory, shapes of the choice.
#include <map>
#include <string>

#include "kernel_checks.h"
#include "trnsim/base/error.h"
#include "trnsim/kernels/gemm.h"

namespace trnsim::kernels {
namespace {

using test::core_of;
using test::trn2;

constexpr GemmVariant kVariants[] = {GemmVariant::kNaive,   GemmVariant::kHoisted,
                                     GemmVariant::kOneBank, GemmVariant::kBlockedFree,
                                     GemmVariant::kBlocked, GemmVariant::kBest,
                                     GemmVariant::kCompiler};

GemmOptions problem(std::uint32_t m, std::uint32_t n, std::uint32_t k,
                    GemmVariant variant = GemmVariant::kBest, DType dtype = DType::kBFloat16) {
  GemmOptions options;
  options.m = m;
  options.n = n;
  options.k = k;
  options.variant = variant;
  options.dtype = dtype;
  return options;
}

void expect_predicted_traffic(const GemmOptions& options, const trace::Trace& trace,
                              const spec::CoreSpec& core) {
  const test::Traffic moved = test::traffic_of(trace);
  const GemmTraffic predicted = gemm_traffic(options, core);
  const auto all_of = [](const std::map<std::string, std::uint64_t>& bytes, const char* tensor) {
    const auto found = bytes.find(tensor);
    return found == bytes.end() ? 0 : found->second;
  };
  EXPECT_EQ(moved.read_bytes.at("a") + all_of(moved.read_bytes, "a_transposed"),
            predicted.a_read_bytes);
  EXPECT_EQ(moved.read_bytes.at("b"), predicted.b_read_bytes);
  EXPECT_EQ(moved.write_bytes.at("c") + all_of(moved.write_bytes, "a_transposed"),
            predicted.write_bytes);
}

void expect_sound(const GemmOptions& options, const spec::CoreSpec& core) {
  SCOPED_TRACE(testing::Message() << core.name << " " << name(options.variant) << " " << options.m
                                  << "x" << options.n << "x" << options.k << " "
                                  << name(options.dtype) << (options.a_is_km ? " KM" : " MK")
                                  << (options.b_is_kn ? " KN" : " NK"));
  const trace::Trace trace = gemm(options, core);
  test::expect_well_formed(trace, core);
  const double flops = 2.0 * options.m * options.n * options.k;
  if (core.generation != spec::Generation::kTrn1 || options.a_is_km) {
    EXPECT_EQ(test::matmul_flops(trace), flops);
  }
  EXPECT_EQ(trace.model_flops, flops);
  expect_predicted_traffic(options, trace, core);
}

TEST(GemmStructure, EveryVariantDoesTheProblemsFlopsAndMovesThePredictedBytes) {
  for (const GemmVariant variant : kVariants) {
    for (const auto& [m, n, k] : {std::tuple{1U, 1U, 1U},
                                  {127U, 129U, 255U},
                                  {512U, 1024U, 640U},
                                  {1000U, 1500U, 700U},
                                  {2048U, 2048U, 2048U}}) {
      for (const DType dtype : {DType::kBFloat16, DType::kFloat32, DType::kFloat8E4}) {
        expect_sound(problem(m, n, k, variant, dtype), trn2());
      }
    }
  }
}

TEST(GemmStructure, EveryLayoutDoesTheProblemsFlopsAndMovesThePredictedBytes) {
  for (const GemmVariant variant : kVariants) {
    for (const DType dtype : {DType::kFloat16, DType::kFloat32, DType::kFloat8E5}) {
      for (int layout = 1; layout < 4; ++layout) {
        GemmOptions options = problem(300, 1100, 515, variant, dtype);
        options.a_is_km = (layout & 1) == 0;
        options.b_is_kn = (layout & 2) == 0;
        expect_sound(options, trn2());
      }
    }
  }
}

TEST(GemmStructure, EveryGenerationGetsAKernelItCanRun) {
  for (const std::string system : {"trn1.2xlarge", "trn2-core", "trn3-core"}) {
    for (const DType dtype : {DType::kBFloat16, DType::kFloat8E4}) {
      expect_sound(problem(1024, 2048, 1536, GemmVariant::kBest, dtype), core_of(system));
      expect_sound(problem(1024, 2048, 1536, GemmVariant::kBlocked, dtype), core_of(system));
    }
  }
}

TEST(GemmStructure, TheBestBlockingOfLargeShapesFits) {
  for (const auto& [m, n, k] : {std::tuple{4096U, 4096U, 4096U},
                                {2048U, 4096U, 8192U},
                                {512U, 16384U, 65536U},
                                {64U, 131072U, 256U}}) {
    expect_sound(problem(m, n, k), trn2());
  }
}

TEST(GemmStructure, AMatrixThatFitsIsReadOnce) {
  // 2048^3 bf16: A and B take 64 KiB per partition each.
  const GemmTraffic traffic = gemm_traffic(problem(2048, 2048, 2048), trn2());
  EXPECT_EQ(traffic.read_bytes(), 2ULL * 2048 * 2048 * 2);
}

// Implied HBM bytes of compiler-made kernels on trn3 (data/validation/trn3_gemm.yaml), of both cores.
TEST(GemmStructure, ACompilersTrafficIsThatOfPublishedKernels) {
  struct Row {
    std::uint32_t m, k, n;
    double hbm_bytes;
  };
  const spec::CoreSpec core = core_of("trn3-core");
  for (const Row& row : {Row{256, 4096, 6144, 57584039}, Row{4096, 512, 3072, 35626140},
                         Row{4096, 3072, 4096, 159809906}, Row{4096, 6144, 4096, 585781566},
                         Row{6144, 4096, 4096, 521335501}, Row{4096, 4096, 768, 113023035}}) {
    GemmOptions whole = problem(row.m, row.n, row.k, GemmVariant::kCompiler);
    whole.a_is_km = false;
    whole.b_is_kn = false;
    whole.transpose = TransposePath::kTensor;
    GemmOptions half = whole;
    (compiler_splits_m(whole, core) ? half.m : half.n) /= 2;
    const GemmTraffic traffic = gemm_traffic(half, core);
    const double both = 2.0 * static_cast<double>(traffic.read_bytes() + traffic.write_bytes);
    EXPECT_NEAR(both / row.hbm_bytes, 1, 0.1) << row.m << "x" << row.k << "x" << row.n;
  }
}

TEST(GemmStructure, FewRowsStreamTheWeightsOnceInLongRows) {
  for (const std::uint32_t m : {1U, 8U, 64U}) {
    for (const DType dtype : {DType::kBFloat16, DType::kFloat32, DType::kFloat8E4}) {
      const GemmOptions options = problem(m, 8192, 4096, GemmVariant::kBest, dtype);
      EXPECT_EQ(gemm_traffic(options, trn2()).b_read_bytes, 8192ULL * 4096 * size_bytes(dtype));
      const trace::Trace trace = gemm(options, trn2());
      for (const trace::Instruction& instruction : trace.instructions) {
        if (instruction.opcode == trace::Opcode::kDmaCopy) {
          const trace::Operand& src = trace.inputs(instruction)[0];
          if (trace.string(trace.tensor(src).name) == "b") {
            ASSERT_GE(trace.pattern(src).span().back().count * size_bytes(dtype), 2048U);
          }
        }
      }
    }
  }
}

TEST(GemmStructure, TheChoiceIsTheSameEveryTime) {
  const GemmOptions options = problem(3000, 5000, 4000);
  EXPECT_EQ(gemm(options, trn2()), gemm(options, trn2()));
  EXPECT_EQ(gemm_blocking(options, trn2()), gemm_blocking(options, trn2()));
}

TEST(GemmStructure, AnExplicitBlockingIsUsed) {
  GemmOptions options = problem(2048, 2048, 512);
  options.blocking = GemmBlocking{GemmKeep::kB, 2, 3, 1, 256 * 1024, 2};
  EXPECT_EQ(gemm_blocking(options, trn2()), options.blocking);
  expect_sound(options, trn2());
}

TEST(GemmStructure, Fp8PairsRowsAndEndsAnOddKInSingleRows) {
  // K = 128 x 5 + 3: two paired steps, then 131 rows left: a pair of 65 rows and one row.
  const trace::Trace trace =
      gemm(problem(128, 512, 643, GemmVariant::kBest, DType::kFloat8E4), trn2());
  std::uint64_t paired = 0;
  for (const trace::Instruction& instruction : trace.instructions) {
    paired += trace.attribute(instruction).double_row ? 1U : 0U;
  }
  EXPECT_EQ(test::count(trace, trace::Opcode::kNcMatmul), 4U);
  EXPECT_EQ(paired, 3U);
}

TEST(GemmStructure, WrongOptionsAreNamed) {
  EXPECT_THROW(static_cast<void>(gemm(problem(0, 1, 1), trn2())), Error);
  EXPECT_THROW(static_cast<void>(gemm(problem(1, 1, 1, GemmVariant::kBest, DType::kInt32), trn2())),
               Error);
  GemmOptions options = problem(2048, 2048, 2048);
  options.blocking = GemmBlocking{GemmKeep::kA, 4, 4, 1, 1024, 4};  // 16 tiles, 8 banks
  EXPECT_THROW(static_cast<void>(gemm(options, trn2())), Error);
  options.blocking = GemmBlocking{GemmKeep::kA, 4, 2, 1, 1024, 4};
  options.k = 65536;  // 4 x 128 x 65536 / 128 x 2 bytes = 512 KiB per partition
  EXPECT_THROW(static_cast<void>(gemm(options, trn2())), Error);
  options = problem(64, 64, 64);
  options.out_dtype = DType::kFloat8E4;
  EXPECT_THROW(static_cast<void>(gemm(options, trn2())), Error);
}

TEST(GemmStructure, VariantNamesRoundTrip) {
  for (const std::string& text : gemm_variant_names()) {
    EXPECT_EQ(name(*parse_gemm_variant(text)), text);
  }
  EXPECT_FALSE(parse_gemm_variant("fastest"));
}

}  // namespace
}  // namespace trnsim::kernels
