// Published peaks taken apart: rounding, other engines, and what stays unexplained (hardware.md
// 19).
#include <fmt/format.h>

#include <cmath>

#include "trnsim/spec/describe.h"
#include "trnsim/spec/peaks.h"

namespace trnsim::spec {
namespace {

// AWS prints chip peaks in whole TFLOPS and system peaks in tenths of a PFLOPS or TB/s.
constexpr double kHalfTflops = 0.5;
double to_tenths(double value) {
  return std::round(value * 10) / 10;
}
bool same(double a, double b) {
  return std::abs(a - b) < 1e-9 * std::max(1.0, std::abs(b));
}

struct PeakKind {
  const char* label;
  DType dtype;
  double PublishedPeaks::*chip;
  double PublishedSystemPeaks::*system;
};

constexpr PeakKind kPeakKinds[] = {
    {"BF16", DType::kBFloat16, &PublishedPeaks::bf16_tflops, &PublishedSystemPeaks::bf16_pflops},
    {"FP8", DType::kFloat8E4, &PublishedPeaks::fp8_tflops, &PublishedSystemPeaks::fp8_pflops},
    {"FP32", DType::kFloat32, &PublishedPeaks::fp32_tflops, &PublishedSystemPeaks::fp32_pflops},
    {"MX", DType::kFloat8E4FnX4, &PublishedPeaks::mx_tflops, &PublishedSystemPeaks::mx_pflops},
};

// Reasons for one chip, in TFLOPS.
std::vector<PeakReason> chip_reasons(const ChipSpec& chip, DType dtype, double published) {
  const double core = core_peak_tflops(chip.core, dtype);
  const double exact = chip.neuron_cores * core;
  if (std::abs(published - exact) <= kHalfTflops) {
    return {{published - exact,
             fmt::format("rounding: {:.2f} TFLOPS per chip printed as {}", exact, published)}};
  }
  const double bf16 = core_peak_tflops(chip.core, DType::kBFloat16);
  const double rounded_bf16 = std::round(bf16);
  const double multiple = core / bf16;
  const double rounded = chip.neuron_cores * rounded_bf16 * multiple;
  const double others = chip_other_engines_tflops(chip, !is_fp32(dtype));
  if (std::abs(rounded + std::round(others) - published) > kHalfTflops) {
    return {{published - exact,
             fmt::format("not explained by rounding or by the other engines ({:+.1f} %)",
                         100 * (published / exact - 1))}};
  }
  const std::string scaled =
      multiple == 1 ? "" : fmt::format(", x {} = {}", multiple, rounded_bf16 * multiple);
  return {{rounded - exact, fmt::format("rounding: {:.2f} TFLOPS (BF16) per core counted as {}{}",
                                        bf16, rounded_bf16, scaled)},
          {published - rounded,
           fmt::format("vector, scalar and GpSimd counted too: {} TFLOPS per chip ({:.2f} exactly)",
                       published - rounded, others)}};
}

// How AWS gets from its chip figure to the headline, both in PFLOPS or TB/s.
std::vector<PeakReason> headline_reasons(const SystemSpec& system, double chip, double headline) {
  const double product = system.chips() * chip;
  if (same(product, headline)) {
    return {};
  }
  const double server = system.chips_per_server * chip;
  if (same(to_tenths(product), headline)) {
    return {{headline - product, fmt::format("rounding: {} x {} = {} printed as {}", system.chips(),
                                             chip, product, headline)}};
  }
  if (same(to_tenths(server) * system.servers, headline)) {
    return {
        {headline - product,
         fmt::format("rounding: {} x {}, with {} x {} = {} printed as {}", system.servers,
                     to_tenths(server), system.chips_per_server, chip, server, to_tenths(server))}};
  }
  return {{headline - product, fmt::format("not explained by {} x {}", system.chips(), chip)}};
}

void drop_zeros(std::vector<PeakReason>& reasons) {
  std::erase_if(reasons,
                [](const PeakReason& reason) { return std::abs(reason.difference) < 1e-9; });
}

// A few systems use part of each chip; they get that share of its figures.
double chips_in_use(const SystemSpec& system) {
  return static_cast<double>(system.cores()) / system.chip.neuron_cores;
}

PeakRow flops_row(const SystemSpec& system, const PeakKind& kind) {
  PeakRow row;
  row.label = kind.label;
  row.derived = system_peak_pflops(system, kind.dtype);
  row.published = system_published_pflops(system, kind.dtype);
  const double chip = system.chip.published.*kind.chip;
  if (row.published > 0 && chip > 0) {
    row.reasons = chip_reasons(system.chip, kind.dtype, chip);
    for (PeakReason& reason : row.reasons) {
      reason.difference *= chips_in_use(system) / 1e3;
    }
    const double headline = system.published.*kind.system;
    if (headline > 0 && same(headline, row.published)) {
      for (PeakReason& reason : headline_reasons(system, chip / 1e3, headline)) {
        row.reasons.push_back(std::move(reason));
      }
    }
  } else if (row.published > 0) {
    row.reasons = {{row.published - row.derived, "no chip figure to compare with"}};
  }
  const bool small = system_peak_pflops(system, DType::kBFloat16) < 1;  // one unit for all types
  row.unit = small ? "TFLOPS" : "PFLOPS";
  if (small) {
    row.derived *= 1e3;
    row.published *= 1e3;
    for (PeakReason& reason : row.reasons) {
      reason.difference *= 1e3;
    }
  }
  drop_zeros(row.reasons);
  return row;
}

// One core of a chip has its whole stack, so stacks are counted, not shared out.
PeakRow hbm_row(const SystemSpec& system) {
  const ChipSpec& chip = system.chip;
  const std::uint32_t stacks = stacks_in_use(system);
  PeakRow row;
  row.label = "HBM";
  row.unit = "TB/s";
  row.derived = system.chips() * stacks * chip.hbm.peak_GBps_per_stack / 1e3;
  const double share = static_cast<double>(stacks) / chip.hbm.stacks;
  row.published = system.chips() * share * chip.published.hbm_TBps;
  if (row.published > 0) {
    const double exact = chip.hbm.stacks * chip.hbm.peak_GBps_per_stack / 1e3;
    const bool rounding = same(to_tenths(exact), chip.published.hbm_TBps) ||
                          std::abs(exact - chip.published.hbm_TBps) < 0.005;
    row.reasons = {{row.published - row.derived,
                    rounding
                        ? fmt::format("rounding: {} x {} = {:.1f} GB/s per chip printed as {} TB/s",
                                      chip.hbm.stacks, chip.hbm.peak_GBps_per_stack, exact * 1e3,
                                      chip.published.hbm_TBps)
                        : "not explained by rounding"}};
  }
  const double headline = system.published.hbm_TBps;
  if (stacks == chip.hbm.stacks && headline > 0) {
    for (PeakReason& reason : headline_reasons(system, chip.published.hbm_TBps, headline)) {
      row.reasons.push_back(std::move(reason));
    }
    row.published = headline;
  }
  drop_zeros(row.reasons);
  return row;
}

}  // namespace

std::uint32_t stacks_in_use(const SystemSpec& system) {
  const std::uint32_t cores = system.chip.cores_per_hbm_stack;
  return (system.cores_per_chip_used + cores - 1) / cores;
}

std::vector<PeakRow> peak_rows(const SystemSpec& system) {
  std::vector<PeakRow> rows;
  for (const PeakKind& kind : kPeakKinds) {
    if (core_peak_tflops(system.chip.core, kind.dtype) > 0) {
      rows.push_back(flops_row(system, kind));
    }
  }
  rows.push_back(hbm_row(system));
  return rows;
}

}  // namespace trnsim::spec
