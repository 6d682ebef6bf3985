// A distributed run as JSON and as a timeline.
#include <ostream>

#include "trnsim/base/error.h"
#include "trnsim/report/graph_report.h"

namespace trnsim::report {
namespace {

using nlohmann::ordered_json;

constexpr const char* kKinds[] = {"link", "channel", "hbm", "sbuf", "nic", "die_to_die"};

double us(std::uint64_t fs) { return static_cast<double>(fs) * 1e-9; }

ordered_json node_json(const workload::JobNode& node, const sim::NodeRecord& record) {
  const bool is_collective = node.kind == workload::JobKind::kCollective;
  ordered_json json{{"name", node.name},
                    {"kind", is_collective ? "collective" : "kernel"},
                    {"ranks", record.ranks},
                    {"first_start_us", record.first_start.us()},
                    {"last_start_us", record.last_start.us()},
                    {"first_end_us", record.first_end.us()},
                    {"last_end_us", record.last_end.us()},
                    {"mean_us", us(record.busy_fs) / std::max(1U, record.ranks)}};
  if (is_collective) {
    json["op"] = collectives::name(node.op);
    json["bytes"] = node.bytes;
    json["groups"] = node.groups.size();
    json["group_size"] = node.groups.empty() ? 0 : node.groups.front().group.size();
    json["algorithm"] = collectives::name(node.selection.algorithm);
    json["reason"] = node.selection.reason;
    json["fast_path"] = node.selection.legality.fast;
    json["stream"] = node.stream;
    json["mean_wait_for_ranks_us"] = us(record.wait_fs) / std::max(1U, record.ranks);
  } else {
    json["flops_per_rank"] = node.flops;
    json["overhead_us"] = node.overhead_us;
  }
  return json;
}

ordered_json engines_json(const sim::GraphRecord& record) {
  ordered_json json = ordered_json::object();
  for (int e = 0; e < trace::kEngineCount; ++e) {
    const sim::EngineRecord& engine = record.engines[static_cast<std::size_t>(e)];
    ordered_json idle = ordered_json::object();
    for (std::size_t cause = 0; cause < engine.idle_fs.size(); ++cause) {
      idle[sim::idle_cause_names()[cause]] = us(engine.idle_fs[cause]);
    }
    json[std::string(trace::name(static_cast<trace::Engine>(e)))] = {
        {"instructions", engine.instructions},
        {"flops", engine.flops},
        {"busy_us", us(engine.busy_fs)},
        {"idle_us", std::move(idle)}};
  }
  return json;
}

}  // namespace

ordered_json graph_json(const spec::LoadedSystem& system, const GraphEntry& entry) {
  const sim::GraphRecord& record = entry.record;
  const GraphMetrics metrics = graph_metrics(system.spec, entry);
  ordered_json json{
      {"schema", kGraphSchema},
      {"trnsim", TRNSIM_VERSION},
      {"system", system.spec.name},
      {"config_hash", system.hash},
      {"label", entry.job.label},
      {"workload", entry.job.description},
      {"ranks", record.ranks},
      {"cores_per_rank", entry.job.cores_per_rank},
      {"network", name(record.network)},
      {"cores", record.folded ? "folded" : "all"},
      {"chips", record.chips},
      {"simulated_chips", record.simulated_chips},
      {"time_us", metrics.time_us},
      {"rate_name", entry.job.rate_name},
      {"layers_scale", entry.job.layers_scale},
      {"scaled_us", metrics.scaled_us},
      {"tokens", entry.job.tokens},
      {"tokens_per_second", metrics.tokens_per_second},
      {"model_flops", record.model_flops},
      {"pflops", metrics.pflops},
      {"peak_pflops_bf16", metrics.peak_pflops},
      {"mfu", metrics.mfu},
      {"rank_time_us",
       {{"compute", us(record.rank_time.compute_fs)},
        {"hidden_communication", us(record.rank_time.hidden_fs)},
        {"exposed_communication", us(record.rank_time.exposed_fs)},
        {"waiting", us(record.rank_time.idle_fs)}}},
      {"engines", engines_json(record)},
      {"kernel_hbm_bytes", record.hbm_bytes},
      {"instructions_simulated", record.instructions},
      {"transfers", record.transfers},
      {"nodes", ordered_json::array()},
      {"resources", ordered_json::array()},
      {"timeline", ordered_json::array()},
      {"config", spec::to_json(system)},
      {"wall_seconds", record.wall_seconds}};
  for (std::size_t n = 0; n < record.nodes.size(); ++n) {
    json["nodes"].push_back(node_json(entry.job.nodes[n], record.nodes[n]));
  }
  for (const sim::ResourceRecord& resource : record.resources) {
    if (resource.bytes > 0) {
      json["resources"].push_back({{"name", resource.name},
                                   {"kind", kKinds[static_cast<std::size_t>(resource.kind)]},
                                   {"capacity_GBps", resource.capacity_GBps},
                                   {"bytes", resource.bytes},
                                   {"busy_us", us(resource.busy_fs)}});
    }
  }
  for (const sim::RankSlice& slice : record.timeline) {
    json["timeline"].push_back({{"rank", slice.rank},
                                {"node", entry.job.nodes[slice.node].name},
                                {"ready_us", slice.ready.us()},
                                {"start_us", slice.start.us()},
                                {"end_us", slice.end.us()}});
  }
  return json;
}

void graph_perfetto(const GraphEntry& entry, std::ostream& out) {
  ordered_json events = ordered_json::array();
  const auto name_of = [&](const char* what, std::uint32_t rank, std::uint32_t thread,
                           const std::string& text) {
    events.push_back({{"ph", "M"}, {"name", what}, {"pid", rank}, {"tid", thread},
                      {"args", {{"name", text}}}});
  };
  std::vector<std::uint32_t> named;
  for (const sim::RankSlice& slice : entry.record.timeline) {
    const workload::JobNode& node = entry.job.nodes[slice.node];
    if (std::find(named.begin(), named.end(), slice.rank) == named.end()) {
      named.push_back(slice.rank);
      name_of("process_name", slice.rank, 0, fmt::format("rank {}", slice.rank));
      name_of("thread_name", slice.rank, 0, "kernels");
      for (std::uint32_t stream = 0; stream < 4; ++stream) {
        name_of("thread_name", slice.rank, stream + 1, fmt::format("collective stream {}", stream));
      }
    }
    const bool is_collective = node.kind == workload::JobKind::kCollective;
    ordered_json arguments{{"ready_us", slice.ready.us()}};
    if (is_collective) {
      arguments["op"] = collectives::name(node.op);
      arguments["bytes"] = node.bytes;
      arguments["algorithm"] = collectives::name(node.selection.algorithm);
    }
    events.push_back({{"ph", "X"},
                      {"name", node.name},
                      {"cat", is_collective ? "collective" : "kernel"},
                      {"pid", slice.rank},
                      {"tid", is_collective ? node.stream + 1 : 0},
                      {"ts", slice.start.us()},
                      {"dur", (slice.end - slice.start).us()},
                      {"args", std::move(arguments)}});
  }
  out << ordered_json{{"displayTimeUnit", "ns"}, {"traceEvents", std::move(events)}}.dump() << '\n';
}

}  // namespace trnsim::report
