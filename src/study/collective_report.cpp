// A collective sweep as text, JSON and CSV.
#include <algorithm>

#include "trnsim/base/error.h"
#include "trnsim/study/collective_sweep.h"

namespace trnsim::study {
namespace {

constexpr const char* kNetworks[] = {"analytic", "flow", "packet"};

std::string size_text(std::uint64_t bytes) {
  constexpr const char* kUnits[] = {"B", "KiB", "MiB", "GiB", "TiB"};
  std::size_t unit = 0;
  while (bytes >= 1024 && bytes % 1024 == 0 && unit < 4) {
    bytes /= 1024;
    ++unit;
  }
  return fmt::format("{} {}", bytes, kUnits[unit]);
}

const MeasuredCollective* find(const std::vector<MeasuredCollective>& measured,
                               std::uint64_t bytes) {
  const auto at = std::find_if(measured.begin(), measured.end(),
                               [&](const MeasuredCollective& row) { return row.bytes == bytes; });
  return at == measured.end() ? nullptr : &*at;
}

const char* network_name(sim::NetworkModel network) {
  return kNetworks[static_cast<std::size_t>(network)];
}

// Without "link" in front and the class behind: the column is narrow.
std::string short_name(const std::string& resource) {
  const std::string name = resource.substr(0, resource.find(" ("));
  return name.starts_with("link ") ? name.substr(5) : name;
}

// What a time depends on that hardware.md 22 rates "high" and nobody publishes.
std::string assumptions(const spec::FabricSpec& fabric) {
  std::string text = fmt::format(
      "  depends on  collective_setup_us {}, hop_on_chip_us {}, hop_intra_us {}",
      fabric.collective_setup_us, fabric.collective_hop_on_chip_us, fabric.collective_hop_intra_us);
  std::string last;
  for (const spec::LinkClassSpec& link : fabric.link_classes) {
    const std::string one = fmt::format("{} GB/s x {}", link.GBps_per_direction_per_link,
                                        link.efficiency);
    if (one != last) {
      text += (last.empty() ? "\n              links " : ", ") + one;
      last = one;
    }
  }
  return text + "\n";
}

}  // namespace

std::string collective_text(const spec::LoadedSystem& system, const CollectiveRequest& request,
                            const CollectiveSweep& sweep,
                            const std::vector<MeasuredCollective>& measured) {
  std::string text = fmt::format(
      "{} over {} ranks{} on {} ({}, {} network)\n", collectives::name(request.op),
      sweep.group_size,
      sweep.groups > 1 ? fmt::format(", {} groups at a time", sweep.groups) : std::string(),
      system.spec.name, sweep.shape, network_name(request.network));
  if (!sweep.points.empty() && !sweep.points.front().selection.legality.fast) {
    text += "  slow path   " + sweep.points.front().selection.legality.reason + "\n";
  }
  text += assumptions(system.spec.fabric);
  text += fmt::format("\n{:>8} {:>10} {:>8} {:>8}  {:<12} {}\n", "size", "time us", "algbw",
                      "busbw", "algorithm",
                      measured.empty() ? "busiest resource" : "measured us  ratio");
  for (const CollectivePoint& point : sweep.points) {
    std::string last;
    if (measured.empty()) {
      last = fmt::format("{:>3.0f} % {}", 100 * point.bottleneck_utilization, short_name(point.bottleneck));
    } else if (const MeasuredCollective* row = find(measured, point.bytes)) {
      last = fmt::format("{:>11.1f} {:>6.3f}", row->time_us, point.time_us / row->time_us);
    }
    text += fmt::format("{:>8} {:>10.2f} {:>8.2f} {:>8.2f}  {:<12} {}\n", size_text(point.bytes),
                        point.time_us, point.algbw_GBps, point.busbw_GBps,
                        collectives::name(point.selection.algorithm), last);
  }
  text += "  algbw, busbw in GB/s (10^9); busbw as nccom-test defines it\n";
  if (!measured.empty()) {
    double sum = 0;
    int count = 0;
    for (const CollectivePoint& point : sweep.points) {
      if (const MeasuredCollective* row = find(measured, point.bytes)) {
        sum += std::abs(point.time_us / row->time_us - 1);
        ++count;
      }
    }
    text += count == 0 ? "  no size is in both\n"
                       : fmt::format("  mean error  {:.1f} % over {} sizes\n", 100 * sum / count, count);
  }
  return text;
}

nlohmann::ordered_json collective_json(const spec::LoadedSystem& system,
                                       const CollectiveRequest& request,
                                       const CollectiveSweep& sweep,
                                       const std::vector<MeasuredCollective>& measured) {
  nlohmann::ordered_json json{{"format", "trnsim-collective"},
                              {"version", 1},
                              {"trnsim", TRNSIM_VERSION},
                              {"system", system.spec.name},
                              {"config_hash", system.hash},
                              {"op", collectives::name(request.op)},
                              {"ranks", sweep.ranks},
                              {"group_size", sweep.group_size},
                              {"groups", sweep.groups},
                              {"shape", sweep.shape},
                              {"space", request.space == fabric::Space::kHbm ? "hbm" : "sbuf"},
                              {"network", network_name(request.network)},
                              {"points", nlohmann::ordered_json::array()}};
  for (const CollectivePoint& point : sweep.points) {
    nlohmann::ordered_json row{{"bytes", point.bytes},
                               {"time_us", point.time_us},
                               {"algbw_GBps", point.algbw_GBps},
                               {"busbw_GBps", point.busbw_GBps},
                               {"algorithm", collectives::name(point.selection.algorithm)},
                               {"reason", point.selection.reason},
                               {"fast_path", point.selection.legality.fast},
                               {"steps", point.steps},
                               {"transfers", point.transfers},
                               {"bottleneck", point.bottleneck},
                               {"bottleneck_utilization", point.bottleneck_utilization}};
    if (const MeasuredCollective* measured_row = find(measured, point.bytes)) {
      row["measured_us"] = measured_row->time_us;
      row["ratio"] = point.time_us / measured_row->time_us;
    }
    json["points"].push_back(std::move(row));
  }
  return json;
}

void collective_csv(const CollectiveRequest& request, const CollectiveSweep& sweep,
                    std::ostream& out) {
  out << "op,group_size,bytes,time_us,algbw_GBps,busbw_GBps,algorithm,steps,bottleneck,"
         "bottleneck_utilization\n";
  for (const CollectivePoint& point : sweep.points) {
    out << fmt::format("{},{},{},{},{},{},{},{},{},{}\n", collectives::name(request.op),
                       sweep.group_size, point.bytes, point.time_us, point.algbw_GBps,
                       point.busbw_GBps, collectives::name(point.selection.algorithm), point.steps,
                       point.bottleneck, point.bottleneck_utilization);
  }
}

}  // namespace trnsim::study
