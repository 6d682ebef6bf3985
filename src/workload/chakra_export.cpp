// Graph -> Chakra traces.
#include <chakra.pb.h>
#include <google/protobuf/io/coded_stream.h>
#include <google/protobuf/io/zero_copy_stream_impl_lite.h>

#include <algorithm>
#include <map>

#include "chakra_names.h"
#include "rank_sets.h"
#include "trnsim/base/files.h"
#include "trnsim/workload/chakra.h"
#include "trnsim/workload/kernel_request.h"

namespace trnsim::workload {
namespace {

using chakra::Node;

template <typename Message>
chakra::Attribute& attribute(Message& message, const char* name) {
  chakra::Attribute& added = *message.add_attr();
  added.set_name(name);
  return added;
}

void append(std::string& file, const google::protobuf::MessageLite& message) {
  google::protobuf::io::StringOutputStream stream(&file);
  google::protobuf::io::CodedOutputStream coded(&stream);
  coded.WriteVarint32(static_cast<std::uint32_t>(message.ByteSizeLong()));
  message.SerializeToCodedStream(&coded);
}

std::string text_of(const collectives::Group& group) {
  std::string text;
  for (const std::uint32_t rank : group.ranks) {
    text += (text.empty() ? "" : ",") + std::to_string(rank);
  }
  return text;
}

class Exporter {
 public:
  Exporter(const Graph& graph, const spec::SystemSpec& system)
      : graph_(graph), ranks_(ranks_of(graph, system)), files_(ranks_.ranks.size()) {}

  const std::vector<std::string>& files() {
    write_header();
    for (std::uint32_t i = 0; i < graph_.nodes.size(); ++i) {
      const GraphNode& node = graph_.nodes[i];
      try {
        write(node);
      } catch (const Error& error) {
        throw Error(fmt::format("node '{}': {}", node.name, error.findings().front().what),
                    node.where, error.findings().front().hint);
      }
    }
    return files_;
  }

 private:
  void write_header() {
    chakra::Metadata metadata;
    metadata.set_version("0.0.4");
    attribute(metadata, "trnsim_name").set_string_val(graph_.name);
    attribute(metadata, "trnsim_system").set_string_val(graph_.system);
    attribute(metadata, "trnsim_rank").set_string_val(name(graph_.rank));
    attribute(metadata, "trnsim_rate").set_string_val(graph_.rate_name);
    attribute(metadata, "trnsim_tokens").set_double_val(graph_.tokens);
    attribute(metadata, "trnsim_model_flops").set_double_val(graph_.model_flops);
    attribute(metadata, "trnsim_layers_scale").set_double_val(graph_.layers_scale);
    for (std::string& file : files_) {
      append(file, metadata);
    }
  }

  Node begin(const GraphNode& node, int type) {
    Node message;
    message.set_name(node.name);
    message.set_type(type);
    attribute(message, "is_cpu_op").set_bool_val(false);
    return message;
  }

  // Ids count over all ranks' nodes in the order of the graph, so that a reader finds the order
  // again.
  void put(const GraphNode& node, Node& message, std::uint32_t rank) {
    message.set_id(next_id_++);
    message.clear_ctrl_deps();
    for (const std::string& before : node.after) {
      const auto found = ids_.find({before, rank});
      if (found != ids_.end()) {
        for (const std::uint64_t id : found->second) {
          message.add_ctrl_deps(id);
        }
      }
    }
    pending_.push_back({node.name, rank, message.id()});
    append(files_[rank], message);
  }

  void write(const GraphNode& node) {
    if (node.kind == NodeKind::kTransfer || node.op == collectives::Op::kPermute) {
      write_transfers(node);
    } else if (node.kind == NodeKind::kCollective) {
      write_collective(node);
    } else {
      write_compute(node);
    }
    for (const Written& written : pending_) {
      ids_[{written.name, written.rank}].push_back(written.id);
    }
    pending_.clear();
  }

  void write_compute(const GraphNode& node) {
    Node message = begin(node, chakra::kComp);
    double flops = node.flops;
    if (node.kind == NodeKind::kKernel) {
      const std::unique_ptr<KernelRequest> request = make_kernel_request(node.kernel);
      set_arguments(*request, node.arguments);
      flops = request->flops();
      attribute(message, chakra::kKernel).set_string_val(node.kernel);
      std::string arguments;
      for (const auto& [key, value] : node.arguments) {
        arguments += (arguments.empty() ? "" : " ") + key + "=" + value;
      }
      attribute(message, chakra::kArguments).set_string_val(arguments);
    } else if (node.kind == NodeKind::kTrace) {
      attribute(message, chakra::kTrace).set_string_val(node.trace_path);
    } else if (node.flops > 0) {
      attribute(message, chakra::kDtype).set_string_val(std::string(name(node.dtype)));
    }
    attribute(message, "num_ops").set_int64_val(static_cast<std::int64_t>(flops));
    attribute(message, "tensor_size").set_uint64_val(node.hbm_bytes);
    if (node.overhead_us != 0) {
      attribute(message, chakra::kOverhead).set_double_val(node.overhead_us);
    }
    for (const std::uint32_t rank : parse_ranks(node.ranks, ranks_, graph_.parallel)) {
      put(node, message, rank);
    }
  }

  void set_exchange(const GraphNode& node, Node& message) {
    attribute(message, "comm_priority").set_int32_val(node.priority);
    attribute(message, chakra::kStream).set_uint32_val(node.stream);
    if (node.space == fabric::Space::kSbuf) {
      attribute(message, chakra::kSpace).set_string_val("sbuf");
    }
  }

  void write_collective(const GraphNode& node) {
    for (const collectives::Group& group : parse_groups(node.groups, ranks_, graph_.parallel)) {
      Node message = begin(node, chakra::kCollective);
      const auto row = std::find_if(chakra::kCommTypes.begin(), chakra::kCommTypes.end(),
                                    [&](const auto& type) { return type.op == node.op; });
      attribute(message, "comm_type").set_int64_val(row->number);
      // What a rank gives: of an all-gather its own part.
      const bool parts = node.op == collectives::Op::kAllGather;
      if (parts && node.bytes % group.size() != 0) {
        throw Error(
            fmt::format("{} bytes are no equal parts for {} ranks", node.bytes, group.size()));
      }
      attribute(message, "comm_size")
          .set_int64_val(static_cast<std::int64_t>(parts ? node.bytes / group.size() : node.bytes));
      attribute(message, "pg_name").set_string_val(text_of(group));
      set_exchange(node, message);
      if (node.algorithm != collectives::Algorithm::kAuto) {
        attribute(message, chakra::kAlgorithm).set_string_val(collectives::name(node.algorithm));
      }
      for (const std::uint32_t rank : group.ranks) {
        put(node, message, rank);
      }
    }
  }

  void write_transfers(const GraphNode& node) {
    std::vector<std::pair<std::uint32_t, std::uint32_t>> pairs;
    if (node.kind == NodeKind::kTransfer) {
      const auto from = parse_ranks(node.send, ranks_, graph_.parallel);
      const auto to = parse_rank_list(node.receive, ranks_, graph_.parallel);
      if (from.size() != to.size()) {
        throw Error(fmt::format("{} ranks send and {} receive", from.size(), to.size()));
      }
      for (std::size_t i = 0; i < from.size(); ++i) {
        pairs.emplace_back(from[i], to[i]);
      }
    } else {
      for (const collectives::Group& group : parse_groups(node.groups, ranks_, graph_.parallel)) {
        for (std::size_t i = 0; i < group.ranks.size(); ++i) {
          pairs.emplace_back(group.ranks[i], group.ranks[(i + 1) % group.ranks.size()]);
        }
      }
    }
    for (const auto& [from, to] : pairs) {
      for (const int type : {chakra::kSend, chakra::kRecv}) {
        Node message = begin(node, type);
        attribute(message, "comm_src").set_int32_val(static_cast<std::int32_t>(from));
        attribute(message, "comm_dst").set_int32_val(static_cast<std::int32_t>(to));
        attribute(message, "comm_size").set_int64_val(static_cast<std::int64_t>(node.bytes));
        attribute(message, "comm_tag").set_int32_val(0);
        set_exchange(node, message);
        put(node, message, type == chakra::kSend ? from : to);
      }
    }
  }

  struct Written {
    std::string name;
    std::uint32_t rank;
    std::uint64_t id;
  };

  const Graph& graph_;
  fabric::RankMap ranks_;
  std::vector<std::string> files_;
  std::uint64_t next_id_ = 0;
  std::map<std::pair<std::string, std::uint32_t>, std::vector<std::uint64_t>> ids_;
  std::vector<Written> pending_;
};

}  // namespace

void export_chakra(const Graph& graph, const spec::SystemSpec& system, const std::string& prefix) {
  Exporter exporter(graph, system);
  const std::vector<std::string>& files = exporter.files();
  for (std::size_t rank = 0; rank < files.size(); ++rank) {
    write_file_atomically(chakra::file_of(prefix, rank), [&](std::ostream& out) {
      out.write(files[rank].data(), static_cast<std::streamsize>(files[rank].size()));
    });
  }
}

}  // namespace trnsim::workload
