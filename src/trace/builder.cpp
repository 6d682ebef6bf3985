// Views and the interning writer.
#include "trnsim/trace/builder.h"

#include <algorithm>
#include <utility>

#include "trnsim/base/error.h"

namespace trnsim::trace {
namespace {

std::vector<Dim> row_major(const std::vector<std::uint32_t>& shape) {
  std::vector<Dim> dims(shape.size());
  std::int64_t stride = 1;
  for (std::size_t i = shape.size(); i-- > 0;) {
    dims[i] = {stride, shape[i]};
    stride *= shape[i];
  }
  return dims;
}

std::uint64_t product(const std::vector<std::uint32_t>& shape) {
  std::uint64_t elements = 1;
  for (const std::uint32_t extent : shape) {
    elements *= extent;
  }
  return elements;
}

}  // namespace

View View::slice(std::size_t d, std::uint32_t start, std::uint32_t count) const {
  TRNSIM_CHECK(d < dims.size() && count > 0 && start + count <= dims[d].count,
               "slice [{}, {}) of dim {} is outside the view", start, start + count, d);
  View view = *this;
  view.offset += dims[d].stride * start;
  view.dims[d].count = count;
  return view;
}

View View::part(std::uint32_t start, std::uint32_t count) const {
  TRNSIM_CHECK(region != Region::kHbm && count > 0 && start + count <= partitions,
               "partitions [{}, {}) are outside the view", start, start + count);
  View view = *this;
  view.partition_start += start;
  view.partitions = count;
  return view;
}

View View::permute(std::size_t a, std::size_t b) const {
  TRNSIM_CHECK(a < dims.size() && b < dims.size(), "no dims {} and {}", a, b);
  View view = *this;
  std::swap(view.dims[a], view.dims[b]);
  return view;
}

View View::split(std::size_t d, std::uint32_t inner) const {
  TRNSIM_CHECK(d < dims.size() && inner > 0 && dims[d].count % inner == 0,
               "dim {} cannot be split by {}", d, inner);
  View view = *this;
  const Dim old = view.dims[d];
  view.dims[d] = {old.stride * inner, old.count / inner};
  view.dims.insert(view.dims.begin() + static_cast<std::ptrdiff_t>(d) + 1, {old.stride, inner});
  return view;
}

View View::index(std::size_t d, std::uint32_t at) const {
  View view = slice(d, at, 1);
  view.dims.erase(view.dims.begin() + static_cast<std::ptrdiff_t>(d));
  return view;
}

View View::broadcast(std::uint32_t count) const {
  View view = *this;
  view.dims.push_back({0, count});
  return view;
}

std::uint64_t View::elements() const {
  std::uint64_t elements = 1;
  for (const Dim& dim : dims) {
    elements *= dim.count;
  }
  return elements;
}

TraceBuilder::TraceBuilder(std::string kernel, std::string origin) {
  trace_.kernel = std::move(kernel);
  trace_.origin = std::move(origin);
}

View TraceBuilder::hbm(std::string_view name, DType dtype, const std::vector<std::uint32_t>& shape,
                       Role role) {
  Tensor tensor;
  tensor.name = intern(name);
  tensor.region = Region::kHbm;
  tensor.dtype = dtype;
  tensor.free_elements = product(shape);
  tensor.role = static_cast<std::uint8_t>(role);
  trace_.tensors.push_back(tensor);
  View view;
  view.tensor = static_cast<std::uint32_t>(trace_.tensors.size() - 1);
  view.region = Region::kHbm;
  view.dtype = dtype;
  view.dims = row_major(shape);
  return view;
}

View TraceBuilder::on_chip(Region region, std::string_view name, DType dtype,
                           std::uint32_t partitions, const std::vector<std::uint32_t>& free,
                           std::int64_t pinned_bytes) {
  Tensor tensor;
  tensor.name = intern(name);
  tensor.region = region;
  tensor.dtype = dtype;
  tensor.partitions = partitions;
  tensor.free_elements = product(free);
  tensor.pinned_bytes = pinned_bytes;
  tensor.site = tensor.name;
  trace_.tensors.push_back(tensor);
  View view;
  view.tensor = static_cast<std::uint32_t>(trace_.tensors.size() - 1);
  view.region = region;
  view.dtype = dtype;
  view.partitions = partitions;
  view.dims = row_major(free);
  return view;
}

View TraceBuilder::sbuf(std::string_view name, DType dtype, std::uint32_t partitions,
                        const std::vector<std::uint32_t>& free, std::int64_t pinned_bytes) {
  return on_chip(Region::kSbuf, name, dtype, partitions, free, pinned_bytes);
}

View TraceBuilder::psum(std::string_view name, DType dtype, std::uint32_t partitions,
                        const std::vector<std::uint32_t>& free, std::int64_t pinned_bytes) {
  return on_chip(Region::kPsum, name, dtype, partitions, free, pinned_bytes);
}

std::uint32_t TraceBuilder::emit(Opcode opcode, Engine engine, const std::vector<View>& outputs,
                                 const std::vector<View>& inputs, const Attributes& attributes) {
  Instruction instruction;
  instruction.opcode = opcode;
  instruction.engine = engine;
  instruction.outputs = static_cast<std::uint8_t>(outputs.size());
  instruction.inputs = static_cast<std::uint8_t>(inputs.size());
  instruction.first_operand = static_cast<std::uint32_t>(trace_.operands.size());
  instruction.attributes = intern(attributes);
  instruction.source = source_;
  for (const View& view : outputs) {
    trace_.operands.push_back(operand(view));
  }
  for (const View& view : inputs) {
    trace_.operands.push_back(operand(view));
  }
  trace_.instructions.push_back(instruction);
  return static_cast<std::uint32_t>(trace_.instructions.size() - 1);
}

void TraceBuilder::matmul(const View& dst, const View& stationary, const View& moving,
                          bool accumulate, bool double_row) {
  Attributes attributes;
  attributes.accumulate = accumulate;
  attributes.double_row = double_row;
  emit(Opcode::kNcMatmul, Engine::kTensor, {dst}, {stationary, moving}, attributes);
}

void TraceBuilder::transpose(const View& dst, const View& data, Engine engine) {
  Attributes attributes;
  attributes.is_transpose = true;
  emit(Opcode::kNcTranspose, engine, {dst}, {data}, attributes);
}

void TraceBuilder::copy(const View& dst, const View& src, Engine engine) {
  Attributes attributes;
  attributes.engine_pinned = engine != Engine::kUnassigned;
  emit(Opcode::kTensorCopy, engine, {dst}, {src}, attributes);
}

void TraceBuilder::memset(const View& dst, double value, Engine engine) {
  Attributes attributes;
  attributes.imm0 = value;
  attributes.engine_pinned = engine != Engine::kUnassigned;
  emit(Opcode::kMemset, engine, {dst}, {}, attributes);
}

void TraceBuilder::dma(const View& dst, const View& src, Engine trigger) {
  Attributes attributes;
  attributes.engine_pinned = trigger != Engine::kUnassigned;
  emit(Opcode::kDmaCopy, trigger, {dst}, {src}, attributes);
}

void TraceBuilder::dma_transpose(const View& dst, const View& src, Engine trigger) {
  Attributes attributes;
  attributes.engine_pinned = trigger != Engine::kUnassigned;
  emit(Opcode::kDmaTranspose, trigger, {dst}, {src}, attributes);
}

void TraceBuilder::tensor_tensor(const View& dst, const View& a, AluOp op, const View& b,
                                 Engine engine) {
  Attributes attributes;
  attributes.op0 = op;
  attributes.engine_pinned = engine != Engine::kUnassigned;
  emit(Opcode::kTensorTensor, engine, {dst}, {a, b}, attributes);
}

void TraceBuilder::fence() {
  emit(Opcode::kFence, Engine::kUnassigned, {}, {});
}

void TraceBuilder::at(std::string_view file, std::uint32_t line) {
  if (line == 0) {
    source_ = kNone;
    return;
  }
  const SourceLine wanted{intern(file), line};
  const auto [entry, added] =
      sources_.try_emplace(wanted, static_cast<std::uint32_t>(trace_.sources.size()));
  if (added) {
    trace_.sources.push_back(wanted);
  }
  source_ = entry->second;
}

std::uint32_t TraceBuilder::affine(const std::vector<Dim>& dims) {
  TRNSIM_CHECK(dims.size() <= kMaxDims, "an affine pattern of {} dims", dims.size());
  Pattern pattern;
  pattern.num_dims = static_cast<std::uint8_t>(dims.size());
  std::copy(dims.begin(), dims.end(), pattern.dims.begin());
  return intern(pattern);
}

Trace TraceBuilder::take() {
  return std::move(trace_);
}

std::uint32_t TraceBuilder::intern(std::string_view text) {
  const auto found = strings_.find(text);
  if (found != strings_.end()) {
    return found->second;
  }
  const auto id = static_cast<std::uint32_t>(trace_.strings.size());
  trace_.strings.emplace_back(text);
  strings_.emplace(text, id);
  return id;
}

std::uint32_t TraceBuilder::intern(const Pattern& pattern) {
  const auto [entry, added] =
      patterns_.try_emplace(pattern, static_cast<std::uint32_t>(trace_.patterns.size()));
  if (added) {
    trace_.patterns.push_back(pattern);
  }
  return entry->second;
}

std::uint32_t TraceBuilder::intern(const Attributes& attributes) {
  const auto [entry, added] =
      attributes_.try_emplace(attributes, static_cast<std::uint32_t>(trace_.attributes.size()));
  if (added) {
    trace_.attributes.push_back(attributes);
  }
  return entry->second;
}

Operand TraceBuilder::operand(const View& view) {
  TRNSIM_CHECK(view.dims.size() <= kMaxDims, "a view has {} dims, at most {} fit", view.dims.size(),
               kMaxDims);
  Pattern pattern;
  pattern.dtype = view.dtype;
  pattern.num_dims = static_cast<std::uint8_t>(view.dims.size());
  std::copy(view.dims.begin(), view.dims.end(), pattern.dims.begin());
  return {view.tensor, intern(pattern), view.partition_start, view.partitions, view.offset};
}

}  // namespace trnsim::trace
