// Engine work of fused attention: scores, softmax and update of one unit.
#include "attention_ops.h"

#include <algorithm>

namespace trnsim::kernels {

using trace::ActFunc;
using trace::AluOp;
using trace::Attributes;
using trace::Engine;
using trace::Opcode;
using trace::View;

namespace {

// Blocks out of `blocks` whose copies Vector makes.
std::uint32_t share_of(const TransposeSplit& split, std::uint32_t blocks) {
  const std::uint32_t copied = split.vector + split.scalar;
  return copied == 0 ? blocks : (split.vector * blocks + copied / 2) / copied;
}

}  // namespace

FusedAttention::FusedAttention(trace::TraceBuilder& builder, const AttentionOptions& options,
                               const AttentionPlan& plan, const AttentionTensors& tensors,
                               const spec::CoreSpec& core)
    : builder_(builder),
      options_(options),
      plan_(plan),
      tensors_(tensors),
      core_(core),
      evacuator_(builder, core,
                 plan.value_lag == 0 ? CopyEngines::kVectorOnly : CopyEngines::kVectorAndScalar),
      mask_(builder, plan),
      states_(plan.value_lag + kLookAhead + kHistory),
      tiles_(plan.tiles.size()) {
  // PSUM is laid out by hand: buffers of whole banks for scores, one bank for P x V, the rest for
  // transposes.
  const std::int64_t bank_bytes = core.psum.bank_bytes_per_partition;
  const std::uint32_t banks = (plan.section + plan.bank_columns - 1) / plan.bank_columns;
  for (std::uint32_t b = 0; b < plan.score_buffers; ++b) {
    score_buffers_.push_back(builder.psum("scores", DType::kFloat32, plan.array, {plan.section},
                                          b * banks * bank_bytes));
  }
  const std::uint32_t used = plan.score_buffers * banks;
  value_bank_ = builder.psum("pv", DType::kFloat32, plan.array, {2, plan.bank_columns / 2},
                             used * bank_bytes);
  const std::uint32_t per_bank =
      core.psum.bank_bytes_per_partition / (plan.array * size_bytes(options.dtype));
  const std::uint32_t left = plan.single_buffers ? 1 : core.psum.banks - used - 1;
  const View all = builder.psum("p_turned_psum", options.dtype, plan.array,
                                {left * per_bank, plan.array}, (used + 1) * bank_bytes);
  const TransposeSplit& split = plan.transposes;
  const std::uint32_t for_vector = split.scalar == 0   ? left * per_bank
                                   : split.vector == 0 ? 0
                                   : left > 1          ? per_bank
                                                       : share_of(split, per_bank);
  if (for_vector > 0) {
    vector_ring_.blocks = all.slice(0, 0, for_vector);
  }
  if (for_vector < left * per_bank) {
    scalar_ring_.blocks = all.slice(0, for_vector, left * per_bank - for_vector);
  }
}

void FusedAttention::score(std::uint32_t unit) {
  UnitState& now = state(unit);
  const RowTile& tile = tile_of(unit);
  const std::uint32_t width = unit_of(unit).width;
  now.scores = score_buffers_[unit % score_buffers_.size()].part(0, tile.rows).slice(0, 0, width);
  for (std::uint32_t c = 0; c < width; c += plan_.bank_columns) {
    const std::uint32_t columns = std::min(plan_.bank_columns, width - c);
    builder_.matmul(now.scores.slice(0, c, columns), now.q, now.kv.k.slice(0, c, columns), false);
  }
  mask_.apply(now.scores, tile, unit_of(unit).section * plan_.section);
}

void FusedAttention::find_max(std::uint32_t unit) {
  UnitState& now = state(unit);
  now.section_max = builder_.sbuf("section_max", DType::kFloat32, tile_of(unit).rows, {1});
  Attributes attributes;
  attributes.op0 = AluOp::kMax;
  attributes.negate = true;
  builder_.emit(Opcode::kTensorReduce, Engine::kVector, {now.section_max}, {now.scores},
                attributes);
}

void FusedAttention::bound(std::uint32_t unit) {
  UnitState& now = state(unit);
  TileState& tile = tiles_[unit_of(unit).tile];
  const View fresh = builder_.sbuf("bound", DType::kFloat32, tile_of(unit).rows, {1});
  Attributes attributes;
  attributes.op0 = AluOp::kMultiply;
  attributes.imm0 = plan_.scale;
  std::vector<View> inputs{now.section_max};
  if (!unit_of(unit).first) {
    attributes.op1 = AluOp::kMin;
    attributes.imm1_is_tensor = true;
    inputs.push_back(tile.bound);
  }
  builder_.emit(Opcode::kTensorScalar, Engine::kVector, {fresh}, inputs, attributes);
  if (!unit_of(unit).first) {
    now.alpha = builder_.sbuf("alpha", DType::kFloat32, tile_of(unit).rows, {1});
    Attributes rescale;
    rescale.func = ActFunc::kExp;
    rescale.scale = -1;
    rescale.bias_is_tensor = true;
    builder_.emit(Opcode::kActivation, Engine::kScalar, {now.alpha}, {tile.bound, fresh}, rescale);
  }
  tile.bound = fresh;
}

void FusedAttention::soften(std::uint32_t unit) {
  UnitState& now = state(unit);
  const RowTile& tile = tile_of(unit);
  const std::uint32_t width = unit_of(unit).width;
  now.p = sbuf("p", options_.dtype, tile.rows, {width}, {plan_.section});
  Attributes attributes;
  attributes.func = ActFunc::kExp;
  attributes.scale = plan_.scale;
  attributes.bias_is_tensor = true;
  builder_.emit(Opcode::kActivation, Engine::kScalar, {now.p},
                {now.scores, tiles_[unit_of(unit).tile].bound}, attributes);
  now.p_turned = sbuf("p_turned", options_.dtype, plan_.array,
                      {(width + plan_.array - 1) / plan_.array, tile.rows},
                      {plan_.section / plan_.array, plan_.array});
  now.split = split_of(unit_of(unit), tile);
  if (now.split.dma > 0) {
    turn_by_dma(now, tile);
  }
}

void FusedAttention::turn(std::uint32_t unit) {
  UnitState& now = state(unit);
  const TransposeSplit& split = now.split;
  turn_on_tensor(now, unit_of(unit), tile_of(unit), split.dma, split.vector, Engine::kVector);
  turn_on_tensor(now, unit_of(unit), tile_of(unit), split.dma + split.vector, split.scalar,
                 Engine::kScalar);
}

// The plan's split in proportion; DMA takes whole blocks of whole tiles only.
TransposeSplit FusedAttention::split_of(const Unit& unit, const RowTile& tile) const {
  const std::uint32_t all = plan_.section / plan_.array;
  const std::uint32_t blocks = (unit.width + plan_.array - 1) / plan_.array;
  const std::uint32_t whole = tile.rows == plan_.array ? unit.width / plan_.array : 0;
  TransposeSplit split;
  split.dma = std::min(whole, (plan_.transposes.dma * blocks + all / 2) / all);
  const std::uint32_t rest = blocks - split.dma;
  split.vector = share_of(plan_.transposes, rest);
  split.scalar = rest - split.vector;
  return split;
}

void FusedAttention::turn_by_dma(UnitState& now, const RowTile& tile) {
  builder_.dma_transpose(now.p_turned.slice(0, 0, now.split.dma).slice(1, 0, tile.rows),
                         now.p.slice(0, 0, now.split.dma * plan_.array).split(0, plan_.array),
                         Engine::kSync);
}

void FusedAttention::turn_on_tensor(UnitState& now, const Unit& unit, const RowTile& tile,
                                    std::uint32_t first, std::uint32_t count, Engine engine) {
  if (count == 0) {
    return;
  }
  Ring& ring = engine == Engine::kVector ? vector_ring_ : scalar_ring_;
  if (ring.next + count > ring.blocks.dims[0].count) {
    ring.next = 0;
  }
  const View bank = ring.blocks.slice(0, ring.next, count).slice(1, 0, tile.rows);
  ring.next += count;
  for (std::uint32_t i = 0; i < count; ++i) {
    const std::uint32_t start = (first + i) * plan_.array;
    const std::uint32_t columns = std::min(plan_.array, unit.width - start);
    builder_.transpose(bank.part(0, columns).index(0, i), now.p.slice(0, start, columns));
  }
  const std::uint32_t end = std::min(unit.width, (first + count) * plan_.array);
  const std::uint32_t full = end / plan_.array - first;
  const std::uint32_t rest = end % plan_.array;
  if (full > 0) {
    evacuator_.copy_on(engine, now.p_turned.slice(0, first, full), bank.slice(0, 0, full));
  }
  if (rest > 0) {
    evacuator_.copy_on(engine, now.p_turned.part(0, rest).index(0, first + full),
                       bank.part(0, rest).index(0, full));
  }
}

void FusedAttention::weigh(std::uint32_t unit) {
  UnitState& now = state(unit);
  const RowTile& tile = tile_of(unit);
  const std::uint32_t width = unit_of(unit).width;
  now.weighed =
      value_bank_.part(0, tile.rows).index(0, unit % 2).slice(0, 0, options_.head_dim + 1);
  for (std::uint32_t block = 0; block * plan_.array < width; ++block) {
    const std::uint32_t rows = std::min(plan_.array, width - block * plan_.array);
    builder_.matmul(now.weighed, now.p_turned.part(0, rows).index(0, block),
                    now.kv.v.part(0, rows).index(0, block), block > 0);
  }
}

void FusedAttention::update(std::uint32_t unit) {
  UnitState& now = state(unit);
  TileState& tile = tiles_[unit_of(unit).tile];
  const std::uint32_t rows = tile_of(unit).rows;
  const std::uint32_t columns = options_.head_dim + 1;
  if (unit_of(unit).first) {
    tile.output = builder_.sbuf("output", DType::kFloat32, rows, {columns});
    evacuator_.copy(tile.output, now.weighed);
    return;
  }
  if (plan_.gpsimd_updates) {
    const View staged = builder_.sbuf("pv_staged", DType::kFloat32, rows, {columns});
    evacuator_.copy_on(Engine::kScalar, staged, now.weighed);
    builder_.tensor_tensor(tile.output, tile.output, AluOp::kMultiply,
                           now.alpha.index(0, 0).broadcast(columns), Engine::kGpSimd);
    builder_.tensor_tensor(tile.output, tile.output, AluOp::kAdd, staged, Engine::kGpSimd);
    return;
  }
  Attributes attributes;
  attributes.op0 = AluOp::kMultiply;
  attributes.op1 = AluOp::kAdd;
  attributes.imm0_is_tensor = true;
  builder_.emit(Opcode::kScalarTensorTensor, Engine::kVector, {tile.output},
                {tile.output, now.weighed, now.alpha}, attributes);
}

void FusedAttention::finish(std::uint32_t unit) {
  UnitState& now = state(unit);
  TileState& tile = tiles_[unit_of(unit).tile];
  const std::uint32_t rows = tile_of(unit).rows;
  const View inverse = builder_.sbuf("inverse", DType::kFloat32, rows, {1});
  builder_.emit(Opcode::kReciprocal, Engine::kVector, {inverse},
                {tile.output.slice(0, options_.head_dim, 1)});
  now.out = builder_.sbuf("out_tile", options_.dtype, rows, {options_.head_dim});
  const View values = tile.output.slice(0, 0, options_.head_dim);
  if (plan_.gpsimd_updates) {
    builder_.tensor_tensor(now.out, values, AluOp::kMultiply,
                           inverse.index(0, 0).broadcast(options_.head_dim), Engine::kGpSimd);
    return;
  }
  Attributes attributes;
  attributes.func = ActFunc::kCopy;
  attributes.scale_is_tensor = true;
  builder_.emit(Opcode::kActivation, Engine::kScalar, {now.out}, {values, inverse}, attributes);
}

void FusedAttention::store(std::uint32_t unit) {
  const RowTile& tile = tile_of(unit);
  builder_.dma(
      out_window(tensors_, options_, plan_.streams[tile.stream], tile.first_row, tile.rows),
      state(unit).out, Engine::kGpSimd);
}

}  // namespace trnsim::kernels
