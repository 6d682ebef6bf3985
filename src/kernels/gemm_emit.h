// The schemes that write a GEMM's instructions, and what they share.
#pragma once

#include "evacuate.h"
#include "gemm_operand.h"
#include "gemm_plan.h"
#include "trnsim/kernels/gemm.h"
#include "trnsim/trace/builder.h"

namespace trnsim::kernels {

// What every scheme works with. `c` is the HBM output [M, N].
struct GemmContext {
  trace::TraceBuilder& builder;
  Evacuator& evacuator;
  const GemmOptions& options;
  const GemmPlan& plan;
  GemmOperand& a;
  GemmOperand& b;
  trace::View c;
};

void emit_naive(GemmContext& context);
void emit_hoisted(GemmContext& context);
void emit_blocked(GemmContext& context);

}  // namespace trnsim::kernels
