// Distributed runs made in code: a spec in which links alone bind, jobs, and what always holds of a record.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "support/systems.h"
#include "trnsim/collectives/generate.h"
#include "trnsim/fabric/ranks.h"
#include "trnsim/kernels/gemm.h"
#include "trnsim/lower/lower.h"
#include "trnsim/sim/graph.h"
#include "trnsim/workload/placement.h"

namespace trnsim::test {

// Set-up 5 us, hops 1 us on a chip and 2 us between chips.
inline void pin_hops(spec::SystemSpec& system) {
  system.fabric.collective_setup_us = 5;
  system.fabric.collective_hop_on_chip_us = 1;
  system.fabric.collective_hop_intra_us = 2;
  system.fabric.collective_hop_inter_us = 15;
}

// Links of 128 GB/s; channels, memories and crossings between dies never bind a rank of a chip.
inline spec::SystemSpec links_only(const std::string& name = "trn2.48xlarge") {
  spec::SystemSpec system = pinned_trn2(name);
  pin_hops(system);
  system.chip.core.dma.stream_GBps_per_engine = 1000;
  system.fabric.collective_dma_engines_per_core = 8;
  system.fabric.collective_reduce_rate = 0.5;
  system.chip.hbm.peak_GBps_per_stack = 10000;
  system.chip.hbm.sustained_fraction = 1;
  for (spec::LinkClassSpec& link : system.fabric.link_classes) {
    link.GBps_per_direction_per_link = 128;
    link.efficiency = 1;
  }
  return system;
}

struct Exchange {
  collectives::Op op = collectives::Op::kAllReduce;
  collectives::Algorithm algorithm = collectives::Algorithm::kRing;
  std::uint64_t bytes = 1 << 20;
  std::vector<std::vector<std::uint32_t>> groups{};  // empty = all ranks
  std::uint32_t stream = 0;
  std::uint32_t slices = 1;
  std::vector<std::pair<std::uint32_t, std::uint32_t>> pairs{};  // permute
};

class JobBuilder {
 public:
  JobBuilder(const spec::SystemSpec& system, std::uint32_t cores_per_rank, std::uint32_t ranks = 0)
      : system_(system), topology_(system) {
    job.cores_per_rank = cores_per_rank;
    job.ranks = fabric::make_ranks(system, cores_per_rank, ranks);
    one_rank_ = system;
    one_rank_.servers = 1;
    one_rank_.chips_per_server = 1;
    one_rank_.cores_per_chip_used = cores_per_rank;
    one_rank_.lnc = cores_per_rank % system.lnc == 0 ? system.lnc : 1;
    one_rank_.fabric = {};
  }

  // Programs of each core of a rank, for kernel().
  using Programs = std::vector<std::shared_ptr<const lower::Program>>;
  [[nodiscard]] Programs gemm(std::uint32_t m, std::uint32_t n, std::uint32_t k) const {
    kernels::GemmOptions options;
    options.m = m;
    options.n = n;
    options.k = k;
    options.variant = kernels::GemmVariant::kBest;
    return workload::place_gemm(one_rank_, options, {}).programs;
  }
  // The same trace on every core.
  [[nodiscard]] Programs trace(const trace::Trace& trace) const {
    trace::validate(trace);
    return Programs(job.cores_per_rank, lower::lower(trace, system_.chip.core));
  }

  // Returns the node. `ranks` ascending, empty = all.
  std::uint32_t kernel(const std::string& name, Programs programs, std::vector<std::uint32_t> after = {},
                       std::vector<std::uint32_t> ranks = {}, double overhead_us = 0) {
    workload::JobNode node;
    node.name = name;
    node.programs = std::move(programs);
    node.after = std::move(after);
    node.ranks = std::move(ranks);
    node.overhead_us = overhead_us;
    return add(std::move(node));
  }
  // A kernel without instructions.
  std::uint32_t software(const std::string& name, double us, std::vector<std::uint32_t> after = {},
                         std::vector<std::uint32_t> ranks = {}) {
    return kernel(name, Programs(job.cores_per_rank), std::move(after), std::move(ranks), us);
  }
  std::uint32_t collective(const std::string& name, const Exchange& what,
                           std::vector<std::uint32_t> after = {}) {
    workload::JobNode node;
    node.name = name;
    node.kind = workload::JobKind::kCollective;
    node.after = std::move(after);
    node.op = what.op;
    node.bytes = what.bytes;
    node.stream = what.stream;
    node.selection.algorithm = what.algorithm;
    std::vector<std::vector<std::uint32_t>> groups = what.groups;
    if (groups.empty()) {
      groups.emplace_back();
      for (std::uint32_t rank = 0; rank < job.ranks.ranks.size(); ++rank) {
        groups.back().push_back(rank);
      }
    }
    collectives::Options options;
    options.slices = what.slices;
    options.pairs = what.pairs;
    for (std::vector<std::uint32_t>& ranks : groups) {
      node.ranks.insert(node.ranks.end(), ranks.begin(), ranks.end());
      const collectives::Group group{std::move(ranks)};
      node.groups.push_back(
          {group, std::make_shared<const collectives::Dag>(collectives::make_dag(
                      what.op, what.algorithm, group, topology_, job.ranks, what.bytes, options))});
    }
    std::sort(node.ranks.begin(), node.ranks.end());
    return add(std::move(node));
  }

  [[nodiscard]] sim::GraphRecord run(bool folded = true,
                                     sim::NetworkModel network = sim::NetworkModel::kFlow) const {
    sim::GraphOptions options;
    options.folded = folded;
    options.network = network;
    return sim::simulate_graph(system_, job, options);
  }

  workload::GraphJob job;

 private:
  std::uint32_t add(workload::JobNode node) {
    job.nodes.push_back(std::move(node));
    return static_cast<std::uint32_t>(job.nodes.size() - 1);
  }

  const spec::SystemSpec& system_;
  const fabric::Topology topology_;
  spec::SystemSpec one_rank_;
};

// Every rank's time and every engine's time is divided without rest.
inline void expect_divided(const workload::GraphJob& job, const sim::GraphRecord& record) {
  const sim::RankTimeRecord& ranks = record.rank_time;
  EXPECT_EQ(ranks.compute_fs + ranks.exposed_fs + ranks.idle_fs, record.ranks * record.time.count);
  std::uint64_t compute = 0;
  std::uint64_t communication = 0;
  for (std::size_t n = 0; n < job.nodes.size(); ++n) {
    (job.nodes[n].kind == workload::JobKind::kKernel ? compute : communication) +=
        record.nodes[n].busy_fs;
  }
  EXPECT_EQ(ranks.compute_fs, compute);  // kernels of a rank do not overlap
  EXPECT_LE(ranks.hidden_fs, compute);
  EXPECT_LE(ranks.hidden_fs + ranks.exposed_fs, communication);
  for (const sim::EngineRecord& engine : record.engines) {
    std::uint64_t sum = engine.busy_fs;
    for (const std::uint64_t idle : engine.idle_fs) {
      sum += idle;
    }
    EXPECT_EQ(sum, record.ranks * job.cores_per_rank * record.time.count);
  }
}

// Bytes of each resource = those of the transfers of all groups.
inline void expect_bytes_of_dags(const spec::SystemSpec& system, const workload::GraphJob& job,
                                 const sim::GraphRecord& record) {
  const fabric::NetworkPlan plan(system, job.ranks);
  std::vector<double> bytes(plan.resources().size(), 0);
  std::uint64_t transfers = 0;
  for (const workload::JobNode& node : job.nodes) {
    for (const workload::GroupRun& run : node.groups) {
      const auto rank = [&](std::uint32_t member) {
        return member == collectives::kNoRank ? fabric::kNone : run.group.ranks[member];
      };
      for (const collectives::Transfer& transfer : run.dag->transfers) {
        if (transfer.bytes == 0) {
          continue;
        }
        ++transfers;
        fabric::Movement movement;
        movement.from = rank(transfer.from);
        movement.to = rank(transfer.to);
        movement.also_from = rank(transfer.also_from);
        movement.also_to = rank(transfer.also_to);
        movement.bytes = transfer.bytes;
        movement.reduce = transfer.reduce;
        movement.space = node.space;
        for (const fabric::Use& use : plan.uses(movement)) {
          bytes[use.resource] += use.multiplicity * static_cast<double>(transfer.bytes);
        }
      }
    }
  }
  EXPECT_EQ(record.transfers, transfers);
  ASSERT_EQ(record.resources.size(), bytes.size());
  for (std::size_t r = 0; r < bytes.size(); ++r) {
    EXPECT_NEAR(record.resources[r].bytes, bytes[r], 1e-6 * bytes[r] + 1e-3) << record.resources[r].name;
    EXPECT_LE(record.resources[r].busy_fs, record.time.count);
  }
}

}  // namespace trnsim::test
