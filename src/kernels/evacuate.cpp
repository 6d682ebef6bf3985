// Copies results out of PSUM, spread over the Vector and Scalar engines by their estimated time.
#include "evacuate.h"

#include <algorithm>

namespace trnsim::kernels {

using trace::Engine;

double vector_ns(const spec::CoreSpec& core, std::uint64_t elements) {
  const auto cycles =
      std::max<std::uint64_t>(core.vector.min_ii_cycles, elements + core.vector.issue_gap_cycles);
  return static_cast<double>(cycles) / core.vector.clock_ghz;
}

double scalar_ns(const spec::CoreSpec& core, std::uint64_t elements) {
  const auto cycles =
      std::max<std::uint64_t>(core.scalar.min_ii_cycles, elements + core.scalar.issue_gap_cycles);
  return static_cast<double>(cycles) / core.scalar.clock_ghz;
}

double vector_copy_ns(const spec::CoreSpec& core, std::uint64_t elements, DType dtype) {
  // 16-bit data with one side in PSUM goes at twice the rate (hardware.md section 6).
  const bool doubled = core.vector.perf_modes && size_bytes(dtype) == 2;
  return vector_ns(core, doubled ? (elements + 1) / 2 : elements);
}

void Evacuator::copy(const trace::View& dst, const trace::View& src) {
  const double on_vector = vector_ns_ + vector_copy_ns(core_, src.elements(), src.dtype);
  const double on_scalar = scalar_ns_ + scalar_ns(core_, src.elements());
  if (engines_ == CopyEngines::kVectorOnly || on_vector <= on_scalar) {
    vector_ns_ = on_vector;
    copy_on(Engine::kVector, dst, src);
  } else {
    scalar_ns_ = on_scalar;
    copy_on(Engine::kScalar, dst, src);
  }
}

void Evacuator::copy_on(Engine engine, const trace::View& dst, const trace::View& src) {
  if (engine == Engine::kScalar && core_.generation == spec::Generation::kTrn1) {
    // NeuronCore-v2 has no Scalar tensor_copy; activation with copy is its form there.
    trace::Attributes attributes;
    attributes.func = trace::ActFunc::kCopy;
    builder_.emit(trace::Opcode::kActivation, engine, {dst}, {src}, attributes);
    return;
  }
  builder_.copy(dst, src, engine);
}

}  // namespace trnsim::kernels
