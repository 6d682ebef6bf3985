// A timeline as rows of the Neuron profiler, so that users can diff with tools of their own.
#include <cmath>
#include <map>

#include "trnsim/report/compare_report.h"
#include "trnsim/trace/opcode.h"

namespace trnsim::report {
namespace {

using Json = nlohmann::ordered_json;

// The profiler's opcode of an instruction of ours; upper case of ours where it has no other.
std::string profiler_opcode(const std::string& name) {
  static const std::map<std::string, std::string> kNames{
      {"nc_matmul", "MATMUL"},        {"nc_matmul_mx", "MATMUL"},
      {"nc_transpose", "MATMUL"},     {"activation", "ACTIVATE"},
      {"activate2", "ACTIVATE"},      {"tensor_copy", "COPY"},
      {"dma_copy", "DMA_DIRECT2D"},   {"dma_transpose", "DMA_DIRECT2D"},
      {"dma_compute", "DMA_DIRECT2D"}, {"act_table_load", "ACT_TABLE_LOAD"},
  };
  if (const auto found = kNames.find(name); found != kNames.end()) {
    return found->second;
  }
  std::string upper = name;
  for (char& c : upper) {
    c = static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
  }
  return upper;
}

std::int64_t whole_ns(Femtos time) {
  return static_cast<std::int64_t>(std::floor(time.ns()));
}

}  // namespace

Json profile_rows(const sim::RunRecord& record) {
  Json document{{"instruction", Json::array()}, {"dma", Json::array()}};
  std::map<std::string, std::int64_t> next_pc;
  for (const sim::TimelineSlice& slice : record.timeline) {
    const bool load = slice.track == "Tensor LDWEIGHTS";
    const std::string engine = load ? "Tensor" : slice.track;
    const std::string subgraph = fmt::format("sg{:02}", slice.core);
    Json row{{"subgraph", subgraph},
             {"timestamp", whole_ns(slice.start)},
             {"duration", whole_ns(slice.end) - whole_ns(slice.start)}};
    if (!trace::parse_engine(engine)) {
      row["dma_queue"] = slice.track;
      row["transfer_size"] = slice.bytes;
      document["dma"].push_back(row);
      continue;
    }
    const std::string opcode = load ? "LDWEIGHTS" : profiler_opcode(slice.name);
    row["subgroup"] = engine;
    row["label"] = opcode == "MATMUL" ? "TensorMatrix" : engine;
    row["opcode"] = opcode;
    row["pc"] = next_pc[subgraph + engine]++;
    row["waited_for"] = slice.waited_for;
    document["instruction"].push_back(row);
  }
  return document;
}

}  // namespace trnsim::report
