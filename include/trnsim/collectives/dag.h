// A collective as a DAG of transfers between ranks: what an algorithm generator makes, what the
// numerics executes on real vectors and what the network times.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace trnsim::collectives {

enum class Op : std::uint8_t {
  kAllReduce,
  kAllGather,
  kReduceScatter,
  kAllToAll,
  kBroadcast,
  kPermute
};
enum class Algorithm : std::uint8_t {
  kAuto,
  kRing,
  kKangaRing,
  kMesh,
  kSingleStepMesh,
  kRdh,
  kHierarchical,
  kPodMesh,
  kSwitchMesh,
  kDirect
};

// Names as on the command line: "all_reduce", "kangaring". Parsing throws Error with the nearest
// name.
[[nodiscard]] const char* name(Op op);
[[nodiscard]] const char* name(Algorithm algorithm);
[[nodiscard]] Op parse_op(const std::string& text);
[[nodiscard]] Algorithm parse_algorithm(const std::string& text);

enum class Buffer : std::uint8_t { kData, kOutput, kScratch };

inline constexpr std::uint32_t kNoRank = UINT32_MAX;

// `bytes` from `source` of rank `from` to `destination` of rank `to` (both indices into the group).
// bytes == 0 is a join: nothing moves and no time passes, it is done when its dependencies are.
struct Transfer {
  std::uint32_t from = 0;
  std::uint32_t to = 0;               // == from: within the rank
  std::uint32_t also_to = kNoRank;    // same destination place on a second rank of the same chip
  std::uint32_t also_from = kNoRank;  // reduce only: same source place on a second rank of the chip
                                      // of `from`, added before the crossing
  Buffer source = Buffer::kData;
  Buffer destination = Buffer::kData;
  std::uint64_t source_offset = 0;  // bytes
  std::uint64_t destination_offset = 0;
  std::uint64_t bytes = 0;
  bool reduce = false;                 // destination += source
  std::uint32_t step = 0;              // of the algorithm, for reports
  std::uint32_t first_dependency = 0;  // into Dag::dependencies
  std::uint32_t dependency_count = 0;
};

// Buffers of each rank (group of r ranks, `bytes` as nccom-test counts them):
//   all_reduce      kData: bytes, in place
//   all_gather      kData: r x bytes / r; a rank's own part is at its index before, all parts after
//   reduce_scatter  kData: bytes; the rank's own r-th part is reduced after
//   all_to_all      kData: bytes (part i for rank i) -> kOutput: r parts (part i from rank i, as
//                   long as the rank's own part)
//   broadcast       kData: bytes, in place, from index 0
//   permute         kData: bytes -> kOutput of the next index
// Parts differ by at most one element where the bytes do not divide.
struct Dag {
  Op op = Op::kAllReduce;
  Algorithm algorithm = Algorithm::kRing;
  std::uint32_t ranks = 0;
  std::uint64_t bytes = 0;          // buffer size as in the table above
  std::uint32_t element_bytes = 1;  // every offset and size is a multiple of it
  std::uint64_t scratch_bytes = 0;  // of each rank
  std::uint32_t steps = 0;
  std::vector<Transfer> transfers;          // dependencies point backwards only
  std::vector<std::uint32_t> dependencies;  // indices of transfers
};

}  // namespace trnsim::collectives
