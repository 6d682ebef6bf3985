// The orders in which the steps of fused attention are emitted, and the unfused kernel.
#pragma once

#include "attention_ops.h"
#include "attention_plan.h"

namespace trnsim::kernels {

// Unit after unit, each step right after the one before: naive and flash.
void emit_sequential(FusedAttention& kernel, const AttentionPlan& plan);
// Steps of neighbouring units interleaved so that no engine waits for another: pipelined and best.
void emit_pipelined(FusedAttention& kernel, const AttentionPlan& plan);
// Scores, softmax and P x V as three passes over HBM.
void emit_unfused(trace::TraceBuilder& builder, const AttentionOptions& options,
                  const AttentionPlan& plan, const AttentionTensors& tensors,
                  const spec::CoreSpec& core);

}  // namespace trnsim::kernels
