// Collectives on one rank: the data of the others is not known, so its own stands for theirs.
#include <utility>

#include "alu.h"
#include "ops.h"

namespace trnsim::numerics {
namespace {

// As many values as dst has: cut, or repeated from the start.
Floats fitted(Context& context, const trace::Operand& from, const trace::Operand& to) {
  const Floats source = context.load(from);
  Floats block(context.rows(to), context.columns(to));
  for (std::size_t i = 0; i < block.values.size(); ++i) {
    block.values[i] = source.values[i % source.values.size()];
  }
  return block;
}

// The same on bits, so that a copy between equal types is exact.
Bits fitted_bits(Context& context, const trace::Operand& from, const trace::Operand& to) {
  const Bits source = context.load_bits(from);
  Bits block(context.rows(to), context.columns(to));
  for (std::size_t i = 0; i < block.values.size(); ++i) {
    block.values[i] = source.values[i % source.values.size()];
  }
  return block;
}

}  // namespace

void run_collective(Context& context) {
  const trace::Attributes& attributes = context.attributes();
  const std::size_t pairs = context.instruction().outputs;
  const bool reduces = attributes.collective == trace::CollectiveKind::kPermuteImplicitReduce;
  const FloatOp op = float_op(attributes.op0);
  context.require(!reduces || op != nullptr, "no arithmetic operator: {}",
                  trace::name(attributes.op0));
  for (std::size_t i = 0; i < pairs; ++i) {
    const trace::Operand& to = context.output(i);
    const trace::Operand& from = context.input(i);
    if (!reduces && context.dtype(from) == context.dtype(to)) {
      context.store_bits(to, fitted_bits(context, from, to));
      continue;
    }
    Floats block = fitted(context, from, to);
    if (reduces) {
      const Floats second = fitted(context, context.input(pairs + i), to);
      for (std::size_t e = 0; e < block.values.size(); ++e) {
        block.values[e] = op(block.values[e], second.values[e]);
      }
    }
    context.store(to, block);
  }
}

}  // namespace trnsim::numerics
