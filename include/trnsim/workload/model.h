// Sizes of a transformer model and what follows from them. Formulas: interconnect.md 2.1, 2.2.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace trnsim::workload {

struct Experts {
  std::uint32_t count = 0;
  std::uint32_t active = 0;        // routed experts of a token
  std::uint32_t shared = 0;        // experts that every token passes
  std::uint32_t ff = 0;            // inner width of one
  std::uint32_t dense_layers = 0;  // first layers that have a dense MLP instead
};

// Multi-head latent attention.
struct Mla {
  std::uint32_t q_rank = 0;
  std::uint32_t kv_rank = 0;  // latent that is cached, beside `rope`
  std::uint32_t nope = 0;     // per head
  std::uint32_t rope = 0;
  std::uint32_t v = 0;
};

struct Model {
  std::string name;
  std::string source;
  bool hypothetical = false;
  std::uint32_t layers = 0;
  std::uint32_t d = 0;
  std::uint32_t ff = 0;  // of a dense MLP (gate, up and down)
  std::uint32_t heads = 0;
  std::uint32_t kv_heads = 0;
  std::uint32_t head_dim = 0;
  std::uint32_t vocabulary = 0;
  std::optional<Experts> experts;
  std::optional<Mla> mla;

  // "llama-3.1-8b", "hyp-frontier-moe-2t (hypothetical)".
  [[nodiscard]] std::string label() const;
};

// Weights of the matrices of one layer: attention, and the dense MLP or what one token uses of the
// experts.
[[nodiscard]] double attention_weights(const Model& model);
[[nodiscard]] double dense_mlp_weights(const Model& model);
[[nodiscard]] double active_expert_weights(const Model& model);  // router included

// All parameters: both embeddings and the norms included, biases not.
[[nodiscard]] double parameters(const Model& model);
// Weights a token is multiplied with: router and output head included, input embedding not.
[[nodiscard]] double active_matmul(const Model& model);
[[nodiscard]] double kv_bytes_per_token(const Model& model, double bytes_per_element = 2);
// Of one layer and `queries` tokens that see `keys` each, before a causal mask halves it.
[[nodiscard]] double attention_flops(const Model& model, double queries, double keys);
// 3 x (2 x active + causal attention over `context`).
[[nodiscard]] double training_flops_per_token(const Model& model, double context);

// `name_or_path`: a shipped model (configs/models) or a YAML file. Throws Error with all findings.
[[nodiscard]] Model load_model(const std::string& name_or_path);
[[nodiscard]] std::vector<std::string> model_names();

}  // namespace trnsim::workload
