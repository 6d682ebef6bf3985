// Room in SBUF and PSUM while instructions change places.
#pragma once

#include <cstdint>
#include <map>
#include <vector>

#include "trnsim/spec/core_spec.h"
#include "trnsim/trace/ir.h"

namespace trnsim::lower {

// A look-ahead that lets engines open tiles faster than others empty them would not run, or spill.
// A tile whose turn it is in program order needs room; one ahead of it, room beyond what program
// order ever holds at a time. So an order exists whenever program order fits.
class MemoryBudget {
 public:
  MemoryBudget(const trace::Trace& trace, const spec::CoreSpec& core);

  // The first moment from `start_ns` on when the tiles that the instruction opens have room; infinity if that
  // takes further instructions.
  [[nodiscard]] double earliest_ns(const trace::Instruction& instruction, double start_ns) const;
  // It starts then; tiles that it is the last to use have left by `done_ns`.
  void issue(const trace::Instruction& instruction, double start_ns, double done_ns);

 private:
  // One memory. Tiles take whole units: banks of PSUM, bytes of SBUF.
  class Region {
   public:
    Region(const trace::Trace& trace, trace::Region region, std::uint64_t unit_bytes,
           std::uint64_t units);
    [[nodiscard]] double earliest_ns(const trace::Instruction& instruction, double start_ns) const;
    void issue(const trace::Instruction& instruction, double start_ns, double done_ns);

   private:
    void take_pinned(std::uint64_t units);
    [[nodiscard]] bool counts(std::uint32_t tensor) const;
    [[nodiscard]] std::int64_t units_of(std::uint32_t tensor) const;

    const trace::Trace& trace_;
    trace::Region region_;
    std::uint64_t unit_bytes_;
    std::vector<std::uint32_t> rank_;  // place among the tiles by first access; kNone: not a tile
    std::vector<std::uint32_t> accesses_;  // still to come
    std::vector<bool> open_;               // by tensor
    std::vector<bool> opened_;             // by rank
    std::uint32_t tiles_ = 0;
    std::uint32_t next_ = 0;  // rank of the next tile to open in program order
    std::int64_t free_ = 0;                       // at the last start
    std::map<double, std::int64_t> leaving_;      // later: units that become free, by time
    std::int64_t most_held_ = 0;  // units that tiles hold at a time in program order
  };

  Region psum_;
  Region sbuf_;
};

}  // namespace trnsim::lower
