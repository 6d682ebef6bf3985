// Copies, fills and predicated copies.
#include <cmath>

#include "ops.h"
#include "trnsim/numerics/dtype_convert.h"

namespace trnsim::numerics {

void run_copy(Context& context) {
  const trace::Operand& to = context.output(0);
  const trace::Operand& from = context.input(0);
  // Equal types copy bit for bit; others pass through fp32.
  if (context.dtype(to) == context.dtype(from)) {
    context.store_bits(to, context.load_bits(from));
  } else {
    context.store(to, context.load(from));
  }
}

void run_copy_predicated(Context& context) {
  const trace::Operand& to = context.output(0);
  const trace::Operand& predicate = context.input(0);
  const trace::Operand& from = context.input(1);
  context.require_same_shape(to, predicate);
  context.require_same_shape(to, from);
  context.require(context.dtype(to) == context.dtype(from), "src and dst differ in dtype");
  const Bits select = context.load_bits(predicate);
  const Bits source = context.load_bits(from);
  const bool wanted = !context.attributes().reverse0;
  // Only the selected elements of dst are touched: the others may be uninitialised and stay so.
  Walk walk = context.walk(to);
  walk.for_each_run(
      [&](std::int64_t offset, std::int64_t stride, std::uint64_t count, std::uint64_t index) {
        for (std::uint64_t i = 0; i < count; ++i) {
          if ((select.values[index + i] != 0) == wanted) {
            Walk one;
            one.dtype = walk.dtype;
            one.element_bytes = walk.element_bytes;
            one.first_byte = offset + static_cast<std::int64_t>(i) * stride;
            Bits element(1, 1, source.values[index + i]);
            context.store_bits(to.tensor, one, element);
          }
        }
      });
}

void run_memset(Context& context) {
  const trace::Operand& to = context.output(0);
  const double value = context.attributes().imm0;
  const DType type = context.dtype(to);
  std::uint32_t bits = 0;
  if (is_mx(type)) {
    context.require(value == 0, "{} can only be set to 0", name(type));
  } else {
    bits = encode(type, value);
  }
  context.store_bits(to, Bits(context.rows(to), context.columns(to), bits));
}

}  // namespace trnsim::numerics
