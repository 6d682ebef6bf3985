// The machine as a whole: inputs, errors, uninitialised memory, what is not implemented.
#include "helpers.h"

namespace trnsim::numerics::test {
namespace {

TEST(Interpreter, ReportsReadsOfUninitialisedElements) {
  Bench bench;
  const View tile = bench.builder.sbuf("half", DType::kFloat32, 2, {4});
  bench.builder.memset(tile.slice(0, 0, 3), 1);
  bench.output("y", tile);
  const Execution got = bench.run();
  ASSERT_EQ(got.uninitialised_reads.size(), 1U);
  EXPECT_EQ(got.uninitialised_reads[0].instruction, 1U);
  EXPECT_EQ(got.uninitialised_reads[0].tensor, "half");
  EXPECT_EQ(got.uninitialised_reads[0].elements, 2U);
  expect_equal(got.outputs.at("y"), {1, 1, 1, NAN, 1, 1, 1, NAN});
}

TEST(Interpreter, ReportsAnOutputThatIsNotFullyWritten) {
  Bench bench;
  const View memory = bench.builder.hbm("y", DType::kInt32, {4}, Role::kOutput);
  const View x = bench.input("x", DType::kInt32, 1, {3}, {1, 2, 3});
  bench.builder.dma(memory.slice(0, 1, 3), x);
  const Execution got = bench.run();
  ASSERT_EQ(got.uninitialised_reads.size(), 1U);
  EXPECT_EQ(got.uninitialised_reads[0].instruction, trace::kNone);
  EXPECT_EQ(got.uninitialised_reads[0].tensor, "y");
  EXPECT_EQ(got.uninitialised_reads[0].elements, 1U);
  expect_equal(got.outputs.at("y"), {NAN, 1, 2, 3});
}

TEST(Interpreter, RoundsInputsToTheirType) {
  Bench bench;
  const View x = bench.input("x", DType::kFloat8E5, 1, {2}, {1.1, 1e9});
  bench.output("y", x);
  expect_equal(bench.result(), {1, HUGE_VAL});
}

TEST(Interpreter, NeedsEveryInputWithTheRightCount) {
  Bench missing;
  missing.input("x", DType::kFloat32, 1, {2}, {1, 2});
  missing.inputs.clear();
  EXPECT_EQ(error_of(missing), "no values for input tensor 'x'");
  Bench shorter;
  shorter.input("x", DType::kFloat32, 1, {2}, {1});
  EXPECT_EQ(error_of(shorter), "tensor 'x' takes 2 values, not 1");
  Bench unknown;
  unknown.input("weight", DType::kFloat32, 1, {1}, {1});
  unknown.inputs["weights"] = {1};
  EXPECT_EQ(error_of(unknown), "the trace has no tensor 'weights'; did you mean 'weight'?");
}

TEST(Interpreter, NamesTheKernelLineOfAFailure) {
  Bench bench;
  const View x = bench.input("x", DType::kFloat32, 1, {2}, {1, 2});
  bench.builder.at("kernel.py", 42);
  bench.builder.copy(bench.tile(DType::kFloat32, 1, {3}), x);
  EXPECT_EQ(error_of(bench),
            "instruction 1 (tensor_copy) at kernel.py:42: the result is [1, 2] but 'tile' takes "
            "[1, 3]");
}

TEST(Interpreter, RefusesAccessOutsideATensor) {
  Bench bench;
  View x = bench.input("x", DType::kFloat32, 1, {4}, {1, 2, 3, 4});
  x.offset = 1;
  bench.builder.copy(bench.tile(DType::kFloat32, 1, {4}), x);
  EXPECT_EQ(error_of(bench),
            "instruction 1 (tensor_copy): elements 1 to 4 of float32 are outside the 16 bytes of "
            "tensor 'x_tile'");
  Bench rows;
  View z = rows.input("x", DType::kFloat32, 2, {1}, {1, 2});
  z.partition_start = 1;
  rows.builder.copy(rows.tile(DType::kFloat32, 2, {1}), z);
  EXPECT_EQ(error_of(rows),
            "instruction 1 (tensor_copy): partitions 1 to 2 are outside the 2 of tensor 'x_tile'");
}

TEST(Interpreter, SaysWhatItCannotDo) {
  for (const Opcode opcode :
       {Opcode::kRng, Opcode::kRand2, Opcode::kDropout, Opcode::kTopk, Opcode::kNcStreamShuffle,
        Opcode::kTensorCopyDynamic, Opcode::kSendRecv, Opcode::kRegisterStore}) {
    Bench bench;
    bench.builder.emit(opcode, Engine::kUnassigned, {bench.tile(DType::kInt32, 1, {8})}, {});
    const std::string name(trace::name(opcode));
    EXPECT_EQ(error_of(bench).find("instruction 0 (" + name + "): numerics for '" + name +
                                   "' are not implemented"),
              0U)
        << name;
  }
}

TEST(Interpreter, RefusesIndirectViewsOnChip) {
  Bench bench;
  Attributes attributes;
  attributes.indirect = true;
  bench.builder.emit(Opcode::kMemset, Engine::kUnassigned, {bench.tile(DType::kInt32, 1, {8})}, {},
                     attributes);
  EXPECT_EQ(error_of(bench), "instruction 0 (memset): indirect on-chip views are not implemented");
}

TEST(Interpreter, ReleasesOnChipTensorsUnlessAskedToKeepThem) {
  TraceBuilder builder("test", "test");
  const View tile = builder.sbuf("tile", DType::kFloat32, 1, {2});
  builder.memset(tile, 3);
  builder.fence();
  const trace::Trace trace = builder.take();
  Machine forgetful(trace);
  forgetful.run();
  expect_equal(forgetful.values("tile"), {NAN, NAN});
  Machine keeping(trace, {true});
  keeping.run();
  expect_equal(keeping.values("tile"), {3, 3});
}

TEST(Interpreter, ControlRecordsDoNothing) {
  Bench bench;
  const View x = bench.input("x", DType::kFloat32, 1, {1}, {5});
  for (const Opcode opcode : {Opcode::kLoopBegin, Opcode::kLoopIteration, Opcode::kLoopEnd,
                              Opcode::kFence, Opcode::kCoreBarrier, Opcode::kRegisterMove}) {
    bench.builder.emit(opcode, Engine::kUnassigned, {}, {});
  }
  bench.output("y", x);
  expect_equal(bench.result(), {5});
}

}  // namespace
}  // namespace trnsim::numerics::test
