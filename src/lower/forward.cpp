// Readers of a copy read what was copied.
#include "forward.h"

#include <algorithm>

#include "footprint.h"
#include "trnsim/timing/shape.h"

namespace trnsim::lower {
namespace {

using trace::Engine;
using trace::Instruction;
using trace::Opcode;
using trace::Operand;
using trace::Region;
using trace::Trace;

// One access of a tensor, in program order.
struct Access {
  std::uint32_t instruction = 0;
  std::uint32_t operand = 0;  // index into Trace::operands
  bool write = false;
};

class Forwarding {
 public:
  Forwarding(const Trace& trace, const spec::CoreSpec& core)
      : result_(trace),
        core_(core),
        accesses_(trace.tensors.size()),
        dropped_(trace.instructions.size()),
        usage_(trace.instructions.size()) {
    for (std::uint32_t i = 0; i < trace.instructions.size(); ++i) {
      const Instruction& instruction = trace.instructions[i];
      const std::uint32_t count = std::uint32_t{instruction.outputs} + instruction.inputs;
      for (std::uint32_t k = 0; k < count; ++k) {
        const std::uint32_t operand = instruction.first_operand + k;
        accesses_[trace.operands[operand].tensor].push_back({i, operand, k < instruction.outputs});
      }
    }
    for (std::uint32_t t = 0; t < trace.tensors.size(); ++t) {
      if (trace.tensors[t].region == Region::kPsum && !accesses_[t].empty()) {
        occupy(t, accesses_[t].front().instruction, accesses_[t].back().instruction);
      }
    }
  }

  Forwarded run() {
    for (std::uint32_t i = 0; i < result_.instructions.size(); ++i) {
      if (result_.instructions[i].opcode == Opcode::kTensorCopy) {
        forward(i);
      }
    }
    drop_unread();
    return compacted();
  }

 private:
  // A walk of consecutive elements, or none.
  [[nodiscard]] bool contiguous(const Operand& operand) const {
    const trace::Pattern& pattern = result_.pattern(operand);
    return pattern.num_dims == 0 || (pattern.num_dims == 1 && pattern.dims[0].stride == 1);
  }
  // Bytes from the first to behind the last of a walk.
  [[nodiscard]] Interval span(const Operand& operand) {
    footprint(result_.pattern(operand), operand.offset, intervals_);
    Interval whole = intervals_.front();
    for (const Interval& interval : intervals_) {
      whole.begin = std::min(whole.begin, interval.begin);
      whole.end = std::max(whole.end, interval.end);
    }
    return whole;
  }

  void forward(std::uint32_t copy) {
    const Instruction& instruction = result_.instructions[copy];
    const Operand dst = result_.outputs(instruction)[0];
    const Operand src = result_.inputs(instruction)[0];
    if (result_.tensor(src).region != Region::kPsum || result_.tensor(dst).region != Region::kSbuf ||
        result_.tensor(dst).pinned_bytes >= 0 || result_.tensor(src).pinned_bytes >= 0 ||
        result_.pattern(dst).dtype != result_.pattern(src).dtype || !contiguous(dst) ||
        !contiguous(src) || dst.partition_start != src.partition_start ||
        dst.partition_count != src.partition_count) {
      return;
    }
    const Interval copied = span(dst);
    readers_.clear();
    for (const Access& access : after(dst.tensor, copy)) {
      const Operand& operand = result_.operands[access.operand];
      const Interval touched = span(operand);
      if (touched.end <= copied.begin || touched.begin >= copied.end) {
        continue;
      }
      if (access.write) {
        if (touched.begin > copied.begin || touched.end < copied.end) {
          return;
        }
        break;
      }
      if (touched.begin < copied.begin || touched.end > copied.end ||
          result_.pattern(operand).dtype != result_.pattern(dst).dtype ||
          !readable(access, operand, src, dst)) {
        return;
      }
      readers_.push_back(access);
    }
    if (readers_.empty()) {
      return;
    }
    const std::uint32_t last = readers_.back().instruction;
    const Interval source = span(src);
    std::uint32_t lived = copy;
    for (const Access& access : accesses_[src.tensor]) {
      lived = std::max(lived, access.instruction);
      if (access.write && access.instruction > copy && access.instruction <= last) {
        const Interval touched = span(result_.operands[access.operand]);
        if (touched.end > source.begin && touched.begin < source.end) {
          return;
        }
      }
    }
    if (last > lived) {
      const std::uint32_t units = banks_of(src.tensor);
      for (std::uint32_t i = lived + 1; i <= last; ++i) {
        if (usage_[i] + units > core_.psum.banks) {
          return;
        }
      }
      occupy(src.tensor, lived + 1, last);
    }
    for (const Access& access : readers_) {
      redirect(result_.operands[access.operand], src, dst);
      std::vector<Access>& list = accesses_[src.tensor];
      list.insert(std::upper_bound(list.begin(), list.end(), access,
                                   [](const Access& a, const Access& b) {
                                     return a.instruction < b.instruction;
                                   }),
                  access);
    }
    dropped_[copy] = true;
  }

  static void redirect(Operand& operand, const Operand& src, const Operand& dst) {
    operand.tensor = src.tensor;
    operand.offset += src.offset - dst.offset;
  }

  // Products and transposes only: an activation may leave its sum in a register, which a trace does not tell.
  void drop_unread() {
    std::vector<std::uint32_t> reads(result_.tensors.size());
    const auto count = [&](std::uint32_t i, std::uint32_t one) {
      for (const Operand& operand : result_.inputs(result_.instructions[i])) {
        reads[operand.tensor] += one;
      }
    };
    for (std::uint32_t i = 0; i < result_.instructions.size(); ++i) {
      if (!dropped_[i]) {
        count(i, 1);
      }
    }
    for (std::uint32_t i = static_cast<std::uint32_t>(result_.instructions.size()); i-- > 0;) {
      const Instruction& instruction = result_.instructions[i];
      const auto outputs = result_.outputs(instruction);
      const bool unread =
          (trace::is_matmul(instruction.opcode) || instruction.opcode == Opcode::kNcTranspose) &&
          std::all_of(outputs.begin(), outputs.end(), [&](const Operand& operand) {
            return result_.tensor(operand).region != Region::kHbm && reads[operand.tensor] == 0;
          });
      if (!dropped_[i] && unread) {
        dropped_[i] = true;
        count(i, UINT32_MAX);  // one less
      }
    }
  }

  // Whether the instruction may read the source instead.
  [[nodiscard]] bool readable(const Access& access, const Operand& operand, const Operand& src,
                              const Operand& dst) {
    const Instruction& instruction = result_.instructions[access.instruction];
    if (trace::is_dma(instruction.opcode) || trace::is_matmul(instruction.opcode) ||
        instruction.opcode == Opcode::kNcTranspose) {
      return false;
    }
    // Not two operands from PSUM (hardware.md 13, tensor_tensor); pointers to scalars are no operands.
    for (const Operand& other : result_.inputs(instruction)) {
      const bool from_psum =
          result_.tensor(other).region == Region::kPsum || other.tensor == dst.tensor;
      if (&other != &operand && from_psum && result_.pattern(other).elements() > 1) {
        return false;
      }
    }
    const Operand kept = operand;
    Operand& changed = result_.operands[access.operand];
    redirect(changed, src, dst);
    const std::vector<Engine> legal =
        timing::legal_engines(core_.generation, timing::shape_of(result_, instruction));
    changed = kept;
    const Engine wanted = instruction.engine;
    return std::any_of(legal.begin(), legal.end(), [wanted](Engine engine) {
      return (engine == Engine::kVector || engine == Engine::kScalar) &&
             (wanted == Engine::kUnassigned || wanted == engine);
    });
  }

  [[nodiscard]] std::span<const Access> after(std::uint32_t tensor, std::uint32_t copy) const {
    const std::vector<Access>& list = accesses_[tensor];
    const auto first = std::upper_bound(
        list.begin(), list.end(), copy,
        [](std::uint32_t at, const Access& access) { return at < access.instruction; });
    return {first, list.end()};
  }

  [[nodiscard]] std::uint32_t banks_of(std::uint32_t tensor) const {
    const trace::Tensor& tile = result_.tensors[tensor];
    const std::uint64_t bank = core_.psum.bank_bytes_per_partition;
    return static_cast<std::uint32_t>((tile.free_elements * size_bytes(tile.dtype) + bank - 1) /
                                      bank);
  }
  void occupy(std::uint32_t tensor, std::uint32_t first, std::uint32_t last) {
    const std::uint32_t units = banks_of(tensor);
    for (std::uint32_t i = first; i <= last; ++i) {
      usage_[i] += units;
    }
  }

  Forwarded compacted() {
    Forwarded kept;
    std::vector<Operand> operands;
    operands.reserve(result_.operands.size());
    for (std::uint32_t i = 0; i < result_.instructions.size(); ++i) {
      if (dropped_[i]) {
        continue;
      }
      Instruction instruction = result_.instructions[i];
      const auto first = result_.operands.begin() + instruction.first_operand;
      instruction.first_operand = static_cast<std::uint32_t>(operands.size());
      operands.insert(operands.end(), first,
                      first + std::uint32_t{instruction.outputs} + instruction.inputs);
      result_.instructions[kept.original.size()] = instruction;
      kept.original.push_back(i);
    }
    result_.instructions.resize(kept.original.size());
    result_.operands = std::move(operands);
    result_.edges.clear();
    kept.trace = std::move(result_);
    return kept;
  }

  Trace result_;
  const spec::CoreSpec& core_;
  std::vector<std::vector<Access>> accesses_;
  std::vector<Access> readers_;
  std::vector<bool> dropped_;
  std::vector<std::uint32_t> usage_;  // banks at each instruction, in program order
  std::vector<Interval> intervals_;
};

}  // namespace

Forwarded forward_copies(const Trace& trace, const spec::CoreSpec& core) {
  return Forwarding(trace, core).run();
}

}  // namespace trnsim::lower
