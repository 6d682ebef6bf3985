// Addresses of a profile as accesses, and accesses as views of pinned tensors.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "profile_operands.h"
#include "trnsim/trace/builder.h"
#include "trnsim/trace/ir.h"

namespace trnsim::trace {

// One operand before tensors exist. Dims outermost first, strides in elements and not negative.
struct ProfileAccess {
  Region region = Region::kSbuf;
  std::string space;                  // HBM: kernel argument ("argument0"); "" = absolute addresses
  std::uint64_t address = 0;          // on chip: byte within the partition; PSUM from 0
  std::uint32_t partition = 0;
  std::uint32_t partitions = 1;
  DType dtype = DType::kFloat32;
  std::vector<Dim> dims;

  [[nodiscard]] std::uint64_t end() const;  // byte behind the last
};

// On-chip access of an engine. keep_innermost: the innermost dim stays apart (reductions).
[[nodiscard]] ProfileAccess on_chip_access(const AddressPattern& pattern, std::uint32_t partitions,
                                           DType dtype, bool keep_innermost = false);
// One side of a DMA: `side` is "src" or "dst". Throws Error for what cannot be expressed.
[[nodiscard]] ProfileAccess dma_access(const OperandText& text, const std::string& side);

// Gives every access a tensor: overlapping accesses share one.
class ProfileTensors {
 public:
  void add(const ProfileAccess& access, bool written);
  // Call once after the last add().
  void declare(TraceBuilder& builder);
  [[nodiscard]] View view(const ProfileAccess& access) const;

 private:
  struct Range {
    std::uint64_t end = 0;
    bool read = false;
    bool written = false;
    View whole;
  };
  using Space = std::pair<Region, std::string>;
  std::map<Space, std::map<std::uint64_t, Range>> spaces_;  // ranges by first byte
};

}  // namespace trnsim::trace
