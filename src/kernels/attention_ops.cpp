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
  // PSUM is laid out by hand: buffers of whole banks for scores, one bank for transposes, one for
  // P x V.
  const std::int64_t bank_bytes = core.psum.bank_bytes_per_partition;
  const std::int64_t banks =
      (plan.section + plan.bank_columns - 1) / plan.bank_columns;
  for (std::uint32_t b = 0; b < plan.score_buffers; ++b) {
    score_buffers_.push_back(builder.psum("scores", DType::kFloat32, plan.array, {plan.section},
                                          b * banks * bank_bytes));
  }
  const std::int64_t next = plan.score_buffers * banks * bank_bytes;
  turn_bank_ = builder.psum("p_turned_psum", options.dtype, plan.array,
                            {plan.section / plan.array, plan.array}, next);
  value_bank_ = builder.psum("pv", DType::kFloat32, plan.array, {2, plan.bank_columns / 2},
                             next + bank_bytes);
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
  evacuator_.charge_vector(unit_of(unit).width);
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
  evacuator_.charge_vector(1);
  if (!unit_of(unit).first) {
    now.alpha = builder_.sbuf("alpha", DType::kFloat32, tile_of(unit).rows, {1});
    Attributes rescale;
    rescale.func = ActFunc::kExp;
    rescale.scale = -1;
    rescale.bias_is_tensor = true;
    builder_.emit(Opcode::kActivation, Engine::kScalar, {now.alpha}, {tile.bound, fresh}, rescale);
    evacuator_.charge_scalar(1);
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
  evacuator_.charge_scalar(width);
  choose_turn(now, unit_of(unit), tile);
}

void FusedAttention::turn(std::uint32_t unit) {
  UnitState& now = state(unit);
  if (!now.by_dma) {
    turn_on_tensor(now, unit_of(unit), tile_of(unit));
  }
}

// Gives the transposes of a section to whichever has the least to do: DMA, or the tensor engine with
// a copy by Vector or Scalar.
void FusedAttention::choose_turn(UnitState& now, const Unit& unit, const RowTile& tile) {
  now.p_turned = sbuf("p_turned", options_.dtype, plan_.array,
                      {(unit.width + plan_.array - 1) / plan_.array, tile.rows},
                      {plan_.section / plan_.array, plan_.array});
  now.by_dma = false;
  if (!plan_.dma_transposes || tile.rows != plan_.array || unit.width % plan_.array != 0) {
    return;
  }
  const double bytes = static_cast<double>(unit.width) * tile.rows * size_bytes(options_.dtype);
  const double ns = std::max(core_.dma.issue_floor_ns,
                             bytes / (core_.dma.engines * core_.dma.effective_GBps_per_engine *
                                      core_.dma.transpose_rate_sbuf));
  if (dma_ns_ + ns <= evacuator_.least_ns_with(unit.width, now.p.dtype)) {
    dma_ns_ += ns;
    now.by_dma = true;
    turn_by_dma(now, unit, tile);
  }
}

void FusedAttention::turn_by_dma(UnitState& now, const Unit& unit, const RowTile& tile) {
  const std::uint32_t blocks = unit.width / plan_.array;
  builder_.dma_transpose(now.p_turned.slice(0, 0, blocks).slice(1, 0, tile.rows),
                         now.p.split(0, plan_.array), Engine::kSync);
}

void FusedAttention::turn_on_tensor(UnitState& now, const Unit& unit, const RowTile& tile) {
  const std::uint32_t full = unit.width / plan_.array;
  const std::uint32_t rest = unit.width % plan_.array;
  const View bank = turn_bank_.slice(1, 0, tile.rows);
  for (std::uint32_t block = 0; block * plan_.array < unit.width; ++block) {
    const std::uint32_t columns = std::min(plan_.array, unit.width - block * plan_.array);
    builder_.transpose(bank.part(0, columns).index(0, block),
                       now.p.slice(0, block * plan_.array, columns));
  }
  if (full > 0) {
    evacuator_.copy(now.p_turned.slice(0, 0, full), bank.slice(0, 0, full));
  }
  if (rest > 0) {
    evacuator_.copy(now.p_turned.part(0, rest).index(0, full), bank.part(0, rest).index(0, full));
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
    evacuator_.copy(staged, now.weighed);
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
  evacuator_.charge_vector(columns);
}

void FusedAttention::finish(std::uint32_t unit) {
  UnitState& now = state(unit);
  TileState& tile = tiles_[unit_of(unit).tile];
  const std::uint32_t rows = tile_of(unit).rows;
  const View inverse = builder_.sbuf("inverse", DType::kFloat32, rows, {1});
  builder_.emit(Opcode::kReciprocal, Engine::kVector, {inverse},
                {tile.output.slice(0, options_.head_dim, 1)});
  evacuator_.charge_vector(8);
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
  evacuator_.charge_scalar(options_.head_dim);
}

void FusedAttention::store(std::uint32_t unit) {
  const RowTile& tile = tile_of(unit);
  builder_.dma(out_window(tensors_, options_, plan_.streams[tile.stream], tile.first_row, tile.rows),
               state(unit).out, Engine::kGpSimd);
}

}  // namespace trnsim::kernels
