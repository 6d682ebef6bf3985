// Attention traces executed on data, against softmax in double precision.
#include <cmath>

#include "kernel_checks.h"
#include "trnsim/kernels/attention.h"

namespace trnsim::kernels {
namespace {

using numerics::Values;

constexpr AttentionVariant kVariants[] = {AttentionVariant::kNaive, AttentionVariant::kUnfused,
                                          AttentionVariant::kFlash, AttentionVariant::kPipelined,
                                          AttentionVariant::kBest};

struct Inputs {
  Values q;
  Values k;
  Values v;
};

Inputs inputs_of(const AttentionOptions& o) {
  const std::size_t d = o.head_dim;
  Inputs inputs;
  inputs.q = test::numbers(1, std::size_t{o.batch} * o.q_heads * d * o.q_len, o.dtype);
  inputs.k = test::numbers(2, std::size_t{o.batch} * o.kv_heads * d * o.kv_len, o.dtype);
  inputs.v = test::numbers(3, std::size_t{o.batch} * o.kv_heads * d * o.kv_len, o.dtype);
  return inputs;
}

// One output row: head of the flat [batch x q_heads] axis, query row.
std::vector<double> reference_row(const AttentionOptions& o, const Inputs& in, std::size_t head,
                                  std::size_t row) {
  const std::size_t d = o.head_dim;
  const std::size_t kv_head = head / (o.q_heads / o.kv_heads);
  const std::size_t total = o.q_total == 0 ? o.q_start + o.q_len : o.q_total;
  const std::size_t visible =
      o.causal ? std::min<std::size_t>(o.kv_len, o.q_start + row + o.kv_len - total + 1) : o.kv_len;
  const double scale = o.scale.value_or(1 / std::sqrt(static_cast<double>(d)));
  std::vector<double> scores(visible);
  double largest = -1e300;
  for (std::size_t j = 0; j < visible; ++j) {
    for (std::size_t x = 0; x < d; ++x) {
      scores[j] += in.q[(head * d + x) * o.q_len + row] * in.k[(kv_head * d + x) * o.kv_len + j];
    }
    largest = std::max(largest, scores[j] * scale);
  }
  std::vector<double> out(d);
  double sum = 0;
  for (std::size_t j = 0; j < visible; ++j) {
    const double p = std::exp(scores[j] * scale - largest);
    sum += p;
    for (std::size_t x = 0; x < d; ++x) {
      out[x] += p * in.v[(kv_head * o.kv_len + j) * d + x];
    }
  }
  for (double& value : out) {
    value /= sum;
  }
  return out;
}

// Largest error over its tolerance. P and the output are rounded once each to the type (values of V
// are below 1); fp32 arithmetic and exp in fp32 add a few 1e-6. Values nobody wrote count as
// infinitely wrong.
double worst_error(const AttentionOptions& o, const Inputs& inputs, const trace::Trace& trace) {
  const numerics::Execution execution =
      numerics::execute(trace, {{"q", inputs.q}, {"k", inputs.k}, {"v", inputs.v}});
  if (!execution.uninitialised_reads.empty()) {
    return INFINITY;
  }
  const Values& out = execution.outputs.at("out");
  const std::size_t d = o.head_dim;
  double worst = 0;
  for (std::size_t head = 0; head < o.batch * o.q_heads; ++head) {
    for (std::size_t row = 0; row < o.q_len; ++row) {
      const std::vector<double> want = reference_row(o, inputs, head, row);
      for (std::size_t x = 0; x < d; ++x) {
        const double tolerance = test::rounding(o.dtype) * (std::abs(want[x]) + 0.5) + 1e-5;
        const double error = std::abs(out.at((head * o.q_len + row) * d + x) - want[x]) / tolerance;
        worst = error <= worst ? worst : (std::isnan(error) ? INFINITY : error);
      }
    }
  }
  return worst;
}

void expect_attention(const AttentionOptions& o, const Inputs& inputs,
                      const spec::CoreSpec& core = test::trn2()) {
  SCOPED_TRACE(testing::Message() << name(o.variant) << " " << name(o.dtype) << " q " << o.q_len
                                  << " kv " << o.kv_len << " d " << o.head_dim << " heads "
                                  << o.q_heads << "/" << o.kv_heads << (o.causal ? " causal" : ""));
  EXPECT_LE(worst_error(o, inputs, attention(o, core)), 1);
}

void expect_attention(const AttentionOptions& options) {
  expect_attention(options, inputs_of(options));
}

AttentionOptions problem(std::uint32_t q_len, std::uint32_t kv_len, std::uint32_t head_dim,
                         bool causal, AttentionVariant variant, DType dtype = DType::kBFloat16) {
  AttentionOptions options;
  options.q_len = q_len;
  options.kv_len = kv_len;
  options.head_dim = head_dim;
  options.causal = causal;
  options.variant = variant;
  options.dtype = dtype;
  return options;
}

TEST(AttentionNumerics, EveryVariantAttendsOverEveryLength) {
  for (const AttentionVariant variant : kVariants) {
    for (const auto& [q, kv] : {std::pair{1U, 1U},
                                {1U, 300U},
                                {7U, 7U},
                                {128U, 128U},
                                {130U, 130U},
                                {7U, 130U},
                                {300U, 513U},
                                {130U, 1300U}}) {
      for (const bool causal : {false, true}) {
        expect_attention(problem(q, kv, 64, causal, variant));
      }
    }
  }
}

TEST(AttentionNumerics, EveryVariantTakesEveryHeadSize) {
  for (const AttentionVariant variant : kVariants) {
    for (const std::uint32_t d : {1U, 16U, 96U, 128U}) {
      expect_attention(problem(130, 300, d, true, variant));
    }
  }
}

TEST(AttentionNumerics, EveryVariantTakesEveryType) {
  for (const AttentionVariant variant : kVariants) {
    for (const DType dtype : {DType::kFloat16, DType::kFloat32}) {
      for (const bool causal : {false, true}) {
        expect_attention(problem(200, 700, 64, causal, variant, dtype));
      }
    }
  }
}

TEST(AttentionNumerics, GroupedHeadsShareKeysAndValues) {
  for (const AttentionVariant variant : kVariants) {
    for (const std::uint32_t q_len : {1U, 3U, 130U}) {
      for (const bool causal : {false, true}) {
        AttentionOptions options = problem(q_len, 260, 32, causal, variant);
        options.batch = 2;
        options.q_heads = 6;
        options.kv_heads = 2;
        expect_attention(options);
      }
    }
  }
}

TEST(AttentionNumerics, ManySectionsAndGroupsKeepTheRunningSoftmax) {
  for (const AttentionVariant variant :
       {AttentionVariant::kFlash, AttentionVariant::kPipelined, AttentionVariant::kBest}) {
    AttentionOptions options = problem(700, 900, 48, true, variant);
    options.tuning.section = 128;
    options.tuning.group_tiles = 3;
    expect_attention(options);
    options.tuning.section = 384;
    options.tuning.score_buffers = 2;
    expect_attention(options);
  }
}

TEST(AttentionNumerics, BlocksOfAQueryTogetherGiveTheWholeQuery) {
  // Rows 0..255 and 256..399 of a query of 400, as two cores would do them.
  for (const auto& [start, rows] : {std::pair{0U, 256U}, {256U, 144U}, {77U, 50U}}) {
    AttentionOptions options = problem(rows, 500, 64, true, AttentionVariant::kBest);
    options.q_start = start;
    options.q_total = 400;
    expect_attention(options);
  }
}

TEST(AttentionNumerics, LargeScoresNeitherOverflowNorVanish) {
  // Scores up to 64 x 40 before the scale, and the largest of them beyond the mask.
  for (const AttentionVariant variant : kVariants) {
    AttentionOptions options = problem(130, 260, 64, true, variant, DType::kFloat32);
    Inputs inputs = inputs_of(options);
    for (double& value : inputs.k) {
      value *= 32;
    }
    for (std::size_t x = 0; x < 64; ++x) {
      for (std::size_t j = 258; j < 260; ++j) {
        inputs.k[x * 260 + j] = 512;
      }
      for (std::size_t i = 0; i < 130; ++i) {
        inputs.q[x * 130 + i] = std::abs(inputs.q[x * 130 + i]);
      }
    }
    expect_attention(options, inputs);
  }
}

TEST(AttentionNumerics, TheScaleIsTheCallersChoice) {
  AttentionOptions options = problem(64, 200, 32, false, AttentionVariant::kBest);
  options.scale = 0.7;
  expect_attention(options);
}

TEST(AttentionNumerics, LeavingOutAnyMatmulOrTransferIsNoticed) {
  for (const AttentionVariant variant : kVariants) {
    AttentionOptions options = problem(140, 300, 32, true, variant);
    if (variant != AttentionVariant::kNaive) {
      options.tuning.section = 128;
      options.tuning.group_tiles = 1;
    }
    const Inputs inputs = inputs_of(options);
    const trace::Trace whole = attention(options, test::trn2());
    for (std::size_t i = 0; i < whole.instructions.size(); ++i) {
      const trace::Opcode opcode = whole.instructions[i].opcode;
      // Naive loads the same tile again and again, so a load left out may go unnoticed.
      const bool matters = opcode == trace::Opcode::kNcMatmul ||
                           (trace::is_dma(opcode) && variant != AttentionVariant::kNaive);
      if (!matters) {
        continue;
      }
      trace::Trace trace = whole;
      trace.instructions.erase(trace.instructions.begin() + static_cast<std::ptrdiff_t>(i));
      EXPECT_GT(worst_error(options, inputs, trace), 1) << name(variant) << ", instruction " << i;
    }
  }
}

TEST(AttentionNumerics, TheOtherGenerationsAttend) {
  for (const std::string system : {"trn1.2xlarge", "trn3-core"}) {
    for (const AttentionVariant variant : {AttentionVariant::kFlash, AttentionVariant::kBest}) {
      const AttentionOptions options = problem(260, 300, 64, true, variant);
      expect_attention(options, inputs_of(options), test::core_of(system));
    }
  }
}

}  // namespace
}  // namespace trnsim::kernels
