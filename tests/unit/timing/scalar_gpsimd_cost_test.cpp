// Scalar, GpSimd and sequencer instructions against hardware.md 7-9 and 13.
//
// With work w: scalar trn1 interval = max(64, w + 42), latency = w + 222;
//              scalar trn2, trn3 interval = max(64, w + 52), latency = w + 190;
//              gpsimd interval = 150 + w, latency = 150 + w + 150, no floor.
#include <gtest/gtest.h>

#include <set>

#include "helpers.h"

namespace trnsim::timing::test {
namespace {

const Attributes kPlain;

TEST(ScalarCost, TakesOneCyclePerElement) {
  check(Engine::kScalar, {
                             // w = 512 for any function and type; trn2, trn3: an activation takes 120 more,
                             // and 50 to the next if it reads SBUF (profiles)
                             {"activation",
                              trn1(),
                              Opcode::kActivation,
                              {sbuf(kF32, 512)},
                              {sbuf(kF32, 512)},
                              kPlain,
                              554,
                              734},
                             {"activation",
                              trn2(),
                              Opcode::kActivation,
                              {sbuf(kBf16, 512)},
                              {psum(kF32, 512)},
                              kPlain,
                              684,
                              822},
                             {"activation bf16",
                              trn3(),
                              Opcode::kActivation,
                              {sbuf(kBf16, 512)},
                              {sbuf(kBf16, 512)},
                              kPlain,
                              734,
                              822},
                             {"activate2",
                              trn3(),
                              Opcode::kActivate2,
                              {sbuf(kBf16, 512)},
                              {sbuf(kBf16, 512)},
                              kPlain,
                              734,
                              822},
                             {"tensor_copy",
                              trn2(),
                              Opcode::kTensorCopy,
                              {sbuf(kBf16, 512)},
                              {sbuf(kBf16, 512)},
                              kPlain,
                              564,
                              702},
                             {"tensor_scalar",
                              trn2(),
                              Opcode::kTensorScalar,
                              {sbuf(kBf16, 512)},
                              {sbuf(kBf16, 512)},
                              ops(AluOp::kMultiply, AluOp::kAdd),
                              564,
                              702},
                         });
}

// trn1: 22 + 42 = 64 is the edge; trn2: 12 + 52 = 64, and 120 + 50 for an activation from SBUF.
TEST(ScalarCost, HasAFloorOf64Cycles) {
  const auto act = [](const spec::CoreSpec& core, std::uint64_t n, std::uint64_t interval,
                      std::uint64_t latency) {
    return CostRow{"floor",  core,   Opcode::kActivation, {sbuf(kF32, n)}, {sbuf(kF32, n)}, kPlain,
                   interval, latency};
  };
  check(Engine::kScalar, {
                             act(trn1(), 1, 64, 223),
                             act(trn1(), 22, 64, 244),
                             act(trn1(), 23, 65, 245),
                             act(trn2(), 11, 234, 321),
                             act(trn2(), 12, 234, 322),
                             act(trn2(), 13, 235, 323),
                             act(trn3(), 13, 235, 323),
                         });
}

// + MIN_II for the accumulator read: a second instruction (7).
TEST(ScalarCost, ReadsTheAccumulatorWithASecondInstruction) {
  check(Engine::kScalar, {
                             {"512",
                              trn1(),
                              Opcode::kActivation,
                              {sbuf(kF32, 512), sbuf(kF32, 1)},
                              {sbuf(kF32, 512)},
                              with_reduce(),
                              618,
                              798},
                             {"512",
                              trn2(),
                              Opcode::kActivation,
                              {sbuf(kF32, 512), sbuf(kF32, 1)},
                              {sbuf(kF32, 512)},
                              with_reduce(),
                              798,
                              886},
                             {"1, floor + read",
                              trn2(),
                              Opcode::kActivation,
                              {sbuf(kF32, 1), sbuf(kF32, 1)},
                              {sbuf(kF32, 1)},
                              with_reduce(),
                              298,
                              375},
                             {"activate2",
                              trn3(),
                              Opcode::kActivate2,
                              {sbuf(kF32, 512), sbuf(kF32, 1)},
                              {sbuf(kF32, 512)},
                              with_reduce(),
                              798,
                              886},
                         });
}

// v4: tensor_copy and tensor_scalar at 2x under the vector engine's 2x conditions: 512 / 2 = 256.
TEST(ScalarCost, CopiesTwoElementsPerCycleOnTrn3) {
  check(Engine::kScalar, {
                             {"bf16",
                              trn3(),
                              Opcode::kTensorCopy,
                              {sbuf(kBf16, 512)},
                              {sbuf(kBf16, 512)},
                              kPlain,
                              308,
                              446},
                             {"fp16 tensor_scalar",
                              trn3(),
                              Opcode::kTensorScalar,
                              {sbuf(kF16, 512)},
                              {sbuf(kF16, 512)},
                              ops(AluOp::kAdd),
                              308,
                              446},
                             {"SBUF, strided",
                              trn3(),
                              Opcode::kTensorCopy,
                              {sbuf(kBf16, 512)},
                              {strided(sbuf(kBf16, 512), 2)},
                              kPlain,
                              308,
                              446},
                             {"one in PSUM",
                              trn3(),
                              Opcode::kTensorCopy,
                              {sbuf(kBf16, 512)},
                              {psum(kBf16, 512)},
                              kPlain,
                              308,
                              446},
                             {"one in PSUM, strided",
                              trn3(),
                              Opcode::kTensorCopy,
                              {strided(sbuf(kBf16, 512), 2)},
                              {psum(kBf16, 512)},
                              kPlain,
                              564,
                              702},
                             {"both in PSUM",
                              trn3(),
                              Opcode::kTensorCopy,
                              {psum(kBf16, 512)},
                              {psum(kBf16, 512)},
                              kPlain,
                              564,
                              702},
                             {"fp32",
                              trn3(),
                              Opcode::kTensorCopy,
                              {sbuf(kF32, 512)},
                              {sbuf(kF32, 512)},
                              kPlain,
                              564,
                              702},
                             // ceil(25 / 2) = 13 -> 65
                             {"25 elements",
                              trn3(),
                              Opcode::kTensorCopy,
                              {sbuf(kBf16, 25)},
                              {sbuf(kBf16, 25)},
                              kPlain,
                              65,
                              203},
                         });
}

TEST(ScalarCost, HalvesActivationsOnlyWithTheSwitch) {
  spec::CoreSpec core = trn3();
  core.scalar.activation_2x = true;
  check(Engine::kScalar, {{"bf16",
                           core,
                           Opcode::kActivation,
                           {sbuf(kBf16, 512)},
                           {sbuf(kBf16, 512)},
                           kPlain,
                           478,
                           566}});
}

// Section 10: 20 B stride doubles, 16 B does not; a dynamic offset has a floor of 600 (548 + 52).
TEST(ScalarCost, PaysForLongStridesAndDynamicOffsets) {
  check(Engine::kScalar, {
                             {"16 B",
                              trn2(),
                              Opcode::kActivation,
                              {sbuf(kF32, 512)},
                              {strided(sbuf(kF32, 512), 4)},
                              kPlain,
                              734,
                              822},
                             {"20 B",
                              trn2(),
                              Opcode::kActivation,
                              {sbuf(kF32, 512)},
                              {strided(sbuf(kF32, 512), 5)},
                              kPlain,
                              1246,
                              1334},
                             {"dynamic 548",
                              trn2(),
                              Opcode::kTensorCopyDynamic,
                              {sbuf(kBf16, 548)},
                              {sbuf(kBf16, 548)},
                              kPlain,
                              600,
                              738},
                             {"dynamic 549",
                              trn2(),
                              Opcode::kTensorCopyDynamic,
                              {sbuf(kBf16, 549)},
                              {sbuf(kBf16, 549)},
                              kPlain,
                              601,
                              739},
                         });
}

// Copy-like functions are in every table set; two others never share one.
TEST(ActivationTable, IsOnePerFunctionAndNoneForArithmetic) {
  using trace::ActFunc;
  for (const ActFunc func : {ActFunc::kCopy, ActFunc::kIdentity, ActFunc::kSquare, ActFunc::kRelu,
                             ActFunc::kAbs, ActFunc::kSign}) {
    EXPECT_EQ(activation_table(func), 0) << trace::name(func);
  }
  std::set<std::uint8_t> tables;
  for (const ActFunc func :
       {ActFunc::kExp, ActFunc::kLog, ActFunc::kSqrt, ActFunc::kRsqrt, ActFunc::kReciprocal,
        ActFunc::kSigmoid, ActFunc::kTanh, ActFunc::kGelu, ActFunc::kGeluApproxTanh, ActFunc::kSilu,
        ActFunc::kSoftplus, ActFunc::kErf, ActFunc::kSin}) {
    EXPECT_NE(activation_table(func), 0) << trace::name(func);
    tables.insert(activation_table(func));
  }
  EXPECT_EQ(tables.size(), 13U);
}

TEST(GpSimdCost, StartsIn150CyclesAndTakesOneCyclePerElement) {
  check(Engine::kGpSimd,
        {
            // 150 + 512
            {"iota", trn1(), Opcode::kIota, {sbuf(kI32, 512)}, {}, kPlain, 662, 812},
            {"affine_select",
             trn2(),
             Opcode::kAffineSelect,
             {sbuf(kF32, 512)},
             {sbuf(kF32, 512)},
             kPlain,
             662,
             812},
            {"tensor_copy",
             trn2(),
             Opcode::kTensorCopy,
             {sbuf(kBf16, 512)},
             {sbuf(kBf16, 512)},
             kPlain,
             662,
             812},
            {"memset", trn2(), Opcode::kMemset, {sbuf(kBf16, 512)}, {}, value(0), 662, 812},
            {"tensor_tensor int32",
             trn2(),
             Opcode::kTensorTensor,
             {sbuf(kI32, 512)},
             {sbuf(kI32, 512), sbuf(kI32, 512)},
             ops(AluOp::kAdd),
             662,
             812},
            {"rng", trn2(), Opcode::kRng, {sbuf(DType::kUInt32, 512)}, {}, kPlain, 662, 812},
            // no MIN_II below the start overhead: 150 + 1
            {"iota of 1", trn3(), Opcode::kIota, {sbuf(kI32, 1)}, {}, kPlain, 151, 301},
        });
}

TEST(GpSimdCost, FollowsTheFormulasOfItsOwnInstructions) {
  check(
      Engine::kGpSimd,
      {
          // rsqrt, 4x slower: 150 + 4 x 512
          {"rsqrt",
           trn2(),
           Opcode::kTensorScalar,
           {sbuf(kF32, 512)},
           {sbuf(kF32, 512)},
           ops(AluOp::kRsqrt),
           2198,
           2348},
          {"add then rsqrt",
           trn2(),
           Opcode::kTensorScalar,
           {sbuf(kF32, 512)},
           {sbuf(kF32, 512)},
           ops(AluOp::kAdd, AluOp::kRsqrt),
           2198,
           2348},
          // N x ceil(P / 16): 150 + 512 x 8; 17 partitions: 512 x 2
          {"partition_reduce 128",
           trn2(),
           Opcode::kTensorPartitionReduce,
           {sbuf(kF32, 512, 1)},
           {sbuf(kF32, 512, 128)},
           ops(AluOp::kAdd),
           4246,
           4396},
          {"partition_reduce 16",
           trn2(),
           Opcode::kTensorPartitionReduce,
           {sbuf(kF32, 512, 1)},
           {sbuf(kF32, 512, 16)},
           ops(AluOp::kAdd),
           662,
           812},
          {"partition_reduce 17",
           trn2(),
           Opcode::kTensorPartitionReduce,
           {sbuf(kF32, 512, 1)},
           {sbuf(kF32, 512, 17)},
           ops(AluOp::kAdd),
           1174,
           1324},
          // ceil(N / 512) groups: 1 x 150 + 512; 2 x 150 + 513
          {"n_gather 512",
           trn2(),
           Opcode::kNcNGather,
           {sbuf(kF32, 512)},
           {sbuf(kF32, 4096), sbuf(DType::kUInt32, 512)},
           kPlain,
           662,
           812},
          {"n_gather 513",
           trn2(),
           Opcode::kNcNGather,
           {sbuf(kF32, 513)},
           {sbuf(kF32, 4096), sbuf(DType::kUInt32, 513)},
           kPlain,
           813,
           963},
          // 150 + 2 x 512
          {"nonzero",
           trn2(),
           Opcode::kNonzeroWithCount,
           {sbuf(kI32, 512)},
           {sbuf(kF32, 512)},
           kPlain,
           1174,
           1324},
          {"sequence_bounds",
           trn2(),
           Opcode::kSequenceBounds,
           {sbuf(kI32, 512)},
           {sbuf(kI32, 512, 1)},
           kPlain,
           1174,
           1324},
          // n = 16 x 32 = 512 elements in a group, K = 8: 150 + 4 x 512 + 8
          {"topk",
           trn2(),
           Opcode::kTopk,
           {sbuf(kBf16, 8, 16)},
           {sbuf(kBf16, 32, 16)},
           kPlain,
           2206,
           2356},
          // 150 + 6 words
          {"state", trn2(), Opcode::kRandSetState, {}, {sbuf(DType::kUInt32, 6)}, kPlain, 156, 306},
          // e = 1, t = 4: C = (32 / 4) / min(4 / 4, 1) = 8; bf16: min(4 / 2, 1) = 1, the same; 150
          // + 8 x 64
          {"gather fp32",
           trn2(),
           Opcode::kLocalGather,
           {sbuf(kF32, 64)},
           {sbuf(kF32, 1024), sbuf(DType::kUInt16, 4)},
           kPlain,
           662,
           812},
          {"gather bf16",
           trn1(),
           Opcode::kLocalGather,
           {sbuf(kBf16, 64)},
           {sbuf(kBf16, 1024), sbuf(DType::kUInt16, 4)},
           kPlain,
           662,
           812},
      });
}

// 20 B doubles the part after the start; dynamic floor 600 = 150 + 450.
TEST(GpSimdCost, PaysForLongStridesAndDynamicOffsets) {
  check(Engine::kGpSimd, {
                             {"16 B",
                              trn2(),
                              Opcode::kTensorCopy,
                              {sbuf(kF32, 512)},
                              {strided(sbuf(kF32, 512), 4)},
                              kPlain,
                              662,
                              812},
                             {"20 B",
                              trn2(),
                              Opcode::kTensorCopy,
                              {sbuf(kF32, 512)},
                              {strided(sbuf(kF32, 512), 5)},
                              kPlain,
                              1174,
                              1324},
                             {"dynamic 450",
                              trn2(),
                              Opcode::kTensorCopyDynamic,
                              {sbuf(kF32, 450)},
                              {sbuf(kF32, 450)},
                              kPlain,
                              600,
                              750},
                             {"dynamic 451",
                              trn2(),
                              Opcode::kTensorCopyDynamic,
                              {sbuf(kF32, 451)},
                              {sbuf(kF32, 451)},
                              kPlain,
                              601,
                              751},
                         });
}

// topk once per group (C31), or serially over its 16 partitions: 150 + 16 x (2048 + 8).
TEST(GpSimdCost, RepeatsTopkPerPartitionWithTheSwitchOfC31) {
  spec::CoreSpec core = trn2();
  core.gpsimd.topk_serial_partitions = 16;
  check(Engine::kGpSimd, {{"topk",
                           core,
                           Opcode::kTopk,
                           {sbuf(kBf16, 8, 16)},
                           {sbuf(kBf16, 32, 16)},
                           kPlain,
                           33046,
                           33196}});
}

// Base clock cycles: register op 10, SBUF word 140, barrier 500 ns x 1.2 = 600 (x 1.4 has no v2
// user).
TEST(SequencerCost, CountsBaseClockCyclesOnEveryEngine) {
  for (const Engine engine : {Engine::kSync, Engine::kVector, Engine::kGpSimd, Engine::kTensor}) {
    check(engine,
          {
              {"move", trn2(), Opcode::kRegisterMove, {}, {}, kPlain, 10, 10},
              {"load", trn2(), Opcode::kRegisterLoad, {}, {sbuf(kI32, 1, 1)}, kPlain, 140, 140},
              {"store", trn1(), Opcode::kRegisterStore, {sbuf(kI32, 1, 1)}, {}, kPlain, 140, 140},
              {"barrier", trn2(), Opcode::kCoreBarrier, {}, {}, kPlain, 600, 600},
          });
  }
}

}  // namespace
}  // namespace trnsim::timing::test
