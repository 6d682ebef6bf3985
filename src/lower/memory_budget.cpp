// Units of SBUF and PSUM that tiles hold.
#include "memory_budget.h"

#include <algorithm>
#include <limits>
#include <span>

namespace trnsim::lower {
namespace {

constexpr std::uint64_t kKiB = 1024;

std::uint64_t bytes(const trace::Tensor& tensor) {
  return tensor.free_elements * size_bytes(tensor.dtype);
}

std::span<const trace::Operand> operands(const trace::Trace& trace,
                                         const trace::Instruction& instruction) {
  return {trace.operands.data() + instruction.first_operand,
          std::size_t{instruction.outputs} + instruction.inputs};
}

}  // namespace

MemoryBudget::MemoryBudget(const trace::Trace& trace, const spec::CoreSpec& core)
    : psum_(trace, trace::Region::kPsum, core.psum.bank_bytes_per_partition, core.psum.banks),
      sbuf_(trace, trace::Region::kSbuf, 1,
            core.sbuf.kib_per_partition * kKiB - core.sbuf.reserved_bytes_per_partition) {}

double MemoryBudget::earliest_ns(const trace::Instruction& instruction, double start_ns) const {
  return std::max(psum_.earliest_ns(instruction, start_ns),
                  sbuf_.earliest_ns(instruction, start_ns));
}

void MemoryBudget::issue(const trace::Instruction& instruction, double start_ns, double done_ns) {
  psum_.issue(instruction, start_ns, done_ns);
  sbuf_.issue(instruction, start_ns, done_ns);
}

MemoryBudget::Region::Region(const trace::Trace& trace, trace::Region region,
                             std::uint64_t unit_bytes, std::uint64_t units)
    : trace_(trace),
      region_(region),
      unit_bytes_(unit_bytes),
      rank_(trace.tensors.size(), trace::kNone),
      accesses_(trace.tensors.size()),
      open_(trace.tensors.size()),
      free_(static_cast<std::int64_t>(units)) {
  take_pinned(units);
  for (const trace::Operand& operand : trace.operands) {  // in program order
    if (counts(operand.tensor) && accesses_[operand.tensor]++ == 0) {
      rank_[operand.tensor] = tiles_++;
    }
  }
  opened_.resize(tiles_);
  std::vector<std::uint32_t> left = accesses_;
  std::int64_t held = 0;
  for (const trace::Operand& operand : trace.operands) {
    const std::uint32_t t = operand.tensor;
    if (rank_[t] == trace::kNone) {
      continue;
    }
    held += left[t] == accesses_[t] ? units_of(t) : 0;
    most_held_ = std::max(most_held_, held);
    held -= --left[t] == 0 ? units_of(t) : 0;
  }
}

double MemoryBudget::Region::earliest_ns(const trace::Instruction& instruction,
                                         double start_ns) const {
  std::int64_t needed = 0;
  std::uint32_t next = next_;
  bool ahead = false;
  bool opens = false;
  for (const trace::Operand& operand : operands(trace_, instruction)) {
    const std::uint32_t t = operand.tensor;
    if (rank_[t] != trace::kNone && !open_[t]) {
      opens = true;
      needed += units_of(t);
      ahead = ahead || rank_[t] != next++;
    }
  }
  if (!opens) {
    return start_ns;
  }
  needed += ahead ? most_held_ : 0;
  std::int64_t free = free_;
  double at = start_ns;
  for (auto leaves = leaving_.begin(); free < needed; ++leaves) {
    if (leaves == leaving_.end()) {
      return std::numeric_limits<double>::infinity();
    }
    free += leaves->second;
    at = std::max(at, leaves->first);
  }
  return at;
}

void MemoryBudget::Region::issue(const trace::Instruction& instruction, double start_ns,
                                 double done_ns) {
  while (!leaving_.empty() && leaving_.begin()->first <= start_ns) {
    free_ += leaving_.begin()->second;
    leaving_.erase(leaving_.begin());
  }
  for (const trace::Operand& operand : operands(trace_, instruction)) {
    const std::uint32_t t = operand.tensor;
    if (rank_[t] != trace::kNone && !open_[t]) {
      open_[t] = true;
      opened_[rank_[t]] = true;
      free_ -= units_of(t);
    }
  }
  while (next_ < tiles_ && opened_[next_]) {
    ++next_;
  }
  for (const trace::Operand& operand : operands(trace_, instruction)) {
    const std::uint32_t t = operand.tensor;
    if (rank_[t] != trace::kNone && --accesses_[t] == 0) {
      leaving_[done_ns] += units_of(t);
    }
  }
}

void MemoryBudget::Region::take_pinned(std::uint64_t units) {
  std::vector<bool> pinned(units);
  for (const trace::Tensor& tensor : trace_.tensors) {
    if (tensor.region != region_ || tensor.pinned_bytes < 0) {
      continue;
    }
    const auto begin = static_cast<std::uint64_t>(tensor.pinned_bytes);
    const std::uint64_t end = begin + bytes(tensor);
    for (std::uint64_t u = begin / unit_bytes_; u < units && u * unit_bytes_ < end; ++u) {
      free_ -= pinned[u] ? 0 : 1;
      pinned[u] = true;
    }
  }
}

bool MemoryBudget::Region::counts(std::uint32_t tensor) const {
  return trace_.tensors[tensor].region == region_ && trace_.tensors[tensor].pinned_bytes < 0;
}

std::int64_t MemoryBudget::Region::units_of(std::uint32_t tensor) const {
  return static_cast<std::int64_t>((bytes(trace_.tensors[tensor]) + unit_bytes_ - 1) / unit_bytes_);
}

}  // namespace trnsim::lower
