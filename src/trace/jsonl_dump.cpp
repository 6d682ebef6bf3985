// dump_jsonl: one JSON object a line, tables first so that loading gives the same ids.
#include <cmath>
#include <nlohmann/json.hpp>
#include <ostream>
#include <type_traits>

#include "attribute_fields.h"
#include "jsonl_names.h"
#include "trnsim/base/error.h"
#include "trnsim/trace/file.h"

namespace trnsim::trace {
namespace {

using Json = nlohmann::ordered_json;

// JSON has no infinities.
Json number(double value) {
  if (std::isinf(value)) {
    return value > 0 ? "inf" : "-inf";
  }
  return value;
}

template <typename Key, typename Map>
bool is_first(const Map& map, const Key& key, std::uint32_t id) {
  const auto found = map.find(key);
  return found != map.end() && found->second == id;
}

class Dumper {
 public:
  Dumper(const Trace& trace, std::ostream& out) : trace_(trace), out_(out) { index(); }

  void dump() {
    write(header());
    for (const std::string& text : trace_.strings) {
      write({{"string", text}});
    }
    for (const Pattern& pattern : trace_.patterns) {
      write({{"pattern", {{"dtype", name(pattern.dtype)}, {"ap", dims(pattern)}}}});
    }
    for (const Attributes& attributes : trace_.attributes) {
      Json set = Json::object();
      add_attributes(set, attributes);
      write({{"attribute_set", set}});
    }
    for (const SourceLine& source : trace_.sources) {
      Json line = Json::object();
      add_string(line, "file", source.file);
      line["line"] = source.line;
      write({{"source_line", line}});
    }
    for (const Tensor& tensor : trace_.tensors) {
      write(tensor_record(tensor));
    }
    auto edge = trace_.edges.begin();
    for (std::uint32_t i = 0; i < trace_.instructions.size(); ++i) {
      Json record = instruction_record(trace_.instructions[i]);
      for (; edge != trace_.edges.end() && edge->instruction == i; ++edge) {
        record["after"].push_back(edge->after);
      }
      write(record);
    }
  }

 private:
  void index() {
    for (std::uint32_t id = 0; id < trace_.strings.size(); ++id) {
      first_.strings.try_emplace(trace_.strings[id], id);
    }
    for (std::uint32_t id = 0; id < trace_.patterns.size(); ++id) {
      first_.patterns.try_emplace(trace_.patterns[id], id);
    }
    for (std::uint32_t id = 0; id < trace_.attributes.size(); ++id) {
      first_.attributes.try_emplace(trace_.attributes[id], id);
    }
    for (std::uint32_t id = 0; id < trace_.sources.size(); ++id) {
      first_.sources.try_emplace(trace_.sources[id], id);
    }
    for (const Tensor& tensor : trace_.tensors) {
      ++tensors_of_name_[trace_.string(tensor.name)];
    }
  }

  void write(const Json& record) {
    try {
      out_ << record.dump() << '\n';
    } catch (const Json::type_error&) {
      throw Error("cannot be written as JSON: a text is not UTF-8");
    }
  }

  Json header() const {
    Json record{{"trnsim_trace", kFormatVersion}};
    const auto add = [&record](const char* key, const std::string& text) {
      if (!text.empty()) {
        record[key] = text;
      }
    };
    add("kernel", trace_.kernel);
    add("origin", trace_.origin);
    add("arguments", trace_.arguments);
    add("target", trace_.target);
    if (trace_.lnc != 1) {
      record["lnc"] = trace_.lnc;
    }
    if (trace_.model_flops != 0) {
      record["model_flops"] = trace_.model_flops;
    }
    return record;
  }

  static Json dims(const Pattern& pattern) {
    Json list = Json::array();
    for (const Dim& dim : pattern.span()) {
      list.push_back({dim.stride, dim.count});
    }
    return list;
  }

  // "key": text, or "key_id": id where the text alone would give another id.
  void add_string(Json& record, const std::string& key, std::uint32_t id) const {
    if (id == kNone) {
      return;
    }
    if (is_first(first_.strings, trace_.strings[id], id)) {
      record[key] = trace_.strings[id];
    } else {
      record[key + "_id"] = id;
    }
  }

  Json pattern_reference(std::uint32_t id) const {
    const Pattern& pattern = trace_.patterns[id];
    if (!is_first(first_.patterns, pattern, id)) {
      return {{"pattern_id", id}};
    }
    return {{"ap", dims(pattern)}, {"dtype", name(pattern.dtype)}};
  }

  // The text, or its id where the text alone would give another id.
  Json text_reference(std::uint32_t id) const {
    if (is_first(first_.strings, trace_.strings[id], id)) {
      return trace_.strings[id];
    }
    return id;
  }

  void add_attributes(Json& record, const Attributes& attributes) const {
    const Attributes defaults;
    for (const AttributeField& field : attribute_fields()) {
      if (encode(attributes, field) == encode(defaults, field)) {
        continue;
      }
      Json& value = record[std::string(field.name)];
      std::visit(
          [&](const auto member) {
            using T = std::remove_cvref_t<decltype(attributes.*member)>;
            if constexpr (std::is_same_v<T, double>) {
              value = number(attributes.*member);
            } else if constexpr (std::is_same_v<T, std::uint32_t>) {
              value = pattern_reference(attributes.*member);
            } else if constexpr (std::is_same_v<T, StringId>) {
              value = text_reference(static_cast<std::uint32_t>(attributes.*member));
            } else if constexpr (std::is_enum_v<T>) {
              value = name(attributes.*member);
            } else {
              value = attributes.*member;
            }
          },
          field.member);
    }
  }

  Json tensor_record(const Tensor& tensor) const {
    Json record{{"tensor", nullptr}};
    if (tensor.name != kNone) {
      record["tensor"] = trace_.strings[tensor.name];
      if (!is_first(first_.strings, trace_.strings[tensor.name], tensor.name)) {
        record["name_id"] = tensor.name;
      }
    }
    record["region"] = name(tensor.region);
    record["dtype"] = name(tensor.dtype);
    if (tensor.partitions != 1) {
      record["partitions"] = tensor.partitions;
    }
    record["free"] = tensor.free_elements;
    if (tensor.pinned_bytes != -1) {
      record["pinned_bytes"] = tensor.pinned_bytes;
    }
    if (tensor.pinned_partition != 0) {
      record["pinned_partition"] = tensor.pinned_partition;
    }
    add_string(record, "site", tensor.site);
    if (tensor.role != 0) {
      record["role"] = kRoleNames[tensor.role];
    }
    return record;
  }

  Json operand_record(const Operand& operand) const {
    const Tensor& tensor = trace_.tensor(operand);
    const std::string& tensor_name = trace_.string(tensor.name);
    const bool shared = tensors_of_name_.at(tensor_name) > 1;
    Json record{{"tensor", tensor_reference(tensor_name, operand.tensor, shared)}};
    if (tensor.region != Region::kHbm) {
      record["part"] = {operand.partition_start, operand.partition_count};
    }
    record["offset"] = operand.offset;
    record.update(pattern_reference(operand.pattern));
    return record;
  }

  Json instruction_record(const Instruction& instruction) const {
    Json record{{"opcode", name(instruction.opcode)}};
    if (instruction.engine != Engine::kUnassigned) {
      record["engine"] = name(instruction.engine);
    }
    const Attributes& attributes = trace_.attribute(instruction);
    if (is_first(first_.attributes, attributes, instruction.attributes)) {
      add_attributes(record, attributes);
    } else {
      record["attributes_id"] = instruction.attributes;
    }
    const auto add_operands = [&](const char* key, std::span<const Operand> operands) {
      for (const Operand& operand : operands) {
        record[key].push_back(operand_record(operand));
      }
    };
    add_operands("out", trace_.outputs(instruction));
    add_operands("in", trace_.inputs(instruction));
    if (instruction.source != kNone) {
      const SourceLine& source = trace_.sources[instruction.source];
      if (source.file != kNone && is_first(first_.sources, source, instruction.source) &&
          is_first(first_.strings, trace_.strings[source.file], source.file)) {
        record["source"] = fmt::format("{}:{}", trace_.strings[source.file], source.line);
      } else {
        record["source_id"] = instruction.source;
      }
    }
    return record;
  }

  const Trace& trace_;
  std::ostream& out_;
  ContentIds first_;
  std::map<std::string, std::size_t, std::less<>> tensors_of_name_;
};

}  // namespace

void dump_jsonl(const Trace& trace, std::ostream& out) {
  validate(trace);
  Dumper(trace, out).dump();
}

}  // namespace trnsim::trace
