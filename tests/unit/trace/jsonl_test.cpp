// JSON Lines: round trips, hand-written traces and messages.
#include <gtest/gtest.h>

#include <cmath>
#include <fstream>
#include <sstream>

#include "example_traces.h"
#include "trnsim/base/files.h"
#include "trnsim/trace/builder.h"
#include "trnsim/trace/file.h"

namespace trnsim::trace {
namespace {

std::string dump(const Trace& trace) {
  std::ostringstream out;
  dump_jsonl(trace, out);
  return out.str();
}

Trace load(const std::string& text) {
  std::istringstream in(text);
  return load_jsonl(in, "t.jsonl");
}

const std::string kHeader = "{\"trnsim_trace\": 1}\n";
const std::string kTile =
    R"({"tensor":"tile","region":"sbuf","dtype":"bf16","partitions":128,"free":8})"
    "\n";

std::string load_error(const std::string& text) {
  return error_of([&] { (void)load(text); });
}

// The error of one instruction after header and tile (so: line 3).
std::string instruction_error(const std::string& line) {
  return load_error(kHeader + kTile + line);
}

TEST(Jsonl, KeepsEveryFieldAndId) {
  for (const Trace& trace : {Trace{}, small_trace(), matmul_trace(2000)}) {
    EXPECT_TRUE(load(dump(trace)) == trace);
    EXPECT_EQ(dump(load(dump(trace))), dump(trace));
  }
}

TEST(Jsonl, KeepsLongTraces) {
  const Trace trace = matmul_trace(200'000);
  EXPECT_TRUE(load(dump(trace)) == trace);
}

TEST(Jsonl, IsReadable) {
  const std::string text = dump(small_trace());
  EXPECT_NE(
      text.find(R"({"opcode":"nc_matmul","engine":"Tensor","accumulate":true,)"
                R"("out":[{"tensor":"sum","part":[0,128],"offset":0,"ap":[[1,256]],)"
                R"("dtype":"float32"}],"in":[{"tensor":"weights#1#4","part":[0,128],"offset":0,)"
                R"("ap":[[1,128]],"dtype":"bfloat16"},{"tensor":"tile#3",)"),
      std::string::npos)
      << text;
  EXPECT_NE(text.find(R"("imm0":"-inf")"), std::string::npos);
  EXPECT_NE(text.find(R"("source":"softmax.py:12")"), std::string::npos);
}

TEST(Jsonl, TheExampleOfTheDocumentationLoads) {
  std::ifstream in(std::string(TRNSIM_TEST_DATA) + "/trace/tiny_matmul.jsonl");
  ASSERT_TRUE(in);
  const Trace trace = load_jsonl(in, "tiny_matmul.jsonl");
  EXPECT_EQ(trace.kernel, "tiny_matmul");
  ASSERT_EQ(trace.instructions.size(), 5U);
  EXPECT_EQ(trace.instructions[2].opcode, Opcode::kNcMatmul);
  EXPECT_EQ(trace.pattern(trace.operands[0]).elements(), 128U);
  EXPECT_TRUE(load(dump(trace)) == trace);
  // The page shows exactly this file.
  const std::string page = read_file(std::string(TRNSIM_SOURCE_DIR) + "/docs/trace-format.md");
  EXPECT_NE(page.find(read_file(std::string(TRNSIM_TEST_DATA) + "/trace/tiny_matmul.jsonl")),
            std::string::npos);
}

TEST(Jsonl, OmittedPartsMeanTheWholeTensor) {
  const Trace trace =
      load(kHeader + kTile + "\n" + R"({"opcode":"memset","out":[{"tensor":"tile"}]})");
  ASSERT_EQ(trace.operands.size(), 1U);
  EXPECT_EQ(trace.operands[0].partition_count, 128U);
  EXPECT_EQ(trace.pattern(trace.operands[0]).dtype, DType::kBFloat16);
  EXPECT_EQ(trace.pattern(trace.operands[0]).elements(), 8U);
}

TEST(Jsonl, TyposGetTheNearestName) {
  EXPECT_EQ(instruction_error(R"({"opcode":"memsett","out":[{"tensor":"tile"}]})"),
            "t.jsonl:3: instruction: opcode 'memsett' is unknown; did you mean 'memset'?");
  EXPECT_EQ(instruction_error(R"({"opcod":"memset"})"),
            "t.jsonl:3: record: unknown key 'opcod'; did you mean 'opcode'?");
  EXPECT_EQ(instruction_error(R"({"opcode":"memset","acumulate":true})"),
            "t.jsonl:3: instruction: unknown key 'acumulate'; did you mean 'accumulate'?");
  EXPECT_EQ(instruction_error(R"({"opcode":"memset","op0":"ad"})"),
            "t.jsonl:3: instruction: op0 'ad' is unknown; did you mean 'add'?");
  EXPECT_EQ(instruction_error(R"({"opcode":"memset","engine":"Vectr"})"),
            "t.jsonl:3: instruction: engine 'Vectr' is unknown; did you mean 'Vector'?");
  EXPECT_EQ(instruction_error(R"({"opcode":"memset","out":[{"tensor":"tle"}]})"),
            "t.jsonl:3: instruction: out 0: tensor 'tle' is unknown; did you mean 'tile'?");
  EXPECT_EQ(instruction_error(R"({"opcode":"memset","out":[{"tensor":"tile","ofset":1}]})"),
            "t.jsonl:3: instruction: out 0: unknown key 'ofset'; did you mean 'offset'?");
  EXPECT_EQ(instruction_error(R"({"tensor":"x","region":"sbuff","dtype":"bf16","free":1})"),
            "t.jsonl:3: tensor: region 'sbuff' is unknown; did you mean 'sbuf'?");
  EXPECT_EQ(instruction_error(R"({"tensor":"x","region":"sbuf","dtype":"bfloat61","free":1})"),
            "t.jsonl:3: tensor: dtype 'bfloat61' is unknown; did you mean 'bfloat16'?");
}

TEST(Jsonl, WrongValuesAreNamed) {
  EXPECT_EQ(instruction_error(R"({"opcode":"memset","imm0":"x"})"),
            "t.jsonl:3: instruction: 'imm0' is \"x\", must be a number, \"inf\" or \"-inf\"");
  EXPECT_EQ(instruction_error(R"({"opcode":"memset","accumulate":1})"),
            "t.jsonl:3: instruction: 'accumulate' is 1, must be true or false");
  EXPECT_EQ(instruction_error(R"({"opcode":"memset","priority":256})"),
            "t.jsonl:3: instruction: 'priority' is 256, must be a whole number from 0 to 255");
  EXPECT_EQ(instruction_error(R"({"opcode":"memset","priority":-1})"),
            "t.jsonl:3: instruction: 'priority' is -1, must be a whole number from 0 to 255");
  EXPECT_EQ(
      instruction_error(R"({"opcode":"memset","out":[{"tensor":"tile","ap":[[1]]}]})"),
      "t.jsonl:3: instruction: out 0: 'ap' is [[1]], must be a list of up to 5 pairs [stride, "
      "count]");
  EXPECT_EQ(instruction_error(R"({"opcode":"memset","out":[{"tensor":"tile#7"}]})"),
            "t.jsonl:3: instruction: out 0: tensor number 7 is not named 'tile'");
  EXPECT_EQ(instruction_error(R"({"opcode":"memset","out":[{"tensor":"tile#"}]})"),
            "t.jsonl:3: instruction: out 0: tensor 'tile#': what follows '#' is no tensor number");
  EXPECT_EQ(instruction_error(R"({"opcode":"memset","source":"k.py"})"),
            "t.jsonl:3: instruction: source 'k.py' is not 'file:line'");
  EXPECT_EQ(instruction_error(R"({"opcode":"memset","attributes_id":3})"),
            "t.jsonl:3: instruction: attributes_id is 3, there are 0 so far");
}

TEST(Jsonl, AnAmbiguousTensorNameAsksForItsNumber) {
  EXPECT_EQ(
      instruction_error(kTile + R"({"opcode":"memset","out":[{"tensor":"tile"}]})"),
      "t.jsonl:4: instruction: out 0: tensor name 'tile' belongs to 2 tensors; write 'tile#1' "
      "for the latest");
}

TEST(Jsonl, BrokenJsonHasItsColumn) {
  EXPECT_EQ(load_error(kHeader + "{\"opcode\": }").rfind("t.jsonl:2:12: is not valid JSON", 0), 0U);
  EXPECT_EQ(load_error(kHeader + "[1]"), "t.jsonl:2: record: is no JSON object");
  EXPECT_EQ(load_error(kHeader + R"({"opcode":"fence","opcode":"memset"})"),
            "t.jsonl:2: key 'opcode' is given twice");
  EXPECT_EQ(load_error(kHeader + R"({"string":"a)"
                                 "\xff"
                                 R"("})")
                .rfind("t.jsonl:2:", 0),
            0U);
  EXPECT_EQ(load_error(kHeader + R"({"opcode":"fence","imm0":1e999})").rfind("t.jsonl:2:", 0), 0U);
}

TEST(Jsonl, TheHeaderComesFirstAndOnce) {
  EXPECT_EQ(load_error(""), "t.jsonl: is empty: the header record is missing");
  EXPECT_EQ(load_error(kTile).rfind("t.jsonl:1: the first record must be the header", 0), 0U);
  EXPECT_EQ(load_error(kHeader + kHeader), "t.jsonl:2: a second header");
  EXPECT_EQ(load_error("{\"trnsim_trace\": 7}"),
            "t.jsonl:1: trnsim_trace: format version 7; this trnsim reads 1");
}

TEST(Jsonl, InvalidInstructionsAreReportedWithTheirLine) {
  EXPECT_EQ(
      instruction_error("\n"
                        R"({"opcode":"memset","out":[{"tensor":"tile","offset":1}]})"),
      "t.jsonl:4: instruction 0 (memset): output 0 ('tile') covers bytes [2, 18) of a tensor of "
      "16 bytes per partition");
}

TEST(Jsonl, TextThatIsNotUtf8IsAnError) {
  Trace trace;
  trace.strings.emplace_back("\xff\xfe");
  EXPECT_EQ(error_of([&] { (void)dump(trace); }), "cannot be written as JSON: a text is not UTF-8");
}

TEST(Jsonl, NumbersKeepTheirBits) {
  Trace trace = small_trace();
  trace.attributes[0].imm1 = 0.1 + 0.2;
  trace.attributes[1].imm1 = 5e-324;
  trace.attributes[2].imm1 = -0.0;
  const Trace back = load(dump(trace));
  EXPECT_TRUE(back == trace);
  EXPECT_TRUE(std::signbit(back.attributes[2].imm1));
}

}  // namespace
}  // namespace trnsim::trace
