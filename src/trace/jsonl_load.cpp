// load_jsonl: interns what the records say; explicit table records fix the ids beforehand.
#include <algorithm>
#include <istream>
#include <type_traits>

#include "attribute_fields.h"
#include "instruction_check.h"
#include "jsonl_names.h"
#include "jsonl_record.h"
#include "trnsim/trace/file.h"

namespace trnsim::trace {
namespace {

using nlohmann::json;

class Loader {
 public:
  explicit Loader(const std::string& file) : where_{file, 0, 0} {}

  Trace load(std::istream& in) {
    std::string line;
    bool has_header = false;
    while (std::getline(in, line)) {
      ++where_.line;
      if (line.find_first_not_of(" \t\r") == std::string::npos) {
        continue;
      }
      const json value = Record::parse(line, where_);
      const std::string kind = kind_of(Record(value, "record", where_));
      if ((kind == "trnsim_trace") == has_header) {
        throw Error(has_header ? "a second header" : "the first record must be the header", where_,
                    has_header ? "" : "{\"trnsim_trace\": 1, \"kernel\": \"...\"}");
      }
      has_header = true;
      add(kind, Record(value, kind == "opcode" ? "instruction" : kind, where_));
    }
    if (!has_header) {
      throw Error("is empty: the header record is missing", {where_.file});
    }
    check();
    return std::move(trace_);
  }

 private:
  static std::string kind_of(const Record& record) {
    for (const std::string_view kind : kRecordKinds) {
      if (record.has(std::string(kind))) {
        return std::string(kind);
      }
    }
    const std::vector<std::string> kinds(kRecordKinds.begin(), kRecordKinds.end());
    for (const auto& [key, ignored] : record.value().items()) {
      if (const std::string near = nearest_name(key, kinds); !near.empty()) {
        record.fail(fmt::format("unknown key '{}'", key), fmt::format("did you mean '{}'?", near));
      }
    }
    record.fail(fmt::format("has none of the keys {}", fmt::join(kinds, ", ")));
  }

  void add(const std::string& kind, const Record& record) {
    if (kind == "opcode") {
      add_instruction(record);
    } else if (kind == "tensor") {
      add_tensor(record);
    } else if (kind == "trnsim_trace") {
      set_header(record);
    } else if (kind == "string") {
      record.check_keys({"string"});
      add_string(record.text("string"));
    } else if (kind == "pattern") {
      record.check_keys({"pattern"});
      add_pattern(pattern_of(Record(record.at("pattern"), "pattern", where_)));
    } else if (kind == "attribute_set") {
      record.check_keys({"attribute_set"});
      const Record set(record.at("attribute_set"), "attribute set", where_);
      set.check_keys(attribute_names({}));
      add_attributes(attributes_of(set));
    } else {
      record.check_keys({"source_line"});
      add_source(Record(record.at("source_line"), "source line", where_));
    }
  }

  void set_header(const Record& record) {
    const auto version = record.integer<std::uint32_t>("trnsim_trace");
    if (version != kFormatVersion) {
      record.fail(fmt::format("format version {}; this trnsim reads {}", version, kFormatVersion));
    }
    record.check_keys(
        {"trnsim_trace", "kernel", "origin", "arguments", "target", "lnc", "model_flops"});
    trace_.kernel = record.text_or("kernel", "");
    trace_.origin = record.text_or("origin", "");
    trace_.arguments = record.text_or("arguments", "");
    trace_.target = record.text_or("target", "");
    trace_.lnc = record.integer_or<std::uint32_t>("lnc", 1);
    trace_.model_flops = record.has("model_flops") ? record.real("model_flops") : 0;
  }

  // Table entries: add_... appends, intern looks for an equal one first.
  std::uint32_t add_string(const std::string& text) {
    return append(trace_.strings, first_.strings, text);
  }
  std::uint32_t add_pattern(const Pattern& pattern) {
    return append(trace_.patterns, first_.patterns, pattern);
  }
  std::uint32_t add_attributes(const Attributes& attributes) {
    return append(trace_.attributes, first_.attributes, attributes);
  }
  template <typename T, typename Map>
  static std::uint32_t append(std::vector<T>& table, Map& first, const T& entry) {
    const auto id = static_cast<std::uint32_t>(table.size());
    table.push_back(entry);
    first.try_emplace(entry, id);
    return id;
  }
  template <typename T, typename Map>
  static std::uint32_t intern(std::vector<T>& table, Map& first, const T& entry) {
    const auto found = first.find(entry);
    return found != first.end() ? found->second : append(table, first, entry);
  }
  std::uint32_t intern(const std::string& text) {
    return intern(trace_.strings, first_.strings, text);
  }

  template <typename T>
  std::uint32_t id(const Record& record, const std::string& key,
                   const std::vector<T>& table) const {
    const auto value = record.integer<std::uint32_t>(key);
    if (value >= table.size()) {
      record.fail(fmt::format("{} is {}, there are {} so far", key, value, table.size()));
    }
    return value;
  }
  // "key": text or "key_id": id; kNone if neither.
  std::uint32_t string_id(const Record& record, const std::string& key) {
    if (record.has(key + "_id")) {
      return id(record, key + "_id", trace_.strings);
    }
    return record.has(key) ? intern(record.text(key)) : kNone;
  }

  static DType dtype_of(const Record& record) {
    return record.named("dtype", parse_dtype, dtype_names);
  }

  static void set_dims(const Record& record, Pattern& pattern) {
    const json& dims = record.at("ap");
    const auto is_pair = [](const json& pair) { return pair.is_array() && pair.size() == 2; };
    if (!dims.is_array() || dims.size() > kMaxDims ||
        !std::all_of(dims.begin(), dims.end(), is_pair)) {
      record.fail(fmt::format("'ap' is {}, must be a list of up to {} pairs [stride, count]",
                              dims.dump(), kMaxDims));
    }
    pattern.num_dims = static_cast<std::uint8_t>(dims.size());
    for (std::size_t d = 0; d < dims.size(); ++d) {
      pattern.dims[d] = {record.to_integer<std::int64_t>(dims[d][0], "stride"),
                         record.to_integer<std::uint32_t>(dims[d][1], "count")};
    }
  }

  static Pattern pattern_of(const Record& record) {
    record.check_keys({"dtype", "ap"});
    Pattern pattern;
    pattern.dtype = dtype_of(record);
    set_dims(record, pattern);
    return pattern;
  }

  static std::vector<std::string> attribute_names(std::vector<std::string> more) {
    for (const AttributeField& field : attribute_fields()) {
      more.emplace_back(field.name);
    }
    return more;
  }

  void read_field(const Record& record, const std::string& key, AluOp& value) const {
    value = record.named(key, parse_alu_op, names_of<AluOp, kAluOpCount>);
  }
  void read_field(const Record& record, const std::string& key, ActFunc& value) const {
    value = record.named(key, parse_act_func, names_of<ActFunc, kActFuncCount>);
  }
  void read_field(const Record& record, const std::string& key, DgeRequest& value) const {
    value = record.named(key, parse_dge_request, names_of<DgeRequest, 4>);
  }
  void read_field(const Record& record, const std::string& key, CollectiveKind& value) const {
    value =
        record.named(key, parse_collective_kind, names_of<CollectiveKind, kCollectiveKindCount>);
  }
  void read_field(const Record& record, const std::string& key, StringId& value) {
    value = static_cast<StringId>(record.at(key).is_number() ? id(record, key, trace_.strings)
                                                             : intern(record.text(key)));
  }
  void read_field(const Record& record, const std::string& key, bool& value) const {
    value = record.boolean(key);
  }
  void read_field(const Record& record, const std::string& key, std::uint8_t& value) const {
    value = record.integer<std::uint8_t>(key);
  }
  void read_field(const Record& record, const std::string& key, std::int64_t& value) const {
    value = record.integer<std::int64_t>(key);
  }
  void read_field(const Record& record, const std::string& key, double& value) const {
    value = record.real(key);
  }
  void read_field(const Record& record, const std::string& key, std::uint32_t& value) {
    const Record pattern(record.at(key), key, where_);
    value = pattern.has("pattern_id")
                ? id(pattern, "pattern_id", trace_.patterns)
                : intern(trace_.patterns, first_.patterns, pattern_of(pattern));
  }

  Attributes attributes_of(const Record& record) {
    Attributes attributes;
    for (const AttributeField& field : attribute_fields()) {
      const std::string key(field.name);
      if (record.has(key)) {
        std::visit([&](const auto member) { read_field(record, key, attributes.*member); },
                   field.member);
      }
    }
    return attributes;
  }

  void add_source(const Record& record) {
    record.check_keys({"file", "file_id", "line"});
    const SourceLine source{string_id(record, "file"), record.integer<std::uint32_t>("line")};
    append(trace_.sources, first_.sources, source);
  }

  void add_tensor(const Record& record) {
    record.check_keys({"tensor", "name_id", "region", "dtype", "partitions", "free", "pinned_bytes",
                       "pinned_partition", "site", "site_id", "role"});
    Tensor tensor;
    if (record.has("name_id")) {
      tensor.name = id(record, "name_id", trace_.strings);
    } else if (!record.at("tensor").is_null()) {
      tensor.name = intern(record.text("tensor"));
    }
    tensor.region = record.named("region", parse_region, names_of<Region, 3>);
    tensor.dtype = dtype_of(record);
    tensor.partitions = record.integer_or<std::uint32_t>("partitions", 1);
    tensor.free_elements = record.integer<std::uint64_t>("free");
    tensor.pinned_bytes = record.integer_or<std::int64_t>("pinned_bytes", -1);
    tensor.pinned_partition = record.integer_or<std::uint32_t>("pinned_partition", 0);
    tensor.site = string_id(record, "site");
    if (record.has("role")) {
      const auto find = [](const std::string& word) -> std::optional<std::uint8_t> {
        const auto found = std::find(kRoleNames.begin(), kRoleNames.end(), word);
        return found == kRoleNames.end()
                   ? std::nullopt
                   : std::optional(static_cast<std::uint8_t>(found - kRoleNames.begin()));
      };
      tensor.role = record.named("role", find, [] {
        return std::vector<std::string>(kRoleNames.begin(), kRoleNames.end());
      });
    }
    const auto number = static_cast<std::uint32_t>(trace_.tensors.size());
    tensors_of_name_[trace_.string(tensor.name)].push_back(number);
    trace_.tensors.push_back(tensor);
  }

  std::uint32_t find_tensor(const Record& record) const {
    const std::string text = record.text("tensor");
    std::string name;
    std::uint32_t number = kNone;
    if (!split_tensor_reference(text, name, number)) {
      record.fail(fmt::format("tensor '{}': what follows '#' is no tensor number", text));
    }
    if (number != kNone) {
      if (number >= trace_.tensors.size() || trace_.string(trace_.tensors[number].name) != name) {
        record.fail(fmt::format("tensor number {} is not named '{}'", number, name));
      }
      return number;
    }
    const auto found = tensors_of_name_.find(name);
    if (found == tensors_of_name_.end()) {
      std::vector<std::string> names;
      for (const auto& [known, ignored] : tensors_of_name_) {
        names.push_back(known);
      }
      record.fail_unknown("tensor", name, names);
    }
    if (found->second.size() > 1) {
      record.fail(fmt::format("tensor name '{}' belongs to {} tensors", name, found->second.size()),
                  fmt::format("write '{}#{}' for the latest", name, found->second.back()));
    }
    return found->second.front();
  }

  Operand operand_of(const Record& record) {
    record.check_keys({"tensor", "part", "offset", "ap", "dtype", "pattern_id"});
    Operand operand;
    operand.tensor = find_tensor(record);
    const Tensor& tensor = trace_.tensors[operand.tensor];
    operand.partition_count = tensor.partitions;
    if (record.has("part")) {
      const json& part = record.at("part");
      if (!part.is_array() || part.size() != 2) {
        record.fail(fmt::format("'part' is {}, must be [start, count]", part.dump()));
      }
      operand.partition_start = record.to_integer<std::uint32_t>(part[0], "part");
      operand.partition_count = record.to_integer<std::uint32_t>(part[1], "part");
    }
    operand.offset = record.integer_or<std::int64_t>("offset", 0);
    if (record.has("pattern_id")) {
      operand.pattern = id(record, "pattern_id", trace_.patterns);
      return operand;
    }
    Pattern pattern;
    pattern.dtype = record.has("dtype") ? dtype_of(record) : tensor.dtype;
    if (record.has("ap")) {
      set_dims(record, pattern);
    } else if (tensor.free_elements <= UINT32_MAX) {
      pattern.num_dims = 1;
      pattern.dims[0] = {1, static_cast<std::uint32_t>(tensor.free_elements)};
    } else {
      record.fail("'ap' is missing, and the tensor has too many elements for one dim");
    }
    operand.pattern = intern(trace_.patterns, first_.patterns, pattern);
    return operand;
  }

  std::uint8_t add_operands(const Record& record, const std::string& key) {
    if (!record.has(key)) {
      return 0;
    }
    const json& list = record.at(key);
    if (!list.is_array() || list.size() > UINT8_MAX) {
      record.fail(fmt::format("'{}' must be a list of up to {} operands", key, UINT8_MAX));
    }
    for (std::size_t i = 0; i < list.size(); ++i) {
      trace_.operands.push_back(
          operand_of(Record(list[i], fmt::format("instruction: {} {}", key, i), where_)));
    }
    return static_cast<std::uint8_t>(list.size());
  }

  void add_instruction(const Record& record) {
    record.check_keys(instruction_keys_);
    Instruction instruction;
    instruction.opcode = record.named("opcode", parse_opcode, names_of<Opcode, kOpcodeCount>);
    if (record.has("engine")) {
      instruction.engine = record.named("engine", parse_engine, names_of<Engine, kEngineCount + 1>);
    }
    instruction.first_operand = static_cast<std::uint32_t>(trace_.operands.size());
    instruction.attributes =
        record.has("attributes_id")
            ? id(record, "attributes_id", trace_.attributes)
            : intern(trace_.attributes, first_.attributes, attributes_of(record));
    instruction.outputs = add_operands(record, "out");
    instruction.inputs = add_operands(record, "in");
    instruction.source = source_of(record);
    add_edges(record);
    trace_.instructions.push_back(instruction);
    lines_.push_back(where_.line);
  }

  void add_edges(const Record& record) {
    if (!record.has("after")) {
      return;
    }
    const json& list = record.at("after");
    if (!list.is_array()) {
      record.fail(fmt::format("'after' is {}, must be a list of instruction numbers", list.dump()));
    }
    const auto index = static_cast<std::uint32_t>(trace_.instructions.size());
    for (const json& item : list) {
      trace_.edges.push_back({index, record.to_integer<std::uint32_t>(item, "after")});
    }
  }

  std::uint32_t source_of(const Record& record) {
    if (record.has("source_id")) {
      return id(record, "source_id", trace_.sources);
    }
    if (!record.has("source")) {
      return kNone;
    }
    const std::string text = record.text("source");
    const std::size_t colon = text.rfind(':');
    const std::string digits = colon == std::string::npos ? "" : text.substr(colon + 1);
    if (digits.empty() || digits.size() > 9 ||
        digits.find_first_not_of("0123456789") != std::string::npos) {
      record.fail(fmt::format("source '{}' is not 'file:line'", text));
    }
    const SourceLine source{intern(text.substr(0, colon)),
                            static_cast<std::uint32_t>(std::stoul(digits))};
    return intern(trace_.sources, first_.sources, source);
  }

  void check() const {
    try {
      validate(trace_);
    } catch (const InvalidInstruction& error) {
      throw Error(error.findings().front().what, {where_.file, lines_[error.index()]});
    } catch (const Error& error) {
      throw Error(error.findings().front().what, {where_.file});
    }
  }

  Location where_;
  Trace trace_;
  ContentIds first_;
  std::map<std::string, std::vector<std::uint32_t>, std::less<>> tensors_of_name_;
  std::vector<int> lines_;  // of each instruction
  const std::vector<std::string> instruction_keys_ =
      attribute_names({"opcode", "engine", "out", "in", "attributes_id", "source", "source_id",
                       "after"});
};

}  // namespace

Trace load_jsonl(std::istream& in, const std::string& file_name) {
  return Loader(file_name).load(in);
}

}  // namespace trnsim::trace
