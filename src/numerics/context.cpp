// Operand access of the executing instruction.
#include "context.h"

#include "trnsim/base/error.h"
#include "trnsim/numerics/dtype_convert.h"

namespace trnsim::numerics {
namespace {

constexpr std::size_t kMaxReports = 1000;

}  // namespace

Context::Context(const trace::Trace& trace, std::vector<Storage>& storages,
                 std::vector<UninitialisedRead>& uninitialised, std::uint32_t index)
    : trace_(trace),
      storages_(storages),
      uninitialised_(uninitialised),
      index_(index),
      instruction_(trace.instructions[index]),
      attributes_(trace.attribute(instruction_)) {}

const trace::Operand& Context::input(std::size_t i) const {
  require(i < instruction_.inputs, "has {} inputs, needs {}", instruction_.inputs, i + 1);
  return trace_.inputs(instruction_)[i];
}

const trace::Operand& Context::output(std::size_t i) const {
  require(i < instruction_.outputs, "has {} outputs, needs {}", instruction_.outputs, i + 1);
  return trace_.outputs(instruction_)[i];
}

DType Context::dtype(const trace::Operand& operand) const {
  return trace_.pattern(operand).dtype;
}

trace::Region Context::region(const trace::Operand& operand) const {
  return trace_.tensor(operand).region;
}

std::vector<std::uint64_t> Context::shape(const trace::Operand& operand) const {
  std::vector<std::uint64_t> extents;
  if (region(operand) != trace::Region::kHbm) {
    extents.push_back(operand.partition_count);
  }
  for (const trace::Dim& dim : trace_.pattern(operand).span()) {
    extents.push_back(dim.count);
  }
  return extents;
}

std::uint64_t Context::rows(const trace::Operand& operand) const {
  return region(operand) == trace::Region::kHbm ? 1 : operand.partition_count;
}

std::uint64_t Context::columns(const trace::Operand& operand) const {
  return trace_.pattern(operand).elements();
}

std::uint64_t Context::elements(const trace::Operand& operand) const {
  return rows(operand) * columns(operand);
}

Walk Context::walk(const trace::Operand& operand, std::size_t checked_from) const {
  try {
    return make_walk(trace_, operand, checked_from);
  } catch (const Error& error) {
    fail_text(error.what());
  }
}

Storage& Context::storage(std::uint32_t tensor) {
  Storage& storage = storages_[tensor];
  if (!storage.exists()) {
    storage.create(trace_.tensors[tensor]);
  }
  return storage;
}

void Context::note_reads(std::uint32_t tensor, const Walk& walk) {
  const Storage& memory = storage(tensor);
  if (memory.all_written()) {
    return;
  }
  std::uint64_t missing = 0;
  walk.for_each_run(
      [&](std::int64_t offset, std::int64_t stride, std::uint64_t count, std::uint64_t) {
        missing += memory.count_unwritten(offset, stride, count, walk.element_bytes);
      });
  if (missing > 0 && uninitialised_.size() < kMaxReports) {
    uninitialised_.push_back({index_, trace_.string(trace_.tensors[tensor].name), missing});
  }
}

Floats Context::load(const trace::Operand& operand) {
  const Walk from = walk(operand);
  require(!is_mx(from.dtype), "{} values cannot be computed with", name(from.dtype));
  note_reads(operand.tensor, from);
  Floats block(from.rows, from.columns);
  const std::byte* bytes = storage(operand.tensor).data();
  from.for_each_run(
      [&](std::int64_t offset, std::int64_t stride, std::uint64_t count, std::uint64_t index) {
        decode_row(from.dtype, bytes + offset, stride, count, block.values.data() + index);
      });
  return block;
}

Bits Context::load_bits(const trace::Operand& operand) {
  return load_bits(operand.tensor, walk(operand));
}

Bits Context::load_bits(std::uint32_t tensor, const Walk& from) {
  note_reads(tensor, from);
  Bits block(from.rows, from.columns);
  const std::byte* bytes = storage(tensor).data();
  from.for_each_run(
      [&](std::int64_t offset, std::int64_t stride, std::uint64_t count, std::uint64_t index) {
        read_bits(from.element_bytes, bytes + offset, stride, count, block.values.data() + index);
      });
  return block;
}

Integers Context::load_integers(const trace::Operand& operand) {
  const DType type = dtype(operand);
  require(!is_float(type), "needs an integer operand, not {}", name(type));
  const Bits bits = load_bits(operand);
  Integers block(bits.rows, bits.columns);
  for (std::size_t i = 0; i < bits.values.size(); ++i) {
    block.values[i] = static_cast<std::int64_t>(decode(type, bits.values[i]));
  }
  return block;
}

std::vector<float> Context::load_vector(const trace::Operand& operand, std::uint64_t rows_wanted) {
  Floats block = load(operand);
  require(block.values.size() == rows_wanted && block.columns == 1,
          "needs a [{}, 1] operand, not [{}, {}]", rows_wanted, block.rows, block.columns);
  return std::move(block.values);
}

void Context::check_fits(const trace::Operand& operand, std::uint64_t row_count,
                         std::uint64_t column_count) const {
  const bool fits = region(operand) == trace::Region::kHbm
                        ? elements(operand) == row_count * column_count
                        : rows(operand) == row_count && columns(operand) == column_count;
  require(fits, "the result is [{}, {}] but '{}' takes [{}, {}]", row_count, column_count,
          trace_.string(trace_.tensor(operand).name), rows(operand), columns(operand));
}

void Context::store(const trace::Operand& operand, const Floats& block) {
  check_fits(operand, block.rows, block.columns);
  const Walk to = walk(operand);
  require(!is_mx(to.dtype), "results cannot be stored as {}", name(to.dtype));
  Storage& memory = storage(operand.tensor);
  to.for_each_run(
      [&](std::int64_t offset, std::int64_t stride, std::uint64_t count, std::uint64_t index) {
        encode_row(to.dtype, block.values.data() + index, count, memory.data() + offset, stride);
        if (!memory.all_written()) {
          memory.mark_written(offset, stride, count, to.element_bytes);
        }
      });
}

void Context::store_bits(const trace::Operand& operand, const Bits& block) {
  check_fits(operand, block.rows, block.columns);
  store_bits(operand.tensor, walk(operand), block);
}

void Context::store_bits(std::uint32_t tensor, const Walk& to, const Bits& block) {
  Storage& memory = storage(tensor);
  to.for_each_run(
      [&](std::int64_t offset, std::int64_t stride, std::uint64_t count, std::uint64_t index) {
        write_bits(to.element_bytes, block.values.data() + index, count, memory.data() + offset,
                   stride);
        if (!memory.all_written()) {
          memory.mark_written(offset, stride, count, to.element_bytes);
        }
      });
}

void Context::store_integers(const trace::Operand& operand, const Integers& block) {
  require(!is_float(dtype(operand)), "needs an integer destination, not {}", name(dtype(operand)));
  Bits bits(block.rows, block.columns);
  for (std::size_t i = 0; i < block.values.size(); ++i) {
    bits.values[i] = static_cast<std::uint32_t>(block.values[i]);
  }
  store_bits(operand, bits);
}

void Context::require_same_shape(const trace::Operand& a, const trace::Operand& b) const {
  require(rows(a) == rows(b) && columns(a) == columns(b),
          "operands of different shape: [{}, {}] and [{}, {}]", rows(a), columns(a), rows(b),
          columns(b));
}

void Context::fail_text(const std::string& text) const {
  std::string source;
  if (instruction_.source != trace::kNone) {
    const trace::SourceLine& line = trace_.sources[instruction_.source];
    source = fmt::format(" at {}:{}", trace_.string(line.file), line.line);
  }
  throw Error(fmt::format("instruction {} ({}){}: {}", index_, trace::name(instruction_.opcode),
                          source, text));
}

}  // namespace trnsim::numerics
