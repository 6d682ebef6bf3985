// Numbers and attribute names of Chakra traces that reader and writer share.
#pragma once

#include <array>
#include <string>

#include "trnsim/collectives/dag.h"

namespace trnsim::workload::chakra {

enum NodeType : int {
  kMetadata = 1,
  kMemLoad = 2,
  kMemStore = 3,
  kComp = 4,
  kSend = 5,
  kRecv = 6,
  kCollective = 7,
};

inline constexpr int kBarrier = 9;

struct CommType {
  int number;
  collectives::Op op;
};
// The first row of an operation is written; 8 is the block form of reduce-scatter.
inline constexpr std::array kCommTypes{
    CommType{0, collectives::Op::kAllReduce},     CommType{2, collectives::Op::kAllGather},
    CommType{5, collectives::Op::kBroadcast},     CommType{6, collectives::Op::kAllToAll},
    CommType{7, collectives::Op::kReduceScatter}, CommType{8, collectives::Op::kReduceScatter}};

inline std::string file_of(const std::string& prefix, std::size_t rank) {
  return prefix + "." + std::to_string(rank) + ".et";
}

// Attributes of trnsim's own: a kernel and its parameters ("m=8192 n=4096"), a trace, microseconds
// before it.
inline constexpr const char* kKernel = "trnsim_kernel";
inline constexpr const char* kArguments = "trnsim_arguments";
inline constexpr const char* kTrace = "trnsim_trace";
inline constexpr const char* kOverhead = "trnsim_overhead_us";
inline constexpr const char* kDtype = "trnsim_dtype";
inline constexpr const char* kStream = "trnsim_stream";
inline constexpr const char* kSpace = "trnsim_space";
inline constexpr const char* kAlgorithm = "trnsim_algorithm";

}  // namespace trnsim::workload::chakra
