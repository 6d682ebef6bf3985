// Runs a collective at each size.
#include "trnsim/study/collective_sweep.h"

#include <algorithm>

#include "trnsim/base/error.h"
#include "trnsim/collectives/closed_form.h"

namespace trnsim::study {
namespace {

// The resource that is closest to its rate over the whole time.
void find_bottleneck(const sim::GraphRecord& record, CollectivePoint& point) {
  for (const sim::ResourceRecord& resource : record.resources) {
    const double most = resource.capacity_GBps * record.time.ns();
    const double share = most > 0 ? resource.bytes / most : 0;
    if (share > point.bottleneck_utilization * (1 + 1e-9)) {
      point.bottleneck_utilization = share;
      point.bottleneck = resource.name;
    }
  }
}

}  // namespace

CollectiveSweep sweep_collective(const spec::LoadedSystem& system,
                                 const CollectiveRequest& request) {
  const spec::SystemSpec& spec = system.spec;
  workload::GraphJob job;
  job.cores_per_rank = request.cores_per_rank == 0 ? spec.lnc : request.cores_per_rank;
  job.ranks = fabric::make_ranks(spec, job.cores_per_rank, request.ranks);
  const fabric::Topology topology(spec);
  const std::vector<collectives::Group> groups =
      collectives::parse_groups(request.groups, job.ranks);
  const collectives::Legality legality =
      collectives::check_groups(topology, job.ranks, groups, request.op);
  CollectiveSweep sweep;
  sweep.ranks = static_cast<std::uint32_t>(job.ranks.ranks.size());
  sweep.group_size = groups.front().size();
  sweep.groups = static_cast<std::uint32_t>(groups.size());
  sweep.shape = collectives::name(collectives::layout(topology, job.ranks, groups.front()).shape);
  for (const std::uint64_t bytes : request.sizes) {
    workload::JobNode node;
    node.name = collectives::name(request.op);
    node.kind = workload::JobKind::kCollective;
    node.op = request.op;
    node.bytes = bytes;
    node.space = request.space;
    CollectivePoint point;
    point.bytes = bytes;
    for (const collectives::Group& group : groups) {
      const collectives::Planned planned =
          collectives::plan({request.op, group, topology, job.ranks, bytes, {}}, spec.fabric,
                            request.space, request.algorithm);
      point.selection = planned.selection;
      point.steps = planned.dag->steps;
      node.groups.push_back({group, planned.dag});
    }
    point.selection.legality = legality;
    job.nodes = {std::move(node)};
    sim::GraphOptions options;
    options.network = request.network;
    options.stop_flag = request.stop_flag;
    const sim::GraphRecord record = sim::simulate_graph(spec, job, options);
    point.time_us = record.time.us();
    point.algbw_GBps = static_cast<double>(bytes) / (point.time_us * 1e3);
    point.busbw_GBps = point.algbw_GBps * collectives::bus_factor(request.op, sweep.group_size);
    point.transfers = record.transfers;
    find_bottleneck(record, point);
    sweep.points.push_back(std::move(point));
  }
  return sweep;
}

}  // namespace trnsim::study
