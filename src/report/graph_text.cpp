// A distributed run in 80 columns.
#include <algorithm>
#include <vector>

#include "trnsim/base/error.h"
#include "trnsim/report/graph_report.h"

namespace trnsim::report {
namespace {

constexpr std::size_t kMostNodes = 40;
constexpr std::size_t kBusiestLinks = 3;

std::string time_text(double us) {
  return us < 1e3   ? fmt::format("{:.2f} us", us)
         : us < 1e6 ? fmt::format("{:.3f} ms", us * 1e-3)
                    : fmt::format("{:.3f} s", us * 1e-6);
}

std::string head(const spec::LoadedSystem& system, const GraphEntry& entry) {
  const sim::GraphRecord& record = entry.record;
  return fmt::format("{}\non {}: {} ranks of {} cores, {} network{}\n\n", entry.job.label,
                     system.spec.name, record.ranks, entry.job.cores_per_rank, name(record.network),
                     record.folded ? fmt::format(", {} of {} chips simulated", record.simulated_chips,
                                                 record.chips)
                                   : "");
}

std::string figures(const GraphEntry& entry, const GraphMetrics& metrics) {
  const workload::GraphJob& job = entry.job;
  std::string text = fmt::format("  time        {}\n", time_text(metrics.time_us));
  if (!job.rate_name.empty()) {
    text += fmt::format("  {:<11} {}{}\n", job.rate_name, time_text(metrics.scaled_us),
                        job.layers_scale != 1 ? fmt::format("   this time x {:g}", job.layers_scale)
                                              : "");
  }
  if (job.tokens > 0) {
    text += fmt::format("  rate        {:.0f} tokens/s\n", metrics.tokens_per_second);
  }
  if (entry.record.model_flops > 0) {
    text += fmt::format("  achieved    {:.3f} PFLOPS, MFU {:.1f} % of {:.2f} PFLOPS bf16 model peak\n",
                        metrics.pflops, 100 * metrics.mfu, metrics.peak_pflops);
  }
  text += fmt::format(
      "  ranks       compute {:.1f} %, exposed communication {:.1f} %, waiting {:.1f} %\n",
      100 * metrics.compute_share, 100 * metrics.exposed_share, 100 * metrics.idle_share);
  if (entry.record.rank_time.hidden_fs + entry.record.rank_time.exposed_fs > 0) {
    text += fmt::format("              {:.1f} % of the time in communication is hidden by compute\n",
                        100 * metrics.hidden_share);
  }
  return text;
}

std::string nodes(const GraphEntry& entry) {
  std::string text = fmt::format("\n  {:<26} {:>9} {:>11} {:>6}  {}\n", "node", "start us", "us",
                                 "ranks", "what");
  const std::size_t count = entry.job.nodes.size();
  for (std::size_t n = 0; n < std::min(count, kMostNodes); ++n) {
    const workload::JobNode& node = entry.job.nodes[n];
    const sim::NodeRecord& record = entry.record.nodes[n];
    const double us = static_cast<double>(record.busy_fs) * 1e-9 / std::max(1U, record.ranks);
    std::string what;
    if (node.kind == workload::JobKind::kCollective) {
      what = fmt::format("{:.1f} MB {}", static_cast<double>(node.bytes) * 1e-6,
                         collectives::name(node.selection.algorithm));
    } else if (node.flops > 0 && us > 0) {
      what = fmt::format("{:.1f} TFLOPS", node.flops / us * 1e-6);
    }
    std::string label = node.name;
    if (label.size() > 26) {
      label = label.substr(0, 25) + "~";
    }
    text += fmt::format("  {:<26} {:>9.1f} {:>11.2f} {:>6}  {}\n", label, record.first_start.us(),
                        us, record.ranks, what);
  }
  if (count > kMostNodes) {
    text += fmt::format("  and {} more, see --json\n", count - kMostNodes);
  }
  return text;
}

std::string resources(const GraphEntry& entry) {
  std::vector<const sim::ResourceRecord*> links;
  const auto use = [&](const sim::ResourceRecord& resource) {
    return resource.bytes / (resource.capacity_GBps * entry.record.time.ns());
  };
  double sum = 0;
  for (const sim::ResourceRecord& resource : entry.record.resources) {
    if (resource.kind == fabric::ResourceKind::kLink ||
        resource.kind == fabric::ResourceKind::kNic) {
      links.push_back(&resource);
      sum += use(resource);
    }
  }
  if (links.empty() || sum == 0) {
    return "";
  }
  std::stable_sort(links.begin(), links.end(), [&](const auto* a, const auto* b) {
    return use(*a) > use(*b) * (1 + 1e-9);
  });
  std::string text = fmt::format("\n  links       {:.1f} % used on average; busiest:\n",
                                 100 * sum / static_cast<double>(links.size()));
  for (std::size_t i = 0; i < std::min(kBusiestLinks, links.size()); ++i) {
    text += fmt::format("              {:<34} {:>5.1f} %  {:>8.2f} MB\n", links[i]->name,
                        100 * use(*links[i]), links[i]->bytes * 1e-6);
  }
  return text;
}

std::string engines(const GraphEntry& entry) {
  const double all = static_cast<double>(entry.record.time.count) * entry.record.ranks *
                     entry.job.cores_per_rank;
  std::string text = "  busy, %     ";
  for (int e = 0; e < trace::kEngineCount; ++e) {
    text += fmt::format("{}{} {:.1f}", e == 0 ? "" : ", ",
                        trace::name(static_cast<trace::Engine>(e)),
                        100 * static_cast<double>(
                                  entry.record.engines[static_cast<std::size_t>(e)].busy_fs) / all);
  }
  return text + "\n";
}

// Unpublished values that hardware.md 22 rates "high" for what ranks exchange.
std::string assumptions(const spec::LoadedSystem& system) {
  const spec::FabricSpec& fabric = system.spec.fabric;
  double efficiency = 0;
  for (const spec::LinkClassSpec& link : fabric.link_classes) {
    efficiency = link.efficiency;
  }
  return fmt::format(
      "  depends on  fabric.link_classes.*.efficiency {}, collective_setup_us {},\n"
      "              collective_hop_on_chip_us {}, collective_hop_intra_us {}\n",
      efficiency, fabric.collective_setup_us, fabric.collective_hop_on_chip_us,
      fabric.collective_hop_intra_us);
}

}  // namespace

std::string graph_text(const spec::LoadedSystem& system, const GraphEntry& entry) {
  const GraphMetrics metrics = graph_metrics(system.spec, entry);
  std::string text = head(system, entry) + figures(entry, metrics) + engines(entry) + nodes(entry) +
                     resources(entry);
  if (entry.record.transfers > 0) {
    text += assumptions(system);
  }
  text += fmt::format("\n  simulated   {} instructions, {} transfers in {:.2f} s wall\n",
                      entry.record.instructions, entry.record.transfers, entry.record.wall_seconds);
  return text + fmt::format("  config      {}\n", system.hash.substr(0, 12));
}

}  // namespace trnsim::report
