// Copies results out of PSUM, spread over the Vector and Scalar engines by their estimated time.
#include "evacuate.h"

#include <algorithm>

namespace trnsim::kernels {

double Evacuator::vector_ns(std::uint64_t elements) const {
  const auto cycles = std::max<std::uint64_t>(core_.vector.min_ii_cycles,
                                              elements + core_.vector.issue_gap_cycles);
  return static_cast<double>(cycles) / core_.vector.clock_ghz;
}

double Evacuator::scalar_ns(std::uint64_t elements) const {
  const auto cycles = std::max<std::uint64_t>(core_.scalar.min_ii_cycles,
                                              elements + core_.scalar.issue_gap_cycles);
  return static_cast<double>(cycles) / core_.scalar.clock_ghz;
}

// Vector reads 16-bit data at twice the rate where one side is PSUM (hardware.md section 6).
double Evacuator::vector_copy_ns(std::uint64_t elements, DType dtype) const {
  const bool doubled = core_.vector.perf_modes && size_bytes(dtype) == 2;
  return vector_ns(doubled ? (elements + 1) / 2 : elements);
}

double Evacuator::least_ns_with(std::uint64_t elements, DType dtype) const {
  const double vector = vector_ns_ + vector_copy_ns(elements, dtype);
  return engines_ == CopyEngines::kVectorOnly
             ? vector
             : std::min(vector, scalar_ns_ + scalar_ns(elements));
}

void Evacuator::copy(const trace::View& dst, const trace::View& src) {
  const std::uint64_t elements = src.elements();
  const double on_vector = vector_copy_ns(elements, src.dtype);
  const double on_scalar = scalar_ns(elements);
  if (engines_ == CopyEngines::kVectorOnly || vector_ns_ + on_vector <= scalar_ns_ + on_scalar) {
    vector_ns_ += on_vector;
    builder_.copy(dst, src, trace::Engine::kVector);
    return;
  }
  scalar_ns_ += on_scalar;
  if (core_.generation == spec::Generation::kTrn1) {
    // NeuronCore-v2 has no Scalar tensor_copy; activation with copy is its form there.
    trace::Attributes attributes;
    attributes.func = trace::ActFunc::kCopy;
    builder_.emit(trace::Opcode::kActivation, trace::Engine::kScalar, {dst}, {src}, attributes);
    return;
  }
  builder_.copy(dst, src, trace::Engine::kScalar);
}

}  // namespace trnsim::kernels
