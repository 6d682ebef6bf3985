// Small traces for the numerics tests: one tile in, one instruction, one tile out.
#pragma once

#include <gtest/gtest.h>

#include <cmath>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "trnsim/base/error.h"
#include "trnsim/numerics/dtype_convert.h"
#include "trnsim/numerics/interpreter.h"
#include "trnsim/trace/builder.h"

namespace trnsim::numerics::test {

using trace::ActFunc;
using trace::AluOp;
using trace::Attributes;
using trace::Engine;
using trace::Opcode;
using trace::Role;
using trace::TraceBuilder;
using trace::View;

// Deterministic numbers in [-1, 1) with 24 fraction bits.
class Numbers {
 public:
  explicit Numbers(std::uint32_t seed) : state_(seed * 2654435761U + 1) {}
  double next() {
    state_ = state_ * 1664525U + 1013904223U;
    return static_cast<double>(state_ >> 7) / 16777216.0 - 1.0;
  }
  Values take(std::size_t count, double scale = 1) {
    Values values(count);
    for (double& value : values) {
      value = next() * scale;
    }
    return values;
  }

 private:
  std::uint32_t state_;
};

inline Values rounded(DType dtype, Values values) {
  for (double& value : values) {
    value = round_to(dtype, value);
  }
  return values;
}

// Tiles with data: inputs arrive by DMA from HBM tensors, outputs leave by DMA.
class Bench {
 public:
  View input(const std::string& name, DType dtype, std::uint32_t partitions,
             std::vector<std::uint32_t> free, Values values) {
    std::vector<std::uint32_t> shape{partitions};
    shape.insert(shape.end(), free.begin(), free.end());
    const View memory = builder.hbm(name, dtype, shape, Role::kInput);
    const View tile = builder.sbuf(name + "_tile", dtype, partitions, free);
    builder.dma(tile, memory);
    inputs[name] = std::move(values);
    return tile;
  }
  View tile(DType dtype, std::uint32_t partitions, const std::vector<std::uint32_t>& free) {
    return builder.sbuf("tile", dtype, partitions, free);
  }
  void output(const std::string& name, const View& tile) {
    std::vector<std::uint32_t> shape{tile.partitions};
    for (const trace::Dim& dim : tile.dims) {
      shape.push_back(dim.count);
    }
    builder.dma(builder.hbm(name, tile.dtype, shape, Role::kOutput), tile);
  }
  Execution run() {
    trace_ = builder.take();
    return execute(trace_, inputs);
  }
  // The output "y" of a run without uninitialised reads.
  Values result() {
    Execution execution = run();
    EXPECT_TRUE(execution.uninitialised_reads.empty());
    return execution.outputs.at("y");
  }

  TraceBuilder builder{"test", "numerics_tests"};
  std::map<std::string, Values> inputs;

 private:
  trace::Trace trace_;
};

inline void expect_equal(const Values& got, const Values& want) {
  ASSERT_EQ(got.size(), want.size());
  for (std::size_t i = 0; i < got.size(); ++i) {
    if (std::isnan(want[i])) {
      EXPECT_TRUE(std::isnan(got[i])) << "element " << i;
    } else {
      EXPECT_EQ(got[i], want[i]) << "element " << i;
    }
  }
}

inline void expect_near(const Values& got, const Values& want, double relative, double absolute) {
  ASSERT_EQ(got.size(), want.size());
  for (std::size_t i = 0; i < got.size(); ++i) {
    ASSERT_NEAR(got[i], want[i], relative * std::fabs(want[i]) + absolute) << "element " << i;
  }
}

// The text of the Error that running `bench` throws; "" if it throws none.
inline std::string error_of(Bench& bench) {
  try {
    static_cast<void>(bench.run());
  } catch (const Error& error) {
    return error.what();
  }
  return "";
}

}  // namespace trnsim::numerics::test
