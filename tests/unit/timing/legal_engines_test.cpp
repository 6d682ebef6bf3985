// Which engine may run what (hardware.md 13.1, 13.2), preferred engine first.
#include <gtest/gtest.h>

#include "helpers.h"

namespace trnsim::timing::test {
namespace {

// "TVSGY" letters: Tensor, Vector, Scalar, GpSimd, Sync; "" = not on this generation.
std::string letters(const spec::CoreSpec& core, const InstructionShape& shape) {
  std::string text;
  for (const Engine engine : legal_engines(core.generation, shape)) {
    text += "TVSGY?"[static_cast<std::size_t>(engine)];
  }
  return text;
}

struct EngineRow {
  const char* what;
  Opcode opcode;
  std::vector<OperandShape> outputs;
  std::vector<OperandShape> inputs;
  Attributes attributes;
  const char* v2;
  const char* v3;
  const char* v4;
};

void check_rows(const std::vector<EngineRow>& rows) {
  for (const EngineRow& row : rows) {
    const InstructionShape shape = instruction(row.opcode, row.outputs, row.inputs, row.attributes);
    EXPECT_EQ(letters(trn1(), shape), row.v2) << row.what;
    EXPECT_EQ(letters(trn2(), shape), row.v3) << row.what;
    EXPECT_EQ(letters(trn3(), shape), row.v4) << row.what;
  }
}

const Attributes kPlain;
const OperandShape kS = sbuf(kBf16, 512);
const OperandShape kP = psum(kF32, 512);
const OperandShape kInt = sbuf(kI32, 512);
const OperandShape kPsumInt = psum(kI32, 512);
const OperandShape kWord = sbuf(DType::kUInt32, 1, 1);

Attributes double_row() {
  Attributes attributes;
  attributes.double_row = true;
  return attributes;
}

TEST(LegalEngines, OfMatmulsAndTransposes) {
  const OperandShape small = sbuf(kBf16, 32, 32);
  const OperandShape small_psum = psum(kBf16, 32, 32);
  const OperandShape wide = sbuf(kBf16, 33, 32);
  check_rows({
      {"nc_matmul", Opcode::kNcMatmul, {kP}, {kS, kS}, kPlain, "T", "T", "T"},
      {"double_row from v3", Opcode::kNcMatmul, {kP}, {kS, kS}, double_row(), "", "T", "T"},
      {"MX on v4", Opcode::kNcMatmulMx, {kP}, {kS, kS, kS, kS}, kPlain, "", "", "T"},
      // T writes PSUM from SBUF; V takes up to 32 x 32 in either memory
      {"large", Opcode::kNcTranspose, {kP}, {kS}, kPlain, "T", "T", "T"},
      {"32 x 32 to PSUM", Opcode::kNcTranspose, {small_psum}, {small}, kPlain, "TV", "TV", "TV"},
      {"32 x 33 to PSUM",
       Opcode::kNcTranspose,
       {psum(kBf16, 32, 33)},
       {wide},
       kPlain,
       "T",
       "T",
       "T"},
      {"32 x 32 in SBUF", Opcode::kNcTranspose, {small}, {small}, kPlain, "V", "V", "V"},
      {"from PSUM", Opcode::kNcTranspose, {small}, {small_psum}, kPlain, "V", "V", "V"},
      {"32 x 33 in SBUF", Opcode::kNcTranspose, {sbuf(kBf16, 32, 33)}, {wide}, kPlain, "", "", ""},
  });
}

TEST(LegalEngines, OfCopiesAndConstants) {
  check_rows({
      // v2 ScalarE: activation copy (13.1); GpSimd SBUF to SBUF only
      {"tensor_copy", Opcode::kTensorCopy, {kS}, {kS}, kPlain, "VSG", "VSG", "VSG"},
      {"tensor_copy from PSUM", Opcode::kTensorCopy, {kS}, {kP}, kPlain, "VS", "VS", "VS"},
      {"tensor_copy to PSUM", Opcode::kTensorCopy, {kP}, {kS}, kPlain, "VS", "VS", "VS"},
      {"dynamic", Opcode::kTensorCopyDynamic, {kS}, {kS, kWord}, kPlain, "VSG", "VSG", "VSG"},
      {"predicated", Opcode::kTensorCopyPredicated, {kS}, {kS, kS}, kPlain, "V", "V", "V"},
      {"memset", Opcode::kMemset, {kS}, {}, kPlain, "VG", "VG", "VG"},
      {"memset PSUM", Opcode::kMemset, {kP}, {}, kPlain, "V", "V", "V"},
  });
}

TEST(LegalEngines, OfTensorTensor) {
  check_rows({
      {"bf16", Opcode::kTensorTensor, {kS}, {kS, kS}, ops(AluOp::kAdd), "VG", "VG", "VG"},
      {"PSUM", Opcode::kTensorTensor, {kS}, {kP, kS}, ops(AluOp::kAdd), "V", "V", "V"},
      // power and all-int32 prefer GpSimd; with PSUM the integer case falls back to Vector
      {"power", Opcode::kTensorTensor, {kS}, {kS, kS}, ops(AluOp::kPower), "GV", "GV", "GV"},
      {"int32", Opcode::kTensorTensor, {kInt}, {kInt, kInt}, ops(AluOp::kAdd), "GV", "GV", "GV"},
      {"int32 to bf16",
       Opcode::kTensorTensor,
       {kS},
       {kInt, kInt},
       ops(AluOp::kAdd),
       "VG",
       "VG",
       "VG"},
      {"int32 PSUM",
       Opcode::kTensorTensor,
       {kInt},
       {kPsumInt, kInt},
       ops(AluOp::kAdd),
       "V",
       "V",
       "V"},
      // bitwise operators: Vector only
      {"bitwise",
       Opcode::kTensorTensor,
       {kInt},
       {kInt, kInt},
       ops(AluOp::kBitwiseAnd),
       "V",
       "V",
       "V"},
      {"shift", Opcode::kTensorTensor, {kInt}, {kInt, kInt}, ops(AluOp::kShiftLeft), "V", "V", "V"},
  });
}

TEST(LegalEngines, OfTensorScalar) {
  check_rows({
      // the three op pairs of ScalarE on v3; any on v4
      {"mul", Opcode::kTensorScalar, {kS}, {kS}, ops(AluOp::kMultiply), "VS", "VS", "VS"},
      {"mul add",
       Opcode::kTensorScalar,
       {kS},
       {kS},
       ops(AluOp::kMultiply, AluOp::kAdd),
       "VS",
       "VS",
       "VS"},
      {"add", Opcode::kTensorScalar, {kS}, {kS}, ops(AluOp::kAdd), "VS", "VS", "VS"},
      {"add mul",
       Opcode::kTensorScalar,
       {kS},
       {kS},
       ops(AluOp::kAdd, AluOp::kMultiply),
       "V",
       "V",
       "VS"},
      {"max", Opcode::kTensorScalar, {kS}, {kP}, ops(AluOp::kMax), "V", "V", "VS"},
      {"bitwise", Opcode::kTensorScalar, {kInt}, {kInt}, ops(AluOp::kBitwiseXor), "V", "V", "V"},
      {"add then shift",
       Opcode::kTensorScalar,
       {kInt},
       {kInt},
       ops(AluOp::kAdd, AluOp::kShiftRight),
       "V",
       "V",
       "V"},
      // rsqrt only on GpSimd, which reaches no PSUM
      {"rsqrt", Opcode::kTensorScalar, {kS}, {kS}, ops(AluOp::kRsqrt), "G", "G", "G"},
      {"add rsqrt",
       Opcode::kTensorScalar,
       {kS},
       {kS},
       ops(AluOp::kAdd, AluOp::kRsqrt),
       "G",
       "G",
       "G"},
      {"rsqrt from PSUM", Opcode::kTensorScalar, {kS}, {kP}, ops(AluOp::kRsqrt), "", "", ""},
  });
}

TEST(LegalEngines, OfSingleEngineInstructions) {
  const auto row = [](Opcode opcode, const char* v2, const char* v3, const char* v4) {
    return EngineRow{"single", opcode, {kS}, {kS, kS}, kPlain, v2, v3, v4};
  };
  for (const Opcode opcode :
       {Opcode::kTensorScalarReduce, Opcode::kScalarTensorTensor, Opcode::kTensorTensorScan,
        Opcode::kTensorReduce, Opcode::kBnStats, Opcode::kBnAggr, Opcode::kReciprocal,
        Opcode::kDropout, Opcode::kNcStreamShuffle, Opcode::kMax8, Opcode::kNcFindIndex8,
        Opcode::kNcMatchReplace8, Opcode::kSetRngSeed}) {
    check_rows({row(opcode, "V", "V", "V")});
  }
  // from v3
  for (const Opcode opcode :
       {Opcode::kRangeSelect, Opcode::kSelectReduce, Opcode::kTensorScalarCumulative}) {
    check_rows({row(opcode, "", "V", "V")});
  }
  // v4 only
  for (const Opcode opcode : {Opcode::kExponential, Opcode::kQuantizeMx, Opcode::kRand2}) {
    check_rows({row(opcode, "", "", "V")});
  }
  for (const Opcode opcode :
       {Opcode::kTensorPartitionReduce, Opcode::kIota, Opcode::kAffineSelect, Opcode::kLocalGather,
        Opcode::kNcNGather, Opcode::kSequenceBounds, Opcode::kTopk}) {
    check_rows({row(opcode, "G", "G", "G")});
  }
  check_rows({
      row(Opcode::kActivation, "S", "S", "S"),
      row(Opcode::kActivate2, "", "", "S"),
      row(Opcode::kNonzeroWithCount, "", "G", "G"),
      // SBUF only: no engine with a PSUM operand
      {"affine_select PSUM", Opcode::kAffineSelect, {kS}, {kP}, kPlain, "", "", ""},
      {"iota PSUM", Opcode::kIota, {kP}, {}, kPlain, "", "", ""},
      {"nonzero PSUM", Opcode::kNonzeroWithCount, {kS}, {kP}, kPlain, "", "", ""},
  });
}

TEST(LegalEngines, OfRandomNumbers) {
  check_rows({
      {"rng", Opcode::kRng, {kInt}, {}, kPlain, "V", "VG", "VG"},
      {"rng PSUM", Opcode::kRng, {kPsumInt}, {}, kPlain, "V", "V", "V"},
      {"set state", Opcode::kRandSetState, {}, {kInt}, kPlain, "", "G", "GV"},
      {"get state", Opcode::kRandGetState, {kInt}, {}, kPlain, "", "G", "GV"},
  });
}

TEST(LegalEngines, OfSequencerWork) {
  const OperandShape hbm = tile(Region::kHbm, kBf16, 512);
  check_rows({
      {"dma_copy", Opcode::kDmaCopy, {kS}, {hbm}, kPlain, "YGSVT", "YGSVT", "YGSVT"},
      {"dma_transpose", Opcode::kDmaTranspose, {kS}, {hbm}, kPlain, "YGSVT", "YGSVT", "YGSVT"},
      {"dma_compute", Opcode::kDmaCompute, {kS}, {hbm}, kPlain, "YGSVT", "YGSVT", "YGSVT"},
      {"register", Opcode::kRegisterMove, {}, {}, kPlain, "YGSVT", "YGSVT", "YGSVT"},
      // from v3; the barrier is GpSimd's by default
      {"sendrecv", Opcode::kSendRecv, {kS}, {kS}, kPlain, "", "GYSVT", "GYSVT"},
      {"core_barrier", Opcode::kCoreBarrier, {}, {}, kPlain, "", "GYSVT", "GYSVT"},
      {"fence", Opcode::kFence, {}, {}, kPlain, "", "", ""},
      {"loop", Opcode::kLoopBegin, {}, {}, kPlain, "", "", ""},
  });
}

}  // namespace
}  // namespace trnsim::timing::test
