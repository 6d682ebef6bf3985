// Copies results out of PSUM, spread over the Vector and Scalar engines by their estimated time.
#pragma once

#include <cstdint>

#include "trnsim/base/dtype.h"
#include "trnsim/spec/core_spec.h"
#include "trnsim/trace/builder.h"

namespace trnsim::kernels {

// Least time between two copies of `elements` per partition from PSUM.
[[nodiscard]] double vector_copy_ns(const spec::CoreSpec& core, std::uint64_t elements,
                                    DType dtype);
// Of any Scalar instruction, and of a Vector instruction that handles an element per cycle.
[[nodiscard]] double scalar_ns(const spec::CoreSpec& core, std::uint64_t elements);
[[nodiscard]] double vector_ns(const spec::CoreSpec& core, std::uint64_t elements);

enum class CopyEngines : std::uint8_t { kVectorOnly, kVectorAndScalar };

class Evacuator {
 public:
  Evacuator(trace::TraceBuilder& builder, const spec::CoreSpec& core, CopyEngines engines)
      : builder_(builder), core_(core), engines_(engines) {}

  // dst = src, on the engine that is done sooner with all copies so far and this one.
  void copy(const trace::View& dst, const trace::View& src);
  // dst = src on Vector or Scalar.
  void copy_on(trace::Engine engine, const trace::View& dst, const trace::View& src);

 private:
  trace::TraceBuilder& builder_;
  const spec::CoreSpec& core_;
  CopyEngines engines_;
  double vector_ns_ = 0;  // copies handed out so far
  double scalar_ns_ = 0;
};

}  // namespace trnsim::kernels
