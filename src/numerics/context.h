// What one instruction sees while it executes: its attributes and typed access to its operands.
#pragma once

#include <fmt/format.h>

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "memory.h"
#include "trnsim/numerics/interpreter.h"
#include "trnsim/trace/ir.h"

namespace trnsim::numerics {

// The elements of an operand, row by row: a row is a partition, or all of an HBM operand.
template <typename T>
struct Block {
  std::uint64_t rows = 0;
  std::uint64_t columns = 0;
  std::vector<T> values;

  Block() = default;
  Block(std::uint64_t row_count, std::uint64_t column_count, T fill = T{})
      : rows(row_count), columns(column_count), values(row_count * column_count, fill) {}
  [[nodiscard]] T* row(std::uint64_t r) { return values.data() + r * columns; }
  [[nodiscard]] const T* row(std::uint64_t r) const { return values.data() + r * columns; }
};

using Floats = Block<float>;
using Bits = Block<std::uint32_t>;  // raw element patterns, zero-extended
using Integers = Block<std::int64_t>;

class Context {
 public:
  Context(const trace::Trace& trace, std::vector<Storage>& storages,
          std::vector<UninitialisedRead>& uninitialised, std::uint32_t index);

  [[nodiscard]] const trace::Trace& trace() const { return trace_; }
  [[nodiscard]] const trace::Instruction& instruction() const { return instruction_; }
  [[nodiscard]] const trace::Attributes& attributes() const { return attributes_; }

  // Operand i; fails if the instruction has fewer.
  [[nodiscard]] const trace::Operand& input(std::size_t i) const;
  [[nodiscard]] const trace::Operand& output(std::size_t i) const;
  [[nodiscard]] bool has_output(std::size_t i) const { return i < instruction_.outputs; }
  [[nodiscard]] bool has_input(std::size_t i) const { return i < instruction_.inputs; }
  [[nodiscard]] DType dtype(const trace::Operand& operand) const;
  [[nodiscard]] trace::Region region(const trace::Operand& operand) const;
  // Extents with the partition axis first (on chip), or the HBM dims.
  [[nodiscard]] std::vector<std::uint64_t> shape(const trace::Operand& operand) const;
  [[nodiscard]] std::uint64_t rows(const trace::Operand& operand) const;
  [[nodiscard]] std::uint64_t columns(const trace::Operand& operand) const;
  [[nodiscard]] std::uint64_t elements(const trace::Operand& operand) const;

  [[nodiscard]] Floats load(const trace::Operand& operand);
  [[nodiscard]] Bits load_bits(const trace::Operand& operand);
  // Exact integers; fails on float types.
  [[nodiscard]] Integers load_integers(const trace::Operand& operand);
  // One value per partition, for the [P, 1] operands.
  [[nodiscard]] std::vector<float> load_vector(const trace::Operand& operand, std::uint64_t rows);

  // Blocks must have as many rows and columns as the operand (HBM: as many elements).
  void store(const trace::Operand& operand, const Floats& block);
  void store_bits(const trace::Operand& operand, const Bits& block);
  // Keeps the low bits, as integer units do; fails on float types.
  void store_integers(const trace::Operand& operand, const Integers& block);
  // Raw elements at arbitrary walks (indirect DMA).
  [[nodiscard]] Bits load_bits(std::uint32_t tensor, const Walk& walk);
  void store_bits(std::uint32_t tensor, const Walk& walk, const Bits& block);
  [[nodiscard]] Walk walk(const trace::Operand& operand, std::size_t checked_from = 0) const;

  template <typename... Args>
  [[noreturn]] void fail(fmt::format_string<Args...> text, Args&&... args) const {
    fail_text(fmt::format(text, std::forward<Args>(args)...));
  }
  template <typename... Args>
  void require(bool condition, fmt::format_string<Args...> text, Args&&... args) const {
    if (!condition) {
      fail_text(fmt::format(text, std::forward<Args>(args)...));
    }
  }
  // Fails unless both operands have the same rows and columns.
  void require_same_shape(const trace::Operand& a, const trace::Operand& b) const;

 private:
  [[noreturn]] void fail_text(const std::string& text) const;
  [[nodiscard]] Storage& storage(std::uint32_t tensor);
  void note_reads(std::uint32_t tensor, const Walk& walk);
  void check_fits(const trace::Operand& operand, std::uint64_t rows, std::uint64_t columns) const;

  const trace::Trace& trace_;
  std::vector<Storage>& storages_;
  std::vector<UninitialisedRead>& uninitialised_;
  const std::uint32_t index_;
  const trace::Instruction& instruction_;
  const trace::Attributes& attributes_;
};

}  // namespace trnsim::numerics
