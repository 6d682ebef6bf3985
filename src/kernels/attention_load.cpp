// Attention's loads, windows onto HBM and the causal mask.
#include <algorithm>

#include "attention_ops.h"

namespace trnsim::kernels {

using trace::AluOp;
using trace::Attributes;
using trace::Engine;
using trace::Opcode;
using trace::View;

View q_window(const AttentionTensors& tensors, const AttentionOptions& options,
              const RowStream& stream, std::uint32_t first, std::uint32_t rows) {
  const std::int64_t d = options.head_dim;
  const std::int64_t length = options.q_len;
  View view = tensors.q;
  view.offset = stream.first_head * d * length + first;
  view.dims = {{length, options.head_dim}, {1, rows}};
  if (stream.heads > 1) {  // rows of several heads are always taken together
    view.dims = {{length, options.head_dim}, {d * length, stream.heads}, {1, options.q_len}};
  }
  return view;
}

View out_window(const AttentionTensors& tensors, const AttentionOptions& options,
                const RowStream& stream, std::uint32_t first, std::uint32_t rows) {
  const std::int64_t d = options.head_dim;
  View view = tensors.out;
  view.offset = (std::int64_t{stream.first_head} * options.q_len + first) * d;
  view.dims = {{d, rows}, {1, options.head_dim}};
  return view;
}

CausalMask::CausalMask(trace::TraceBuilder& builder, const AttentionPlan& plan)
    : builder_(builder), plan_(plan) {}

void CausalMask::make_constants() {
  constexpr double kHidden = -1e30;
  const std::uint32_t n = plan_.array;
  trace::Pattern pattern;
  pattern.dtype = DType::kBFloat16;
  pattern.num_dims = 1;
  pattern.dims[0] = {-1, n};
  builder_.trace().patterns.push_back(pattern);
  Attributes attributes;
  attributes.affine_channel = 1;  // value = p - x
  attributes.affine_pattern = static_cast<std::uint32_t>(builder_.trace().patterns.size() - 1);
  const View ones = builder_.sbuf("ones", DType::kBFloat16, n, {n});
  const View zeros = builder_.sbuf("zeros", DType::kBFloat16, n, {n});
  identity_ = builder_.sbuf("identity", DType::kBFloat16, n, {n});
  triangle_ = builder_.sbuf("triangle", DType::kBFloat16, n, {n});
  builder_.memset(ones, 1.0, Engine::kGpSimd);
  builder_.memset(zeros, 0.0, Engine::kGpSimd);
  attributes.compare = AluOp::kEqual;
  attributes.imm0 = 0;
  builder_.emit(Opcode::kAffineSelect, Engine::kGpSimd, {identity_}, {ones}, attributes);
  attributes.compare = AluOp::kGreaterEqual;
  attributes.imm0 = kHidden;
  builder_.emit(Opcode::kAffineSelect, Engine::kGpSimd, {triangle_}, {zeros}, attributes);
  made_ = true;
}

void CausalMask::apply(const View& scores, const RowTile& tile, std::uint32_t start) {
  // Column c is hidden from row p where c - (first_limit - 1 - start) > p.
  const std::int64_t shift = std::int64_t{tile.first_limit} - 1 - start;
  const std::uint32_t width = scores.dims[0].count;
  if (shift + 1 >= width) {
    return;
  }
  if (!made_) {
    make_constants();
  }
  auto column = static_cast<std::uint32_t>(std::max<std::int64_t>(0, shift + 1));
  while (column < width) {
    const std::uint32_t bank_end = (column / plan_.bank_columns + 1) * plan_.bank_columns;
    const std::uint32_t count = std::min(width, bank_end) - column;
    const auto x = static_cast<std::uint32_t>(column - shift);
    builder_.matmul(scores.slice(0, column, count),
                    identity_.part(0, tile.rows).slice(0, 0, tile.rows),
                    triangle_.part(0, tile.rows).slice(0, x, count), true);
    column += count;
  }
}

View FusedAttention::sbuf(const std::string& name, DType dtype, std::uint32_t partitions,
                          const std::vector<std::uint32_t>& free,
                          const std::vector<std::uint32_t>& most) {
  if (!plan_.single_buffers) {
    return builder_.sbuf(name, dtype, partitions, free);
  }
  const auto found = single_.find(name);
  View view =
      found != single_.end()
          ? found->second
          : single_.emplace(name, builder_.sbuf(name, dtype, plan_.array, most)).first->second;
  view = view.part(0, partitions);
  for (std::size_t d = 0; d < free.size(); ++d) {
    view = view.slice(d, 0, free[d]);
  }
  return view;
}

void FusedAttention::fetch(std::uint32_t unit) {
  UnitState& now = state(unit);
  const Unit& wanted = unit_of(unit);
  const RowTile& tile = tile_of(unit);
  if (plan_.single_buffers) {
    now.q = load_rows(wanted).slice(0, tile.first_row - rows_start(wanted), tile.rows);
    now.kv = load_section(wanted);
    return;
  }
  const std::uint32_t owner = plan_.keep_kv ? plan_.streams[tile.stream].kv_head : wanted.group;
  rows_.erase(rows_.begin(), rows_.lower_bound(wanted.group));
  sections_.erase(sections_.begin(), sections_.lower_bound({owner, 0}));
  if (!rows_.contains(wanted.group)) {
    rows_[wanted.group] = load_rows(wanted);
  }
  if (!sections_.contains({owner, wanted.section})) {
    sections_[{owner, wanted.section}] = load_section(wanted);
  }
  now.q = rows_[wanted.group].slice(0, tile.first_row - rows_start(wanted), tile.rows);
  now.kv = sections_[{owner, wanted.section}];
}

// First row of the stream that load_rows() brings: rows of several heads come all together.
std::uint32_t FusedAttention::rows_start(const Unit& unit) const {
  const RowTile& first = plan_.tiles[plan_.groups[unit.group].first];
  return plan_.streams[first.stream].heads > 1 ? 0 : first.first_row;
}

View FusedAttention::load_rows(const Unit& unit) {
  const TileGroup& group = plan_.groups[unit.group];
  const RowTile& last = plan_.tiles[group.end - 1];
  const RowStream& stream = plan_.streams[last.stream];
  const std::uint32_t start = rows_start(unit);
  const std::uint32_t rows = stream.heads > 1 ? stream.rows : last.first_row + last.rows - start;
  const View tile =
      sbuf("q", options_.dtype, options_.head_dim, {rows}, {std::max(plan_.array, rows)});
  const View dst = stream.heads > 1 ? tile.split(0, options_.q_len) : tile;
  builder_.dma(dst, q_window(tensors_, options_, stream, start, rows), Engine::kSync);
  return tile;
}

FusedAttention::Section FusedAttention::load_section(const Unit& unit) {
  const std::uint32_t d = options_.head_dim;
  const std::uint32_t head = plan_.streams[plan_.tiles[unit.tile].stream].kv_head;
  const std::uint32_t start = unit.section * plan_.section;
  const std::uint32_t rows = std::min(plan_.section, options_.kv_len - start);
  const std::uint32_t full = rows / plan_.array;
  const std::uint32_t rest = rows % plan_.array;
  Section section;
  section.k = sbuf("k", options_.dtype, d, {rows}, {plan_.section});
  builder_.dma(section.k, tensors_.k.index(0, head).slice(1, start, rows), Engine::kSync);
  // A column of ones beside V makes P x V also sum P.
  section.v = sbuf("v", options_.dtype, plan_.array, {full + (rest > 0 ? 1 : 0), d + 1},
                   {plan_.section / plan_.array, d + 1});
  const View source = tensors_.v.index(0, head).slice(0, start, rows);
  if (full > 0) {
    const View dst = section.v.slice(0, 0, full);
    builder_.memset(dst.slice(1, d, 1), 1.0, Engine::kGpSimd);
    builder_.dma(dst.slice(1, 0, d),
                 source.slice(0, 0, full * plan_.array).split(0, plan_.array).permute(0, 1),
                 Engine::kSync);
  }
  if (rest > 0) {
    const View dst = section.v.part(0, rest).index(0, full);
    builder_.memset(dst.slice(0, d, 1), 1.0, Engine::kGpSimd);
    builder_.dma(dst.slice(0, 0, d), source.slice(0, full * plan_.array, rest), Engine::kSync);
  }
  return section;
}

}  // namespace trnsim::kernels
