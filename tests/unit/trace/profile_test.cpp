// Profiler exports: what becomes of rows, operands and semaphores, and what a broken file is told.
#include "trnsim/trace/profile.h"

#include <gtest/gtest.h>

#include <fstream>
#include <nlohmann/json.hpp>

#include "example_traces.h"
#include "trnsim/trace/file.h"

namespace trnsim::trace {
namespace {

using Json = nlohmann::json;

Json row(const char* engine, int pc, const char* opcode, const char* operands, int start) {
  return {{"subgraph", "sg00"}, {"subgroup", engine},   {"pc", pc},
          {"compiler_pc", pc},  {"opcode", opcode},     {"operands", operands},
          {"id", pc},           {"timestamp", start},   {"duration", 100}};
}

// A load, a transpose of it on the tensor engine, its copy to SBUF, a store.
Json small_profile() {
  Json document;
  document["instruction"] = {
      row("Sync", 7, "DMA_DIRECT2D",
          " semaphore=8 sem_increment=16 src_elem_size=256 dst_elem_size=256 src_pattern=[256,1][128,1] "
          "dst_pattern=[262144,1][128,1] src_table_index=0 src_table_offset_imm=0x0 "
          "dst_addr_imm=0x802000000100 ",
          1000),
      row("Tensor", 5, "LDWEIGHTS",
          " S[8] (qSyncDynamicHW)>=16 transpose_mode=ENABLED src=bfloat16@0x1fe[-1,0,-32][32,1,4] "
          "128*128 ",
          3000),
      row("Tensor", 6, "MATMUL",
          " S[5] (Tensor)++@complete acc_flags=3 src=bfloat16@0x400[1,0,0][128,1,1] "
          "dst=0x2000800[1,0,0][128,1,1] 128*128 ",
          3030),
      row("Vector", 3, "COPY",
          " S[5] (Tensor)>=1 S[6] (Vector)++@complete src=bfloat16@0x2000800[1,1,1,1][128,1,1,1] "
          "dst=fp32@0x1000[1,1,1,1][128,1,1,1] channels=128 ",
          3500),
      row("GpSimd", 2, "DMA_DIRECT2D",
          " S[6] (Vector)>=1 semaphore=9 sem_increment=16 src_elem_size=512 dst_elem_size=256 "
          "src_pattern=[262144,1][128,1] dst_pattern=[256,1][128,1] src_addr_imm=0x802000001000 "
          "dst_table_index=1 dst_table_offset_imm=0x0 in_dtype=fp32 out_dtype=bfloat16 ",
          5000)};
  document["instruction"][2]["psum_write_bytes"] = 256;
  document["instruction"].push_back({{"subgraph", "sg00"}, {"subgroup", "Vector"}, {"opcode", "NOP"}});
  document["ham"] = {{{"subgraph", "sg00"}, {"timestamp", 4000}, {"duration", 3413}, {"k", 8}, {"n", 8}}};
  document["dma_queues_info"] = {{{"subgraph", "sg00"}, {"q_idx", 1}, {"q_name", "qSyncDynamicHW"}}};
  const auto packet = [](int engine, int index, int start, int bytes) {
    return Json{{"subgraph", "sg00"},   {"dma_queue", "1"},    {"dma_engine", std::to_string(engine)},
                {"packet_idx", index},  {"timestamp", start},  {"duration", 20},
                {"transfer_size", bytes}, {"queue_type", "hardware_dynamic"}};
  };
  document["dma"] = {packet(64, 0, 2000, 256), packet(64, 1, 2040, 4), packet(65, 0, 2010, 256),
                     packet(65, 1, 2100, 4)};
  document["metadata"] = {{{"last_hw_timestamp", 9000}}};
  return document;
}

std::string write(const Json& document) {
  const std::string path = testing::TempDir() + "small.profile.json";
  std::ofstream(path) << document.dump();
  return path;
}

TEST(Profile, RowsBecomeInstructionsInAnOrderThatKeepsEveryWait) {
  const ImportedProfile imported = import_profile(write(small_profile()));
  EXPECT_TRUE(imported.warnings.empty());
  const Trace& trace = imported.trace;
  EXPECT_EQ(trace.kernel, "small");
  ASSERT_EQ(trace.instructions.size(), 4U);
  EXPECT_EQ(trace.instructions[0].opcode, Opcode::kDmaCopy);
  EXPECT_EQ(trace.instructions[1].opcode, Opcode::kNcMatmul);
  EXPECT_EQ(trace.instructions[2].opcode, Opcode::kTensorCopy);
  EXPECT_EQ(trace.instructions[3].engine, Engine::kGpSimd);
  EXPECT_EQ(trace.edges, (std::vector<Edge>{{1, 0}, {2, 1}, {3, 2}}));
  EXPECT_EQ(imported.rows_of[1].size(), 2U);  // LDWEIGHTS and MATMUL
  EXPECT_TRUE(trace.attribute(trace.instructions[1]).is_transpose);
  EXPECT_FALSE(trace.attribute(trace.instructions[1]).accumulate);
}

TEST(Profile, AddressesBecomePinnedTensors) {
  const Trace trace = import_profile(write(small_profile())).trace;
  // Weights read backwards from byte 0x1fe: 128 bf16 from 0x100, where the load put them.
  const Operand& loaded = trace.outputs(trace.instructions[0])[0];
  const Operand& weights = trace.inputs(trace.instructions[1])[0];
  EXPECT_EQ(loaded.tensor, weights.tensor);
  EXPECT_EQ(trace.tensor(weights).pinned_bytes, 0x100);
  EXPECT_EQ(trace.tensor(weights).free_elements, 256U);
  EXPECT_EQ(weights.offset, 0);
  EXPECT_EQ(trace.pattern(weights).span().size(), 1U);
  EXPECT_EQ(trace.pattern(weights).dims[0], (Dim{1, 128}));
  EXPECT_EQ(loaded.partition_count, 128U);
  // PSUM from its own zero, 2-byte results: 256 bytes for 128 columns.
  const Operand& result = trace.outputs(trace.instructions[1])[0];
  EXPECT_EQ(trace.tensor(result).region, Region::kPsum);
  EXPECT_EQ(trace.tensor(result).pinned_bytes, 0x800);
  EXPECT_EQ(trace.pattern(result).dtype, DType::kBFloat16);
  const Operand& stored = trace.outputs(trace.instructions[3])[0];
  EXPECT_EQ(trace.tensor(stored).role, static_cast<std::uint8_t>(Role::kOutput));
  EXPECT_EQ(trace.pattern(stored).elements(), 128U * 128U);
}

TEST(Profile, TransfersAndTheLimitersGridAreKeptForComparison) {
  const Profile profile = import_profile(write(small_profile())).profile;
  ASSERT_EQ(profile.dmas.size(), 1U);
  EXPECT_EQ(profile.rows[profile.dmas[0].row].pc, 7);
  EXPECT_EQ(profile.dmas[0].first_ns, 2000);
  EXPECT_EQ(profile.dmas[0].last_ns, 2030);  // the 4-byte packets are semaphore writes
  ASSERT_EQ(profile.limiter.size(), 1U);
  EXPECT_EQ(profile.limiter[0].start_ns, 4000);
  EXPECT_EQ(profile.first_ns(), 1000);
  EXPECT_EQ(profile.last_ns(), 5100);
  EXPECT_EQ(profile.total_ns, 9000);
}

TEST(Profile, EdgesSurviveBothFileFormats) {
  const Trace trace = import_profile(write(small_profile())).trace;
  const std::string path = testing::TempDir() + "small.trt";
  write_trt(trace, path);
  EXPECT_EQ(read_trt(path), trace);
  std::stringstream text;
  dump_jsonl(trace, text);
  EXPECT_NE(text.str().find("\"after\":[1]"), std::string::npos);
  EXPECT_EQ(load_jsonl(text, "x.jsonl"), trace);
}

TEST(Profile, AnOpcodeThatIsNotKnownIsTimedLikeACopyAndNamed) {
  Json document = small_profile();
  document["instruction"][3]["opcode"] = "FANCY";
  const ImportedProfile imported = import_profile(write(document));
  EXPECT_EQ(imported.trace.instructions[2].opcode, Opcode::kTensorCopy);
  EXPECT_EQ(imported.warnings, std::vector<std::string>{"FANCY is not known, timed like a COPY (1 row)"});
}

std::string import_error(const Json& document) {
  return error_of([&] { (void)import_profile(write(document)); });
}

TEST(Profile, ErrorsNameFileRowAndWhat) {
  Json document = small_profile();
  document["instruction"][3]["operands"] = " src=bf16@0x10[1][2 dst=x channels=128 ";
  EXPECT_NE(import_error(document).find("small.profile.json: Vector row 3 (COPY, at 3500 ns): "),
            std::string::npos);
  document = small_profile();
  document["instruction"][1]["operands"] = " S[77] (Vector)>=3 src=fp32@0x0[1][128] 128*128 ";
  EXPECT_NE(import_error(document).find("waits for semaphore 77 to reach 3, nothing raises it so far"),
            std::string::npos);
  document = small_profile();
  document["instruction"].erase(2);
  EXPECT_NE(import_error(document).find("is not followed by its MATMUL"), std::string::npos);
  document = small_profile();
  document["instruction"][0].erase("timestamp");
  EXPECT_NE(import_error(document).find("is not a profile: "), std::string::npos);
  EXPECT_NE(import_error(Json::object()).find("has no list 'instruction'"), std::string::npos);
  document = {{"instruction", Json::array()}};
  EXPECT_NE(import_error(document).find("holds no rows of a kernel"), std::string::npos);
  EXPECT_NE(error_of([] { (void)read_profile("/nowhere.json"); }).find("cannot be read"),
            std::string::npos);
}

TEST(Profile, SemaphoresInACircleAreAnError) {
  Json document = small_profile();
  document["instruction"][1]["operands"] =
      " S[6] (Vector)>=1 src=bfloat16@0x100[1][128] 128*128 ";  // the copy waits for the matmul
  EXPECT_NE(import_error(document).find("wait for each other in a circle"), std::string::npos);
}

TEST(Edges, MustPointBackAndAscend) {
  Trace trace = import_profile(write(small_profile())).trace;
  trace.edges = {{1, 1}};
  EXPECT_NE(error_of([&] { validate(trace); }).find("waits for instruction 1, which is not before it"),
            std::string::npos);
  trace.edges = {{2, 1}, {1, 0}};
  EXPECT_NE(error_of([&] { validate(trace); }).find("edge 1 is out of order"), std::string::npos);
  trace.edges = {{9, 1}};
  EXPECT_NE(error_of([&] { validate(trace); }).find("instruction 9 is not one of 4"),
            std::string::npos);
}

}  // namespace
}  // namespace trnsim::trace
