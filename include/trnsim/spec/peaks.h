// Peak rates that follow from a spec (hardware.md section 19).
#pragma once

#include "trnsim/base/dtype.h"
#include "trnsim/spec/system_spec.h"

namespace trnsim::spec {

// Tensor-engine peak of one core for matmuls of this operand type, TFLOPS:
// rows x columns x 2 x clock x (rows per PE) / (passes).
[[nodiscard]] double core_peak_tflops(const CoreSpec& core, DType dtype);
// cores() x core peak, PFLOPS.
[[nodiscard]] double system_peak_pflops(const SystemSpec& system, DType dtype);
// Published figure that matches `dtype` and the number of cores in use, PFLOPS; 0 = none published.
// A system of part of a chip gets that share of the chip's figure.
[[nodiscard]] double system_published_pflops(const SystemSpec& system, DType dtype);
// What vector, scalar and gpsimd engines add to a chip's published peak, TFLOPS (section 19.2).
[[nodiscard]] double chip_other_engines_tflops(const ChipSpec& chip, bool sixteen_bit);

}  // namespace trnsim::spec
