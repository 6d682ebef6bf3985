// DMA: copies with conversion, indirect rows, transposes, sums.
#include <algorithm>
#include <vector>

#include "ops.h"
#include "trnsim/numerics/dtype_convert.h"

namespace trnsim::numerics {
namespace {

Floats to_floats(DType dtype, const Bits& bits) {
  Floats block(bits.rows, bits.columns);
  for (std::size_t i = 0; i < bits.values.size(); ++i) {
    block.values[i] = static_cast<float>(decode(dtype, bits.values[i]));
  }
  return block;
}

Bits to_bits(DType dtype, const Floats& floats) {
  Bits block(floats.rows, floats.columns);
  for (std::size_t i = 0; i < floats.values.size(); ++i) {
    block.values[i] = encode(dtype, static_cast<double>(floats.values[i]));
  }
  return block;
}

// A DMA sees both sides as one sequence of elements in walk order.
void reshape(Bits& block, const Context& context, const trace::Operand& to) {
  block.rows = context.rows(to);
  block.columns = context.columns(to);
}

// The row that index i selects of an HBM operand: its first dim is replaced by index x stride.
Walk indexed_row(const Context& context, const trace::Operand& operand, std::int64_t index) {
  const trace::Pattern& pattern = context.trace().pattern(operand);
  context.require(pattern.num_dims > 0, "an indirect operand needs a dim to index");
  Walk walk = context.walk(operand, 1);
  const trace::Dim row = pattern.span().front();
  Walk one;
  one.dtype = walk.dtype;
  one.element_bytes = walk.element_bytes;
  one.columns = walk.columns / row.count;
  const auto bytes = static_cast<std::int64_t>(walk.element_bytes);
  one.first_byte = walk.first_byte + index * row.stride * bytes;
  std::int64_t reach = 0;
  for (const trace::Dim& dim : pattern.span().subspan(1)) {
    one.dims[static_cast<std::size_t>(one.num_dims++)] = dim;
    reach += dim.stride * (static_cast<std::int64_t>(dim.count) - 1) * bytes;
  }
  context.require(index >= 0 && one.first_byte + reach + bytes <= walk.row_bytes,
                  "index {} is outside tensor '{}'", index,
                  context.trace().string(context.trace().tensor(operand).name));
  return one;
}

// One index per row of the indirect operand, partition by partition.
std::vector<std::int64_t> load_indices(Context& context, const trace::Operand& indexed,
                                       const trace::Operand& index, bool by_column) {
  context.require(context.region(indexed) == trace::Region::kHbm,
                  "the indexed operand must be in HBM");
  const Integers block = context.load_integers(index);
  const trace::Pattern& pattern = context.trace().pattern(indexed);
  const std::uint64_t rows = pattern.num_dims > 0 ? pattern.span().front().count : 0;
  std::vector<std::int64_t> indices;
  for (std::uint64_t i = 0; i < block.values.size(); ++i) {
    indices.push_back(by_column ? block.row(i % block.rows)[i / block.rows] : block.values[i]);
  }
  context.require(indices.size() == rows || (by_column && indices.size() > rows),
                  "{} indices for {} rows", indices.size(), rows);
  indices.resize(rows);
  return indices;
}

Bits gather(Context& context, const trace::Operand& from,
            const std::vector<std::int64_t>& indices) {
  Bits gathered(1, context.columns(from));
  const std::uint64_t width = gathered.columns / indices.size();
  for (std::size_t i = 0; i < indices.size(); ++i) {
    const Bits row = context.load_bits(from.tensor, indexed_row(context, from, indices[i]));
    std::copy(row.values.begin(), row.values.end(),
              gathered.values.begin() + static_cast<std::ptrdiff_t>(i * width));
  }
  return gathered;
}

Bits convert(DType from, DType to, Bits block) {
  return from == to ? block : to_bits(to, to_floats(from, block));
}

// dst + block in fp32, in the dtype of dst.
Bits add(DType dtype, const Bits& old, const Bits& block) {
  Floats sum = to_floats(dtype, old);
  const Floats other = to_floats(dtype, block);
  for (std::size_t i = 0; i < sum.values.size(); ++i) {
    sum.values[i] += other.values[i];
  }
  return to_bits(dtype, sum);
}

// Rows of an HBM dst chosen by indices, one after the other.
void scatter(Context& context, const trace::Operand& to, const Bits& block,
             const std::vector<std::int64_t>& indices) {
  const std::uint64_t width = block.values.size() / indices.size();
  for (std::size_t i = 0; i < indices.size(); ++i) {
    const Walk walk = indexed_row(context, to, indices[i]);
    Bits row(1, width);
    std::copy_n(block.values.begin() + static_cast<std::ptrdiff_t>(i * width), width,
                row.values.begin());
    if (context.attributes().accumulate) {
      row = add(walk.dtype, context.load_bits(to.tensor, walk), row);
    }
    context.store_bits(to.tensor, walk, row);
  }
}

// Extents as (outer, middle, inner) of the supported permutations [1,0], [2,1,0] and [3,1,2,0].
Bits permute(const Context& context, const Bits& block, std::vector<std::uint64_t> shape) {
  context.require(shape.size() >= 2 && shape.size() <= 4, "needs 2 to 4 dims, not {}",
                  shape.size());
  std::uint64_t middle = 1;
  for (std::size_t d = 1; d + 1 < shape.size(); ++d) {
    middle *= shape[d];
  }
  const std::uint64_t outer = shape.front();
  const std::uint64_t inner = shape.back();
  Bits turned(1, block.values.size());
  for (std::uint64_t o = 0; o < outer; ++o) {
    for (std::uint64_t m = 0; m < middle; ++m) {
      for (std::uint64_t i = 0; i < inner; ++i) {
        turned.values[(i * middle + m) * outer + o] = block.values[(o * middle + m) * inner + i];
      }
    }
  }
  return turned;
}

}  // namespace

// Indirect: a src in HBM is gathered, unless dst is in HBM and src on chip: then dst is scattered
// to.
void run_dma_copy(Context& context) {
  const trace::Operand& to = context.output(0);
  const trace::Operand& from = context.input(0);
  const trace::Attributes& attributes = context.attributes();
  context.require(context.elements(to) == context.elements(from), "{} elements to {}",
                  context.elements(from), context.elements(to));
  const bool scatters = attributes.indirect && context.region(from) != trace::Region::kHbm;
  Bits block;
  if (attributes.indirect && !scatters) {
    block = gather(context, from, load_indices(context, from, context.input(1), false));
  } else if (context.dtype(from) != context.dtype(to) && !is_mx(context.dtype(from)) &&
             !is_mx(context.dtype(to)) && !attributes.accumulate && !scatters) {
    // The common converting copy, without the element-wise path.
    Floats floats = context.load(from);
    floats.rows = context.rows(to);
    floats.columns = context.columns(to);
    context.store(to, floats);
    return;
  } else {
    block = context.load_bits(from);
  }
  context.require(!attributes.accumulate || !is_mx(context.dtype(to)), "{} cannot be added",
                  name(context.dtype(to)));
  block = convert(context.dtype(from), context.dtype(to), std::move(block));
  reshape(block, context, to);
  if (scatters) {
    scatter(context, to, block, load_indices(context, to, context.input(1), false));
    return;
  }
  if (attributes.accumulate) {
    block = add(context.dtype(to), context.load_bits(to), block);
  }
  context.store_bits(to, block);
}

void run_dma_transpose(Context& context) {
  const trace::Operand& to = context.output(0);
  const trace::Operand& from = context.input(0);
  context.require(context.dtype(to) == context.dtype(from), "src and dst differ in dtype");
  const std::vector<std::uint64_t> shape = context.shape(from);
  context.require(context.elements(to) == context.elements(from), "{} elements to {}",
                  context.elements(from), context.elements(to));
  context.require(context.region(to) == trace::Region::kHbm || context.rows(to) == shape.back(),
                  "the last dim of src has {} elements, dst {} partitions", shape.back(),
                  context.rows(to));
  Bits block = context.attributes().indirect
                   ? gather(context, from, load_indices(context, from, context.input(1), true))
                   : context.load_bits(from);
  block = permute(context, block, shape);
  reshape(block, context, to);
  context.store_bits(to, block);
}

void run_dma_compute(Context& context) {
  const trace::Operand& to = context.output(0);
  const trace::AluOp op = context.attributes().op0;
  context.require(!context.attributes().indirect, "indirect dma_compute is not implemented");
  context.require(op == trace::AluOp::kNone || op == trace::AluOp::kAdd, "only add, not {}",
                  trace::name(op));
  context.require(context.has_input(0), "needs a source");
  Floats sum(context.rows(to), context.columns(to));
  for (std::size_t i = 0; i < context.instruction().inputs; ++i) {
    const Floats source = context.load(context.input(i));
    context.require(source.values.size() == sum.values.size(), "source {} has {} elements, dst {}",
                    i, source.values.size(), sum.values.size());
    for (std::size_t e = 0; e < sum.values.size(); ++e) {
      sum.values[e] = i == 0 ? source.values[e] : sum.values[e] + source.values[e];
    }
  }
  if (context.attributes().accumulate) {
    const Floats old = context.load(to);
    for (std::size_t e = 0; e < sum.values.size(); ++e) {
      sum.values[e] += old.values[e];
    }
  }
  context.store(to, sum);
}

}  // namespace trnsim::numerics
