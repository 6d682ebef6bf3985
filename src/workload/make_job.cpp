// Graph -> GraphJob: programs of a rank, transfers of each collective.
#include <algorithm>
#include <map>
#include <tuple>

#include "rank_sets.h"
#include "trnsim/collectives/plan.h"
#include "trnsim/spec/peaks.h"
#include "trnsim/trace/file.h"
#include "trnsim/workload/graph.h"
#include "trnsim/workload/kernel_request.h"

namespace trnsim::workload {
namespace {

// A system of one rank's cores.
spec::SystemSpec one_rank(const spec::SystemSpec& system, std::uint32_t cores) {
  spec::SystemSpec rank = system;
  rank.servers = 1;
  rank.chips_per_server = 1;
  rank.cores_per_chip_used = cores;
  rank.lnc = cores % system.lnc == 0 ? system.lnc : 1;
  rank.fabric = {};
  return rank;
}

struct PlacedKernel {
  Placement placement;
  double flops = 0;
};

using Pairs = std::vector<std::pair<std::uint32_t, std::uint32_t>>;

// A replica group; of a transfer also who sends to whom.
struct Exchange {
  collectives::Group group;
  Pairs pairs;
};

class JobMaker {
 public:
  JobMaker(const Graph& graph, const spec::SystemSpec& system, const lower::Options& lowering)
      : graph_(graph), system_(system), lowering_(lowering), topology_(system) {
    job_.label = graph.name;
    job_.cores_per_rank = cores_of(graph.rank, system);
    job_.ranks = ranks_of(graph, system);
    rank_system_ = one_rank(system, job_.cores_per_rank);
  }

  GraphJob make() {
    for (std::uint32_t i = 0; i < graph_.nodes.size(); ++i) {
      index_.emplace(graph_.nodes[i].name, i);
    }
    for (const GraphNode& node : graph_.nodes) {
      try {
        job_.nodes.push_back(make_node(node));
      } catch (const Error& error) {
        adopt(error, node);
      }
    }
    if (!findings_.empty()) {
      throw Error(std::move(findings_));
    }
    finish();
    return std::move(job_);
  }

 private:
  void adopt(const Error& error, const GraphNode& node) {
    for (Finding finding : error.findings()) {
      if (finding.where.file.empty()) {
        finding.where = node.communicates() ? node.groups_where : node.where;
        finding.what = fmt::format("node '{}': {}", node.name, finding.what);
      }
      findings_.push_back(std::move(finding));
    }
  }

  [[nodiscard]] std::uint32_t ranks() const {
    return static_cast<std::uint32_t>(job_.ranks.ranks.size());
  }

  JobNode make_node(const GraphNode& node) {
    JobNode result;
    result.name = node.name;
    for (const std::string& before : node.after) {
      result.after.push_back(index_.at(before));
    }
    std::sort(result.after.begin(), result.after.end());
    if (node.communicates()) {
      make_exchange(node, result);
    } else {
      make_kernel(node, result);
    }
    if (result.ranks.size() == ranks()) {
      result.ranks.clear();
    }
    return result;
  }

  void make_kernel(const GraphNode& node, JobNode& result) {
    result.kind = JobKind::kKernel;
    result.ranks = parse_ranks(node.ranks, job_.ranks, graph_.parallel);
    result.overhead_us = node.overhead_us;
    if (node.kind == NodeKind::kWork) {
      result.programs.assign(job_.cores_per_rank, nullptr);
      result.flops = node.flops;
      result.overhead_us += work_us(node);
      return;
    }
    const PlacedKernel& placed = node.kind == NodeKind::kTrace ? trace(node) : kernel(node);
    result.programs = placed.placement.programs;
    result.flops = placed.flops;
  }

  // Roofline of one rank: its cores' tensor engines, its cores' share of the chip's HBM.
  [[nodiscard]] double work_us(const GraphNode& node) const {
    const double cores = job_.cores_per_rank;
    const double flops_per_us = spec::core_peak_tflops(system_.chip.core, node.dtype) * cores * 1e6;
    const spec::HbmSpec& hbm = system_.chip.hbm;
    const double bytes_per_us = hbm.peak_GBps_per_stack * hbm.sustained_fraction * hbm.stacks *
                                cores / system_.cores_per_chip_used * 1e3;
    return std::max(node.flops / flops_per_us, static_cast<double>(node.hbm_bytes) / bytes_per_us);
  }

  const PlacedKernel& kernel(const GraphNode& node) {
    const auto [found, fresh] = kernels_.try_emplace({node.kernel, node.arguments});
    if (fresh) {
      try {
        const std::unique_ptr<KernelRequest> request = make_kernel_request(node.kernel);
        if (request == nullptr) {
          throw Error(fmt::format("unknown kernel '{}'", node.kernel));
        }
        set_arguments(*request, node.arguments);
        found->second = {request->place(rank_system_, lowering_), request->flops()};
      } catch (const Error&) {
        kernels_.erase(found);
        throw;
      }
    }
    return found->second;
  }

  const PlacedKernel& trace(const GraphNode& node) {
    const auto [found, fresh] = kernels_.try_emplace({node.trace_path, {}});
    if (fresh) {
      try {
        const trace::Trace read = trace::read_trace(node.trace_path);
        found->second.placement = place_traces(rank_system_, {read}, 0, lowering_);
        found->second.flops = read.model_flops * job_.cores_per_rank / read.lnc;
      } catch (const Error&) {
        kernels_.erase(found);
        throw;
      }
    }
    return found->second;
  }

  void make_exchange(const GraphNode& node, JobNode& result) {
    result.kind = JobKind::kCollective;
    result.op = node.op;
    result.bytes = node.bytes;
    result.space = node.space;
    result.priority = node.priority;
    result.stream = node.stream;
    std::vector<Exchange> exchanges;
    if (node.kind == NodeKind::kTransfer) {
      exchanges = transfers_of(node);
    } else {
      const auto groups = parse_groups(node.groups, job_.ranks, graph_.parallel);
      static_cast<void>(collectives::check_groups(topology_, job_.ranks, groups, node.op));
      for (const collectives::Group& group : groups) {
        exchanges.push_back({group, {}});
      }
    }
    if (exchanges.front().group.size() < 2) {
      throw Error("a collective of one rank moves nothing", {},
                  fmt::format("leave it out, or change groups '{}'", node.groups));
    }
    for (const Exchange& exchange : exchanges) {
      const collectives::Group& group = exchange.group;
      result.groups.push_back({group, dag(node, exchange, result.selection)});
      result.ranks.insert(result.ranks.end(), group.ranks.begin(), group.ranks.end());
    }
    std::sort(result.ranks.begin(), result.ranks.end());
  }

  // One group of two for each sender and its receiver; where a rank does both, one group of all.
  [[nodiscard]] std::vector<Exchange> transfers_of(const GraphNode& node) const {
    const auto from = parse_rank_list(node.send, job_.ranks, graph_.parallel);
    const auto to = parse_rank_list(node.receive, job_.ranks, graph_.parallel);
    if (from.size() != to.size()) {
      throw Error(fmt::format("{} ranks send and {} receive", from.size(), to.size()), {},
                  "they go together one by one");
    }
    std::vector<std::uint32_t> all = from;
    all.insert(all.end(), to.begin(), to.end());
    std::sort(all.begin(), all.end());
    const bool chained = std::adjacent_find(all.begin(), all.end()) != all.end();
    all.erase(std::unique(all.begin(), all.end()), all.end());
    std::vector<Exchange> exchanges;
    if (chained) {
      exchanges.push_back({{all}, {}});
    }
    const auto place = [&all](std::uint32_t rank) {
      return static_cast<std::uint32_t>(std::lower_bound(all.begin(), all.end(), rank) -
                                        all.begin());
    };
    for (std::size_t i = 0; i < from.size(); ++i) {
      if (from[i] == to[i]) {
        throw Error(fmt::format("rank {} sends to itself", from[i]));
      }
      if (chained) {
        exchanges.front().pairs.emplace_back(place(from[i]), place(to[i]));
      } else {
        exchanges.push_back({{{from[i], to[i]}}, {{0, 1}}});
      }
    }
    return exchanges;
  }

  std::shared_ptr<const collectives::Dag> dag(const GraphNode& node, const Exchange& exchange,
                                              collectives::Selection& selection) {
    const collectives::Group& group = exchange.group;
    collectives::Request request{node.op, group, topology_, job_.ranks, node.bytes, {}};
    request.options.pairs = exchange.pairs;
    auto& made = dags_[{node.op, node.algorithm, node.space, node.bytes, exchange.pairs, group.ranks}];
    if (made.dag == nullptr) {
      made = collectives::plan(request, system_.fabric, node.space, node.algorithm);
    }
    selection = made.selection;
    return made.dag;
  }

  void finish() {
    job_.tokens = graph_.tokens;
    job_.layers_scale = graph_.layers_scale;
    job_.rate_name = graph_.rate_name;
    job_.model_flops = graph_.model_flops;
    if (job_.model_flops == 0) {
      for (const JobNode& node : job_.nodes) {
        job_.model_flops +=
            node.flops * static_cast<double>(node.ranks.empty() ? ranks() : node.ranks.size());
      }
    }
    job_.description = {{"workload", graph_.name},    {"rank", name(graph_.rank)},
                        {"ranks", ranks()},           {"cores_per_rank", job_.cores_per_rank},
                        {"nodes", job_.nodes.size()}, {"distinct_kernels", kernels_.size()}};
    if (graph_.has_parallel) {
      const Parallel& p = graph_.parallel;
      job_.description["parallel"] = {{"tp", p.tp}, {"cp", p.cp}, {"dp", p.dp},
                                      {"pp", p.pp}, {"ep", p.ep}, {"etp", p.etp}};
    }
    if (!graph_.description.is_null()) {
      job_.description["made_from"] = graph_.description;
    }
  }

  using KernelKey = std::pair<std::string, std::vector<std::pair<std::string, std::string>>>;
  using DagKey = std::tuple<collectives::Op, collectives::Algorithm, fabric::Space, std::uint64_t,
                            std::vector<std::pair<std::uint32_t, std::uint32_t>>,
                            std::vector<std::uint32_t>>;

  const Graph& graph_;
  const spec::SystemSpec& system_;
  const lower::Options& lowering_;
  fabric::Topology topology_;
  spec::SystemSpec rank_system_;
  GraphJob job_;
  std::map<std::string, std::uint32_t> index_;
  std::map<KernelKey, PlacedKernel> kernels_;
  std::map<DagKey, collectives::Planned> dags_;
  std::vector<Finding> findings_;
};

}  // namespace

GraphJob make_job(const Graph& graph, const spec::SystemSpec& system,
                  const lower::Options& lowering) {
  return JobMaker(graph, system, lowering).make();
}

}  // namespace trnsim::workload
