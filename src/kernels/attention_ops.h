// The steps of fused attention on one Unit; the schedules in attention_flash.cpp order them.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "attention_plan.h"
#include "evacuate.h"
#include "trnsim/kernels/attention.h"
#include "trnsim/trace/builder.h"

namespace trnsim::kernels {

// HBM views of the problem.
struct AttentionTensors {
  trace::View q;    // [batch x q_heads, d, q_len]
  trace::View k;    // [batch x kv_heads, d, kv_len]
  trace::View v;    // [batch x kv_heads, kv_len, d]
  trace::View out;  // [batch x q_heads, q_len, d]
};

// Window on the rows [first, first + rows) of a stream: q as [d, rows or heads x rows], out as
// [rows, d].
[[nodiscard]] trace::View q_window(const AttentionTensors& tensors, const AttentionOptions& options,
                                   const RowStream& stream, std::uint32_t first,
                                   std::uint32_t rows);
[[nodiscard]] trace::View out_window(const AttentionTensors& tensors,
                                     const AttentionOptions& options, const RowStream& stream,
                                     std::uint32_t first, std::uint32_t rows);

// Adds -1e30 on the tensor engine to what a row may not see: identity x a triangle, on top of the
// scores. Only the PE has time to spare, and GpSimd, which could select, does not reach PSUM.
class CausalMask {
 public:
  CausalMask(trace::TraceBuilder& builder, const AttentionPlan& plan);

  // Masks scores [rows, columns of kv rows start...] of a tile.
  void apply(const trace::View& scores, const RowTile& tile, std::uint32_t start);

 private:
  void make_constants();

  trace::TraceBuilder& builder_;
  const AttentionPlan& plan_;
  bool made_ = false;
  trace::View identity_;
  trace::View triangle_;  // [p, x]: 0 where x <= p
};

class FusedAttention {
 public:
  FusedAttention(trace::TraceBuilder& builder, const AttentionOptions& options,
                 const AttentionPlan& plan, const AttentionTensors& tensors,
                 const spec::CoreSpec& core);

  // Every step takes the index of a unit; a unit's steps come in this order.
  void fetch(std::uint32_t unit);     // Q, K and V that are not there yet
  void score(std::uint32_t unit);     // tensor: Q K^T and mask into PSUM
  void find_max(std::uint32_t unit);  // vector: largest score of the section
  void bound(std::uint32_t unit);     // vector: running bound, scaled and negated
  void soften(std::uint32_t unit);    // scalar: P = exp(scale x S - bound)
  void turn(std::uint32_t unit);      // P^T by tensor engine and copy, or by DMA
  void weigh(std::uint32_t unit);     // tensor: P V and the sums of P
  void update(std::uint32_t unit);    // out = out x exp(old bound - new bound) + P V
  void finish(std::uint32_t unit);    // last unit of a tile: out / sum
  void store(std::uint32_t unit);     // last unit of a tile

  [[nodiscard]] std::uint32_t units() const {
    return static_cast<std::uint32_t>(plan_.units.size());
  }
  // fetch() may be called this many units before the other steps; store() comes at most kHistory
  // steps after weigh().
  static constexpr std::uint32_t kLookAhead = 8;
  static constexpr std::uint32_t kHistory = 8;

 private:
  struct Section {
    trace::View k;
    trace::View v;
  };
  struct UnitState {
    trace::View q;
    Section kv;
    trace::View scores;
    trace::View section_max;
    trace::View alpha;
    trace::View p;
    trace::View p_turned;
    trace::View weighed;
    trace::View out;
    TransposeSplit split;
  };
  struct TileState {
    trace::View bound;   // -scale x running maximum
    trace::View output;  // [rows, d + 1] fp32; the last column sums P
  };

  UnitState& state(std::uint32_t unit) { return states_[unit % states_.size()]; }
  [[nodiscard]] const Unit& unit_of(std::uint32_t unit) const { return plan_.units[unit]; }
  [[nodiscard]] const RowTile& tile_of(std::uint32_t unit) const {
    return plan_.tiles[unit_of(unit).tile];
  }
  trace::View sbuf(const std::string& name, DType dtype, std::uint32_t partitions,
                   const std::vector<std::uint32_t>& free, const std::vector<std::uint32_t>& most);
  Section load_section(const Unit& unit);
  trace::View load_rows(const Unit& unit);
  [[nodiscard]] std::uint32_t rows_start(const Unit& unit) const;
  [[nodiscard]] TransposeSplit split_of(const Unit& unit, const RowTile& tile) const;
  void turn_by_dma(UnitState& now, const RowTile& tile);
  // Blocks [first, first + count) through PSUM, copied by `engine`.
  void turn_on_tensor(UnitState& now, const Unit& unit, const RowTile& tile, std::uint32_t first,
                      std::uint32_t count, trace::Engine engine);

  trace::TraceBuilder& builder_;
  const AttentionOptions& options_;
  const AttentionPlan& plan_;
  const AttentionTensors& tensors_;
  const spec::CoreSpec& core_;
  Evacuator evacuator_;
  CausalMask mask_;
  // Blocks of transposed P in PSUM, used in turn. Vector and Scalar have banks of their own where
  // there are enough, because they cannot read one bank at the same time.
  struct Ring {
    trace::View blocks;
    std::uint32_t next = 0;
  };
  std::vector<trace::View> score_buffers_;
  Ring vector_ring_;
  Ring scalar_ring_;
  trace::View value_bank_;
  std::vector<UnitState> states_;
  std::vector<TileState> tiles_;
  std::map<std::string, trace::View> single_;
  std::map<std::pair<std::uint32_t, std::uint32_t>, Section>
      sections_;  // (kv head or group, section)
  std::map<std::uint32_t, trace::View> rows_;
};

}  // namespace trnsim::kernels
