// Writes the nodes of one transformer layer on one set of ranks.
#pragma once

#include <string>
#include <vector>

#include "trnsim/workload/transformer.h"

namespace trnsim::workload {

// Which nodes a layer gets: names, ranks, and what its replica groups are restricted to.
struct LayerPlace {
  std::string prefix;         // "", "mb3.s1.f.l0."
  std::string ranks = "all";  // or "stage:1"
};

class LayerWriter {
 public:
  LayerWriter(const Model& model, const TransformerOptions& options, const Parallel& parallel,
              Graph& graph);

  // Each returns the last node; `before` may be empty.
  std::string forward(const LayerPlace& place, const std::string& before);
  std::string backward(const LayerPlace& place, const std::string& before);
  // Gradients over dp, once `backward` of the same place was the last one to add to them.
  std::string reduce_gradients(const LayerPlace& place);
  // Kernels run in the order in which they are written, so this comes behind the last backward.
  void update(const LayerPlace& place, const std::string& reduced);

  [[nodiscard]] std::uint32_t tokens() const { return tokens_; }  // of a rank, all its heads' part
  [[nodiscard]] std::uint64_t activation_bytes() const;           // tokens x d of a rank
  // Between stages: the part of a rank.
  [[nodiscard]] std::uint64_t boundary_bytes() const;

 private:
  using Arguments = std::vector<std::pair<std::string, std::string>>;

  std::string add(GraphNode node, const std::vector<std::string>& after);
  std::string kernel(const std::string& name, const std::string& kernel_name, Arguments arguments,
                     const std::vector<std::string>& after);
  std::string gemm(const std::string& name, std::uint64_t m, std::uint64_t n, std::uint64_t k,
                   const std::vector<std::string>& after);
  std::string norm(const std::string& name, const std::vector<std::string>& after);
  std::string work(const std::string& name, double bytes, const std::vector<std::string>& after);
  std::string collective(const std::string& name, collectives::Op op, std::uint64_t bytes,
                         const std::string& groups, std::uint32_t stream,
                         const std::vector<std::string>& after);
  // Around a pair of column- and row-parallel products: all-gather in front with sequence
  // parallelism, all-reduce or reduce-scatter behind.
  std::string gather(const std::string& name, const std::string& before);
  std::string reduce(const std::string& name, const std::string& before);

  std::string attention_block(std::string before);
  std::string latent_projections(const std::string& before);
  std::string attend(const std::string& before);
  std::string attend_decode(std::string before);
  std::string attend_prefill(const std::string& name, std::uint32_t queries, std::uint32_t keys,
                             bool causal, const std::vector<std::string>& after);
  std::string ring_attention(const std::string& before);
  std::string mlp_block(std::string before);
  void weight_gradient(const std::string& name, std::uint64_t k, std::uint64_t n,
                       const std::string& before);
  std::string input_gradient(const std::string& name, std::uint64_t k, std::uint64_t n,
                             const std::string& before);
  [[nodiscard]] double weights_of_rank() const;
  [[nodiscard]] std::uint64_t weight_bytes() const;
  std::string moe_block(const std::string& before);
  // Every rank of a tp group has all its tokens, so that nothing has to be sent to the experts.
  [[nodiscard]] bool replicated() const { return parallel_.tp > 1 && !options_.sequence_parallel; }
  void check_experts() const;
  std::string dispatch(std::uint64_t own, std::string before);
  std::string combine(std::uint64_t own, std::string before, const std::string& shared);
  std::string experts(const std::string& before, std::uint64_t rows);
  std::string expert_chain(const std::string& name, const std::string& ranks, std::uint64_t rows,
                           const std::vector<std::string>& after);

  const Model& model_;
  const TransformerOptions& options_;
  const Parallel& parallel_;
  Graph& graph_;
  LayerPlace place_;
  std::uint32_t tokens_ = 0;
  std::uint32_t heads_ = 0;  // of a rank
  std::uint32_t kv_heads_ = 0;
  std::uint32_t width_ = 0;  // of the attention output of a rank
  std::uint32_t qkv_ = 0;    // columns of the fused projection of a rank
  std::uint32_t ff_ = 0;     // of a rank
  std::uint32_t bytes_ = 2;  // of an activation
  std::string wide_dtype_;   // of attention and norms
  bool first_ = true;        // node of a layer
};

}  // namespace trnsim::workload
