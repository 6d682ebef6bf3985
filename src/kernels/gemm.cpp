// GEMM entry points: plan, emit, and answer what was planned.
#include "trnsim/kernels/gemm.h"

#include <fmt/format.h>

#include <array>

#include "gemm_emit.h"
#include "trnsim/spec/generation_name.h"

namespace trnsim::kernels {
namespace {

constexpr std::array<std::string_view, 7> kVariantNames{
    "naive", "hoisted", "one_bank", "blocked_free", "blocked", "best", "compiler"};

std::string arguments_json(const GemmOptions& options, const GemmPlan& plan) {
  std::string text = fmt::format(
      R"({{"m": {}, "n": {}, "k": {}, "dtype": "{}", "out_dtype": "{}", "a": "{}", "b": "{}", "variant": "{}")",
      options.m, options.n, options.k, trnsim::name(options.dtype), trnsim::name(plan.out_dtype),
      options.a_is_km ? "KM" : "MK", options.b_is_kn ? "KN" : "NK", name(options.variant));
  if (plan.scheme == GemmScheme::kBlocked) {
    constexpr std::array<std::string_view, 3> kKeepNames{"none", "a", "b"};
    text += fmt::format(R"(, "keep": "{}", "m_tiles": {}, "n_tiles": {}, "panel_blocks": {})",
                        kKeepNames[static_cast<std::size_t>(plan.blocking.keep)],
                        plan.blocking.m_tiles, plan.blocking.n_tiles, plan.blocking.panel_blocks);
  }
  return text + "}";
}

}  // namespace

trace::Trace gemm(const GemmOptions& options, const spec::CoreSpec& core) {
  const GemmPlan plan = make_gemm_plan(options, core);
  trace::TraceBuilder builder("gemm", "trnsim builder");
  const auto shape = [](bool k_first, std::uint32_t k, std::uint32_t free) {
    return k_first ? std::vector<std::uint32_t>{k, free} : std::vector<std::uint32_t>{free, k};
  };
  const trace::View a = builder.hbm(
      "a", options.dtype, shape(options.a_is_km, options.k, options.m), trace::Role::kInput);
  const trace::View b = builder.hbm(
      "b", options.dtype, shape(options.b_is_kn, options.k, options.n), trace::Role::kInput);
  const trace::View c =
      builder.hbm("c", plan.out_dtype, {options.m, options.n}, trace::Role::kOutput);
  Evacuator evacuator(builder, core, plan.copies);
  GemmOperand a_operand(builder, evacuator, a, "a", options.a_is_km, plan.a_by_dma);
  GemmOperand b_operand(builder, evacuator, b, "b", options.b_is_kn, plan.b_by_dma);
  if (stores_transposed_a(options, plan)) {
    a_operand.keep_transposed_in(builder.hbm("a_transposed", options.dtype, {options.k, options.m},
                                             trace::Role::kTemporary));
  }
  GemmContext context{builder, evacuator, options, plan, a_operand, b_operand, c};
  switch (plan.scheme) {
    case GemmScheme::kNaive:
      emit_naive(context);
      break;
    case GemmScheme::kHoisted:
      emit_hoisted(context);
      break;
    case GemmScheme::kBlocked:
      emit_blocked(context);
      break;
  }
  trace::Trace trace = builder.take();
  trace.arguments = arguments_json(options, plan);
  trace.target = generation_name(core.generation);
  trace.model_flops = 2.0 * options.m * options.n * options.k;
  return trace;
}

GemmTraffic gemm_traffic(const GemmOptions& options, const spec::CoreSpec& core) {
  const GemmPlan plan = make_gemm_plan(options, core);
  const GemmPasses passes = gemm_passes(options, plan);
  const std::uint64_t bytes = size_bytes(options.dtype);
  GemmTraffic traffic;
  traffic.a_read_bytes = passes.a * options.m * options.k * bytes;
  traffic.b_read_bytes = passes.b * options.n * options.k * bytes;
  traffic.write_bytes = std::uint64_t{options.m} * options.n * size_bytes(plan.out_dtype);
  if (stores_transposed_a(options, plan)) {
    traffic.write_bytes += std::uint64_t{options.m} * options.k * bytes;
  }
  return traffic;
}

std::optional<GemmBlocking> gemm_blocking(const GemmOptions& options, const spec::CoreSpec& core) {
  const GemmPlan plan = make_gemm_plan(options, core);
  if (plan.scheme != GemmScheme::kBlocked) {
    return std::nullopt;
  }
  return plan.blocking;
}

std::string_view name(GemmVariant variant) {
  return kVariantNames[static_cast<std::size_t>(variant)];
}

std::optional<GemmVariant> parse_gemm_variant(std::string_view text) {
  for (std::size_t i = 0; i < kVariantNames.size(); ++i) {
    if (kVariantNames[i] == text) {
      return static_cast<GemmVariant>(i);
    }
  }
  return std::nullopt;
}

std::vector<std::string> gemm_variant_names() {
  return {kVariantNames.begin(), kVariantNames.end()};
}

}  // namespace trnsim::kernels
