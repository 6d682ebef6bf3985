// trnsim trace: looks into trace files, converts them, and generates them.
#include <algorithm>
#include <array>
#include <filesystem>
#include <iostream>
#include <map>
#include <nlohmann/json.hpp>
#include <sstream>

#include "commands.h"
#include "trnsim/base/error.h"
#include "trnsim/base/files.h"
#include "trnsim/trace/file.h"
#include "trnsim/trace/profile.h"
#include "trnsim/trace/summary.h"

namespace trnsim::cli {
namespace {

using Json = nlohmann::ordered_json;

struct FileFacts {
  std::string path;
  std::uint64_t bytes = 0;
};

// Collectives that differ only in their operands are one entry.
Json collectives_json(const trace::Trace& trace) {
  std::map<std::uint32_t, std::uint64_t> counts;  // by attribute set
  for (const trace::Instruction& instruction : trace.instructions) {
    if (instruction.opcode == trace::Opcode::kCollective) {
      ++counts[instruction.attributes];
    }
  }
  Json json = Json::array();
  for (const auto& [id, count] : counts) {
    const trace::Attributes& attributes = trace.attributes[id];
    json.push_back(
        {{"kind", name(attributes.collective)},
         {"op", name(attributes.op0)},
         {"replica_groups", trace.string(static_cast<std::uint32_t>(attributes.replica_groups))},
         {"bytes_per_rank", attributes.bytes_per_rank},
         {"instructions", count}});
  }
  return json;
}

Json info_json(const trace::Trace& trace, const FileFacts& file) {
  const trace::TraceSummary summary = trace::summarize(trace);
  Json json{{"file", file.path},
            {"file_bytes", file.bytes},
            {"kernel", trace.kernel},
            {"origin", trace.origin},
            {"arguments", trace.arguments},
            {"target", trace.target},
            {"lnc", trace.lnc},
            {"instructions", trace.instructions.size()},
            {"control_records", summary.control_records},
            {"operands", trace.operands.size()},
            {"patterns", trace.patterns.size()},
            {"attribute_sets", trace.attributes.size()},
            {"matmul_flops", summary.matmul_flops},
            {"model_flops", trace.model_flops}};
  if (!trace.instructions.empty()) {
    json["file_bytes_per_instruction"] =
        static_cast<double>(file.bytes) / static_cast<double>(trace.instructions.size());
  }
  for (int i = 0; i < trace::kRegionCount; ++i) {
    const trace::RegionSummary& region = summary.regions[static_cast<std::size_t>(i)];
    json["memories"][std::string(name(static_cast<trace::Region>(i)))] = {
        {"tensors", region.tensors},         {"bytes", region.bytes},
        {"input_bytes", region.input_bytes}, {"output_bytes", region.output_bytes},
        {"read_bytes", region.read_bytes},   {"written_bytes", region.written_bytes}};
  }
  json["by_opcode"] = Json::object();
  for (int i = 0; i < trace::kOpcodeCount; ++i) {
    if (const std::uint64_t count = summary.by_opcode[static_cast<std::size_t>(i)]; count > 0) {
      json["by_opcode"][std::string(name(static_cast<trace::Opcode>(i)))] = count;
    }
  }
  if (json["by_opcode"].contains(name(trace::Opcode::kCollective))) {
    json["collectives"] = collectives_json(trace);
  }
  json["by_engine"] = Json::object();
  for (int i = 0; i <= trace::kEngineCount; ++i) {
    if (const std::uint64_t count = summary.by_engine[static_cast<std::size_t>(i)]; count > 0) {
      json["by_engine"][std::string(name(static_cast<trace::Engine>(i)))] = count;
    }
  }
  return json;
}

std::string bytes_text(std::uint64_t bytes) {
  constexpr std::array<const char*, 5> kUnits{"B", "KiB", "MiB", "GiB", "TiB"};
  auto value = static_cast<double>(bytes);
  std::size_t unit = 0;
  for (; value >= 1024 && unit + 1 < kUnits.size(); ++unit) {
    value /= 1024;
  }
  return unit == 0 ? fmt::format("{} B", bytes) : fmt::format("{:.1f} {}", value, kUnits[unit]);
}

std::string size_text(const Json& info) {
  const auto bytes = info["file_bytes"].get<std::uint64_t>();
  return info.contains("file_bytes_per_instruction")
             ? fmt::format("{}, {:.2f} bytes per instruction", bytes_text(bytes),
                           info["file_bytes_per_instruction"].get<double>())
             : bytes_text(bytes);
}

std::string counts_text(const char* title, const Json& counts) {
  std::vector<std::pair<std::uint64_t, std::string>> rows;
  for (const auto& [key, count] : counts.items()) {
    rows.emplace_back(count.get<std::uint64_t>(), key);
  }
  std::stable_sort(rows.begin(), rows.end(),
                   [](const auto& a, const auto& b) { return a.first > b.first; });
  std::string text = fmt::format("\n{:<26} {:>14}\n", title, "instructions");
  for (const auto& [count, key] : rows) {
    text += fmt::format("{:<26} {:>14}\n", key, count);
  }
  return text;
}

std::string collectives_text(const Json& collectives) {
  std::string text = fmt::format("\n{:<24} {:<10} {:>14} {:>14}  {}\n", "collective", "op",
                                 "bytes per rank", "instructions", "groups");
  for (const Json& entry : collectives) {
    text += fmt::format("{:<24} {:<10} {:>14} {:>14}  {}\n", entry["kind"].get<std::string>(),
                        entry["op"].get<std::string>(), entry["bytes_per_rank"].get<std::int64_t>(),
                        entry["instructions"].get<std::uint64_t>(),
                        entry["replica_groups"].get<std::string>());
  }
  return text;
}

std::string info_text(const Json& info) {
  const auto text_of = [&info](const char* key, const char* otherwise) {
    const std::string text = info[key].get<std::string>();
    return text.empty() ? std::string(otherwise) : text;
  };
  std::string text;
  const auto row = [&text](const char* key, const std::string& value) {
    text += fmt::format("{:<14} {}\n", key, value);
  };
  row("kernel", text_of("kernel", "(unnamed)"));
  row("origin", text_of("origin", "(unknown)"));
  if (!info["arguments"].get<std::string>().empty()) {
    row("arguments", info["arguments"].get<std::string>());
  }
  row("target", fmt::format("{}, LNC {}", text_of("target", "any"), info["lnc"].get<int>()));
  row("file", size_text(info));
  row("instructions",
      fmt::format("{}, of which {} control records", info["instructions"].get<std::uint64_t>(),
                  info["control_records"].get<std::uint64_t>()));
  row("matmul work", fmt::format("{:.6g} FLOPs", info["matmul_flops"].get<double>()));
  if (info["model_flops"].get<double>() > 0) {
    row("model work", fmt::format("{:.6g} FLOPs", info["model_flops"].get<double>()));
  }
  text += fmt::format("\n{:<8} {:>8} {:>12} {:>12} {:>12} {:>12} {:>12}\n", "memory", "tensors",
                      "size", "kernel in", "kernel out", "read", "written");
  for (const auto& [memory, m] : info["memories"].items()) {
    const auto bytes = [&m = m](const char* key) {
      return bytes_text(m[key].get<std::uint64_t>());
    };
    text += fmt::format("{:<8} {:>8} {:>12} {:>12} {:>12} {:>12} {:>12}\n", memory,
                        m["tensors"].get<std::uint64_t>(), bytes("bytes"), bytes("input_bytes"),
                        bytes("output_bytes"), bytes("read_bytes"), bytes("written_bytes"));
  }
  text += counts_text("opcode", info["by_opcode"]);
  text += counts_text("engine", info["by_engine"]);
  if (info.contains("collectives")) {
    text += collectives_text(info["collectives"]);
  }
  return text;
}

int info_command(const Arguments& arguments) {
  std::string file;
  std::string json;
  CLI::App app("Summarise a trace: tensors, instructions, FLOPs, size.", "trace info");
  app.footer("Example: trnsim trace info gemm.trt");
  app.add_option("file", file, "Trace to read, .trt or .jsonl")->required();
  app.add_option("--json", json, "Write JSON to FILE, or - for stdout instead of text")
      ->type_name("FILE");
  if (!parse(app, arguments)) {
    return 0;
  }
  if (!json.empty()) {
    check_writable(json);
  }
  const trace::Trace trace = trace::read_trace(file);
  const Json info = info_json(trace, {file, std::filesystem::file_size(file)});
  if (json != "-") {
    std::cout << info_text(info);
  }
  if (!json.empty()) {
    std::string text;
    try {
      text = info.dump(2);
    } catch (const Json::type_error&) {
      throw Error("cannot be written as JSON: a text is not UTF-8", {file});
    }
    write_file_atomically(json, [&text](std::ostream& stream) { stream << text << "\n"; });
  }
  return 0;
}

int dump_command(const Arguments& arguments) {
  std::string file;
  std::string output = "-";
  CLI::App app("Write a trace as JSON Lines (docs/trace-format.md).", "trace dump");
  app.footer("Example: trnsim trace dump gemm.trt -o gemm.jsonl");
  app.add_option("file", file, "Trace to read, .trt or .jsonl")->required();
  app.add_option("-o,--output", output, "File to write, - for stdout")
      ->type_name("FILE")
      ->capture_default_str();
  if (!parse(app, arguments)) {
    return 0;
  }
  check_writable(output);
  const trace::Trace trace = trace::read_trace(file);
  write_file_atomically(output,
                        [&trace](std::ostream& stream) { trace::dump_jsonl(trace, stream); });
  return 0;
}

int load_command(const Arguments& arguments) {
  std::string file;
  std::string output;
  CLI::App app("Check a JSON Lines trace and write it as .trt.", "trace load");
  app.footer("Example: trnsim trace load tiny.jsonl -o tiny.trt");
  app.add_option("file", file, "JSON Lines trace to read, - for stdin")->required();
  app.add_option("-o,--output", output, "File to write (.trt)")->required()->type_name("FILE");
  if (!parse(app, arguments)) {
    return 0;
  }
  if (!output.ends_with(".trt")) {
    throw Error("the output's name must end in .trt, or nothing will read it", {output});
  }
  check_writable(output);
  if (file == "-") {
    trace::write_trt(trace::load_jsonl(std::cin, "stdin"), output);
  } else {
    std::istringstream stream(read_file(file));
    trace::write_trt(trace::load_jsonl(stream, file), output);
  }
  return 0;
}

int import_profile_command(const Arguments& arguments) {
  std::string file;
  std::string output;
  CLI::App app("Turn a JSON export of the Neuron profiler into a trace.", "trace import-profile");
  app.footer(
      "Example: trnsim trace import-profile kernel.profile.json.gz -o kernel.trt\n"
      "Then:    trnsim run kernel.trt --replay --system trn2.3xlarge");
  app.add_option("file", file, "profile to read, .json or .json.gz")->required();
  app.add_option("-o,--output", output, "file to write, .trt or .jsonl")
      ->required()
      ->type_name("FILE");
  if (!parse(app, arguments)) {
    return 0;
  }
  if (!output.ends_with(".trt") && !output.ends_with(".jsonl")) {
    throw Error("the output's name must end in .trt or .jsonl", {output});
  }
  check_writable(output);
  const trace::ImportedProfile imported = trace::import_profile(file);
  for (const std::string& warning : imported.warnings) {
    std::cerr << "trnsim: warning: " << file << ": " << warning << '\n';
  }
  if (output.ends_with(".trt")) {
    trace::write_trt(imported.trace, output);
  } else {
    write_file_atomically(
        output, [&imported](std::ostream& stream) { trace::dump_jsonl(imported.trace, stream); });
  }
  return 0;
}

constexpr std::array<Action, 5> kActions{{
    {"info", info_command, "summarise a trace"},
    {"dump", dump_command, "write a trace as JSON Lines"},
    {"load", load_command, "check a JSON Lines trace and write it as .trt"},
    {"gen", trace_gen_command, "generate the trace of a built-in kernel"},
    {"import-profile", import_profile_command, "make a trace of a Neuron profiler export"},
}};

std::string help_text() {
  std::string text = "Look into trace files, convert and generate them.\n\n";
  for (const Action& action : kActions) {
    text += fmt::format("  trnsim trace {:<14} {}\n", action.name, action.what);
  }
  return text + "\nExample: trnsim trace info gemm.trt\nMore: trnsim trace info --help\n";
}

}  // namespace

int trace_command(const Arguments& arguments) {
  return run_action("trace", kActions, help_text(), arguments);
}

}  // namespace trnsim::cli
