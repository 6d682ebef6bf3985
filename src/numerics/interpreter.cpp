// The machine: tensors by name, program order, release of on-chip tensors after their last use.
#include "trnsim/numerics/interpreter.h"

#include <algorithm>
#include <array>
#include <limits>
#include <utility>

#include "context.h"
#include "ops.h"
#include "trnsim/base/error.h"
#include "trnsim/numerics/dtype_convert.h"

namespace trnsim::numerics {
namespace {

trace::Role role(const trace::Tensor& tensor) {
  return static_cast<trace::Role>(tensor.role);
}

std::uint64_t elements(const trace::Tensor& tensor) {
  return tensor.partitions * tensor.free_elements;
}

// Instruction after which no instruction names the tensor.
std::vector<std::uint32_t> last_uses(const trace::Trace& trace) {
  std::vector<std::uint32_t> last(trace.tensors.size(), 0);
  for (std::uint32_t i = 0; i < trace.instructions.size(); ++i) {
    const trace::Instruction& instruction = trace.instructions[i];
    for (std::uint32_t o = 0; o < std::uint32_t{instruction.outputs} + instruction.inputs; ++o) {
      last[trace.operands[instruction.first_operand + o].tensor] = i;
    }
  }
  return last;
}

Values read_values(const Storage& storage, const trace::Tensor& tensor) {
  const std::uint32_t bytes = size_bytes(tensor.dtype);
  const std::uint64_t count = elements(tensor);
  std::vector<std::uint32_t> bits(count);
  read_bits(bytes, storage.data(), bytes, count, bits.data());
  const std::size_t packing = is_mx(tensor.dtype) ? 4 : 1;
  Values values(count * packing, std::numeric_limits<double>::quiet_NaN());
  for (std::uint64_t i = 0; i < count; ++i) {
    const auto offset = static_cast<std::int64_t>(i * bytes);
    if (!storage.all_written() && storage.count_unwritten(offset, bytes, 1, bytes) > 0) {
      continue;
    }
    if (packing == 1) {
      values[i] = decode(tensor.dtype, bits[i]);
    } else {
      const std::array<float, 4> unpacked = decode_x4(tensor.dtype, bits[i]);
      std::copy(unpacked.begin(), unpacked.end(),
                values.begin() + static_cast<std::ptrdiff_t>(i * packing));
    }
  }
  return values;
}

std::vector<std::uint32_t> encode_values(const trace::Tensor& tensor, const Values& values) {
  std::vector<std::uint32_t> bits(elements(tensor));
  for (std::size_t i = 0; i < bits.size(); ++i) {
    if (is_mx(tensor.dtype)) {
      std::array<float, 4> four{};
      for (std::size_t k = 0; k < 4; ++k) {
        four[k] = static_cast<float>(values[i * 4 + k]);
      }
      bits[i] = encode_x4(tensor.dtype, four);
    } else {
      bits[i] = encode(tensor.dtype, values[i]);
    }
  }
  return bits;
}

}  // namespace

struct Machine::State {
  const trace::Trace& trace;
  Options options;
  std::vector<Storage> storages;
  std::vector<UninitialisedRead> uninitialised;

  // Tensor with this name, HBM tensors first. Throws Error if there is none.
  [[nodiscard]] std::uint32_t find(const std::string& name) const;
};

std::uint32_t Machine::State::find(const std::string& name) const {
  std::uint32_t found = trace::kNone;
  for (std::uint32_t i = 0; i < trace.tensors.size(); ++i) {
    if (trace.string(trace.tensors[i].name) != name) {
      continue;
    }
    if (trace.tensors[i].region == trace::Region::kHbm) {
      return i;
    }
    found = found == trace::kNone ? i : found;
  }
  if (found == trace::kNone) {
    std::vector<std::string> names;
    for (const trace::Tensor& tensor : trace.tensors) {
      if (tensor.region == trace::Region::kHbm) {
        names.push_back(trace.string(tensor.name));
      }
    }
    throw Error(fmt::format("the trace has no tensor '{}'", name), {}, did_you_mean(name, names));
  }
  return found;
}

Machine::Machine(const trace::Trace& trace) : Machine(trace, Options()) {}

Machine::Machine(const trace::Trace& trace, Options options)
    : state_(new State{trace, options, std::vector<Storage>(trace.tensors.size()), {}}) {}

Machine::~Machine() = default;

void Machine::set(const std::string& name, const Values& values) {
  const std::uint32_t id = state_->find(name);
  const trace::Tensor& tensor = state_->trace.tensors[id];
  const std::uint64_t wanted = elements(tensor) * (is_mx(tensor.dtype) ? 4 : 1);
  if (values.size() != wanted) {
    throw Error(fmt::format("tensor '{}' takes {} values, not {}", name, wanted, values.size()));
  }
  Storage& storage = state_->storages[id];
  storage.create(tensor);
  const std::vector<std::uint32_t> bits = encode_values(tensor, values);
  const std::uint32_t bytes = size_bytes(tensor.dtype);
  write_bits(bytes, bits.data(), bits.size(), storage.data(), bytes);
  storage.mark_written(0, bytes, bits.size(), bytes);
}

void Machine::run() {
  const trace::Trace& trace = state_->trace;
  const std::vector<std::uint32_t> last = last_uses(trace);
  for (std::uint32_t i = 0; i < trace.instructions.size(); ++i) {
    Context context(trace, state_->storages, state_->uninitialised, i);
    context.require(!context.attributes().indirect || trace::is_dma(trace.instructions[i].opcode),
                    "indirect on-chip views are not implemented");
    execute_function(trace.instructions[i].opcode)(context);
    if (state_->options.keep_on_chip) {
      continue;
    }
    const trace::Instruction& instruction = trace.instructions[i];
    for (std::uint32_t o = 0; o < std::uint32_t{instruction.outputs} + instruction.inputs; ++o) {
      const std::uint32_t tensor = trace.operands[instruction.first_operand + o].tensor;
      if (last[tensor] == i && trace.tensors[tensor].region != trace::Region::kHbm) {
        state_->storages[tensor].release();
      }
    }
  }
  for (std::size_t t = 0; t < trace.tensors.size(); ++t) {
    const trace::Tensor& tensor = trace.tensors[t];
    if (role(tensor) != trace::Role::kOutput) {
      continue;
    }
    Storage& storage = state_->storages[t];
    if (!storage.exists()) {
      storage.create(tensor);
    }
    const std::uint32_t bytes = size_bytes(tensor.dtype);
    const std::uint64_t missing = storage.count_unwritten(0, bytes, elements(tensor), bytes);
    if (missing > 0) {
      state_->uninitialised.push_back({trace::kNone, trace.string(tensor.name), missing});
    }
  }
}

Values Machine::values(const std::string& name) const {
  return values(state_->find(name));
}

Values Machine::values(std::uint32_t tensor) const {
  const trace::Tensor& description = state_->trace.tensors[tensor];
  const Storage& storage = state_->storages[tensor];
  if (!storage.exists()) {
    const std::size_t packing = is_mx(description.dtype) ? 4 : 1;
    return Values(elements(description) * packing, std::numeric_limits<double>::quiet_NaN());
  }
  return read_values(storage, description);
}

const std::vector<UninitialisedRead>& Machine::uninitialised_reads() const {
  return state_->uninitialised;
}

Execution execute(const trace::Trace& trace, const std::map<std::string, Values>& inputs) {
  for (const trace::Tensor& tensor : trace.tensors) {
    const std::string& name = trace.string(tensor.name);
    const bool needs_values =
        role(tensor) == trace::Role::kInput || role(tensor) == trace::Role::kConstant;
    if (needs_values && inputs.find(name) == inputs.end()) {
      throw Error(fmt::format("no values for {} tensor '{}'",
                              role(tensor) == trace::Role::kInput ? "input" : "constant", name));
    }
  }
  Machine machine(trace);
  for (const auto& [name, values] : inputs) {
    machine.set(name, values);
  }
  machine.run();
  Execution result;
  for (std::uint32_t i = 0; i < trace.tensors.size(); ++i) {
    if (role(trace.tensors[i]) == trace::Role::kOutput) {
      result.outputs[trace.string(trace.tensors[i].name)] = machine.values(i);
    }
  }
  result.uninitialised_reads = machine.uninitialised_reads();
  return result;
}

}  // namespace trnsim::numerics
