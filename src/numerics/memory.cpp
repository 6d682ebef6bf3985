// Storage of tensors and the layout of operands.
#include "memory.h"

#include <algorithm>
#include <cstring>

#include "trnsim/base/error.h"

namespace trnsim::numerics {
namespace {

// Drops dims of one element and merges neighbours that continue each other.
void compact(Walk& walk, std::span<const trace::Dim> dims) {
  for (const trace::Dim& dim : dims) {
    if (dim.count == 1) {
      continue;
    }
    if (walk.num_dims > 0) {
      trace::Dim& outer = walk.dims[static_cast<std::size_t>(walk.num_dims - 1)];
      const bool continues = outer.stride == dim.stride * static_cast<std::int64_t>(dim.count);
      if (continues && std::uint64_t{outer.count} * dim.count <= UINT32_MAX) {
        outer = {dim.stride, outer.count * dim.count};
        continue;
      }
    }
    walk.dims[static_cast<std::size_t>(walk.num_dims++)] = dim;
  }
}

void check_inside(const trace::Trace& trace, const trace::Operand& operand, const Walk& walk,
                  std::size_t checked_from) {
  const trace::Tensor& tensor = trace.tensor(operand);
  const std::span<const trace::Dim> dims = trace.pattern(operand).span();
  std::int64_t low = operand.offset;
  std::int64_t high = operand.offset;
  for (std::size_t d = checked_from; d < dims.size(); ++d) {
    const std::int64_t reach = dims[d].stride * (static_cast<std::int64_t>(dims[d].count) - 1);
    (reach < 0 ? low : high) += reach;
  }
  const auto bytes = static_cast<std::int64_t>(walk.element_bytes);
  if (low < 0 || (high + 1) * bytes > walk.row_bytes) {
    throw Error(fmt::format("elements {} to {} of {} are outside the {} bytes of tensor '{}'", low,
                            high, name(walk.dtype), walk.row_bytes, trace.string(tensor.name)));
  }
  if (operand.partition_start + std::uint64_t{operand.partition_count} > tensor.partitions) {
    throw Error(fmt::format("partitions {} to {} are outside the {} of tensor '{}'",
                            operand.partition_start,
                            operand.partition_start + operand.partition_count - 1,
                            tensor.partitions, trace.string(tensor.name)));
  }
}

}  // namespace

void Storage::create(const trace::Tensor& tensor) {
  const std::size_t size =
      static_cast<std::size_t>(tensor.partitions) * tensor.free_elements * size_bytes(tensor.dtype);
  bytes_.assign(size, std::byte{0xFF});
  written_.assign(size, 0);
  unwritten_ = size;
}

void Storage::release() {
  std::vector<std::byte>().swap(bytes_);
  std::vector<std::uint8_t>().swap(written_);
}

std::uint64_t Storage::count_unwritten(std::int64_t offset, std::int64_t stride,
                                       std::uint64_t count, std::uint32_t bytes) const {
  const bool packed = stride == static_cast<std::int64_t>(bytes);
  if (packed && std::memchr(written_.data() + offset, 0, count * bytes) == nullptr) {
    return 0;
  }
  std::uint64_t missing = 0;
  for (std::uint64_t i = 0; i < count; ++i) {
    const std::uint8_t* flags = written_.data() + offset + static_cast<std::int64_t>(i) * stride;
    missing += std::find(flags, flags + bytes, 0) != flags + bytes ? 1U : 0U;
  }
  return missing;
}

void Storage::mark_written(std::int64_t offset, std::int64_t stride, std::uint64_t count,
                           std::uint32_t bytes) {
  std::uint64_t span = bytes;
  if (stride == static_cast<std::int64_t>(bytes)) {
    span *= count;
    count = 1;
  }
  for (std::uint64_t i = 0; i < count; ++i) {
    std::uint8_t* flags = written_.data() + offset + static_cast<std::int64_t>(i) * stride;
    unwritten_ -= static_cast<std::uint64_t>(std::count(flags, flags + span, std::uint8_t{0}));
    std::fill(flags, flags + span, std::uint8_t{1});
  }
}

Walk make_walk(const trace::Trace& trace, const trace::Operand& operand, std::size_t checked_from) {
  const trace::Tensor& tensor = trace.tensor(operand);
  const trace::Pattern& pattern = trace.pattern(operand);
  Walk walk;
  walk.dtype = pattern.dtype;
  walk.element_bytes = size_bytes(pattern.dtype);
  walk.row_bytes = static_cast<std::int64_t>(tensor.free_elements) *
                   static_cast<std::int64_t>(size_bytes(tensor.dtype));
  walk.rows = tensor.region == trace::Region::kHbm ? 1 : operand.partition_count;
  walk.columns = pattern.elements();
  walk.first_byte = static_cast<std::int64_t>(operand.partition_start) * walk.row_bytes +
                    operand.offset * static_cast<std::int64_t>(walk.element_bytes);
  compact(walk, pattern.span());
  check_inside(trace, operand, walk, checked_from);
  return walk;
}

}  // namespace trnsim::numerics
