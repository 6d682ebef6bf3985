// Attention traces by count: FLOPs, traffic, memory, instructions per tile.
#include "kernel_checks.h"
#include "trnsim/base/error.h"
#include "trnsim/kernels/attention.h"

namespace trnsim::kernels {
namespace {

using test::trn2;

AttentionOptions problem(std::uint32_t q_len, std::uint32_t kv_len, bool causal,
                         AttentionVariant variant = AttentionVariant::kBest) {
  AttentionOptions options;
  options.q_len = q_len;
  options.kv_len = kv_len;
  options.causal = causal;
  options.variant = variant;
  return options;
}

TEST(AttentionStructure, TracesAreWellFormedOnEveryGeneration) {
  for (const std::string system : {"trn1.2xlarge", "trn2-core", "trn3-core"}) {
    for (const std::string& variant : attention_variant_names()) {
      SCOPED_TRACE(system + " " + variant);
      AttentionOptions options = problem(1000, 2100, true, *parse_attention_variant(variant));
      options.q_heads = 4;
      options.kv_heads = 2;
      test::expect_well_formed(attention(options, test::core_of(system)), test::core_of(system));
      options.dtype = DType::kFloat32;
      test::expect_well_formed(attention(options, test::core_of(system)), test::core_of(system));
    }
  }
}

TEST(AttentionStructure, LongSequencesFit) {
  for (const std::uint32_t length : {16384U, 32768U}) {
    AttentionOptions options = problem(1024, length, true);
    options.q_start = length - 1024;
    options.q_heads = 2;
    test::expect_well_formed(attention(options, trn2()), trn2());
  }
}

TEST(AttentionStructure, ModelFlopsCountVisiblePairs) {
  // Causal square of 300: 300 x 301 / 2 pairs, 4 x 128 FLOPs each, 2 batches of 4 heads.
  AttentionOptions options = problem(300, 300, true);
  options.batch = 2;
  options.q_heads = 4;
  options.kv_heads = 4;
  EXPECT_EQ(attention_pairs(options), 8U * 300 * 301 / 2);
  EXPECT_EQ(attention(options, trn2()).model_flops, 4.0 * 128 * 8 * 300 * 301 / 2);
  // Rows 100..199 of a query of 300 over 350: row i sees 50 + 101 + i.
  options = problem(100, 350, true);
  options.q_start = 100;
  options.q_total = 300;
  EXPECT_EQ(attention_pairs(options), 100U * 151 + 99 * 100 / 2);
  options.causal = false;
  EXPECT_EQ(attention_pairs(options), 100U * 350);
}

TEST(AttentionStructure, MatmulsDoTheWholeProblemAndLittleMore) {
  // Without a mask: Q K^T is exact, P V has one extra column that sums P.
  const double pairs = 512.0 * 2048;
  const double useful = 2 * pairs * 128 + 2 * pairs * 129;
  EXPECT_EQ(test::matmul_flops(attention(problem(512, 2048, false), trn2())), useful);
  // Causal: tiles on the diagonal are whole, and each is masked by one identity matmul.
  const trace::Trace causal = attention(problem(2048, 2048, true), trn2());
  const double tiles = 16.0 * 17 / 2;  // of 128 x 128
  const double square = 128.0 * 128;
  EXPECT_EQ(test::matmul_flops(causal),
            tiles * square * 2 * (128 + 129) + 16 * 2 * 128 * 128.0 * 127);
}

TEST(AttentionStructure, KeysAndValuesAreReadOncePerGroupOfHeads) {
  AttentionOptions options = problem(1024, 4096, false);
  options.q_heads = 8;
  options.kv_heads = 2;
  const test::Traffic traffic = test::traffic_of(attention(options, trn2()));
  EXPECT_EQ(traffic.read_bytes.at("k"), 2ULL * 4096 * 128 * 2);
  EXPECT_EQ(traffic.read_bytes.at("v"), 2ULL * 4096 * 128 * 2);
  EXPECT_EQ(traffic.read_bytes.at("q"), 8ULL * 1024 * 128 * 2);
  EXPECT_EQ(traffic.write_bytes.at("out"), 8ULL * 1024 * 128 * 2);
}

TEST(AttentionStructure, UnfusedWritesAndReadsScoresAndProbabilities) {
  const trace::Trace trace =
      attention(problem(256, 1024, false, AttentionVariant::kUnfused), trn2());
  const test::Traffic traffic = test::traffic_of(trace);
  EXPECT_EQ(traffic.write_bytes.at("scores"), 256ULL * 1024 * 4);
  EXPECT_EQ(traffic.read_bytes.at("scores"), 256ULL * 1024 * 4);
  EXPECT_EQ(traffic.write_bytes.at("probabilities"), 256ULL * 1024 * 2);
  EXPECT_EQ(traffic.read_bytes.at("probabilities"), 256ULL * 1024 * 2);
}

TEST(AttentionStructure, ATileTakesFewInstructions) {
  // 64 x 32 tiles of 128 x 512.
  for (const AttentionVariant variant :
       {AttentionVariant::kFlash, AttentionVariant::kPipelined, AttentionVariant::kBest}) {
    const trace::Trace trace = attention(problem(8192, 16384, false, variant), trn2());
    EXPECT_LE(trace.instructions.size(), 14U * 64 * 32) << name(variant);
  }
}

TEST(AttentionStructure, WrongOptionsAreNamed) {
  const auto fails = [](const AttentionOptions& options) {
    EXPECT_THROW(static_cast<void>(attention(options, trn2())), Error);
  };
  fails(problem(0, 128, false));
  fails(problem(128, 100, true));  // rows that see nothing
  AttentionOptions options = problem(128, 128, false);
  options.head_dim = 129;
  fails(options);
  options = problem(128, 128, false);
  options.q_heads = 3;
  options.kv_heads = 2;
  fails(options);
  options = problem(128, 128, false);
  options.dtype = DType::kFloat8E4;
  fails(options);
  options = problem(128, 128, true);
  options.q_start = 64;
  options.q_total = 128;  // rows 64..191 of 128
  fails(options);
  options = problem(128, 128, false);
  options.tuning.section = 200;
  fails(options);
  options.tuning.section = 1024;
  options.tuning.score_buffers = 4;
  fails(options);
  options = problem(128, 100000, false, AttentionVariant::kUnfused);
  fails(options);
}

TEST(AttentionStructure, VariantNamesRoundTrip) {
  for (const std::string& text : attention_variant_names()) {
    EXPECT_EQ(name(*parse_attention_variant(text)), text);
  }
  EXPECT_FALSE(parse_attention_variant("fastest"));
}

}  // namespace
}  // namespace trnsim::kernels
