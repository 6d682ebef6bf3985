// write_trt: tables, then instructions in blocks, each block a set of columns.
#include <trace.pb.h>

#include <algorithm>
#include <string>
#include <unordered_map>
#include <vector>

#include "attribute_fields.h"
#include "trnsim/base/error.h"
#include "trnsim/base/files.h"
#include "trnsim/trace/file.h"
#include "trt_stream.h"

namespace trnsim::trace {
namespace {

// Optional ids are stored as id + 1, 0 = none: kNone + 1 wraps to exactly that.
std::uint32_t optional_id(std::uint32_t id) {
  return id + 1;
}

// The difference as the reader adds it back, wrapping.
std::int64_t delta(std::uint64_t value, std::uint64_t& previous) {
  const std::uint64_t difference = value - previous;
  previous = value;
  return static_cast<std::int64_t>(difference);
}

class BlockWriter {
 public:
  explicit BlockWriter(std::ostream& out) : gzip_(out) {}

  void write(const trt::Block& block) {
    block.SerializeToString(&payload_);
    TRNSIM_CHECK(payload_.size() <= kMaxBlockBytes, "a block of {} bytes", payload_.size());
    std::string length;
    for (std::size_t rest = payload_.size();; rest >>= 7U) {
      const bool last = rest < 0x80;
      length.push_back(static_cast<char>(last ? rest : (rest & 0x7fU) | 0x80U));
      if (last) {
        break;
      }
    }
    gzip_.write(length);
    gzip_.write(payload_);
  }
  void finish() { gzip_.finish(); }
  [[nodiscard]] std::uint32_t crc() const { return gzip_.crc(); }

 private:
  GzipWriter gzip_;
  std::string payload_;
};

// Collects table entries and writes a block whenever it may have become large.
class TableWriter {
 public:
  explicit TableWriter(BlockWriter& out) : out_(out) {}

  void add(const std::string& text) {
    trt::Tables& tables = grow(text.size() + 5);
    tables.mutable_text()->append(text);
    tables.add_text_length(static_cast<std::uint32_t>(text.size()));
  }

  void add(const Pattern& pattern) {
    trt::Tables& tables = grow(10 + 15 * pattern.span().size());
    tables.add_pattern_dtype(static_cast<std::uint32_t>(pattern.dtype));
    tables.add_pattern_dims(pattern.num_dims);
    for (const Dim& dim : pattern.span()) {
      tables.add_dim_stride(dim.stride);
      tables.add_dim_count(dim.count);
    }
  }

  void add(const Attributes& attributes) {
    trt::Tables& tables = grow(5 + 11 * attribute_fields().size());
    const Attributes defaults;
    std::uint32_t fields = 0;
    for (const AttributeField& field : attribute_fields()) {
      const std::int64_t value = encode(attributes, field);
      if (value != encode(defaults, field)) {
        tables.add_attribute_field(field.number);
        tables.add_attribute_value(value);
        ++fields;
      }
    }
    tables.add_attribute_fields(fields);
  }

  void add(const SourceLine& source) {
    trt::Tables& tables = grow(15);
    tables.add_source_file(optional_id(source.file));
    tables.add_source_line_delta(delta(source.line, last_line_));
  }

  void add(const Tensor& tensor) {
    trt::Tables& tables = grow(60);
    tables.add_tensor_name_delta(delta(optional_id(tensor.name), last_name_));
    tables.add_tensor_region(static_cast<std::uint32_t>(tensor.region));
    tables.add_tensor_dtype(static_cast<std::uint32_t>(tensor.dtype));
    tables.add_tensor_partitions(tensor.partitions);
    tables.add_tensor_free_elements_delta(delta(tensor.free_elements, last_free_));
    tables.add_tensor_pinned_bytes_delta(
        delta(static_cast<std::uint64_t>(tensor.pinned_bytes), last_pinned_));
    tables.add_tensor_pinned_partition(tensor.pinned_partition);
    tables.add_tensor_site_delta(delta(optional_id(tensor.site), last_site_));
    tables.add_tensor_role(tensor.role);
  }

  void add_form(const Instruction& instruction, std::span<const Operand> operands) {
    trt::Tables& tables = grow(30 + 15 * operands.size());
    tables.add_form_opcode(static_cast<std::uint32_t>(instruction.opcode));
    tables.add_form_engine(static_cast<std::uint32_t>(instruction.engine));
    tables.add_form_outputs(instruction.outputs);
    tables.add_form_inputs(instruction.inputs);
    tables.add_form_attributes(instruction.attributes);
    tables.add_form_source(optional_id(instruction.source));
    for (const Operand& operand : operands) {
      tables.add_form_pattern(operand.pattern);
      tables.add_form_partition_start(operand.partition_start);
      tables.add_form_partition_count(operand.partition_count);
    }
  }

  void flush() {
    if (bytes_ == 0) {
      return;
    }
    out_.write(block_);
    block_.Clear();
    bytes_ = last_line_ = last_name_ = last_site_ = last_free_ = last_pinned_ = 0;
  }

 private:
  trt::Tables& grow(std::size_t bytes) {
    if (bytes_ + bytes > kTableCutBytes) {
      flush();
    }
    bytes_ += bytes;
    return *block_.mutable_tables();
  }

  BlockWriter& out_;
  trt::Block block_;
  std::size_t bytes_ = 0;
  std::uint64_t last_line_ = 0;
  std::uint64_t last_name_ = 0;
  std::uint64_t last_site_ = 0;
  std::uint64_t last_free_ = 0;
  std::uint64_t last_pinned_ = 0;
};

struct Movement {
  std::uint64_t tensor = 0;
  std::uint64_t offset = 0;
};

class InstructionWriter {
 public:
  InstructionWriter(const Trace& trace, BlockWriter& out)
      : trace_(trace), out_(out), tables_(out) {}

  void write_all() {
    for (const Instruction& instruction : trace_.instructions) {
      const std::span<const Operand> operands{
          trace_.operands.data() + instruction.first_operand,
          std::size_t{instruction.outputs} + instruction.inputs};
      if (instructions_ == kMaxBlockInstructions ||
          operands_ + operands.size() > kMaxBlockOperands) {
        flush();
      }
      add(instruction, operands);
    }
    flush();
  }

 private:
  void add(const Instruction& instruction, std::span<const Operand> operands) {
    const std::uint32_t form = form_of(instruction, operands);
    trt::Instructions& columns = *block_.mutable_instructions();
    columns.add_form(form);
    Movement* last = &movements_[first_movement_[form]];
    for (const Operand& operand : operands) {
      columns.add_operand_tensor_delta(delta(operand.tensor, last->tensor));
      columns.add_operand_offset_delta(
          delta(static_cast<std::uint64_t>(operand.offset), last->offset));
      ++last;
    }
    ++instructions_;
    operands_ += operands.size();
  }

  std::uint32_t form_of(const Instruction& instruction, std::span<const Operand> operands) {
    key_.clear();
    const auto byte = [](auto value) { return static_cast<std::uint32_t>(value); };
    key_.push_back(byte(instruction.opcode) << 24U | byte(instruction.engine) << 16U |
                   byte(instruction.outputs) << 8U | byte(instruction.inputs));
    key_.push_back(instruction.attributes);
    key_.push_back(instruction.source);
    for (const Operand& operand : operands) {
      key_.push_back(operand.pattern);
      key_.push_back(operand.partition_start);
      key_.push_back(operand.partition_count);
    }
    const auto found = forms_.find(key_);
    if (found != forms_.end()) {
      return found->second;
    }
    const auto id = static_cast<std::uint32_t>(forms_.size());
    forms_.emplace(key_, id);
    first_movement_.push_back(movements_.size());
    movements_.resize(movements_.size() + operands.size() + 1);  // + 1: `last` always points at one
    tables_.add_form(instruction, operands);
    return id;
  }

  void flush() {
    tables_.flush();  // forms come before their use
    if (instructions_ > 0) {
      out_.write(block_);
    }
    block_.Clear();
    instructions_ = operands_ = 0;
  }

  const Trace& trace_;
  BlockWriter& out_;
  TableWriter tables_;
  trt::Block block_;
  std::size_t instructions_ = 0;
  std::size_t operands_ = 0;
  std::u32string key_;
  std::unordered_map<std::u32string, std::uint32_t> forms_;
  std::vector<std::size_t> first_movement_;  // per form
  std::vector<Movement> movements_;
};

void write_edges(const Trace& trace, BlockWriter& out) {
  std::uint32_t last = 0;
  for (std::size_t first = 0; first < trace.edges.size(); first += kMaxBlockInstructions) {
    trt::Block block;
    trt::Edges& columns = *block.mutable_edges();
    const std::size_t end = std::min(first + kMaxBlockInstructions, trace.edges.size());
    for (std::size_t i = first; i < end; ++i) {
      const Edge& edge = trace.edges[i];
      columns.add_instruction_delta(edge.instruction - last);
      columns.add_distance(edge.instruction - edge.after);
      last = edge.instruction;
    }
    out.write(block);
  }
}

trt::Block header_of(const Trace& trace) {
  trt::Block block;
  trt::Header& header = *block.mutable_header();
  header.set_magic(kTrtMagic);
  header.set_format_version(kFormatVersion);
  header.set_kernel(trace.kernel);
  header.set_origin(trace.origin);
  header.set_arguments(trace.arguments);
  header.set_target(trace.target);
  header.set_lnc(trace.lnc);
  header.set_model_flops(trace.model_flops);
  return block;
}

trt::Block footer_of(const Trace& trace, std::uint32_t crc) {
  trt::Block block;
  trt::Footer& footer = *block.mutable_footer();
  footer.set_strings(trace.strings.size());
  footer.set_patterns(trace.patterns.size());
  footer.set_attributes(trace.attributes.size());
  footer.set_sources(trace.sources.size());
  footer.set_tensors(trace.tensors.size());
  footer.set_operands(trace.operands.size());
  footer.set_instructions(trace.instructions.size());
  footer.set_edges(trace.edges.size());
  footer.set_crc32(crc);
  return block;
}

void check_text_sizes(const Trace& trace, const std::string& path) {
  const auto check = [&path](const std::string& text, const char* what) {
    if (text.size() > kMaxTextBytes) {
      throw Error(fmt::format("cannot be written: {} of {} bytes, at most {} are possible", what,
                              text.size(), kMaxTextBytes),
                  {path});
    }
  };
  check(trace.kernel, "a kernel name");
  check(trace.origin, "an origin");
  check(trace.arguments, "arguments");
  for (const std::string& text : trace.strings) {
    check(text, "a string");
  }
}

}  // namespace

void write_trt(const Trace& trace, const std::string& path) {
  validate(trace);
  check_text_sizes(trace, path);
  write_file_atomically(path, [&trace](std::ostream& stream) {
    BlockWriter out(stream);
    out.write(header_of(trace));
    TableWriter tables(out);
    const auto add_all = [&tables](const auto& table) {
      for (const auto& entry : table) {
        tables.add(entry);
      }
    };
    add_all(trace.strings);
    add_all(trace.patterns);
    add_all(trace.attributes);
    add_all(trace.sources);
    add_all(trace.tensors);
    tables.flush();
    InstructionWriter(trace, out).write_all();
    write_edges(trace, out);
    out.write(footer_of(trace, out.crc()));
    out.finish();
  });
}

}  // namespace trnsim::trace
