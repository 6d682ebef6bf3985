// Mixture of experts of a transformer layer: router, dispatch, experts, combine.
#include <algorithm>
#include <cmath>

#include "layer_writer.h"

namespace trnsim::workload {
namespace {

// Ranks that are the first of their ep group, and the others.
std::pair<std::string, std::string> hot_and_others(const Parallel& parallel) {
  std::pair<std::string, std::string> text;
  for (std::uint32_t rank = 0; rank < parallel.ranks(); ++rank) {
    std::string& list = rank / parallel.etp % parallel.ep == 0 ? text.first : text.second;
    list += (list.empty() ? "" : ",") + std::to_string(rank);
  }
  return text;
}

}  // namespace

void LayerWriter::check_experts() const {
  const Experts& e = *model_.experts;
  if (e.count % parallel_.ep != 0) {
    throw Error(fmt::format("{} experts cannot be divided by ep {}", e.count, parallel_.ep));
  }
  if (e.ff % parallel_.etp != 0) {
    throw Error(
        fmt::format("{} columns of an expert cannot be divided by etp {}", e.ff, parallel_.etp));
  }
  if (!replicated()) {
    return;
  }
  if (options_.moe.dispatch == Dispatch::kAllToAll) {
    throw Error("all-to-all dispatch with tp above 1 needs sequence parallelism", {},
                "set sp: true, so that each rank sends its own tokens, or dispatch: ag_rs");
  }
  if (parallel_.ep * parallel_.etp != parallel_.tp) {
    throw Error(fmt::format(
        "tokens that every rank of tp {} has need ep x etp of the same size, not {} x {}",
        parallel_.tp, parallel_.ep, parallel_.etp));
  }
}

std::string LayerWriter::moe_block(const std::string& before) {
  check_experts();
  const Experts& e = *model_.experts;
  const std::uint64_t own = tokens_ / (options_.sequence_parallel ? parallel_.tp : 1);
  const std::string normed = norm("norm2", {before});
  std::string arrived = gemm("router", own, e.count, model_.d, {normed});
  if (!replicated()) {
    arrived = dispatch(own, arrived);
  }
  std::string shared;
  if (e.shared > 0) {
    // Needs nothing from other ranks, so that it runs while the tokens travel.
    const std::uint64_t ff = std::uint64_t{e.ff} * e.shared;
    shared = gemm("shared.gate_up", own, 2 * ff, model_.d, {normed});
    shared =
        kernel("shared.swiglu", "swiglu",
               {{"tokens", std::to_string(own)}, {"f", std::to_string(ff)}, {"dtype", wide_dtype_}},
               {shared});
    shared = gemm("shared.down", own, model_.d, ff, {shared});
  }
  const std::uint64_t rows = replicated()
                                 ? std::max<std::uint64_t>(1, own * e.active / parallel_.ep)
                                 : own * parallel_.etp * e.active;
  const std::string done = experts(arrived, rows);
  return replicated() ? reduce("experts", done) : combine(own, done, shared);
}

// Tokens to the ranks of their experts.
std::string LayerWriter::dispatch(std::uint64_t own, std::string before) {
  const std::uint64_t element = size_bytes(options_.moe.dispatch_dtype);
  const std::uint64_t copies = own * model_.experts->active * model_.d;
  if (options_.moe.dispatch == Dispatch::kGatherScatter) {
    return parallel_.ep == 1
               ? before
               : collective("dispatch.ag", collectives::Op::kAllGather,
                            own * parallel_.ep * model_.d * element, "ep", 0, {before});
  }
  before = work("permute", static_cast<double>((own * model_.d + copies) * bytes_), {before});
  if (parallel_.ep > 1) {
    before =
        collective("dispatch", collectives::Op::kAllToAll, copies * element, "ep", 0, {before});
  }
  return parallel_.etp == 1 ? before
                            : collective("experts.ag", collectives::Op::kAllGather,
                                         copies * parallel_.etp * element, "etp", 0, {before});
}

// Results back, and the weighted sum of a token's experts.
std::string LayerWriter::combine(std::uint64_t own, std::string before, const std::string& shared) {
  const std::uint64_t element = size_bytes(options_.moe.combine_dtype);
  const std::uint64_t copies = own * model_.experts->active * model_.d;
  if (options_.moe.dispatch == Dispatch::kGatherScatter) {
    return parallel_.ep == 1
               ? before
               : collective("combine.rs", collectives::Op::kReduceScatter,
                            own * parallel_.ep * model_.d * element, "ep", 0, {before});
  }
  if (parallel_.etp > 1) {
    before = collective("experts.rs", collectives::Op::kReduceScatter,
                        copies * parallel_.etp * element, "etp", 0, {before});
  }
  if (parallel_.ep > 1) {
    before = collective("combine", collectives::Op::kAllToAll, copies * element, "ep", 0, {before});
  }
  return work("sum", static_cast<double>((own * model_.d + copies) * bytes_), {before, shared});
}

// `rows` come to this rank; each of its experts has an equal part. With few rows only that many
// experts have any.
std::string LayerWriter::experts(const std::string& before, std::uint64_t rows) {
  const Experts& e = *model_.experts;
  const std::uint64_t local = std::min<std::uint64_t>(e.count / parallel_.ep, rows);
  const auto rows_of = [&](double factor) {
    const double each = static_cast<double>(rows) / static_cast<double>(local) * factor;
    return std::max<std::uint64_t>(1, static_cast<std::uint64_t>(std::ceil(each - 1e-9)));
  };
  std::vector<std::string> last{before};
  const double skew = options_.moe.skew;
  const bool skewed = skew > 0 && parallel_.ep > 1;
  const double rest = (parallel_.ep - (1 + skew)) / std::max(1.0, parallel_.ep - 1.0);
  if (skewed && rest < 0) {
    throw Error(
        fmt::format("skew {} gives one rank more tokens than {} ranks have", skew, parallel_.ep));
  }
  const auto [hot, others] =
      skewed ? hot_and_others(parallel_) : std::pair<std::string, std::string>();
  for (std::uint64_t i = 0; i < local; ++i) {
    const std::string name = fmt::format("expert{}", i);
    if (!skewed) {
      last = {expert_chain(name, "all", rows_of(1), last)};
    } else {
      const std::string first = expert_chain(name + ".hot", hot, rows_of(1 + skew), last);
      last = {first, expert_chain(name, others, rows_of(rest), last)};
    }
  }
  if (last.size() == 1) {
    return last.front();
  }
  GraphNode both;  // takes no time: one name for the end on either kind of rank
  both.name = "experts.done";
  both.kind = NodeKind::kWork;
  return add(std::move(both), last);
}

std::string LayerWriter::expert_chain(const std::string& name, const std::string& ranks,
                                      std::uint64_t rows, const std::vector<std::string>& after) {
  const std::uint64_t ff = model_.experts->ff / parallel_.etp;
  const std::size_t first = graph_.nodes.size();
  std::string last = gemm(name + ".gate_up", rows, 2 * ff, model_.d, after);
  last =
      kernel(name + ".swiglu", "swiglu",
             {{"tokens", std::to_string(rows)}, {"f", std::to_string(ff)}, {"dtype", wide_dtype_}},
             {last});
  last = gemm(name + ".down", rows, model_.d, ff, {last});
  if (ranks != "all") {
    for (std::size_t i = first; i < graph_.nodes.size(); ++i) {
      graph_.nodes[i].ranks = ranks;
    }
  }
  return last;
}

}  // namespace trnsim::workload
