// The memories of the machine: raw bytes per tensor and strided access to them.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "trnsim/trace/ir.h"

namespace trnsim::numerics {

// Where the elements of an operand are: rows (partitions; 1 for HBM) of strided runs.
struct Walk {
  DType dtype = DType::kFloat32;
  std::uint32_t element_bytes = 4;
  std::uint64_t rows = 1;
  std::uint64_t columns = 1;    // elements per row
  std::int64_t first_byte = 0;  // of row 0
  std::int64_t row_bytes = 0;
  int num_dims = 0;  // adjacent dims that form one run are merged
  std::array<trace::Dim, trace::kMaxDims> dims{};

  // Calls body(byte offset, stride in bytes, count, index of the first element in walk order).
  template <typename Body>
  void for_each_run(Body body) const;
};

// Bytes of one tensor and which of them have been written.
class Storage {
 public:
  // Fresh content reads as NaN in every float type (all bits set).
  void create(const trace::Tensor& tensor);
  void release();
  [[nodiscard]] bool exists() const { return !bytes_.empty(); }

  [[nodiscard]] const std::byte* data() const { return bytes_.data(); }
  [[nodiscard]] std::byte* data() { return bytes_.data(); }
  // Elements among the run that have a byte nobody wrote.
  [[nodiscard]] std::uint64_t count_unwritten(std::int64_t offset, std::int64_t stride,
                                              std::uint64_t count, std::uint32_t bytes) const;
  void mark_written(std::int64_t offset, std::int64_t stride, std::uint64_t count,
                    std::uint32_t bytes);
  [[nodiscard]] bool all_written() const { return unwritten_ == 0; }

 private:
  std::vector<std::byte> bytes_;
  std::vector<std::uint8_t> written_;  // one flag per byte
  std::uint64_t unwritten_ = 0;
};

// Layout of an operand in its tensor. Throws Error without location when it leaves the tensor.
// `checked_from`: dims before it are not checked (the indexed dim of an indirect access).
[[nodiscard]] Walk make_walk(const trace::Trace& trace, const trace::Operand& operand,
                             std::size_t checked_from = 0);

template <typename Body>
void Walk::for_each_run(Body body) const {
  const trace::Dim inner =
      num_dims > 0 ? dims[static_cast<std::size_t>(num_dims - 1)] : trace::Dim{1, 1};
  const auto bytes = static_cast<std::int64_t>(element_bytes);
  const std::uint64_t runs = columns / inner.count;
  std::uint64_t index = 0;
  for (std::uint64_t row = 0; row < rows; ++row) {
    std::array<std::uint32_t, trace::kMaxDims> at{};
    std::int64_t offset = first_byte + static_cast<std::int64_t>(row) * row_bytes;
    for (std::uint64_t run = 0; run < runs; ++run) {
      body(offset, inner.stride * bytes, std::uint64_t{inner.count}, index);
      index += inner.count;
      for (int d = num_dims - 2; d >= 0; --d) {
        const auto i = static_cast<std::size_t>(d);
        offset += dims[i].stride * bytes;
        if (++at[i] < dims[i].count) {
          break;
        }
        offset -= dims[i].stride * bytes * static_cast<std::int64_t>(dims[i].count);
        at[i] = 0;
      }
    }
  }
}

}  // namespace trnsim::numerics
