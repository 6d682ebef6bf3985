// read_profile: which rows of a profiler export belong to the kernel, and which packets to which DMA.
#include <algorithm>
#include <fstream>
#include <map>
#include <nlohmann/json.hpp>
#include <tuple>

#include <boost/iostreams/copy.hpp>
#include <boost/iostreams/filter/gzip.hpp>
#include <boost/iostreams/filtering_streambuf.hpp>

#include "profile_operands.h"
#include "trnsim/base/error.h"
#include "trnsim/trace/profile.h"

namespace trnsim::trace {
namespace {

using Json = nlohmann::json;

constexpr std::uint64_t kSemaphoreWriteBytes = 4;  // the packet that ends a transfer
constexpr const char* kHint = "a JSON export of the Neuron profiler, also .gz";

std::string read_text(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) {
    throw Error("cannot be read", {path}, "check the name");
  }
  boost::iostreams::filtering_istreambuf in;
  if (path.ends_with(".gz")) {
    in.push(boost::iostreams::gzip_decompressor());
  }
  in.push(file);
  std::string text;
  try {
    boost::iostreams::copy(in, boost::iostreams::back_inserter(text));
  } catch (const std::ios_base::failure&) {
    throw Error("is not a whole gzip file", {path}, kHint);
  }
  return text;
}

Json parse(const std::string& path) {
  try {
    return Json::parse(read_text(path));
  } catch (const Json::parse_error& error) {
    throw Error(fmt::format("is not JSON: byte {}", error.byte), {path}, kHint);
  }
}

const Json& list_of(const Json& document, const char* key, const std::string& path) {
  if (!document.is_object() || !document.contains(key) || !document[key].is_array()) {
    throw Error(fmt::format("has no list '{}'", key), {path}, kHint);
  }
  return document[key];
}

std::optional<Engine> engine_of(const std::string& subgroup) {
  const std::optional<Engine> engine = parse_engine(subgroup);
  return engine == Engine::kUnassigned ? std::nullopt : engine;
}

// A row without a compiler_pc, and the start-up's ordering mode, are the runtime's.
bool is_kernel_row(const Json& row) {
  return row.contains("compiler_pc") && row.value("opcode", "") != "SET_ORDERING_MODE";
}

ProfileRow row_of(const Json& json) {
  ProfileRow row;
  const auto engine = engine_of(json.at("subgroup").get<std::string>());
  if (!engine) {
    throw Error(fmt::format("engine '{}' is unknown", json.at("subgroup").get<std::string>()));
  }
  row.engine = *engine;
  row.opcode = json.at("opcode").get<std::string>();
  row.operands = json.at("operands").get<std::string>();
  row.function = json.value("activation_fn", "");
  row.id = json.at("id").get<std::uint64_t>();
  row.pc = json.at("pc").get<std::int64_t>();
  row.start_ns = json.at("timestamp").get<std::int64_t>();
  row.duration_ns = json.at("duration").get<std::int64_t>();
  row.psum_write_bytes = json.value("psum_write_bytes", std::uint64_t{0});
  return row;
}

// The subgraph (core) with the most kernel rows ran the kernel; its sibling only started up.
std::string kernel_subgraph(const Json& instructions) {
  std::map<std::string, std::size_t> rows;
  for (const Json& row : instructions) {
    rows[row.value("subgraph", "")] += is_kernel_row(row) ? 1U : 0U;
  }
  const auto most = std::max_element(rows.begin(), rows.end(), [](const auto& a, const auto& b) {
    return a.second < b.second;
  });
  return most == rows.end() || most->second == 0 ? "" : most->first;
}

struct Packet {
  std::int64_t index = 0;
  std::int64_t start_ns = 0;
  std::int64_t end_ns = 0;
  std::uint64_t bytes = 0;
};

// Per queue and ring (DMA engine) its packets, in order.
using Rings = std::map<std::string, std::map<std::string, std::vector<Packet>>>;

Rings rings_of(const Json& document, const std::string& subgraph) {
  std::map<std::string, std::string> names;
  for (const Json& queue : document.value("dma_queues_info", Json::array())) {
    if (queue.value("subgraph", "") == subgraph) {
      names[std::to_string(queue.at("q_idx").get<int>())] = queue.at("q_name").get<std::string>();
    }
  }
  Rings rings;
  for (const Json& json : document.value("dma", Json::array())) {
    const auto name = names.find(json.value("dma_queue", ""));
    if (json.value("subgraph", "") != subgraph || name == names.end() ||
        json.value("queue_type", "") == "instruction") {
      continue;
    }
    const auto start = json.at("timestamp").get<std::int64_t>();
    rings[name->second][json.value("dma_engine", "")].push_back(
        {json.at("packet_idx").get<std::int64_t>(), start,
         start + json.at("duration").get<std::int64_t>(),
         json.at("transfer_size").get<std::uint64_t>()});
  }
  for (auto& [queue, engines] : rings) {
    for (auto& [engine, packets] : engines) {
      std::sort(packets.begin(), packets.end(),
                [](const Packet& a, const Packet& b) { return a.index < b.index; });
    }
  }
  return rings;
}

// The k-th transfer of every ring belongs to the k-th DMA of the engine that owns the queue.
std::vector<ProfileDma> dmas_of(const std::vector<ProfileRow>& rows, const Rings& rings) {
  std::vector<ProfileDma> dmas;
  for (const auto& [queue, engines] : rings) {
    for (const Engine owner : {Engine::kSync, Engine::kScalar, Engine::kGpSimd, Engine::kVector}) {
      if (!queue.starts_with("q" + std::string(name(owner)))) {
        continue;
      }
      std::vector<ProfileDma> own;
      for (std::uint32_t r = 0; r < rows.size(); ++r) {
        if (rows[r].engine == owner && rows[r].opcode.starts_with("DMA_")) {
          own.push_back({r, INT64_MAX, INT64_MIN});
        }
      }
      for (const auto& [engine, packets] : engines) {
        std::size_t transfer = 0;
        for (const Packet& packet : packets) {
          if (packet.bytes == kSemaphoreWriteBytes) {
            ++transfer;
          } else if (transfer < own.size()) {
            own[transfer].first_ns = std::min(own[transfer].first_ns, packet.start_ns);
            own[transfer].last_ns = std::max(own[transfer].last_ns, packet.end_ns);
          }
        }
      }
      std::erase_if(own, [](const ProfileDma& dma) { return dma.last_ns == INT64_MIN; });
      dmas.insert(dmas.end(), own.begin(), own.end());
    }
  }
  std::sort(dmas.begin(), dmas.end(),
            [](const ProfileDma& a, const ProfileDma& b) { return a.row < b.row; });
  return dmas;
}

std::vector<LimiterInterval> limiter_of(const Json& document, const std::string& subgraph) {
  std::vector<LimiterInterval> intervals;
  for (const Json& json : document.value("ham", Json::array())) {
    if (json.value("subgraph", "") == subgraph && json.value("n", 0) > 0) {
      intervals.push_back({json.at("timestamp").get<std::int64_t>(),
                           json.at("duration").get<std::int64_t>(),
                           json.at("k").get<double>() / json.at("n").get<double>()});
    }
  }
  std::sort(intervals.begin(), intervals.end(),
            [](const auto& a, const auto& b) { return a.start_ns < b.start_ns; });
  return intervals;
}

std::string kernel_name(const std::string& path) {
  std::string name = path.substr(path.find_last_of('/') + 1);
  for (const std::string_view extension : {".gz", ".json", ".profile"}) {
    if (name.ends_with(extension)) {
      name.resize(name.size() - extension.size());
    }
  }
  return name;
}

Profile profile_of(const Json& document, const std::string& path) {
  const Json& instructions = list_of(document, "instruction", path);
  const std::string subgraph = kernel_subgraph(instructions);
  Profile profile;
  profile.kernel = kernel_name(path);
  for (const Json& json : instructions) {
    if (json.value("subgraph", "") == subgraph && is_kernel_row(json)) {
      profile.rows.push_back(row_of(json));
    }
  }
  if (profile.rows.empty()) {
    throw Error("holds no rows of a kernel (instructions with a compiler_pc)", {path}, kHint);
  }
  std::sort(profile.rows.begin(), profile.rows.end(), [](const auto& a, const auto& b) {
    return std::tie(a.engine, a.pc) < std::tie(b.engine, b.pc);
  });
  profile.dmas = dmas_of(profile.rows, rings_of(document, subgraph));
  profile.limiter = limiter_of(document, subgraph);
  for (const Json& json : document.value("metadata", Json::array())) {
    profile.total_ns = json.value("last_hw_timestamp", profile.total_ns);
  }
  return profile;
}

}  // namespace

std::int64_t Profile::first_ns() const {
  std::int64_t first = INT64_MAX;
  for (const ProfileRow& row : rows) {
    first = std::min(first, row.start_ns);
  }
  return first;
}

std::int64_t Profile::last_ns() const {
  std::int64_t last = INT64_MIN;
  for (const ProfileRow& row : rows) {
    last = std::max(last, row.start_ns + row.duration_ns);
  }
  return last;
}

Profile read_profile(const std::string& path) {
  const Json document = parse(path);
  try {
    return profile_of(document, path);
  } catch (const Json::exception& error) {
    throw Error(fmt::format("is not a profile: {}", error.what()), {path}, kHint);
  } catch (const Error& error) {
    Finding finding = error.findings().front();
    finding.where.file = path;
    throw Error(std::vector<Finding>{finding});
  }
}

}  // namespace trnsim::trace
