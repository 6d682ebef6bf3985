// Unfused attention: scores to HBM, softmax row by row, probabilities to HBM, then P x V.
#include <fmt/format.h>

#include <algorithm>

#include "attention_flash.h"
#include "trnsim/base/error.h"

namespace trnsim::kernels {
namespace {

using trace::ActFunc;
using trace::AluOp;
using trace::Attributes;
using trace::Engine;
using trace::Opcode;
using trace::View;

class UnfusedAttention {
 public:
  UnfusedAttention(trace::TraceBuilder& builder, const AttentionOptions& options,
                   const AttentionPlan& plan, const AttentionTensors& tensors,
                   const spec::CoreSpec& core)
      : builder_(builder),
        options_(options),
        plan_(plan),
        tensors_(tensors),
        evacuator_(builder, core, CopyEngines::kVectorAndScalar),
        mask_(builder, plan),
        by_tensor_(core.generation == spec::Generation::kTrn1) {
    std::uint32_t rows = 0;
    for (const RowTile& tile : plan.tiles) {
      first_row_.push_back(rows);
      rows += tile.rows;
    }
    const std::uint64_t row_bytes = std::uint64_t{options.kv_len} * (4 + size_bytes(options.dtype));
    const std::uint64_t usable =
        core.sbuf.kib_per_partition * 1024ULL - core.sbuf.reserved_bytes_per_partition;
    if (row_bytes > usable / 10 * 9) {
      throw Error(fmt::format("attention: unfused keeps a row of {} scores in SBUF, {} bytes of {}",
                              options.kv_len, row_bytes, usable),
                  {}, "use a fused variant");
    }
    scores_ =
        builder.hbm("scores", DType::kFloat32, {rows, options.kv_len}, trace::Role::kTemporary);
    probabilities_ = builder.hbm("probabilities", options.dtype, {rows, options.kv_len},
                                 trace::Role::kTemporary);
  }

  void emit() {
    for (std::uint32_t t = 0; t < plan_.tiles.size(); ++t) {
      score(t);
    }
    for (std::uint32_t t = 0; t < plan_.tiles.size(); ++t) {
      soften(t);
    }
    for (std::uint32_t t = 0; t < plan_.tiles.size(); ++t) {
      weigh(t);
    }
  }

 private:
  [[nodiscard]] View window(const View& matrix, std::uint32_t tile, std::uint32_t start,
                            std::uint32_t count) const {
    return matrix.slice(0, first_row_[tile], plan_.tiles[tile].rows).slice(1, start, count);
  }
  void score(std::uint32_t t);
  void soften(std::uint32_t t);
  void weigh(std::uint32_t t);
  void add_blocks(std::uint32_t t, const View& sum, std::uint32_t start, std::uint32_t blocks,
                  std::uint32_t columns);
  View turned(std::uint32_t t, std::uint32_t start, std::uint32_t blocks, std::uint32_t columns);

  trace::TraceBuilder& builder_;
  const AttentionOptions& options_;
  const AttentionPlan& plan_;
  const AttentionTensors& tensors_;
  Evacuator evacuator_;
  CausalMask mask_;
  bool by_tensor_;  // no DMA transposes
  View scores_;
  View probabilities_;
  std::vector<std::uint32_t> first_row_;  // of each tile in the score matrices
};

void UnfusedAttention::score(std::uint32_t t) {
  const RowTile& tile = plan_.tiles[t];
  const RowStream& stream = plan_.streams[tile.stream];
  View q = builder_.sbuf("q", options_.dtype, options_.head_dim,
                         {stream.heads > 1 ? stream.rows : tile.rows});
  builder_.dma(stream.heads > 1 ? q.split(0, options_.q_len) : q,
               q_window(tensors_, options_, stream, tile.first_row, tile.rows), Engine::kSync);
  if (stream.heads > 1) {
    q = q.slice(0, tile.first_row, tile.rows);
  }
  const View k = tensors_.k.index(0, stream.kv_head);
  for (std::uint32_t start = 0; start < tile.visible; start += plan_.section) {
    const std::uint32_t width = std::min(plan_.section, tile.visible - start);
    const View k_tile = builder_.sbuf("k", options_.dtype, options_.head_dim, {width});
    builder_.dma(k_tile, k.slice(1, start, width), Engine::kSync);
    const View staged = builder_.sbuf("scores_tile", DType::kFloat32, tile.rows, {width});
    for (std::uint32_t c = 0; c < width; c += plan_.bank_columns) {
      const std::uint32_t columns = std::min(plan_.bank_columns, width - c);
      const View bank = builder_.psum("scores", DType::kFloat32, tile.rows, {columns});
      builder_.matmul(bank, q, k_tile.slice(0, c, columns), false);
      mask_.apply(bank, tile, start + c);
      evacuator_.copy(staged.slice(0, c, columns), bank);
    }
    builder_.dma(window(scores_, t, start, width), staged, Engine::kGpSimd);
  }
}

void UnfusedAttention::soften(std::uint32_t t) {
  const RowTile& tile = plan_.tiles[t];
  const View row = builder_.sbuf("scores_row", DType::kFloat32, tile.rows, {tile.visible});
  builder_.dma(row, window(scores_, t, 0, tile.visible), Engine::kSync);
  const View largest = builder_.sbuf("row_max", DType::kFloat32, tile.rows, {1});
  Attributes reduce;
  reduce.op0 = AluOp::kMax;
  reduce.negate = true;
  builder_.emit(Opcode::kTensorReduce, Engine::kVector, {largest}, {row}, reduce);
  const View bound = builder_.sbuf("bound", DType::kFloat32, tile.rows, {1});
  Attributes scaled;
  scaled.op0 = AluOp::kMultiply;
  scaled.imm0 = plan_.scale;
  builder_.emit(Opcode::kTensorScalar, Engine::kVector, {bound}, {largest}, scaled);
  const View sum = builder_.sbuf("row_sum", DType::kFloat32, tile.rows, {1});
  Attributes exponent;
  exponent.func = ActFunc::kExp;
  exponent.scale = plan_.scale;
  exponent.bias_is_tensor = true;
  exponent.has_reduce_result = true;
  exponent.reduce_op = AluOp::kAdd;
  builder_.emit(Opcode::kActivation, Engine::kScalar, {row, sum}, {row, bound}, exponent);
  const View inverse = builder_.sbuf("inverse", DType::kFloat32, tile.rows, {1});
  builder_.emit(Opcode::kReciprocal, Engine::kVector, {inverse}, {sum});
  const View p = builder_.sbuf("p_row", options_.dtype, tile.rows, {tile.visible});
  Attributes normalise;
  normalise.op0 = AluOp::kMultiply;
  normalise.imm0_is_tensor = true;
  builder_.emit(Opcode::kTensorScalar, Engine::kVector, {p}, {row, inverse}, normalise);
  builder_.dma(window(probabilities_, t, 0, tile.visible), p, Engine::kGpSimd);
}

// P^T of whole blocks from `start` on, [columns of a block, blocks, rows]: by the DMA transpose
// where the type allows it, else by the tensor engine.
View UnfusedAttention::turned(std::uint32_t t, std::uint32_t start, std::uint32_t blocks,
                              std::uint32_t columns) {
  const std::uint32_t rows = plan_.tiles[t].rows;
  const View dst = builder_.sbuf("p_turned", options_.dtype, columns, {blocks, rows});
  const View src = window(probabilities_, t, start, blocks * columns);
  if (size_bytes(options_.dtype) == 2 && !by_tensor_) {
    builder_.dma_transpose(dst, src.split(1, columns), Engine::kSync);
    return dst;
  }
  const View natural = builder_.sbuf("p", options_.dtype, rows, {blocks * columns});
  builder_.dma(natural, src, Engine::kSync);
  const View bank = builder_.psum("p_turned", options_.dtype, columns, {blocks, rows});
  for (std::uint32_t block = 0; block < blocks; ++block) {
    builder_.transpose(bank.index(0, block), natural.slice(0, block * columns, columns));
  }
  evacuator_.copy(dst, bank);
  return dst;
}

// sum += P V over `blocks` blocks of `columns` kv rows.
void UnfusedAttention::add_blocks(std::uint32_t t, const View& sum, std::uint32_t start,
                                  std::uint32_t blocks, std::uint32_t columns) {
  const View v = tensors_.v.index(0, plan_.streams[plan_.tiles[t].stream].kv_head);
  const View v_tile = builder_.sbuf("v", options_.dtype, columns, {blocks, options_.head_dim});
  builder_.dma(v_tile, v.slice(0, start, blocks * columns).split(0, columns).permute(0, 1),
               Engine::kSync);
  const View p = turned(t, start, blocks, columns);
  for (std::uint32_t block = 0; block < blocks; ++block) {
    builder_.matmul(sum, p.index(0, block), v_tile.index(0, block), start + block > 0);
  }
}

void UnfusedAttention::weigh(std::uint32_t t) {
  const RowTile& tile = plan_.tiles[t];
  const View sum = builder_.psum("pv", DType::kFloat32, tile.rows, {options_.head_dim});
  for (std::uint32_t start = 0; start < tile.visible; start += plan_.section) {
    const std::uint32_t width = std::min(plan_.section, tile.visible - start);
    const std::uint32_t full = width / plan_.array;
    if (full > 0) {
      add_blocks(t, sum, start, full, plan_.array);
    }
    if (width % plan_.array > 0) {
      add_blocks(t, sum, start + full * plan_.array, 1, width % plan_.array);
    }
  }
  const View out = builder_.sbuf("out_tile", options_.dtype, tile.rows, {options_.head_dim});
  evacuator_.copy(out, sum);
  builder_.dma(
      out_window(tensors_, options_, plan_.streams[tile.stream], tile.first_row, tile.rows), out,
      Engine::kGpSimd);
}

}  // namespace

void emit_unfused(trace::TraceBuilder& builder, const AttentionOptions& options,
                  const AttentionPlan& plan, const AttentionTensors& tensors,
                  const spec::CoreSpec& core) {
  UnfusedAttention(builder, options, plan, tensors, core).emit();
}

}  // namespace trnsim::kernels
