// Copies results out of PSUM, spread over the Vector and Scalar engines by their estimated time.
#pragma once

#include <cstdint>

#include "trnsim/base/dtype.h"
#include "trnsim/spec/core_spec.h"
#include "trnsim/trace/builder.h"

namespace trnsim::kernels {

enum class CopyEngines : std::uint8_t { kVectorOnly, kVectorAndScalar };

class Evacuator {
 public:
  Evacuator(trace::TraceBuilder& builder, const spec::CoreSpec& core, CopyEngines engines)
      : builder_(builder), core_(core), engines_(engines) {}

  // dst = src, on the engine that is done sooner with it.
  void copy(const trace::View& dst, const trace::View& src);
  // Counts work that the kernel gave an engine itself, in elements per partition.
  void charge_vector(std::uint64_t elements) { vector_ns_ += vector_ns(elements); }
  void charge_scalar(std::uint64_t elements) { scalar_ns_ += scalar_ns(elements); }
  // Total time of the less loaded engine if it did another copy out of PSUM.
  [[nodiscard]] double least_ns_with(std::uint64_t elements, DType dtype) const;

 private:
  [[nodiscard]] double vector_ns(std::uint64_t elements) const;
  [[nodiscard]] double vector_copy_ns(std::uint64_t elements, DType dtype) const;
  [[nodiscard]] double scalar_ns(std::uint64_t elements) const;

  trace::TraceBuilder& builder_;
  const spec::CoreSpec& core_;
  CopyEngines engines_;
  double vector_ns_ = 0;  // work handed out so far
  double scalar_ns_ = 0;
};

}  // namespace trnsim::kernels
