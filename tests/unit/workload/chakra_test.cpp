// Chakra traces: round trip, foreign nodes, errors with file and byte.
#include <unistd.h>

#include "trnsim/workload/chakra.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "support/systems.h"
#include "trnsim/base/files.h"

namespace trnsim::workload {
namespace {

std::string folder_of(const std::string& name) {
  const std::string folder = testing::TempDir() + "chakra_" + std::to_string(::getpid()) + name;
  std::filesystem::remove_all(folder);
  std::filesystem::create_directories(folder);
  return folder + "/t";
}

Graph graph_of(const std::string& text) {
  const std::string path = testing::TempDir() + std::to_string(::getpid()) + "chakra_graph.yaml";
  std::ofstream(path) << text;
  return load_graph(path);
}

TEST(Chakra, RoundTripGivesTheSameGraph) {
  Graph graph = graph_of(
      "name: round trip\nsystem: trn2.48xlarge\nrank: chip\nranks: 4\ntokens: 4096\nrate: step\n"
      "layers_scale: 2.5\nmodel_flops: 1.0e+15\nnodes:\n"
      "  - {name: norm, kernel: rmsnorm, tokens: 256, d: 1024, residual: true}\n"
      "  - {name: a, kernel: gemm, m: 256, n: 512, k: 1024, dtype: bf16, after: norm, overhead_us: "
      "3.5}\n"
      "  - {name: only, work: {flops: 1.0e+9, bytes: 4 MiB}, ranks: '1,3', after: norm}\n"
      "  - {name: pairs, collective: all_gather, bytes: 1 MiB, groups: '0,1;2,3', after: [a, "
      "only], stream: 2}\n"
      "  - {name: ar, collective: all_reduce, bytes: 64 KiB, after: pairs, space: sbuf, algorithm: "
      "mesh}\n"
      "  - {name: move, send: '0,1', receive: '2,3', bytes: 8192, after: ar, priority: 1}\n"
      "  - {name: b, kernel: swiglu, tokens: 64, f: 256, ranks: '2,3', after: move}\n");
  const std::string prefix = folder_of("round");
  export_chakra(graph, test::shipped("trn2.48xlarge").spec, prefix);
  const Graph again = import_chakra(prefix);
  EXPECT_TRUE(same_graph(graph, again)) << to_jsonl(graph) << to_jsonl(again);
  const std::string second = folder_of("round2");
  export_chakra(again, test::shipped("trn2.48xlarge").spec, second);
  for (int rank = 0; rank < 4; ++rank) {
    const std::string end = "." + std::to_string(rank) + ".et";
    EXPECT_EQ(read_file(prefix + end), read_file(second + end));
  }
  EXPECT_FALSE(std::filesystem::exists(prefix + ".4.et"));
}

TEST(Chakra, AShippedPipelineSurvives) {
  const Graph graph =
      load_graph(std::string(TRNSIM_SOURCE_DIR) + "/configs/workloads/train_step_8b_1f1b.yaml");
  const spec::SystemSpec& system = test::shipped("trn2.48xlarge").spec;
  const std::string prefix = folder_of("pipeline");
  export_chakra(graph, system, prefix);
  const GraphJob one = make_job(graph, system, {});
  const GraphJob two = make_job(import_chakra(prefix), system, {});
  ASSERT_EQ(one.nodes.size(), two.nodes.size());
  for (std::size_t i = 0; i < one.nodes.size(); ++i) {
    EXPECT_EQ(one.nodes[i].name, two.nodes[i].name);
    EXPECT_EQ(one.nodes[i].after, two.nodes[i].after) << one.nodes[i].name;
    EXPECT_EQ(one.nodes[i].ranks, two.nodes[i].ranks) << one.nodes[i].name;
    EXPECT_EQ(one.nodes[i].bytes, two.nodes[i].bytes);
    EXPECT_EQ(one.nodes[i].groups.size(), two.nodes[i].groups.size());
    EXPECT_EQ(one.nodes[i].flops, two.nodes[i].flops);
  }
}

// Bytes of a message: key = field x 8 + wire type (0 varint, 2 with length).
std::string field(int number, const std::string& content) {
  return std::string{static_cast<char>(number * 8 + 2), static_cast<char>(content.size())} +
         content;
}
std::string varint(int number, int value) {
  return {static_cast<char>(number * 8), static_cast<char>(value)};
}
std::string sized(const std::string& message) {
  return std::string(1, static_cast<char>(message.size())) + message;
}
// int64_val = 9, string_val = 29 (key 29 x 8 + 2 = 234 in two bytes).
std::string attribute(const std::string& name, int value) {
  return field(10, field(1, name) + varint(9, value));
}
std::string attribute(const std::string& name, const std::string& value) {
  return field(10, field(1, name) +
                       std::string{static_cast<char>(0xea), 1, static_cast<char>(value.size())} +
                       value);
}
std::string node(int id, const std::string& name, int type, const std::string& rest) {
  return sized(varint(1, id) + field(2, name) + varint(3, type) + rest);
}
const std::string kHeader = sized(field(1, "0.0.4"));

void write(const std::string& prefix, int rank, const std::string& bytes) {
  std::ofstream(prefix + "." + std::to_string(rank) + ".et", std::ios::binary) << bytes;
}

// As other tools write them: names used twice, a group by its number, data dependencies.
TEST(Chakra, ReadsTracesOfOthers) {
  const std::string prefix = folder_of("foreign");
  for (int rank = 0; rank < 2; ++rank) {
    write(prefix, rank,
          kHeader + node(1, "op", 4, attribute("num_ops", 100)) +
              node(2, "op", 4, varint(5, 1) + varint(7, 12)) +
              node(3, "coll", 7,
                   varint(5, 2) + attribute("comm_type", 2) + attribute("comm_size", 64) +
                       attribute("pg_name", "7")));
  }
  const Graph graph = import_chakra(prefix);
  ASSERT_EQ(graph.nodes.size(), 3);
  EXPECT_EQ(graph.nodes[0].flops, 100);
  EXPECT_EQ(graph.nodes[1].name, "op#2");
  EXPECT_EQ(graph.nodes[1].overhead_us, 12);
  EXPECT_EQ(graph.nodes[1].after, std::vector<std::string>{"op"});
  EXPECT_EQ(graph.nodes[2].groups, "all");
  EXPECT_EQ(graph.nodes[2].bytes, 128);  // each of two gives 64
}

std::string import_message(const std::string& prefix) {
  try {
    static_cast<void>(import_chakra(prefix));
  } catch (const Error& error) {
    std::string what = error.what();
    const std::size_t at = what.find(prefix);
    return at == std::string::npos ? what : what.replace(at, prefix.size(), "P");
  }
  return "";
}

TEST(Chakra, ErrorsNameFileAndByte) {
  const std::string prefix = folder_of("errors");
  const std::string first = node(1, "a", 4, attribute("num_ops", 1));
  const std::size_t at = kHeader.size() + first.size();
  write(prefix, 0, kHeader + first + "\x7fxyz");
  EXPECT_EQ(import_message(prefix),
            fmt::format("P.0.et: byte {}: 127 bytes that are not a node", at));
  write(prefix, 0,
        kHeader + first + node(2, "g", 7, attribute("comm_type", 3) + attribute("comm_size", 8)));
  EXPECT_EQ(import_message(prefix),
            fmt::format("P.0.et: byte {}: node 'g': comm_type 3 is none of all-reduce, all-gather, "
                        "reduce-scatter, all-to-all, broadcast and barrier",
                        at));
  write(prefix, 0, kHeader + first + node(2, "b", 4, varint(4, 9)));
  EXPECT_EQ(import_message(prefix),
            fmt::format("P.0.et: byte {}: node 'b' depends on node 9, which does not exist", at));
  write(prefix, 0,
        kHeader + first +
            node(2, "s", 5,
                 attribute("comm_src", 0) + attribute("comm_dst", 1) + attribute("comm_size", 8)));
  EXPECT_EQ(
      import_message(prefix),
      fmt::format("P.0.et: byte {}: node 's' sends to rank 1, which does not receive it", at));
  write(prefix, 0,
        kHeader + first +
            node(2, "c", 7,
                 attribute("comm_type", 0) + attribute("comm_size", 8) +
                     attribute("pg_name", "0,1")));
  EXPECT_EQ(
      import_message(prefix),
      fmt::format(
          "P.0.et: byte {}: node 'c' is a collective of ranks 0,1, but of these only 0 have it",
          at));
}

TEST(Chakra, ARingBecomesSendsAndReceives) {
  const Graph graph = graph_of(
      "rank: chip\nranks: 4\nnodes:\n"
      "  - {name: shift, collective: permute, bytes: 1 MiB}\n"
      "  - {name: after, work: {flops: 1}, after: shift}\n");
  const std::string prefix = folder_of("ring");
  const spec::SystemSpec& system = test::shipped("trn2.48xlarge").spec;
  export_chakra(graph, system, prefix);
  const Graph again = import_chakra(prefix);
  ASSERT_EQ(again.nodes.size(), 2);
  EXPECT_EQ(again.nodes[0].send, "0,1,2,3");
  EXPECT_EQ(again.nodes[0].receive, "1,2,3,0");
  const GraphJob job = make_job(again, system, {});
  ASSERT_EQ(job.nodes[0].groups.size(), 1);
  EXPECT_EQ(job.nodes[0].groups[0].dag->transfers.size(),
            make_job(graph, system, {}).nodes[0].groups[0].dag->transfers.size());
}

}  // namespace
}  // namespace trnsim::workload
