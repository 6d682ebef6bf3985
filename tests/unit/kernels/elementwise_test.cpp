// RMSNorm and SwiGLU traces executed on data, in both layouts, and on every generation.
#include "trnsim/kernels/elementwise.h"

#include <cmath>

#include "kernel_checks.h"
#include "trnsim/lower/lower.h"

namespace trnsim::kernels {
namespace {

using numerics::Values;

double worst(const Values& got, const Values& want, DType dtype) {
  double worst_error = got.size() == want.size() ? 0 : INFINITY;
  for (std::size_t i = 0; i < want.size(); ++i) {
    // Up to three roundings to the type.
    const double error =
        std::abs(got[i] - want[i]) / (3 * test::rounding(dtype) * std::abs(want[i]) + 1e-5);
    worst_error = error <= worst_error ? worst_error : (std::isnan(error) ? INFINITY : error);
  }
  return worst_error;
}

void expect_rmsnorm(const RmsNormOptions& o) {
  SCOPED_TRACE(testing::Message() << o.tokens << " x " << o.d << (o.residual ? " residual" : ""));
  const std::size_t count = std::size_t{o.tokens} * o.d;
  const Values x = test::numbers(1, count, o.dtype);
  const Values residual = test::numbers(2, count, o.dtype);
  const Values weight = test::numbers(3, o.d, o.dtype);
  Values sums(count);
  Values want(count);
  for (std::size_t t = 0; t < o.tokens; ++t) {
    double squares = 0;
    for (std::size_t i = t * o.d; i < (t + 1) * o.d; ++i) {
      sums[i] = numerics::round_to(o.dtype, x[i] + (o.residual ? residual[i] : 0));
      squares += sums[i] * sums[i];
    }
    for (std::size_t i = 0; i < o.d; ++i) {
      want[t * o.d + i] = sums[t * o.d + i] / std::sqrt(squares / o.d + o.epsilon) * weight[i];
    }
  }
  const trace::Trace trace = rmsnorm(o, test::trn2());
  test::expect_well_formed(trace, test::trn2());
  std::map<std::string, Values> inputs{{"x", x}, {"weight", weight}};
  if (o.residual) {
    inputs["residual"] = residual;
  }
  const numerics::Execution run = numerics::execute(trace, inputs);
  EXPECT_TRUE(run.uninitialised_reads.empty());
  EXPECT_LE(worst(run.outputs.at("out"), want, o.dtype), 1);
  if (o.residual) {
    EXPECT_EQ(run.outputs.at("sum"), sums);
  }
}

TEST(RmsNorm, NormsRowsAndFewTokensAcrossPartitions) {
  for (const bool residual : {false, true}) {
    expect_rmsnorm({130, 300, DType::kBFloat16, residual});
    expect_rmsnorm({70, 4096 + 37, DType::kFloat32, residual});
    expect_rmsnorm({1, 512, DType::kBFloat16, residual});
    expect_rmsnorm({64, 256, DType::kFloat32, residual});
    expect_rmsnorm({5, 130, DType::kBFloat16, residual});
  }
}

// x, out and the weight once; with a residual two more arrays. 256 tokens of 1,024 in BF16: 512 KiB
// each.
TEST(RmsNorm, MovesEachArrayOnce) {
  const auto plain = test::traffic_of(rmsnorm({256, 1024}, test::trn2()));
  EXPECT_EQ(plain.read_bytes.at("x"), 256 * 1024 * 2);
  EXPECT_EQ(plain.read_bytes.at("weight"), 128 * 1024 * 2);  // to every partition
  EXPECT_EQ(plain.write_bytes.at("out"), 256 * 1024 * 2);
  const auto fused = test::traffic_of(rmsnorm({256, 1024, DType::kBFloat16, true}, test::trn2()));
  EXPECT_EQ(fused.read_bytes.at("residual"), 256 * 1024 * 2);
  EXPECT_EQ(fused.write_bytes.at("sum"), 256 * 1024 * 2);
}

TEST(Swiglu, MultipliesSiluOfTheGateByUp) {
  for (const auto& [tokens, f] :
       {std::pair{130U, 300U}, {70U, 4100U}, {3U, 256U}, {64U, 128U * 100}}) {
    SCOPED_TRACE(testing::Message() << tokens << " x " << f);
    for (const DType dtype : {DType::kBFloat16, DType::kFloat32}) {
      const Values both = test::numbers(7, std::size_t{tokens} * 2 * f, dtype);
      Values want(std::size_t{tokens} * f);
      for (std::size_t t = 0; t < tokens; ++t) {
        for (std::size_t i = 0; i < f; ++i) {
          const double gate = both[t * 2 * f + i];
          want[t * f + i] = gate / (1 + std::exp(-gate)) * both[t * 2 * f + f + i];
        }
      }
      const trace::Trace trace = swiglu({tokens, f, dtype}, test::trn2());
      test::expect_well_formed(trace, test::trn2());
      const numerics::Execution run = numerics::execute(trace, {{"gate_up", both}});
      EXPECT_TRUE(run.uninitialised_reads.empty());
      EXPECT_LE(worst(run.outputs.at("out"), want, dtype), 1);
    }
  }
}

TEST(Elementwise, LowersOnEveryGeneration) {
  for (const char* system : {"trn1.2xlarge", "trn2-core", "trn3-core"}) {
    const spec::CoreSpec& core = test::core_of(system);
    for (const std::uint32_t tokens : {8U, 300U}) {
      EXPECT_NO_THROW(static_cast<void>(
          lower::lower(rmsnorm({tokens, 16384, DType::kBFloat16, true}, core), core)));
      EXPECT_NO_THROW(static_cast<void>(lower::lower(swiglu({tokens, 13312}, core), core)));
    }
  }
}

TEST(Elementwise, RefusesEmptySizesAndOtherTypes) {
  EXPECT_THROW(static_cast<void>(rmsnorm({0, 128}, test::trn2())), Error);
  EXPECT_THROW(static_cast<void>(swiglu({16, 128, DType::kInt32}, test::trn2())), Error);
}

}  // namespace
}  // namespace trnsim::kernels
