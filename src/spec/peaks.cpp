// Peak rates by formula, and what AWS prints.
#include "trnsim/spec/peaks.h"

namespace trnsim::spec {
namespace {

bool double_row(DType dtype) {
  return dtype == DType::kFloat8E4 || dtype == DType::kFloat8E4Fn || dtype == DType::kFloat8E5;
}

// The published figure of `peaks` that covers this type; 0 = none.
double chip_published_tflops(const PublishedPeaks& peaks, DType dtype) {
  if (is_mx(dtype)) {
    return peaks.mx_tflops;
  }
  if (is_fp32(dtype)) {
    return peaks.fp32_tflops;
  }
  if (double_row(dtype)) {
    return peaks.fp8_tflops;
  }
  return is_float(dtype) ? peaks.bf16_tflops : 0;
}

double headline_pflops(const PublishedSystemPeaks& peaks, DType dtype) {
  return chip_published_tflops({.bf16_tflops = peaks.bf16_pflops,
                                .fp8_tflops = peaks.fp8_pflops,
                                .fp32_tflops = peaks.fp32_pflops,
                                .mx_tflops = peaks.mx_pflops},
                               dtype);
}

}  // namespace

double core_peak_tflops(const CoreSpec& core, DType dtype) {
  const TensorSpec& tensor = core.tensor;
  double per_pe = 0;  // contraction rows per PE and cycle
  if (is_mx(dtype)) {
    per_pe = tensor.mx_rows_per_pe;
  } else if (is_fp32(dtype)) {
    per_pe = 1.0 / tensor.fp32_passes;
  } else if (double_row(dtype)) {
    per_pe = tensor.fp8_rows_per_pe;
  } else if (is_float(dtype)) {
    per_pe = 1;
  }
  return 2.0 * tensor.rows * tensor.columns * tensor.clock_ghz * per_pe / 1e3;
}

double system_peak_pflops(const SystemSpec& system, DType dtype) {
  return system.cores() * core_peak_tflops(system.chip.core, dtype) / 1e3;
}

double system_published_pflops(const SystemSpec& system, DType dtype) {
  const bool whole = system.cores_per_chip_used == system.chip.neuron_cores;
  const double headline = headline_pflops(system.published, dtype);
  if (whole && headline > 0) {
    return headline;
  }
  const double share = static_cast<double>(system.cores_per_chip_used) / system.chip.neuron_cores;
  return system.chips() * share * chip_published_tflops(system.chip.published, dtype) / 1e3;
}

double chip_other_engines_tflops(const ChipSpec& chip, bool sixteen_bit) {
  const CoreSpec& core = chip.core;
  const double vector =
      core.vector.lanes * core.vector.clock_ghz * chip.counting.vector_fp32_ops_per_lane_cycle;
  const double scalar =
      core.scalar.lanes * core.scalar.clock_ghz * chip.counting.scalar_fp32_ops_per_lane_cycle;
  const double gpsimd =
      core.sbuf.partitions * core.gpsimd.clock_ghz * chip.counting.gpsimd_fp32_ops_per_lane_cycle;
  // The scalar engine counts once in both (hardware.md 19.2).
  const double wide = sixteen_bit ? 2.0 : 1.0;
  return chip.neuron_cores * (wide * vector + scalar + wide * gpsimd) / 1e3;
}

}  // namespace trnsim::spec
