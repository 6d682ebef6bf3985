// Backward pass of a transformer layer, and the exchange of gradients.
#include "layer_writer.h"

namespace trnsim::workload {
namespace {

// Gradients and weights travel while earlier layers are still at work.
constexpr std::uint32_t kGradientStream = 3;

}  // namespace

// Y[t, n] = X[t, k] W[k, n]: dX = dY W^T and dW = X^T dY, as many operations each as the product
// itself.
std::string LayerWriter::input_gradient(const std::string& name, std::uint64_t k, std::uint64_t n,
                                        const std::string& before) {
  return gemm(name + ".dx", tokens_, k, n, {before});
}

void LayerWriter::weight_gradient(const std::string& name, std::uint64_t k, std::uint64_t n,
                                  const std::string& before) {
  gemm(name + ".dw", k, n, tokens_, {before});
}

// In the reverse order of the forward pass. Products that only make weight gradients come after the
// collective of the input gradients is under way, and so hide it.
std::string LayerWriter::backward(const LayerPlace& place, const std::string& before) {
  place_ = place;
  first_ = false;
  const double activation = static_cast<double>(activation_bytes());
  const double rows = activation / (options_.sequence_parallel ? parallel_.tp : 1);
  const double inner = static_cast<double>(tokens_) * ff_ * bytes_;
  const std::string arrived = gather("down.ag", before);
  std::string at = input_gradient("down", ff_, model_.d, arrived);
  weight_gradient("down", ff_, model_.d, arrived);
  // Gate, up and the gradient of the product are read, two gradients written.
  const std::string inside = work("swiglu.b", 5 * inner, {at});
  at = input_gradient("gate_up", model_.d, 2 * ff_, inside);
  at = reduce("gate_up.b", at);
  weight_gradient("gate_up", model_.d, 2 * ff_, inside);
  // Input, its gradient and that of the residual are read, one written.
  at = work("norm2.b", 4 * rows, {at});

  const std::string gathered = gather("o.ag", at);
  at = input_gradient("o", width_, model_.d, gathered);
  weight_gradient("o", width_, model_.d, gathered);
  at = attend_prefill("attention.b0", options_.sequence, options_.sequence, true, {at});
  const std::string attended =
      attend_prefill("attention.b1", options_.sequence, options_.sequence, true, {at});
  at = input_gradient("qkv", model_.d, qkv_, attended);
  at = reduce("qkv.b", at);
  weight_gradient("qkv", model_.d, qkv_, attended);
  return work("norm1.b", 4 * rows, {at});
}

double LayerWriter::weights_of_rank() const {
  return static_cast<double>(model_.d) * (qkv_ + width_ + 3.0 * ff_);
}

std::uint64_t LayerWriter::weight_bytes() const {
  return static_cast<std::uint64_t>(weights_of_rank()) * bytes_;
}

std::string LayerWriter::reduce_gradients(const LayerPlace& place) {
  place_ = place;
  const std::vector<std::string> gradients{place.prefix + "down.dw", place.prefix + "gate_up.dw",
                                           place.prefix + "o.dw", place.prefix + "qkv.dw"};
  if (parallel_.dp == 1) {
    return gradients.back();
  }
  return options_.zero1 ? collective("gradients.rs", collectives::Op::kReduceScatter,
                                     weight_bytes(), "dp", kGradientStream, gradients)
                        : collective("gradients.ar", collectives::Op::kAllReduce, weight_bytes(),
                                     "dp", kGradientStream, gradients);
}

// Reads and writes master weights and two moments in fp32, reads the gradient and writes the
// weight.
void LayerWriter::update(const LayerPlace& place, const std::string& reduced) {
  place_ = place;
  const bool shared = options_.zero1 && parallel_.dp > 1;
  const double bytes = weights_of_rank() * (24 + 2 * bytes_) / (shared ? parallel_.dp : 1);
  const std::string updated = work("update", bytes, {reduced});
  if (shared) {
    collective("weights.ag", collectives::Op::kAllGather, weight_bytes(), "dp", kGradientStream,
               {updated});
  }
}

}  // namespace trnsim::workload
