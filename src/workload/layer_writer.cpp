// Nodes of a transformer layer: shapes of a rank, attention and dense MLP forward.
#include "layer_writer.h"

#include <algorithm>

namespace trnsim::workload {
namespace {

std::uint32_t share(std::uint32_t whole, std::uint32_t parts, const char* what, const char* axis) {
  if (whole % parts != 0) {
    throw Error(fmt::format("{} {} cannot be divided by {} {}", whole, what, axis, parts));
  }
  return whole / parts;
}

// "0-3;4-7;..."
std::string consecutive_groups(std::uint32_t ranks, std::uint32_t size) {
  std::string text;
  for (std::uint32_t first = 0; first < ranks; first += size) {
    text += fmt::format("{}{}-{}", first == 0 ? "" : ";", first, first + size - 1);
  }
  return text;
}

}  // namespace

LayerWriter::LayerWriter(const Model& model, const TransformerOptions& options,
                         const Parallel& parallel, Graph& graph)
    : model_(model), options_(options), parallel_(parallel), graph_(graph) {
  const bool decode = options.phase == Phase::kDecode;
  tokens_ = decode ? options.batch : share(options.tokens, parallel.cp, "tokens", "cp");
  heads_ = share(model.heads, parallel.tp, "heads", "tp");
  kv_heads_ = parallel.tp >= model.kv_heads
                  ? 1
                  : share(model.kv_heads, parallel.tp, "key/value heads", "tp");
  if (parallel.tp > model.kv_heads && parallel.tp % model.kv_heads != 0) {
    throw Error(fmt::format("tp {} is no multiple of the {} key/value heads it replicates",
                            parallel.tp, model.kv_heads));
  }
  width_ = heads_ * (model.mla ? model.mla->v : model.head_dim);
  qkv_ = (heads_ + 2 * kv_heads_) * model.head_dim;
  if (!model.experts) {
    ff_ = share(model.ff, parallel.tp, "columns of the MLP", "tp");
  }
  if (options.sequence_parallel) {
    static_cast<void>(share(tokens_, parallel.tp, "tokens", "tp (sequence parallelism)"));
  }
  const bool wide = is_16bit_float(options.dtype) || is_fp32(options.dtype);
  wide_dtype_ = wide ? name(options.dtype) : name(DType::kBFloat16);
  bytes_ = wide ? size_bytes(options.dtype) : 2;
}

std::uint64_t LayerWriter::activation_bytes() const {
  return std::uint64_t{tokens_} * model_.d * bytes_;
}

std::uint64_t LayerWriter::boundary_bytes() const {
  return activation_bytes() / (options_.sequence_parallel ? parallel_.tp : 1);
}

std::string LayerWriter::add(GraphNode node, const std::vector<std::string>& after) {
  node.name = place_.prefix + node.name;
  for (const std::string& before : after) {
    if (!before.empty()) {
      node.after.push_back(before);
    }
  }
  if (node.communicates()) {
    node.groups += place_.ranks == "all" ? "" : "@" + place_.ranks;
  } else if (node.ranks == "all") {
    node.ranks = place_.ranks;
    node.overhead_us = first_ ? options_.layer_overhead_us : 0;
    first_ = false;
  }
  graph_.nodes.push_back(std::move(node));
  return graph_.nodes.back().name;
}

std::string LayerWriter::kernel(const std::string& name, const std::string& kernel_name,
                                Arguments arguments, const std::vector<std::string>& after) {
  GraphNode node;
  node.name = name;
  node.kernel = kernel_name;
  node.arguments = std::move(arguments);
  return add(std::move(node), after);
}

std::string LayerWriter::gemm(const std::string& name, std::uint64_t m, std::uint64_t n,
                              std::uint64_t k, const std::vector<std::string>& after) {
  return kernel(name, "gemm",
                {{"m", std::to_string(m)},
                 {"n", std::to_string(n)},
                 {"k", std::to_string(k)},
                 {"dtype", std::string(trnsim::name(options_.dtype))}},
                after);
}

std::string LayerWriter::norm(const std::string& name, const std::vector<std::string>& after) {
  const std::uint32_t rows = tokens_ / (options_.sequence_parallel ? parallel_.tp : 1);
  return kernel(name, "rmsnorm",
                {{"tokens", std::to_string(rows)},
                 {"d", std::to_string(model_.d)},
                 {"residual", "true"},
                 {"dtype", wide_dtype_}},
                after);
}

std::string LayerWriter::work(const std::string& name, double bytes,
                              const std::vector<std::string>& after) {
  GraphNode node;
  node.name = name;
  node.kind = NodeKind::kWork;
  node.hbm_bytes = static_cast<std::uint64_t>(bytes);
  return add(std::move(node), after);
}

std::string LayerWriter::collective(const std::string& name, collectives::Op op,
                                    std::uint64_t bytes, const std::string& groups,
                                    std::uint32_t stream, const std::vector<std::string>& after) {
  GraphNode node;
  node.name = name;
  node.kind = NodeKind::kCollective;
  node.op = op;
  node.bytes = bytes;
  node.groups = groups;
  node.stream = stream;
  return add(std::move(node), after);
}

std::string LayerWriter::gather(const std::string& name, const std::string& before) {
  if (parallel_.tp == 1 || !options_.sequence_parallel) {
    return before;
  }
  return collective(name, collectives::Op::kAllGather, activation_bytes(), "tp", 0, {before});
}

std::string LayerWriter::reduce(const std::string& name, const std::string& before) {
  if (parallel_.tp == 1) {
    return before;
  }
  return options_.sequence_parallel ? collective(name + ".rs", collectives::Op::kReduceScatter,
                                                 activation_bytes(), "tp", 0, {before})
                                    : collective(name + ".ar", collectives::Op::kAllReduce,
                                                 activation_bytes(), "tp", 0, {before});
}

std::string LayerWriter::forward(const LayerPlace& place, const std::string& before) {
  place_ = place;
  first_ = true;
  const std::string attended = attention_block(before);
  return model_.experts ? moe_block(attended) : mlp_block(attended);
}

std::string LayerWriter::attention_block(std::string before) {
  before = norm("norm1", {before});
  before = gather("norm1.ag", before);
  before = model_.mla ? latent_projections(before) : gemm("qkv", tokens_, qkv_, model_.d, {before});
  before = attend(before);
  before = gemm("o", tokens_, model_.d, width_, {before});
  return reduce("o", before);
}

// The two projections into latents are one product, as they have the same input.
std::string LayerWriter::latent_projections(const std::string& before) {
  const Mla& mla = *model_.mla;
  const std::string down =
      gemm("qkv_down", tokens_, mla.q_rank + mla.kv_rank + mla.rope, model_.d, {before});
  const std::string q =
      gemm("q_up", tokens_, std::uint64_t{heads_} * (mla.nope + mla.rope), mla.q_rank, {down});
  return gemm("kv_up", tokens_, std::uint64_t{heads_} * (mla.nope + mla.v), mla.kv_rank, {q});
}

std::string LayerWriter::attend(const std::string& before) {
  if (options_.phase == Phase::kDecode) {
    return attend_decode(before);
  }
  if (parallel_.cp > 1) {
    return ring_attention(before);
  }
  return attend_prefill("attention", options_.sequence, options_.sequence, true, {before});
}

// The queries of a group share their keys: they are the rows of one problem.
std::string LayerWriter::attend_decode(std::string before) {
  const std::uint32_t copies = options_.kv_sharded ? parallel_.tp / model_.kv_heads : 1;
  const std::uint64_t bytes = std::uint64_t{tokens_} * heads_ * copies * model_.head_dim * bytes_;
  const std::string groups = consecutive_groups(parallel_.ranks(), copies);
  if (copies > 1) {
    before = collective("q.ag", collectives::Op::kAllGather, bytes, groups, 0, {before});
  }
  before = kernel("attention", "attention",
                  {{"batch", std::to_string(tokens_)},
                   {"heads", std::to_string(kv_heads_ * options_.kv_splits)},
                   {"seq", std::to_string(heads_ / kv_heads_ * copies)},
                   {"kv-seq", std::to_string(options_.context / options_.kv_splits / copies)},
                   {"head-dim", std::to_string(model_.head_dim)},
                   {"dtype", wide_dtype_}},
                  {before});
  return copies == 1 ? before
                     : collective("attention.rs", collectives::Op::kReduceScatter, bytes, groups, 0,
                                  {before});
}

std::string LayerWriter::attend_prefill(const std::string& name, std::uint32_t queries,
                                        std::uint32_t keys, bool causal,
                                        const std::vector<std::string>& after) {
  std::uint32_t heads = heads_;
  std::uint32_t kv_heads = kv_heads_;
  std::uint32_t head_dim = model_.head_dim;
  if (model_.mla) {
    // Heads of 128 with the same products: the kernel has one width for keys and values.
    head_dim = 128;
    const std::uint32_t both = model_.mla->nope + model_.mla->rope + model_.mla->v;
    heads = (heads_ * both + head_dim) / (2 * head_dim);
    kv_heads = heads;
  }
  return kernel(name, "attention",
                {{"batch", std::to_string(options_.tokens / options_.sequence)},
                 {"heads", std::to_string(heads)},
                 {"kv-heads", std::to_string(kv_heads)},
                 {"seq", std::to_string(queries)},
                 {"kv-seq", std::to_string(keys)},
                 {"head-dim", std::to_string(head_dim)},
                 {"causal", causal ? "true" : "false"},
                 {"dtype", wide_dtype_}},
                after);
}

// Blocks of keys and values go round while a rank attends to the one it has. With zigzag placement
// of the sequence every rank sees half of each foreign block.
std::string LayerWriter::ring_attention(const std::string& before) {
  const std::uint32_t block = options_.sequence / parallel_.cp;
  const std::uint64_t bytes = std::uint64_t{2} * kv_heads_ * model_.head_dim * tokens_ * bytes_;
  std::string attended = attend_prefill("attention0", block, block, true, {before});
  std::string received = before;
  for (std::uint32_t step = 1; step < parallel_.cp; ++step) {
    received = collective(fmt::format("kv{}", step), collectives::Op::kPermute, bytes, "cp", 1,
                          {received});
    attended = attend_prefill(fmt::format("attention{}", step), block, block / 2, false,
                              {attended, received});
  }
  return attended;
}

std::string LayerWriter::mlp_block(std::string before) {
  before = norm("norm2", {before});
  before = gather("norm2.ag", before);
  before = gemm("gate_up", tokens_, 2 * ff_, model_.d, {before});
  before = kernel(
      "swiglu", "swiglu",
      {{"tokens", std::to_string(tokens_)}, {"f", std::to_string(ff_)}, {"dtype", wide_dtype_}},
      {before});
  before = gemm("down", tokens_, model_.d, ff_, {before});
  return reduce("down", before);
}

}  // namespace trnsim::workload
