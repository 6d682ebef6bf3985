// read_trt: block by block; sizes are believed only once the data has arrived.
#include <trace.pb.h>

#include <algorithm>
#include <string>
#include <vector>

#include "attribute_fields.h"
#include "trnsim/base/error.h"
#include "trnsim/trace/file.h"
#include "trt_stream.h"

namespace trnsim::trace {
namespace {

constexpr std::size_t kReadPiece = std::size_t{1} << 18;
constexpr const char* kOtherGzip = "not a .trt file (a gzip file of something else)";
constexpr char kHeaderTag = 0x0a;  // first byte of a block that holds a header

struct Movement {
  std::uint64_t tensor = 0;
  std::uint64_t offset = 0;
};

struct Form {
  Instruction instruction;
  std::size_t first = 0;  // of its operands in Reader::form_operands_ and movements_
};

class Reader {
 public:
  explicit Reader(const std::string& path) : gzip_(path) {}
  Trace read();

 private:
  bool read_block();  // false at the end of the stream
  [[noreturn]] void fail(const std::string& what) const;
  [[noreturn]] void fail_corrupted(const std::string& what) const { fail("is corrupted: " + what); }
  void read_header(const trt::Header& header);
  void read_strings(const trt::Tables& tables);
  void read_patterns(const trt::Tables& tables);
  void read_attributes(const trt::Tables& tables);
  void read_sources(const trt::Tables& tables);
  void read_tensors(const trt::Tables& tables);
  void read_forms(const trt::Tables& tables);
  void read_instructions(const trt::Instructions& columns);
  void read_edges(const trt::Edges& columns);
  void read_footer(const trt::Footer& footer);

  template <typename Enum>
  Enum to_enum(std::uint32_t value, int count, const char* what) const {
    if (value >= static_cast<std::uint32_t>(count)) {
      fail_corrupted(fmt::format("{} number {} is unknown", what, value));
    }
    return static_cast<Enum>(value);
  }
  void require_rows(const char* table, int rows, std::initializer_list<int> columns) const {
    for (const int column : columns) {
      if (column != rows) {
        fail_corrupted(
            fmt::format("columns of the {} differ in length ({} and {})", table, rows, column));
      }
    }
  }
  // Undoes the writer's delta, wrapping, and checks the range.
  std::uint32_t add_delta(std::int64_t delta, std::uint64_t& last, const char* what) const {
    last += static_cast<std::uint64_t>(delta);
    if (last > UINT32_MAX) {
      fail_corrupted(fmt::format("{} runs out of its range", what));
    }
    return static_cast<std::uint32_t>(last);
  }

  GzipReader gzip_;
  Trace trace_;
  std::size_t block_number_ = 0;
  std::string payload_;
  std::vector<Form> forms_;
  std::vector<Operand> form_operands_;
  std::vector<Movement> movements_;
  std::uint64_t last_edge_ = 0;
};

std::uint32_t optional_id(std::uint32_t stored) {
  return stored - 1;
}  // 0 wraps to kNone

Trace Reader::read() {
  trt::Block block;
  while (true) {
    gzip_.mark();
    if (!read_block()) {
      fail("is truncated: the footer is missing");
    }
    if (!block.ParseFromString(payload_)) {
      fail(block_number_ == 0 ? kOtherGzip : "is corrupted: not a block of the schema");
    }
    if (block_number_ == 0 && (!block.has_header() || block.header().magic() != kTrtMagic)) {
      fail(kOtherGzip);
    }
    if (block.has_header()) {
      read_header(block.header());
    } else if (block.has_tables()) {
      const trt::Tables& tables = block.tables();
      read_strings(tables);
      read_patterns(tables);
      read_attributes(tables);
      read_sources(tables);
      read_tensors(tables);
      read_forms(tables);
    } else if (block.has_instructions()) {
      read_instructions(block.instructions());
    } else if (block.has_edges()) {
      read_edges(block.edges());
    } else if (block.has_footer()) {
      read_footer(block.footer());
      gzip_.expect_end();
      return std::move(trace_);
    } else {
      fail_corrupted("a block of unknown kind");
    }
    ++block_number_;
  }
}

bool Reader::read_block() {
  std::uint64_t length = 0;
  for (unsigned shift = 0;; shift += 7) {
    char byte = 0;
    if (gzip_.read(&byte, 1) == 0) {
      if (shift == 0) {
        return false;
      }
      fail("is truncated: ends within a block's length");
    }
    length |= std::uint64_t{static_cast<unsigned char>(byte) & 0x7fU} << shift;
    if ((static_cast<unsigned char>(byte) & 0x80U) == 0) {
      break;
    }
    if (shift == 28) {
      length = UINT64_MAX;
      break;
    }
  }
  if (length > kMaxBlockBytes) {
    fail(block_number_ == 0
             ? kOtherGzip
             : fmt::format("is corrupted: claims more than the {} bytes possible", kMaxBlockBytes));
  }
  payload_.clear();
  while (payload_.size() < length) {
    const std::size_t have = payload_.size();
    const std::size_t piece = std::min<std::size_t>(kReadPiece, length - have);
    payload_.resize(have + piece);
    const std::size_t got = gzip_.read(payload_.data() + have, piece);
    if (block_number_ == 0 && have == 0 && got > 0 && payload_.front() != kHeaderTag) {
      fail(kOtherGzip);
    }
    if (got != piece) {
      fail(fmt::format("is truncated: ends within a block of {} bytes", length));
    }
  }
  return true;
}

void Reader::fail(const std::string& what) const {
  gzip_.fail(block_number_ == 0 ? what : fmt::format("{}, in block {}", what, block_number_));
}

void Reader::read_header(const trt::Header& header) {
  if (block_number_ != 0) {
    fail_corrupted("a second header");
  }
  if (header.format_version() != kFormatVersion) {
    fail(fmt::format("has format version {}; this trnsim reads {}", header.format_version(),
                     kFormatVersion));
  }
  if (header.rolled_loops() != 0) {
    fail("holds rolled loops, which this trnsim does not read");
  }
  trace_.kernel = header.kernel();
  trace_.origin = header.origin();
  trace_.arguments = header.arguments();
  trace_.target = header.target();
  trace_.lnc = header.lnc();
  trace_.model_flops = header.model_flops();
}

void Reader::read_strings(const trt::Tables& tables) {
  std::size_t start = 0;
  for (const std::uint32_t length : tables.text_length()) {
    if (length > tables.text().size() - start) {
      fail_corrupted("string lengths exceed the text");
    }
    trace_.strings.push_back(tables.text().substr(start, length));
    start += length;
  }
  if (start != tables.text().size()) {
    fail_corrupted("string lengths do not cover the text");
  }
}

void Reader::read_patterns(const trt::Tables& tables) {
  require_rows("patterns", tables.pattern_dtype_size(), {tables.pattern_dims_size()});
  require_rows("pattern dims", tables.dim_stride_size(), {tables.dim_count_size()});
  int next = 0;
  for (int i = 0; i < tables.pattern_dtype_size(); ++i) {
    Pattern pattern;
    pattern.dtype = to_enum<DType>(tables.pattern_dtype(i), kDTypeCount, "dtype");
    const std::uint32_t dims = tables.pattern_dims(i);
    if (dims > kMaxDims || static_cast<int>(dims) > tables.dim_stride_size() - next) {
      fail_corrupted(fmt::format("a pattern of {} dims", dims));
    }
    pattern.num_dims = static_cast<std::uint8_t>(dims);
    for (std::uint32_t d = 0; d < dims; ++d, ++next) {
      pattern.dims[d] = {tables.dim_stride(next), tables.dim_count(next)};
    }
    trace_.patterns.push_back(pattern);
  }
  require_rows("pattern dims", next, {tables.dim_stride_size()});
}

void Reader::read_attributes(const trt::Tables& tables) {
  require_rows("attribute fields", tables.attribute_field_size(), {tables.attribute_value_size()});
  int next = 0;
  for (const std::uint32_t count : tables.attribute_fields()) {
    if (count > static_cast<std::uint32_t>(tables.attribute_field_size() - next)) {
      fail_corrupted(fmt::format("an attribute set of {} fields", count));
    }
    Attributes attributes;
    for (std::uint32_t i = 0; i < count; ++i, ++next) {
      const std::uint32_t number = tables.attribute_field(next);
      if (number == 0 || number > attribute_fields().size()) {
        fail_corrupted(fmt::format("attribute field number {} is unknown", number));
      }
      const AttributeField& field = attribute_fields()[number - 1];
      if (!decode(attributes, field, tables.attribute_value(next))) {
        fail_corrupted(
            fmt::format("attribute {} cannot be {}", field.name, tables.attribute_value(next)));
      }
    }
    trace_.attributes.push_back(attributes);
  }
  require_rows("attribute fields", next, {tables.attribute_field_size()});
}

void Reader::read_sources(const trt::Tables& tables) {
  require_rows("source lines", tables.source_file_size(), {tables.source_line_delta_size()});
  std::uint64_t line = 0;
  for (int i = 0; i < tables.source_file_size(); ++i) {
    trace_.sources.push_back({optional_id(tables.source_file(i)),
                              add_delta(tables.source_line_delta(i), line, "a source line")});
  }
}

void Reader::read_tensors(const trt::Tables& tables) {
  const int rows = tables.tensor_region_size();
  require_rows("tensors", rows,
               {tables.tensor_name_delta_size(), tables.tensor_dtype_size(),
                tables.tensor_partitions_size(), tables.tensor_free_elements_delta_size(),
                tables.tensor_pinned_bytes_delta_size(), tables.tensor_pinned_partition_size(),
                tables.tensor_site_delta_size(), tables.tensor_role_size()});
  std::uint64_t name = 0;
  std::uint64_t site = 0;
  std::uint64_t free_elements = 0;
  std::uint64_t pinned = 0;
  for (int i = 0; i < rows; ++i) {
    Tensor tensor;
    tensor.name = optional_id(add_delta(tables.tensor_name_delta(i), name, "a tensor's name"));
    tensor.region = to_enum<Region>(tables.tensor_region(i), 3, "region");
    tensor.dtype = to_enum<DType>(tables.tensor_dtype(i), kDTypeCount, "dtype");
    tensor.partitions = tables.tensor_partitions(i);
    free_elements += static_cast<std::uint64_t>(tables.tensor_free_elements_delta(i));
    tensor.free_elements = free_elements;
    pinned += static_cast<std::uint64_t>(tables.tensor_pinned_bytes_delta(i));
    tensor.pinned_bytes = static_cast<std::int64_t>(pinned);
    tensor.pinned_partition = tables.tensor_pinned_partition(i);
    tensor.site = optional_id(add_delta(tables.tensor_site_delta(i), site, "a tensor's site"));
    tensor.role = to_enum<std::uint8_t>(tables.tensor_role(i), 4, "role");
    trace_.tensors.push_back(tensor);
  }
}

void Reader::read_forms(const trt::Tables& tables) {
  const int rows = tables.form_opcode_size();
  require_rows("forms", rows,
               {tables.form_engine_size(), tables.form_outputs_size(), tables.form_inputs_size(),
                tables.form_attributes_size(), tables.form_source_size()});
  const int operands = tables.form_pattern_size();
  require_rows("form operands", operands,
               {tables.form_partition_start_size(), tables.form_partition_count_size()});
  int next = 0;
  for (int i = 0; i < rows; ++i) {
    Form form;
    form.first = form_operands_.size();
    form.instruction.opcode = to_enum<Opcode>(tables.form_opcode(i), kOpcodeCount, "opcode");
    form.instruction.engine = to_enum<Engine>(tables.form_engine(i), kEngineCount + 1, "engine");
    form.instruction.outputs = to_enum<std::uint8_t>(tables.form_outputs(i), 256, "output count");
    form.instruction.inputs = to_enum<std::uint8_t>(tables.form_inputs(i), 256, "input count");
    form.instruction.attributes = tables.form_attributes(i);
    form.instruction.source = optional_id(tables.form_source(i));
    const int count = form.instruction.outputs + form.instruction.inputs;
    if (count > operands - next) {
      fail_corrupted("a form has fewer operands than it claims");
    }
    for (int k = 0; k < count; ++k, ++next) {
      form_operands_.push_back({kNone, tables.form_pattern(next), tables.form_partition_start(next),
                                tables.form_partition_count(next), 0});
    }
    forms_.push_back(form);
  }
  require_rows("form operands", next, {operands});
  movements_.resize(form_operands_.size());
}

void Reader::read_instructions(const trt::Instructions& columns) {
  const auto rows = static_cast<std::size_t>(columns.form_size());
  if (rows > kMaxBlockInstructions) {
    fail_corrupted(fmt::format("{} instructions in one block, at most {} are possible", rows,
                               kMaxBlockInstructions));
  }
  const int operands = columns.operand_tensor_delta_size();
  require_rows("operands", operands, {columns.operand_offset_delta_size()});
  if (trace_.operands.size() + static_cast<std::size_t>(operands) >= kNone ||
      trace_.instructions.size() + rows >= kNone) {
    fail("holds more instructions or operands than 32-bit ids can name");
  }
  int next = 0;
  for (const std::uint32_t id : columns.form()) {
    if (id >= forms_.size()) {
      fail_corrupted(fmt::format("form id {} is not one of {} forms", id, forms_.size()));
    }
    const Form& form = forms_[id];
    Instruction instruction = form.instruction;
    instruction.first_operand = static_cast<std::uint32_t>(trace_.operands.size());
    const int count = instruction.outputs + instruction.inputs;
    if (count > operands - next) {
      fail_corrupted("instructions have fewer operands than they claim");
    }
    for (int k = 0; k < count; ++k, ++next) {
      Operand operand = form_operands_[form.first + static_cast<std::size_t>(k)];
      Movement& last = movements_[form.first + static_cast<std::size_t>(k)];
      operand.tensor = add_delta(columns.operand_tensor_delta(next), last.tensor, "a tensor id");
      last.offset += static_cast<std::uint64_t>(columns.operand_offset_delta(next));
      operand.offset = static_cast<std::int64_t>(last.offset);
      trace_.operands.push_back(operand);
    }
    trace_.instructions.push_back(instruction);
  }
  require_rows("operands", next, {operands});
}

void Reader::read_edges(const trt::Edges& columns) {
  require_rows("edges", columns.instruction_delta_size(), {columns.distance_size()});
  for (int i = 0; i < columns.distance_size(); ++i) {
    const std::uint32_t instruction =
        add_delta(columns.instruction_delta(i), last_edge_, "an edge's instruction");
    if (columns.distance(i) > instruction) {
      fail_corrupted(fmt::format("instruction {} waits for the {}th before it", instruction,
                                 columns.distance(i)));
    }
    trace_.edges.push_back({instruction, instruction - columns.distance(i)});
  }
}

void Reader::read_footer(const trt::Footer& footer) {
  if (footer.crc32() != gzip_.marked_crc()) {
    fail(fmt::format("is corrupted: checksum {:08x}, the footer says {:08x}", gzip_.marked_crc(),
                     footer.crc32()));
  }
  const auto compare = [this](const char* what, std::uint64_t claimed, std::size_t held) {
    if (claimed != held) {
      fail_corrupted(
          fmt::format("the footer claims {} {}, the file holds {}", claimed, what, held));
    }
  };
  compare("strings", footer.strings(), trace_.strings.size());
  compare("patterns", footer.patterns(), trace_.patterns.size());
  compare("attribute sets", footer.attributes(), trace_.attributes.size());
  compare("source lines", footer.sources(), trace_.sources.size());
  compare("tensors", footer.tensors(), trace_.tensors.size());
  compare("operands", footer.operands(), trace_.operands.size());
  compare("instructions", footer.instructions(), trace_.instructions.size());
  compare("edges", footer.edges(), trace_.edges.size());
}

}  // namespace

Trace read_trt(const std::string& path) {
  Trace trace = Reader(path).read();
  try {
    validate(trace);
  } catch (const Error& error) {
    throw Error(error.findings().front().what, {path});
  }
  return trace;
}

}  // namespace trnsim::trace
