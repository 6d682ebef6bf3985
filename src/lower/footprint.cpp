// Walks a pattern and merges what is contiguous.
#include "footprint.h"

#include <algorithm>

#include <boost/container/static_vector.hpp>

namespace trnsim::lower {

void footprint(const trace::Pattern& pattern, std::int64_t offset_elements,
               std::vector<Interval>& out) {
  out.clear();
  const auto size = static_cast<std::int64_t>(size_bytes(pattern.dtype));
  std::int64_t base = offset_elements * size;
  boost::container::static_vector<trace::Dim, trace::kMaxDims> dims;  // by ascending stride
  for (const trace::Dim& dim : pattern.span()) {
    if (dim.count <= 1 || dim.stride == 0) {
      continue;
    }
    std::int64_t stride = dim.stride * size;
    if (stride < 0) {
      base += stride * (static_cast<std::int64_t>(dim.count) - 1);
      stride = -stride;
    }
    const auto larger = std::find_if(dims.begin(), dims.end(), [stride](const trace::Dim& other) {
      return other.stride > stride;
    });
    dims.insert(larger, {stride, dim.count});
  }
  const std::size_t count = dims.size();
  // Inner dims that continue (or overlap) the run so far belong to it.
  std::int64_t run = size;
  std::size_t outer = 0;
  while (outer < count && dims[outer].stride <= run) {
    run += dims[outer].stride * (static_cast<std::int64_t>(dims[outer].count) - 1);
    ++outer;
  }
  std::uint64_t pieces = 1;
  std::int64_t extent = run;
  for (std::size_t d = outer; d < count; ++d) {
    pieces *= dims[d].count;
    extent += dims[d].stride * (static_cast<std::int64_t>(dims[d].count) - 1);
  }
  const auto push = [&out](std::int64_t begin, std::int64_t length) {
    out.push_back({static_cast<std::uint64_t>(begin), static_cast<std::uint64_t>(begin + length)});
  };
  if (pieces > kMaxIntervals) {
    push(base, extent);
    return;
  }
  for (std::uint64_t piece = 0; piece < pieces; ++piece) {
    std::uint64_t rest = piece;
    std::int64_t begin = base;
    for (std::size_t d = outer; d < count; ++d) {
      begin += dims[d].stride * static_cast<std::int64_t>(rest % dims[d].count);
      rest /= dims[d].count;
    }
    push(begin, run);
  }
}

}  // namespace trnsim::lower
