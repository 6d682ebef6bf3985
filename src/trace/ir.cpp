// Small queries on Traces.
#include "trnsim/trace/ir.h"

namespace trnsim::trace {

std::uint64_t Pattern::elements() const {
  std::uint64_t product = 1;
  for (const Dim& dim : span()) {
    product *= dim.count;
  }
  return product;
}

const std::string& Trace::string(std::uint32_t id) const {
  static const std::string empty;
  return id == kNone ? empty : strings[id];
}

}  // namespace trnsim::trace
