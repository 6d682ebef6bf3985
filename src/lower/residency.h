// Which tile lives where and when: allocation at first access, release after the last, and spilling to
// HBM of the tile with the furthest next use when SBUF is full.
#pragma once

#include <cstdint>
#include <map>
#include <span>
#include <vector>

#include "allocator.h"
#include "trnsim/lower/program.h"
#include "trnsim/spec/core_spec.h"
#include "trnsim/trace/ir.h"

namespace trnsim::lower {

// A whole-tile DMA that lowering adds before an instruction.
struct TileMove {
  std::uint32_t tensor = 0;
  bool to_hbm = false;
  std::uint64_t address = 0;  // within the partition
};

class Residency {
 public:
  // `order`: instruction indices in issue order; positions below index into it. Throws Error if a tile
  // does not fit its memory at all.
  Residency(const trace::Trace& trace, const std::vector<std::uint32_t>& order,
            const spec::CoreSpec& core, const Options& options, AllocReport& report);

  // Makes every on-chip operand of the instruction at `position` resident; appends the spills and
  // reloads that have to happen first.
  void enter(std::uint32_t position, const trace::Instruction& instruction,
             std::vector<TileMove>& moves);
  // Room and content in SBUF for the instruction at `position` + `ahead`, if only tiles with later uses have to go
  // for it: what a compiler that spills does in time.
  void prepare(std::uint32_t position, std::uint32_t ahead, std::vector<TileMove>& moves);
  // Releases the tiles whose last access was at `position`.
  void leave(std::uint32_t position, const trace::Instruction& instruction);

  // Address of a resident tile within its partition.
  [[nodiscard]] std::uint64_t address(std::uint32_t tensor) const { return state_[tensor].address; }

 private:
  struct State {
    bool resident = false;
    bool spilled = false;        // its content is in HBM
    bool dirty = false;          // written since it came on chip
    bool prepared = false;       // on chip before its turn
    std::uint64_t address = 0;
    std::uint32_t next_access = 0;   // cursor into accesses_
    std::uint32_t last_access = 0;   // one past the end of its range in accesses_
  };

  // depth:K: a buffer of an allocation site, kept for the whole kernel.
  struct Slot {
    std::uint64_t address = 0;
    std::uint64_t bytes = 0;
    bool in_use = false;
    std::uint64_t released = 0;  // when, in releases; the oldest is reused first
  };

  [[nodiscard]] Allocator& memory(trace::Region region) {
    return region == trace::Region::kPsum ? psum_ : sbuf_;
  }
  [[nodiscard]] std::uint64_t bytes(std::uint32_t tensor) const;
  // False: no room, and nothing may be evicted.
  bool place(std::uint32_t tensor, std::uint32_t position, std::span<const trace::Operand> keep,
             bool evict, std::vector<TileMove>& moves);
  void evict_for(std::uint32_t tensor, std::uint32_t position, std::span<const trace::Operand> keep,
                 std::vector<TileMove>& moves);
  // Position of the latest next use of a tile in SBUF.
  [[nodiscard]] std::uint32_t furthest_use() const;
  void place_in_slot(std::uint32_t tensor, std::uint32_t position);
  void release(std::uint32_t tensor);
  void index_accesses(const std::vector<std::uint32_t>& order);

  const trace::Trace& trace_;
  Allocator sbuf_;
  Allocator psum_;
  AllocReport& report_;
  std::vector<State> state_;
  const std::vector<std::uint32_t>& order_;
  std::uint64_t prepared_bytes_ = 0;
  std::vector<std::uint32_t> accesses_;  // positions, grouped by tensor, ascending
  std::vector<std::uint32_t> resident_sbuf_;
  const std::uint32_t depth_;                       // 0 = not depth:K
  std::map<std::uint64_t, std::vector<Slot>> slots_;  // by region and site
  std::uint64_t releases_ = 0;
};

}  // namespace trnsim::lower
