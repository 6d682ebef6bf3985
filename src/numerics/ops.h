// One function per opcode family; opcode_table.cpp says which opcode runs which.
#pragma once

#include "context.h"

namespace trnsim::numerics {

using Execute = void (*)(Context&);

// Function of an opcode. Those without one get a function that throws "not implemented".
[[nodiscard]] Execute execute_function(trace::Opcode opcode);

// ops_matmul.cpp
void run_matmul(Context& context);
void run_transpose(Context& context);
// ops_mx.cpp
void run_matmul_mx(Context& context);
void run_quantize_mx(Context& context);
// ops_copy.cpp
void run_copy(Context& context);
void run_copy_predicated(Context& context);
void run_memset(Context& context);
// ops_activation.cpp
void run_activation(Context& context);
void run_activate2(Context& context);
void run_exponential(Context& context);
void run_reciprocal(Context& context);
// ops_elementwise.cpp
void run_tensor_tensor(Context& context);
void run_tensor_scalar(Context& context);
void run_tensor_scalar_reduce(Context& context);
void run_tensor_scalar_cumulative(Context& context);
void run_scalar_tensor_tensor(Context& context);
void run_tensor_tensor_scan(Context& context);
// ops_reduce.cpp
void run_tensor_reduce(Context& context);
void run_tensor_partition_reduce(Context& context);
// ops_norm.cpp
void run_bn_stats(Context& context);
void run_bn_aggr(Context& context);
// ops_pattern.cpp
void run_iota(Context& context);
void run_affine_select(Context& context);
void run_range_select(Context& context);
void run_select_reduce(Context& context);
// ops_search.cpp
void run_max8(Context& context);
void run_find_index8(Context& context);
void run_match_replace8(Context& context);
void run_nonzero_with_count(Context& context);
void run_sequence_bounds(Context& context);
// ops_gather.cpp
void run_local_gather(Context& context);
void run_n_gather(Context& context);
// ops_collective.cpp
void run_collective(Context& context);
// ops_dma.cpp
void run_dma_copy(Context& context);
void run_dma_transpose(Context& context);
void run_dma_compute(Context& context);

}  // namespace trnsim::numerics
