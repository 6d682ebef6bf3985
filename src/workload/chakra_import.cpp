// Chakra traces -> Graph: what a node of one rank becomes.
#include "chakra_import.h"

#include <algorithm>

#include "chakra_names.h"
#include "trnsim/collectives/dag.h"

namespace trnsim::workload::chakra {
namespace {

std::optional<double> number_of(const Attribute& a) {
  switch (a.value_case()) {
    case Attribute::kDoubleVal:
      return a.double_val();
    case Attribute::kFloatVal:
      return a.float_val();
    case Attribute::kInt32Val:
      return a.int32_val();
    case Attribute::kInt64Val:
      return static_cast<double>(a.int64_val());
    case Attribute::kUint32Val:
      return a.uint32_val();
    case Attribute::kUint64Val:
      return static_cast<double>(a.uint64_val());
    case Attribute::kSint32Val:
      return a.sint32_val();
    case Attribute::kSint64Val:
      return static_cast<double>(a.sint64_val());
    case Attribute::kFixed32Val:
      return a.fixed32_val();
    case Attribute::kFixed64Val:
      return static_cast<double>(a.fixed64_val());
    case Attribute::kSfixed32Val:
      return a.sfixed32_val();
    case Attribute::kSfixed64Val:
      return static_cast<double>(a.sfixed64_val());
    case Attribute::kBoolVal:
      return a.bool_val() ? 1 : 0;
    case Attribute::kStringVal:
    case Attribute::VALUE_NOT_SET:
      return std::nullopt;
  }
  return std::nullopt;
}

std::uint64_t count(const Node& node, const char* name) {
  const double value = number(node, name).value_or(0);
  if (value < 0 || value > 9e18) {
    throw Error(fmt::format("attribute '{}' is {}", name, value));
  }
  return static_cast<std::uint64_t>(value);
}

void read_arguments(const std::string& text, GraphNode& result) {
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t end = std::min(text.find(' ', at), text.size());
    const std::string item = text.substr(at, end - at);
    const std::size_t equals = item.find('=');
    if (equals == std::string::npos) {
      throw Error(fmt::format("'{}' in attribute '{}' is no name=value", item, kArguments));
    }
    result.arguments.emplace_back(item.substr(0, equals), item.substr(equals + 1));
    at = end + 1;
  }
}

void read_compute(const Node& node, GraphNode& result) {
  result.kind = NodeKind::kWork;
  result.overhead_us = number(node, kOverhead).value_or(0);
  if (const std::string kernel = text(node, kKernel); !kernel.empty()) {
    result.kind = NodeKind::kKernel;
    result.kernel = kernel;
    read_arguments(text(node, kArguments), result);
    return;
  }
  if (const std::string trace = text(node, kTrace); !trace.empty()) {
    result.kind = NodeKind::kTrace;
    result.trace_path = trace;
    return;
  }
  result.flops = static_cast<double>(count(node, "num_ops"));
  result.hbm_bytes = count(node, "tensor_size");
  if (const std::string dtype = text(node, kDtype); !dtype.empty()) {
    const std::optional<DType> parsed = parse_dtype(dtype);
    if (!parsed) {
      throw Error(fmt::format("dtype '{}' does not exist", dtype));
    }
    result.dtype = *parsed;
  }
  // Nothing is known of it but how long it took where it was recorded.
  if (result.flops == 0 && result.hbm_bytes == 0 && result.overhead_us == 0) {
    result.overhead_us = static_cast<double>(node.duration_micros());
  }
}

void read_exchange(const Node& node, GraphNode& result) {
  result.priority =
      static_cast<std::uint8_t>(std::min<std::uint64_t>(count(node, "comm_priority"), 7));
  result.stream = static_cast<std::uint32_t>(count(node, kStream));
  result.space = text(node, kSpace) == "sbuf" ? fabric::Space::kSbuf : fabric::Space::kHbm;
  result.bytes = count(node, "comm_size");
}

void read_collective(const Node& node, GraphNode& result) {
  result.kind = NodeKind::kCollective;
  read_exchange(node, result);
  result.groups = text(node, "pg_name");
  const std::optional<double> type = number(node, "comm_type");
  if (!type) {
    throw Error("attribute 'comm_type' is missing");
  }
  if (*type == kBarrier) {
    // Everyone waits for everyone: the smallest sum does that.
    result.op = collectives::Op::kAllReduce;
    result.bytes = 64;
    return;
  }
  const auto row = std::find_if(kCommTypes.begin(), kCommTypes.end(),
                                [&](const CommType& known) { return known.number == *type; });
  if (row == kCommTypes.end()) {
    throw Error(
        fmt::format("comm_type {} is none of all-reduce, all-gather, reduce-scatter, all-to-all, "
                    "broadcast and barrier",
                    *type));
  }
  result.op = row->op;
  if (const std::string algorithm = text(node, kAlgorithm); !algorithm.empty()) {
    result.algorithm = collectives::parse_algorithm(algorithm);
  }
  if (result.bytes == 0) {
    throw Error("attribute 'comm_size' is missing or 0");
  }
}

void read_transfer(const Node& node, GraphNode& result) {
  result.kind = NodeKind::kTransfer;
  result.op = collectives::Op::kPermute;
  read_exchange(node, result);
  if (result.bytes == 0) {
    throw Error("attribute 'comm_size' is missing or 0");
  }
  if (!number(node, "comm_src") || !number(node, "comm_dst")) {
    throw Error("attributes 'comm_src' and 'comm_dst' are needed");
  }
  result.send = std::to_string(count(node, "comm_src"));
  result.receive = std::to_string(count(node, "comm_dst"));
}

}  // namespace

std::optional<double> number(const Node& node, const char* name) {
  for (const Attribute& a : node.attr()) {
    if (a.name() == name) {
      return number_of(a);
    }
  }
  return std::nullopt;
}

std::string text(const Node& node, const char* name) {
  for (const Attribute& a : node.attr()) {
    if (a.name() == name) {
      return a.string_val();
    }
  }
  return "";
}

std::optional<GraphNode> read_node(const Node& node) {
  GraphNode result;
  result.name = node.name().empty() ? fmt::format("node {}", node.id()) : node.name();
  switch (node.type()) {
    case kMetadata:
      return std::nullopt;
    case kMemLoad:
    case kMemStore:
    case kComp:
      read_compute(node, result);
      return result;
    case kCollective:
      read_collective(node, result);
      return result;
    case kSend:
    case kRecv:
      read_transfer(node, result);
      return result;
    default:
      throw Error(fmt::format("node type {} does not exist", node.type()));
  }
}

}  // namespace trnsim::workload::chakra
