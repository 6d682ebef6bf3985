// Attention entry points: plan, emit in the variant's order, count the useful work.
#include "trnsim/kernels/attention.h"

#include <fmt/format.h>

#include <array>

#include "attention_flash.h"
#include "trnsim/spec/generation_name.h"

namespace trnsim::kernels {
namespace {

constexpr std::array<std::string_view, 5> kVariantNames{"naive", "unfused", "flash", "pipelined",
                                                        "best"};

std::string arguments_json(const AttentionOptions& options, const AttentionPlan& plan) {
  return fmt::format(
      R"({{"batch": {}, "q_heads": {}, "kv_heads": {}, "q_len": {}, "kv_len": {}, "head_dim": {}, )"
      R"("causal": {}, "q_start": {}, "q_total": {}, "dtype": "{}", "variant": "{}", "section": {}}})",
      options.batch, options.q_heads, options.kv_heads, options.q_len, options.kv_len,
      options.head_dim, options.causal, options.q_start, options.q_total,
      trnsim::name(options.dtype), name(options.variant), plan.section);
}

}  // namespace

trace::Trace attention(const AttentionOptions& options, const spec::CoreSpec& core) {
  const AttentionPlan plan = make_attention_plan(options, core);
  trace::TraceBuilder builder("attention", "trnsim builder");
  const std::uint32_t q_heads = options.batch * options.q_heads;
  const std::uint32_t kv_heads = options.batch * options.kv_heads;
  const std::uint32_t d = options.head_dim;
  AttentionTensors tensors;
  tensors.q = builder.hbm("q", options.dtype, {q_heads, d, options.q_len}, trace::Role::kInput);
  tensors.k = builder.hbm("k", options.dtype, {kv_heads, d, options.kv_len}, trace::Role::kInput);
  tensors.v = builder.hbm("v", options.dtype, {kv_heads, options.kv_len, d}, trace::Role::kInput);
  tensors.out =
      builder.hbm("out", options.dtype, {q_heads, options.q_len, d}, trace::Role::kOutput);
  if (options.variant == AttentionVariant::kUnfused) {
    emit_unfused(builder, options, plan, tensors, core);
  } else {
    FusedAttention kernel(builder, options, plan, tensors, core);
    if (plan.value_lag == 0) {
      emit_sequential(kernel, plan);
    } else {
      emit_pipelined(kernel, plan);
    }
  }
  trace::Trace trace = builder.take();
  trace.arguments = arguments_json(options, plan);
  trace.target = generation_name(core.generation);
  trace.model_flops = 4.0 * d * static_cast<double>(attention_pairs(options));
  return trace;
}

std::uint64_t attention_pairs(const AttentionOptions& options) {
  std::uint64_t pairs = 0;
  for (std::uint32_t row = 0; row < options.q_len; ++row) {
    pairs += visible_rows(options, row);
  }
  return pairs * options.batch * options.q_heads;
}

std::string_view name(AttentionVariant variant) {
  return kVariantNames[static_cast<std::size_t>(variant)];
}

std::optional<AttentionVariant> parse_attention_variant(std::string_view text) {
  for (std::size_t i = 0; i < kVariantNames.size(); ++i) {
    if (kVariantNames[i] == text) {
      return static_cast<AttentionVariant>(i);
    }
  }
  return std::nullopt;
}

std::vector<std::string> attention_variant_names() {
  return {kVariantNames.begin(), kVariantNames.end()};
}

}  // namespace trnsim::kernels
