// Batch-norm statistics: (count, mean, variance x count) triples, even and odd elements apart.
#include "ops.h"

namespace trnsim::numerics {

void run_bn_stats(Context& context) {
  const Floats data = context.load(context.input(0));
  context.require(data.columns <= 512, "at most 512 elements per partition, not {}", data.columns);
  Floats stats(data.rows, 6);
  for (std::uint64_t r = 0; r < data.rows; ++r) {
    for (std::uint64_t parity = 0; parity < 2; ++parity) {
      double count = 0;
      double sum = 0;
      for (std::uint64_t c = parity; c < data.columns; c += 2) {
        count += 1;
        sum += static_cast<double>(data.row(r)[c]);
      }
      const double mean = count > 0 ? sum / count : 0;
      double squares = 0;
      for (std::uint64_t c = parity; c < data.columns; c += 2) {
        const double distance = static_cast<double>(data.row(r)[c]) - mean;
        squares += distance * distance;
      }
      float* triple = stats.row(r) + parity * 3;
      triple[0] = static_cast<float>(count);
      triple[1] = static_cast<float>(mean);
      triple[2] = static_cast<float>(squares);
    }
  }
  context.store(context.output(0), stats);
}

void run_bn_aggr(Context& context) {
  const Floats data = context.load(context.input(0));
  context.require(data.columns % 3 == 0,
                  "needs (count, mean, variance x count) triples, not {} values", data.columns);
  Floats result(data.rows, 2);
  for (std::uint64_t r = 0; r < data.rows; ++r) {
    double count = 0;
    double sum = 0;
    for (std::uint64_t c = 0; c < data.columns; c += 3) {
      const float* triple = data.row(r) + c;
      count += static_cast<double>(triple[0]);
      sum += static_cast<double>(triple[0]) * static_cast<double>(triple[1]);
    }
    const double mean = sum / count;
    double squares = 0;
    for (std::uint64_t c = 0; c < data.columns; c += 3) {
      const float* triple = data.row(r) + c;
      const double distance = static_cast<double>(triple[1]) - mean;
      squares +=
          static_cast<double>(triple[2]) + static_cast<double>(triple[0]) * distance * distance;
    }
    result.row(r)[0] = static_cast<float>(mean);
    result.row(r)[1] = static_cast<float>(squares / count);
  }
  context.store(context.output(0), result);
}

}  // namespace trnsim::numerics
