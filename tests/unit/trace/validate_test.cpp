// Every device-independent rule, with its message.
#include <gtest/gtest.h>

#include <functional>

#include "example_traces.h"
#include "trnsim/trace/builder.h"

namespace trnsim::trace {
namespace {

std::string invalid(const Trace& trace) {
  return error_of([&] { validate(trace); });
}

// The error of the trace that `build` makes.
std::string invalid(const std::function<void(TraceBuilder&)>& build) {
  TraceBuilder b("k", "test");
  build(b);
  return invalid(b.take());
}

TEST(Validate, AcceptsTheExamplesAndAnEmptyTrace) {
  EXPECT_EQ(invalid(small_trace()), "");
  EXPECT_EQ(invalid(matmul_trace(1000)), "");
  EXPECT_EQ(invalid(Trace{}), "");
}

TEST(Validate, ChecksTheHeader) {
  Trace trace;
  trace.target = "trn9";
  EXPECT_EQ(invalid(trace), "target 'trn9' is none of trn1, trn2, trn3");
  trace = {};
  trace.lnc = 0;
  EXPECT_EQ(invalid(trace), "lnc is 0, must be 1 to 8");
  trace = {};
  trace.model_flops = -1;
  EXPECT_EQ(invalid(trace), "model_flops is -1, must be 0 or more");
}

TEST(Validate, ChecksEveryIdOfTheTables) {
  Trace trace = small_trace();
  trace.tensors[0].name = 900;
  EXPECT_NE(invalid(trace).find("tensor 0: string id 900"), std::string::npos);
  trace = small_trace();
  trace.sources[1].file = 900;
  EXPECT_NE(invalid(trace).find("source line 1: string id 900"), std::string::npos);
  trace = small_trace();
  trace.attributes[2].affine_pattern = 900;
  EXPECT_NE(invalid(trace).find("attribute set 2: pattern id 900"), std::string::npos);
  trace = small_trace();
  trace.attributes[2].imm1 = std::numeric_limits<double>::quiet_NaN();
  EXPECT_EQ(invalid(trace), "attribute set 2: imm1 is not a number");
}

TEST(Validate, ChecksEveryIdOfInstructions) {
  Trace trace = small_trace();
  trace.instructions[5].attributes = 900;
  EXPECT_EQ(
      invalid(trace).rfind("instruction 5 (nc_matmul): attribute set id 900 is not one of", 0), 0U);
  trace = small_trace();
  trace.instructions[5].source = 900;
  EXPECT_EQ(invalid(trace).rfind("instruction 5 (nc_matmul): source id 900", 0), 0U);
  trace = small_trace();
  trace.operands[0].tensor = 900;
  EXPECT_EQ(invalid(trace).rfind("instruction 0 (dma_copy): operand 0: tensor id 900", 0), 0U);
  trace = small_trace();
  trace.operands[1].pattern = 900;
  EXPECT_EQ(invalid(trace).rfind("instruction 0 (dma_copy): operand 1: pattern id 900", 0), 0U);
}

TEST(Validate, OperandsAreInTheOrderOfInstructionsAndAllUsed) {
  Trace trace = small_trace();
  trace.instructions[1].first_operand = 0;
  EXPECT_EQ(invalid(trace),
            "instruction 1 (memset): its operands start at 0, those before end at 2");
  trace = small_trace();
  trace.operands.emplace_back();
  EXPECT_NE(invalid(trace).find("operands, its instructions use"), std::string::npos);
  trace = small_trace();
  trace.operands.pop_back();
  EXPECT_NE(invalid(trace).find("has 1 operands, the trace has 0 left"), std::string::npos);
}

TEST(Validate, ChecksPatterns) {
  Trace trace;
  trace.patterns.resize(1);
  trace.patterns[0].num_dims = 6;
  EXPECT_EQ(invalid(trace), "pattern 0: has 6 dims, at most 5 are possible");
  trace.patterns[0].num_dims = 1;
  trace.patterns[0].dims[0] = {1, 0};
  EXPECT_EQ(invalid(trace), "pattern 0: has a dim of 0 elements");
  trace.patterns[0].dims[0] = {INT64_MAX, 3};
  EXPECT_EQ(invalid(trace), "pattern 0: reaches further than 64 bits can say");
  trace.patterns[0].num_dims = 2;
  trace.patterns[0].dims[0] = {0, UINT32_MAX};
  trace.patterns[0].dims[1] = {0, UINT32_MAX};
  EXPECT_EQ(invalid(trace), "pattern 0: reaches further than 64 bits can say");
  trace.patterns[0] = {};
  trace.patterns[0].dims[3] = {1, 4};
  EXPECT_EQ(invalid(trace), "pattern 0: dim 3 is set beyond its 0 dims");
}

TEST(Validate, ChecksTensors) {
  const auto with = [](const std::function<void(Tensor&)>& change) {
    Trace trace = small_trace();
    change(trace.tensors[2]);
    return invalid(trace);
  };
  EXPECT_EQ(with([](Tensor& t) { t.partitions = 129; }),
            "tensor 2 ('tile'): 129 partitions from 0 are not within the 128 there are");
  EXPECT_EQ(with([](Tensor& t) { t.pinned_partition = 1; }),
            "tensor 2 ('tile'): 128 partitions from 1 are not within the 128 there are");
  EXPECT_EQ(with([](Tensor& t) { t.free_elements = 0; }),
            "tensor 2 ('tile'): cannot have 0 elements");
  EXPECT_EQ(with([](Tensor& t) { t.free_elements = std::uint64_t{1} << 62; }),
            "tensor 2 ('tile'): cannot have 4611686018427387904 elements");
  EXPECT_EQ(with([](Tensor& t) { t.pinned_bytes = -2; }),
            "tensor 2 ('tile'): is pinned at byte -2");
  EXPECT_EQ(with([](Tensor& t) { t.role = 4; }), "tensor 2 ('tile'): role 4 is unknown");
  EXPECT_EQ(with([](Tensor& t) { t.region = Region::kHbm; }),
            "tensor 2 ('tile'): is in hbm but has 128 partitions from 0, must have 1 from 0");
}

TEST(Validate, PatternsStayInsideTheirTensor) {
  const auto with = [](std::int64_t offset, std::int64_t stride, DType dtype) {
    return invalid([&](TraceBuilder& b) {
      View tile = b.sbuf("tile", DType::kFloat32, 128, {10});
      tile.offset = offset;
      tile.dims = {{stride, 5}};
      tile.dtype = dtype;
      b.memset(tile, 0);
    });
  };
  EXPECT_EQ(with(0, 2, DType::kFloat32), "");
  EXPECT_EQ(with(1, 2, DType::kFloat32), "");  // elements 1 to 9
  EXPECT_EQ(
      with(2, 2, DType::kFloat32),
      "instruction 0 (memset): output 0 ('tile') covers bytes [8, 44) of a tensor of 40 bytes "
      "per partition");
  EXPECT_EQ(with(9, -2, DType::kFloat32), "");  // elements 9 down to 1
  EXPECT_EQ(
      with(7, -2, DType::kFloat32),
      "instruction 0 (memset): output 0 ('tile') covers bytes [-4, 32) of a tensor of 40 bytes "
      "per partition");
  // A view of half-size elements has twice as many.
  EXPECT_EQ(with(15, 1, DType::kBFloat16), "");
  EXPECT_NE(with(16, 1, DType::kBFloat16), "");
  EXPECT_NE(with(INT64_MAX, 1, DType::kFloat32).find("covers bytes [?, ?)"), std::string::npos);
}

TEST(Validate, PartitionsStayInsideTheirTensor) {
  const auto with = [](std::uint32_t start, std::uint32_t count) {
    Trace trace = small_trace();
    Operand& operand = trace.operands[2];  // memset of 'tile'
    operand.partition_start = start;
    operand.partition_count = count;
    return invalid(trace);
  };
  EXPECT_EQ(with(96, 32), "");
  EXPECT_EQ(with(96, 33),
            "instruction 1 (memset): output 0 ('tile') covers 33 partitions from 96 of a tensor of "
            "128");
  EXPECT_NE(with(0, 0), "");
  EXPECT_NE(with(UINT32_MAX, 2), "");
}

TEST(Validate, OperandCountsFollowOpcodeAndAttributes) {
  TraceBuilder b("k", "test");
  const View tile = b.sbuf("tile", DType::kFloat32, 128, {8});
  const View column = b.sbuf("column", DType::kFloat32, 128, {1});
  const auto with = [&](Opcode opcode, const std::vector<View>& in, const Attributes& attributes) {
    TraceBuilder copy = b;
    copy.emit(opcode, Engine::kUnassigned, {tile}, in, attributes);
    return invalid(copy.take());
  };
  EXPECT_EQ(with(Opcode::kTensorTensor, {tile}, {}),
            "instruction 0 (tensor_tensor): has 1 input, its opcode and attributes take 2");
  Attributes scalar;
  EXPECT_EQ(with(Opcode::kTensorScalar, {tile}, scalar), "");
  EXPECT_EQ(with(Opcode::kTensorScalar, {tile, column}, scalar),
            "instruction 0 (tensor_scalar): has 2 inputs, its opcode and attributes take 1");
  scalar.imm0_is_tensor = true;
  EXPECT_EQ(with(Opcode::kTensorScalar, {tile, column}, scalar), "");
  scalar.imm1_is_tensor = true;
  EXPECT_EQ(with(Opcode::kTensorScalar, {tile, column, column}, scalar), "");
  Attributes reduce;
  reduce.has_reduce_result = true;
  EXPECT_EQ(with(Opcode::kActivation, {tile}, reduce),
            "instruction 0 (activation): has 1 output, its opcode and attributes take 2");
  Attributes indirect;
  indirect.indirect = true;
  EXPECT_EQ(with(Opcode::kDmaCopy, {tile}, indirect),
            "instruction 0 (dma_copy): has 1 input, its opcode and attributes take 2");
  EXPECT_EQ(with(Opcode::kDmaCopy, {tile, column}, indirect), "");
  EXPECT_EQ(with(Opcode::kFence, {}, {}),
            "instruction 0 (fence): has 1 output, its opcode and attributes take 0");
}

TEST(Validate, MemoriesFollowTheRulesOfEveryGeneration) {
  const auto with = [](Opcode opcode, Engine engine, Region out, const std::vector<Region>& in) {
    return invalid([&](TraceBuilder& b) {
      const auto place = [&b](Region region) {
        return region == Region::kHbm    ? b.hbm("h", DType::kBFloat16, {128}, Role::kInput)
               : region == Region::kSbuf ? b.sbuf("s", DType::kBFloat16, 128, {128})
                                         : b.psum("p", DType::kBFloat16, 128, {128});
      };
      std::vector<View> inputs;
      for (const Region region : in) {
        inputs.push_back(place(region));
      }
      b.emit(opcode, engine, {place(out)}, inputs);
    });
  };
  constexpr Region H = Region::kHbm;
  constexpr Region S = Region::kSbuf;
  constexpr Region P = Region::kPsum;
  constexpr Engine kAny = Engine::kUnassigned;
  EXPECT_EQ(with(Opcode::kNcMatmul, kAny, P, {S, S}), "");
  EXPECT_EQ(with(Opcode::kNcMatmul, kAny, S, {S, S}),
            "instruction 0 (nc_matmul): output 0 ('s') is in sbuf, must be in psum");
  EXPECT_EQ(with(Opcode::kNcMatmul, kAny, P, {S, P}),
            "instruction 0 (nc_matmul): input 1 ('p') is in psum, must be in sbuf");
  EXPECT_EQ(with(Opcode::kNcTranspose, Engine::kVector, S, {P}), "");
  EXPECT_EQ(with(Opcode::kNcTranspose, Engine::kTensor, S, {S}),
            "instruction 0 (nc_transpose): output 0 ('s') is in sbuf, must be in psum");
  EXPECT_EQ(with(Opcode::kTensorCopy, Engine::kVector, P, {P}), "");
  EXPECT_EQ(with(Opcode::kTensorCopy, Engine::kGpSimd, S, {P}),
            "instruction 0 (tensor_copy): input 0 ('p') is in psum: the GpSimd engine reaches SBUF "
            "only");
  EXPECT_EQ(
      with(Opcode::kTensorCopy, kAny, S, {H}),
      "instruction 0 (tensor_copy): input 0 ('h') is in hbm: engines reach SBUF and PSUM only");
  EXPECT_EQ(with(Opcode::kTensorTensor, kAny, P, {S, P}), "");
  EXPECT_EQ(
      with(Opcode::kTensorTensor, kAny, S, {P, P}),
      "instruction 0 (tensor_tensor): input 0 ('p') and input 1 ('p') are both in psum, at most "
      "one may be");
  EXPECT_EQ(with(Opcode::kDmaCopy, Engine::kGpSimd, S, {S}), "");
  EXPECT_EQ(with(Opcode::kDmaCopy, kAny, S, {P}),
            "instruction 0 (dma_copy): input 0 ('p') is in psum: a DMA reaches HBM and SBUF only");
  EXPECT_EQ(with(Opcode::kSendRecv, kAny, S, {P}),
            "instruction 0 (sendrecv): input 0 ('p') is in psum, must be in sbuf");
  EXPECT_EQ(with(Opcode::kNcMatmul, Engine::kVector, P, {S, S}),
            "instruction 0 (nc_matmul): runs on the Tensor engine only, not on Vector");
  EXPECT_EQ(with(Opcode::kTensorCopy, Engine::kSync, S, {S}),
            "instruction 0 (tensor_copy): cannot run on the Sync engine");
}

TEST(Validate, MatmulShapesAgree) {
  const auto with = [](std::uint32_t k1, std::uint32_t m, std::uint32_t k2, std::uint32_t n,
                       DType type, bool double_row) {
    return invalid([&](TraceBuilder& b) {
      b.matmul(b.psum("d", DType::kFloat32, 64, {512}), b.sbuf("s", type, k1, {m}),
               b.sbuf("m", type, k2, {n}), false, double_row);
    });
  };
  constexpr DType kBf16 = DType::kBFloat16;
  EXPECT_EQ(with(128, 64, 128, 512, kBf16, false), "");
  EXPECT_EQ(
      with(128, 64, 128, 640, kBf16, false),
      "instruction 0 (nc_matmul): moving operand has 640 free elements, the destination has 512 "
      "(N)");
  EXPECT_EQ(
      with(128, 128, 128, 512, kBf16, false),
      "instruction 0 (nc_matmul): stationary operand has 128 free elements, the destination has "
      "64 partitions (M)");
  EXPECT_EQ(
      with(128, 64, 64, 512, kBf16, false),
      "instruction 0 (nc_matmul): stationary operand has 128 partitions, moving operand has 64 "
      "(K)");
  EXPECT_EQ(with(128, 128, 128, 1024, DType::kFloat8E4, true), "");
  EXPECT_EQ(
      with(128, 128, 128, 512, DType::kFloat8E4, true),
      "instruction 0 (nc_matmul): moving operand has 256 free elements in each of 2 rows, the "
      "destination has 512 (N)");
  EXPECT_EQ(
      with(128, 128, 128, 1024, kBf16, true),
      "instruction 0 (nc_matmul): double_row multiplies bfloat16 by bfloat16, both must be 8-bit "
      "floats");
}

TEST(Validate, ElementwiseAndReducedShapesAgree) {
  const auto with = [](const std::function<void(TraceBuilder&, const View&)>& add) {
    return invalid([&](TraceBuilder& b) { add(b, b.sbuf("d", DType::kFloat32, 32, {4, 8})); });
  };
  EXPECT_EQ(with([](TraceBuilder& b, const View& d) {
              b.copy(d, b.sbuf("s", DType::kBFloat16, 32, {32}));
            }),
            "");
  EXPECT_EQ(with([](TraceBuilder& b, const View& d) {
              b.copy(d, b.sbuf("s", DType::kBFloat16, 32, {31}));
            }),
            "instruction 0 (tensor_copy): input 0 ('s') is [32, 31], the destination is [32, 32]");
  EXPECT_EQ(with([](TraceBuilder& b, const View& d) {
              Attributes bias;
              bias.bias_is_tensor = true;
              b.emit(Opcode::kActivation, Engine::kScalar, {d},
                     {d, b.sbuf("bias", DType::kFloat32, 16, {1})}, bias);
            }),
            "instruction 0 (activation): input 1 ('bias') is [16, 1], must be [32, 1]");
  const auto reduce = [&](std::uint32_t free, std::uint8_t dims) {
    return with([&](TraceBuilder& b, const View& d) {
      Attributes attributes;
      attributes.op0 = AluOp::kAdd;
      attributes.reduce_dims = dims;
      b.emit(Opcode::kTensorReduce, Engine::kVector, {b.sbuf("r", DType::kFloat32, 32, {free})},
             {d}, attributes);
    });
  };
  EXPECT_EQ(reduce(4, 1), "");
  EXPECT_EQ(reduce(1, 2), "");
  EXPECT_EQ(reduce(1, 1),
            "instruction 0 (tensor_reduce): leaves [32, 4], the destination is [32, 1]");
  EXPECT_EQ(reduce(1, 3), "instruction 0 (tensor_reduce): reduces 3 dims, its data has 2");
}

TEST(Validate, TransfersMoveAsManyElementsAsTheyFill) {
  const auto with = [](std::uint32_t rows) {
    return invalid([&](TraceBuilder& b) {
      b.dma(b.sbuf("d", DType::kFloat32, 32, {4}),
            b.hbm("s", DType::kBFloat16, {rows, 4}, Role::kInput));
    });
  };
  EXPECT_EQ(with(32), "");
  EXPECT_EQ(with(33),
            "instruction 0 (dma_copy): input 0 ('s') has 132 elements, the destination has 128");
}

TEST(Validate, LoopsNest) {
  const auto with = [](const std::vector<Opcode>& opcodes) {
    return invalid([&](TraceBuilder& b) {
      for (const Opcode opcode : opcodes) {
        b.emit(opcode, Engine::kUnassigned, {}, {});
      }
    });
  };
  constexpr Opcode kBegin = Opcode::kLoopBegin;
  constexpr Opcode kEnd = Opcode::kLoopEnd;
  EXPECT_EQ(with({kBegin, kBegin, kEnd, Opcode::kLoopIteration, kEnd}), "");
  EXPECT_EQ(with({kBegin, kEnd, kEnd}), "instruction 2 (loop_end): is not inside a loop");
  EXPECT_EQ(with({kBegin, kBegin, kEnd}), "ends inside 1 loop");
}

}  // namespace
}  // namespace trnsim::trace
