// What follows from the sizes of a model.
#include "trnsim/workload/model.h"

namespace trnsim::workload {

std::string Model::label() const {
  return hypothetical ? name + " (hypothetical)" : name;
}

double attention_weights(const Model& m) {
  const double d = m.d;
  if (m.mla) {
    const Mla& a = *m.mla;
    return d * a.q_rank + a.q_rank * (static_cast<double>(m.heads) * (a.nope + a.rope)) +
           d * (a.kv_rank + a.rope) + a.kv_rank * (static_cast<double>(m.heads) * (a.nope + a.v)) +
           static_cast<double>(m.heads) * a.v * d;
  }
  return d * m.head_dim * (2.0 * m.heads + 2.0 * m.kv_heads);
}

double dense_mlp_weights(const Model& m) {
  return 3.0 * m.d * m.ff;
}

double active_expert_weights(const Model& m) {
  const Experts& e = *m.experts;
  return 3.0 * m.d * e.ff * (e.active + e.shared) + static_cast<double>(m.d) * e.count;
}

double parameters(const Model& m) {
  const double norms = (2.0 * m.layers + 1) * m.d;
  double mlp = m.layers * dense_mlp_weights(m);
  if (m.experts) {
    const Experts& e = *m.experts;
    const double layer =
        3.0 * m.d * e.ff * (e.count + e.shared) + static_cast<double>(m.d) * e.count;
    mlp = e.dense_layers * dense_mlp_weights(m) + (m.layers - e.dense_layers) * layer;
  }
  return 2.0 * m.vocabulary * m.d + norms + m.layers * attention_weights(m) + mlp;
}

double active_matmul(const Model& m) {
  double mlp = m.layers * dense_mlp_weights(m);
  if (m.experts) {
    const std::uint32_t dense = m.experts->dense_layers;
    mlp = dense * dense_mlp_weights(m) + (m.layers - dense) * active_expert_weights(m);
  }
  return static_cast<double>(m.vocabulary) * m.d + m.layers * attention_weights(m) + mlp;
}

double kv_bytes_per_token(const Model& m, double bytes_per_element) {
  const double elements =
      m.mla ? static_cast<double>(m.mla->kv_rank) + m.mla->rope : 2.0 * m.kv_heads * m.head_dim;
  return elements * bytes_per_element * m.layers;
}

double attention_flops(const Model& m, double queries, double keys) {
  const double per_pair = m.mla ? 2.0 * (m.mla->nope + m.mla->rope + m.mla->v) : 4.0 * m.head_dim;
  return per_pair * m.heads * queries * keys;
}

double training_flops_per_token(const Model& m, double context) {
  return 3 * (2 * active_matmul(m) + m.layers * attention_flops(m, 1, context) / 2);
}

}  // namespace trnsim::workload
