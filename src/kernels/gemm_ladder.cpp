// The two slowest steps of the GEMM ladder: every tile loaded for every matmul, and a kept A row.
#include <algorithm>

#include "gemm_emit.h"

namespace trnsim::kernels {

using trace::Engine;
using trace::View;

namespace {

// Copies a finished PSUM tile to SBUF and stores it at (m, n) of C.
void finish_tile(GemmContext& context, const View& accumulator, std::uint32_t m, std::uint32_t n) {
  const std::uint32_t rows = accumulator.partitions;
  const std::uint32_t columns = accumulator.dims[0].count;
  const View out = context.builder.sbuf("c_tile", context.plan.out_dtype, rows, {columns});
  context.evacuator.copy(out, accumulator);
  context.builder.dma(context.c.slice(0, m, rows).slice(1, n, columns), out, Engine::kGpSimd);
}

}  // namespace

// naive and hoisted name no engine for their loads, as plain kernels do.
void emit_naive(GemmContext& context) {
  const GemmPlan& plan = context.plan;
  trace::TraceBuilder& builder = context.builder;
  const View accumulator = builder.psum("acc", DType::kFloat32, plan.m_tile, {plan.n_tile});
  for (std::uint32_t m = 0; m < context.options.m; m += plan.m_tile) {
    const std::uint32_t rows = std::min(plan.m_tile, context.options.m - m);
    for (std::uint32_t n = 0; n < context.options.n; n += plan.n_tile) {
      const std::uint32_t columns = std::min(plan.n_tile, context.options.n - n);
      const View dst = accumulator.part(0, rows).slice(0, 0, columns);
      for (const KStep& step : plan.k.steps) {
        const KGroup& group = plan.k.groups[step.group];
        const View a_tile = context.a.load(group, step.row, group.pair, m, rows, Engine::kUnassigned);
        const View b_tile = context.b.load(group, step.row, group.pair, n, columns, Engine::kUnassigned);
        builder.matmul(dst, step_view(a_tile, 0, group.pair, 0, rows),
                       step_view(b_tile, 0, group.pair, 0, columns), &step != &plan.k.steps.front(),
                       group.pair == 2);
      }
      finish_tile(context, dst, m, n);
    }
  }
}

void emit_hoisted(GemmContext& context) {
  const GemmPlan& plan = context.plan;
  trace::TraceBuilder& builder = context.builder;
  const View accumulator = builder.psum("acc", DType::kFloat32, plan.m_tile, {plan.n_tile});
  for (std::uint32_t m = 0; m < context.options.m; m += plan.m_tile) {
    const std::uint32_t rows = std::min(plan.m_tile, context.options.m - m);
    std::vector<View> a_row;
    for (const KGroup& group : plan.k.groups) {
      a_row.push_back(context.a.load(group, 0, group.rows, m, rows, Engine::kUnassigned));
    }
    for (std::uint32_t n = 0; n < context.options.n; n += plan.n_tile) {
      const std::uint32_t columns = std::min(plan.n_tile, context.options.n - n);
      const View dst = accumulator.part(0, rows).slice(0, 0, columns);
      for (const KStep& step : plan.k.steps) {
        const KGroup& group = plan.k.groups[step.group];
        const View b_tile = context.b.load(group, step.row, group.pair, n, columns, Engine::kUnassigned);
        builder.matmul(dst, step_view(a_row[step.group], step.row, group.pair, 0, rows),
                       step_view(b_tile, 0, group.pair, 0, columns), &step != &plan.k.steps.front(),
                       group.pair == 2);
      }
      finish_tile(context, dst, m, n);
    }
  }
}

}  // namespace trnsim::kernels
