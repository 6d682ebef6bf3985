// Chakra traces -> Graph: reads the files and makes one node of what several ranks do alike.
#include <google/protobuf/io/coded_stream.h>

#include <algorithm>
#include <filesystem>
#include <map>
#include <set>
#include <tuple>

#include "chakra_import.h"
#include "chakra_names.h"
#include "trnsim/base/files.h"
#include "trnsim/workload/chakra.h"

namespace trnsim::workload {
namespace {

using chakra::Node;

// One node of one rank, as it was read.
struct Part {
  std::uint32_t rank = 0;
  std::uint64_t id = 0;
  std::size_t byte = 0;  // in the file
  bool receives = false;
  std::vector<std::uint64_t> dependencies;
  GraphNode node;
  std::size_t merged = 0;  // index of the graph's node
};

std::string list_text(const std::vector<std::uint32_t>& ranks) {
  std::string list;
  for (const std::uint32_t rank : ranks) {
    list += (list.empty() ? "" : ",") + std::to_string(rank);
  }
  return list;
}

class Importer {
 public:
  explicit Importer(std::string prefix) : prefix_(std::move(prefix)) {}

  Graph import() {
    while (std::filesystem::exists(chakra::file_of(prefix_, ranks_))) {
      read_rank(ranks_++);
    }
    if (ranks_ == 0) {
      throw Error(fmt::format("there is no trace '{}'", chakra::file_of(prefix_, 0)), {},
                  "give the part of the file names in front of .0.et");
    }
    graph_.ranks = ranks_;
    if (graph_.name.empty()) {
      graph_.name = std::filesystem::path(prefix_).filename().string();
    }
    find_groups();
    merge();
    connect();
    std::vector<Finding> findings = check_and_sort(graph_.nodes);
    if (!findings.empty()) {
      throw Error(std::move(findings));
    }
    return std::move(graph_);
  }

 private:
  [[noreturn]] void fail(std::uint32_t rank, std::size_t byte, const std::string& what) const {
    throw Error(fmt::format("byte {}: {}", byte, what), {chakra::file_of(prefix_, rank), 0, 0});
  }

  void read_rank(std::uint32_t rank) {
    const std::string file = read_file(chakra::file_of(prefix_, rank));
    if (file.size() > 0x7fffffff) {
      fail(rank, 0, "files above 2 GiB are not supported");
    }
    google::protobuf::io::CodedInputStream stream(
        reinterpret_cast<const std::uint8_t*>(file.data()), static_cast<int>(file.size()));
    chakra::Metadata metadata;
    read_message(stream, rank, metadata, "a Chakra header");
    if (rank == 0) {
      read_header(metadata);
    }
    std::set<std::uint64_t> ids;
    std::map<std::string, std::uint32_t> seen;  // sends and receives of a name count apart
    while (stream.CurrentPosition() < static_cast<int>(file.size())) {
      const auto byte = static_cast<std::size_t>(stream.CurrentPosition());
      Node node;
      read_message(stream, rank, node, "a node");
      if (!ids.insert(node.id()).second) {
        fail(rank, byte, fmt::format("node id {} is used twice", node.id()));
      }
      add(rank, byte, node, seen);
    }
  }

  template <typename Message>
  void read_message(google::protobuf::io::CodedInputStream& stream, std::uint32_t rank,
                    Message& message, const char* what) {
    const auto byte = static_cast<std::size_t>(stream.CurrentPosition());
    std::uint32_t length = 0;
    if (!stream.ReadVarint32(&length) || length > 0x7fffffff) {
      fail(rank, byte, fmt::format("no length of {}", what));
    }
    const auto limit = stream.PushLimit(static_cast<int>(length));
    if (!message.ParseFromCodedStream(&stream) || !stream.ConsumedEntireMessage() ||
        stream.CurrentPosition() - static_cast<int>(byte) < static_cast<int>(length)) {
      fail(rank, byte, fmt::format("{} bytes that are not {}", length, what));
    }
    stream.PopLimit(limit);
  }

  void read_header(const chakra::Metadata& metadata) {
    Node holder;  // the same attributes, looked up the same way
    *holder.mutable_attr() = metadata.attr();
    graph_.name = chakra::text(holder, "trnsim_name");
    graph_.system = chakra::text(holder, "trnsim_system");
    graph_.rate_name = chakra::text(holder, "trnsim_rate");
    graph_.tokens = chakra::number(holder, "trnsim_tokens").value_or(0);
    graph_.model_flops = chakra::number(holder, "trnsim_model_flops").value_or(0);
    graph_.layers_scale = chakra::number(holder, "trnsim_layers_scale").value_or(1);
    const std::string unit = chakra::text(holder, "trnsim_rank");
    for (const RankUnit known : {RankUnit::kChip, RankUnit::kLogicalCore, RankUnit::kCore}) {
      graph_.rank = unit == name(known) ? known : graph_.rank;
    }
  }

  void add(std::uint32_t rank, std::size_t byte, const Node& node,
           std::map<std::string, std::uint32_t>& seen) {
    Part part;
    part.rank = rank;
    part.id = node.id();
    part.byte = byte;
    part.receives = node.type() == chakra::kRecv;
    part.dependencies.assign(node.ctrl_deps().begin(), node.ctrl_deps().end());
    part.dependencies.insert(part.dependencies.end(), node.data_deps().begin(),
                             node.data_deps().end());
    try {
      std::optional<GraphNode> read = chakra::read_node(node);
      if (!read) {
        metadata_.emplace(rank, node.id());
        return;
      }
      part.node = std::move(*read);
    } catch (const Error& error) {
      fail(rank, byte, fmt::format("node '{}': {}", node.name(), error.findings().front().what));
    }
    const std::string kind = part.receives ? "r" : "n";
    if (const std::uint32_t times = ++seen[kind + part.node.name]; times > 1) {
      part.node.name += fmt::format("#{}", times);
    }
    parts_.push_back(std::move(part));
  }

  // A pg_name that lists ranks is the group; any other is the name of the group of all ranks that
  // use it.
  void find_groups() {
    std::map<std::string, std::set<std::uint32_t>> users;
    for (const Part& part : parts_) {
      if (part.node.kind == NodeKind::kCollective) {
        users[part.node.groups].insert(part.rank);
      }
    }
    for (Part& part : parts_) {
      if (part.node.kind != NodeKind::kCollective) {
        continue;
      }
      std::string& groups = part.node.groups;
      const std::set<std::uint32_t>& all = users.at(groups);
      if (groups.find(',') == std::string::npos) {
        groups = list_text({all.begin(), all.end()});
      }
      if (part.node.op == collectives::Op::kAllGather) {
        part.node.bytes *=
            static_cast<std::uint64_t>(std::count(groups.begin(), groups.end(), ',')) + 1;
      }
    }
  }

  // Parts with the same name and content are one node; a receive belongs to the send of the same
  // two ranks.
  void merge() {
    std::stable_sort(parts_.begin(), parts_.end(), [](const Part& a, const Part& b) {
      return std::tie(a.id, a.rank) < std::tie(b.id, b.rank);
    });
    using Pair = std::tuple<std::string, std::string, std::uint64_t>;  // from, to, bytes
    std::map<Pair, std::vector<std::size_t>> sends;
    std::map<std::string, std::vector<std::size_t>> by_name;  // nodes of the graph
    for (std::size_t i = 0; i < parts_.size(); ++i) {
      Part& part = parts_[i];
      if (part.receives) {
        continue;
      }
      if (part.node.kind == NodeKind::kTransfer) {
        sends[{part.node.send, part.node.receive, part.node.bytes}].push_back(i);
      }
      part.merged = node_for(part, by_name[part.node.name]);
    }
    std::map<Pair, std::size_t> taken;
    for (Part& part : parts_) {
      if (!part.receives) {
        continue;
      }
      const Pair key{part.node.send, part.node.receive, part.node.bytes};
      const auto found = sends.find(key);
      const std::size_t index = taken[key]++;
      if (found == sends.end() || index >= found->second.size()) {
        fail(part.rank, part.byte,
             fmt::format("node '{}': rank {} sends nothing of {} bytes to rank {} at this point",
                         part.node.name, part.node.send, part.node.bytes, part.node.receive));
      }
      part.merged = parts_[found->second[index]].merged;
    }
    for (const auto& [key, all] : sends) {
      if (taken[key] < all.size()) {
        const Part& part = parts_[all[taken[key]]];
        fail(part.rank, part.byte,
             fmt::format("node '{}' sends to rank {}, which does not receive it", part.node.name,
                         part.node.receive));
      }
    }
    name_members();
  }

  std::size_t node_for(const Part& part, std::vector<std::size_t>& candidates) {
    for (const std::size_t index : candidates) {
      GraphNode plain = graph_.nodes[index];
      plain.name = part.node.name;
      plain.groups = part.node.groups;
      plain.send = part.node.send;
      plain.receive = part.node.receive;
      Graph one;
      one.nodes = {plain};
      Graph other;
      other.nodes = {part.node};
      if (same_graph(one, other)) {
        members_[index].push_back(&part);
        return index;
      }
    }
    candidates.push_back(graph_.nodes.size());
    graph_.nodes.push_back(part.node);
    if (candidates.size() > 1) {
      graph_.nodes.back().name += fmt::format("@{}", part.rank);
    }
    members_.push_back({&part});
    return candidates.back();
  }

  // Ranks, groups and pairs of each node from its parts.
  void name_members() {
    for (std::size_t i = 0; i < graph_.nodes.size(); ++i) {
      GraphNode& node = graph_.nodes[i];
      std::vector<const Part*>& parts = members_[i];
      std::stable_sort(parts.begin(), parts.end(),
                       [](const Part* a, const Part* b) { return a->rank < b->rank; });
      if (node.kind == NodeKind::kCollective) {
        name_groups(node, parts);
      } else if (node.kind == NodeKind::kTransfer) {
        node.send.clear();
        node.receive.clear();
        for (const Part* part : parts) {
          node.send += (node.send.empty() ? "" : ",") + part->node.send;
          node.receive += (node.receive.empty() ? "" : ",") + part->node.receive;
        }
      } else if (parts.size() < ranks_) {
        std::vector<std::uint32_t> ranks;
        for (const Part* part : parts) {
          ranks.push_back(part->rank);
        }
        node.ranks = list_text(ranks);
      }
    }
  }

  void name_groups(GraphNode& node, const std::vector<const Part*>& parts) const {
    std::vector<std::string> groups;
    std::vector<std::uint32_t> ranks;
    for (const Part* part : parts) {
      ranks.push_back(part->rank);
      if (std::find(groups.begin(), groups.end(), part->node.groups) == groups.end()) {
        groups.push_back(part->node.groups);
      }
    }
    std::size_t members = 0;
    std::string text;
    for (const std::string& group : groups) {
      members += static_cast<std::size_t>(std::count(group.begin(), group.end(), ',')) + 1;
      text += (text.empty() ? "" : ";") + group;
    }
    if (members != ranks.size()) {
      fail(parts.front()->rank, parts.front()->byte,
           fmt::format("node '{}' is a collective of ranks {}, but of these only {} have it",
                       node.name, text, list_text(ranks)));
    }
    node.groups = groups.size() == 1 && members == ranks_ ? "all" : text;
  }

  void connect() {
    std::map<std::pair<std::uint32_t, std::uint64_t>, std::size_t> merged;
    for (const Part& part : parts_) {
      merged[{part.rank, part.id}] = part.merged;
    }
    std::vector<std::set<std::size_t>> after(graph_.nodes.size());
    for (const Part& part : parts_) {
      for (const std::uint64_t id : part.dependencies) {
        const auto found = merged.find({part.rank, id});
        if (found != merged.end()) {
          after[part.merged].insert(found->second);
        } else if (metadata_.count({part.rank, id}) == 0) {
          fail(part.rank, part.byte,
               fmt::format("node '{}' depends on node {}, which does not exist", part.node.name,
                           id));
        }
      }
    }
    for (std::size_t i = 0; i < after.size(); ++i) {
      graph_.nodes[i].where = graph_.nodes[i].groups_where = {
          chakra::file_of(prefix_, members_[i].front()->rank), 0, 0};
      for (const std::size_t before : after[i]) {
        graph_.nodes[i].after.push_back(graph_.nodes[before].name);
      }
    }
  }

  std::string prefix_;
  std::uint32_t ranks_ = 0;
  Graph graph_;
  std::vector<Part> parts_;
  std::vector<std::vector<const Part*>> members_;  // of each node of the graph
  std::set<std::pair<std::uint32_t, std::uint64_t>> metadata_;
};

}  // namespace

Graph import_chakra(const std::string& prefix) {
  return Importer(prefix).import();
}

}  // namespace trnsim::workload
