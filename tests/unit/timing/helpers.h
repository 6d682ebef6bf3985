// Shipped cores, hand-made instruction shapes and the table check of the cost tests.
#pragma once

#include <gtest/gtest.h>

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "trnsim/spec/loader.h"
#include "trnsim/timing/engine_cost.h"

namespace trnsim::timing::test {

using trace::AluOp;
using trace::Attributes;
using trace::Engine;
using trace::Opcode;
using trace::Region;

inline const spec::CoreSpec& core_of(const std::string& system) {
  static std::map<std::string, spec::CoreSpec> loaded;
  const auto found = loaded.find(system);
  return found != loaded.end()
             ? found->second
             : loaded.emplace(system, spec::load_system(system).spec.chip.core).first->second;
}
inline const spec::CoreSpec& trn1() {
  return core_of("trn1.2xlarge");
}
inline const spec::CoreSpec& trn2() {
  return core_of("trn2-core");
}
inline const spec::CoreSpec& trn3() {
  return core_of("trn3-core");
}

inline constexpr DType kF32 = DType::kFloat32;
inline constexpr DType kBf16 = DType::kBFloat16;
inline constexpr DType kF16 = DType::kFloat16;
inline constexpr DType kFp8 = DType::kFloat8E4;
inline constexpr DType kI32 = DType::kInt32;

// A contiguous tile of `elements` per partition.
inline OperandShape tile(Region region, DType dtype, std::uint64_t elements,
                         std::uint32_t partitions = 128) {
  OperandShape shape;
  shape.region = region;
  shape.dtype = dtype;
  shape.partitions = partitions;
  shape.elements = elements;
  shape.innermost_stride_bytes = elements > 1 ? size_bytes(dtype) : 0;
  return shape;
}
inline OperandShape sbuf(DType dtype, std::uint64_t elements, std::uint32_t partitions = 128) {
  return tile(Region::kSbuf, dtype, elements, partitions);
}
inline OperandShape psum(DType dtype, std::uint64_t elements, std::uint32_t partitions = 128) {
  return tile(Region::kPsum, dtype, elements, partitions);
}
// The same tile walked with `stride` elements between neighbours.
inline OperandShape strided(OperandShape shape, std::int64_t stride) {
  shape.innermost_stride_bytes = stride * size_bytes(shape.dtype);
  shape.innermost_contiguous = stride == 1;
  return shape;
}

inline Attributes ops(AluOp op0, AluOp op1 = AluOp::kNone) {
  Attributes attributes;
  attributes.op0 = op0;
  attributes.op1 = op1;
  return attributes;
}
inline Attributes value(double imm0) {
  Attributes attributes;
  attributes.imm0 = imm0;
  return attributes;
}
inline Attributes with_reduce() {
  Attributes attributes;
  attributes.has_reduce_result = true;
  return attributes;
}

// The result points at `attributes`.
inline InstructionShape instruction(Opcode opcode, const std::vector<OperandShape>& outputs,
                                    const std::vector<OperandShape>& inputs,
                                    const Attributes& attributes) {
  InstructionShape shape;
  shape.opcode = opcode;
  shape.attributes = &attributes;
  for (const OperandShape& output : outputs) {
    shape.outputs.at(shape.num_outputs++) = output;
  }
  for (const OperandShape& input : inputs) {
    shape.inputs.at(shape.num_inputs++) = input;
  }
  return shape;
}

// One instruction with its hand-computed costs in cycles of the engine's own clock.
struct CostRow {
  const char* what;
  const spec::CoreSpec& core;
  Opcode opcode;
  std::vector<OperandShape> outputs;
  std::vector<OperandShape> inputs;
  Attributes attributes;
  std::uint64_t interval;
  std::uint64_t latency;
  bool perf_mode = false;
};

inline void check(Engine engine, const std::vector<CostRow>& rows) {
  for (const CostRow& row : rows) {
    const InstructionShape shape = instruction(row.opcode, row.outputs, row.inputs, row.attributes);
    const EngineCost cost = engine_cost(row.core, engine, shape);
    EXPECT_EQ(cost.interval_cycles, row.interval) << row.core.name << ": " << row.what;
    EXPECT_EQ(cost.latency_cycles, row.latency) << row.core.name << ": " << row.what;
    EXPECT_EQ(cost.perf_mode, row.perf_mode) << row.core.name << ": " << row.what;
  }
}

}  // namespace trnsim::timing::test
