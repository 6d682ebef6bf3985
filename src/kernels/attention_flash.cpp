// Schedules of fused attention.
#include "attention_flash.h"

namespace trnsim::kernels {

void emit_sequential(FusedAttention& kernel, const AttentionPlan& plan) {
  // With more than one buffer, the P x V of a section comes after the next section's scores.
  const std::uint32_t lag = plan.single_buffers ? 0 : 1;
  const auto complete = [&](std::uint32_t unit) {
    kernel.weigh(unit);
    kernel.update(unit);
    if (plan.units[unit].last) {
      kernel.finish(unit);
      kernel.store(unit);
    }
  };
  for (std::uint32_t unit = 0; unit < kernel.units() + lag; ++unit) {
    if (unit < kernel.units()) {
      kernel.fetch(unit);
      kernel.score(unit);
      kernel.find_max(unit);
      kernel.bound(unit);
      kernel.soften(unit);
    }
    if (lag > 0 && unit >= lag) {
      complete(unit - lag);
    }
    if (unit < kernel.units()) {
      kernel.turn(unit);
      if (lag == 0) {
        complete(unit);
      }
    }
  }
}

// Engines work in order, so a step's place in the stream decides what it waits for. In step i every
// engine gets work whose inputs were made about one step earlier by another engine:
//   tensor: scores(i), turn(i-2), P V (i-lag)
//   vector: max(i), copies of turn(i-2), update(i-lag-1), bound(i)   -- bound last: max(i) has
//   arrived scalar: exp(i-1), copies of turn(i-2)
void emit_pipelined(FusedAttention& kernel, const AttentionPlan& plan) {
  const std::uint32_t units = kernel.units();
  const std::uint32_t lag = plan.value_lag;
  const std::uint32_t finish_lag = lag + 3;
  const std::uint32_t store_lag = lag + 5;
  for (std::uint32_t unit = 0; unit < FusedAttention::kLookAhead && unit < units; ++unit) {
    kernel.fetch(unit);
  }
  for (std::uint32_t step = 0; step < units + store_lag; ++step) {
    const auto at = [&](std::uint32_t behind, auto&& action) {
      if (step >= behind && step - behind < units) {
        action(step - behind);
      }
    };
    if (step + FusedAttention::kLookAhead < units) {
      kernel.fetch(step + FusedAttention::kLookAhead);
    }
    at(0, [&](std::uint32_t u) { kernel.score(u); });
    at(0, [&](std::uint32_t u) { kernel.find_max(u); });
    at(1, [&](std::uint32_t u) { kernel.soften(u); });
    at(2, [&](std::uint32_t u) { kernel.turn(u); });
    at(lag, [&](std::uint32_t u) { kernel.weigh(u); });
    at(lag + 1, [&](std::uint32_t u) { kernel.update(u); });
    at(0, [&](std::uint32_t u) { kernel.bound(u); });
    at(finish_lag, [&](std::uint32_t u) {
      if (plan.units[u].last) {
        kernel.finish(u);
      }
    });
    at(store_lag, [&](std::uint32_t u) {
      if (plan.units[u].last) {
        kernel.store(u);
      }
    });
  }
}

}  // namespace trnsim::kernels
