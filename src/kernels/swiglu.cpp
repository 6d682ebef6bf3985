// SwiGLU product: Scalar takes silu of the gate, Vector multiplies.
#include "token_tiles.h"
#include "trnsim/kernels/elementwise.h"
#include "trnsim/spec/generation_name.h"

namespace trnsim::kernels {
namespace {

using trace::View;

// Windows of equal shape, partitions first; the rest is one tile's columns.
void multiply(trace::TraceBuilder& builder, DType dtype, const View& gate, const View& up,
              const View& out) {
  std::vector<std::uint32_t> free;
  for (std::size_t d = 1; d < out.dims.size(); ++d) {
    free.push_back(out.dims[d].count);
  }
  const std::uint32_t partitions = out.dims[0].count;
  const View g = builder.sbuf("gate", dtype, partitions, free);
  builder.dma(g, gate);
  const View u = builder.sbuf("up", dtype, partitions, free);
  builder.dma(u, up);
  const View activated = builder.sbuf("activated", dtype, partitions, free);
  trace::Attributes attributes;
  attributes.func = trace::ActFunc::kSilu;
  builder.emit(trace::Opcode::kActivation, trace::Engine::kScalar, {activated}, {g}, attributes);
  const View product = builder.sbuf("product", dtype, partitions, free);
  builder.tensor_tensor(product, activated, trace::AluOp::kMultiply, u, trace::Engine::kVector);
  builder.dma(out, product);
}

}  // namespace

trace::Trace swiglu(const SwigluOptions& options, const spec::CoreSpec& core) {
  check_rows("swiglu", options.tokens, options.f, options.dtype);
  trace::TraceBuilder builder("swiglu", "trnsim builder swiglu");
  const View both =
      builder.hbm("gate_up", options.dtype, {options.tokens, 2 * options.f}, trace::Role::kInput);
  const View out =
      builder.hbm("out", options.dtype, {options.tokens, options.f}, trace::Role::kOutput);
  const View gate = both.slice(1, 0, options.f);
  const View up = both.slice(1, options.f, options.f);
  if (across_partitions(options.tokens, options.f)) {
    const std::uint32_t step = std::max(1U, kColumns / (options.f / kLanes));
    for (std::uint32_t token = 0; token < options.tokens; token += step) {
      const std::uint32_t tokens = std::min(step, options.tokens - token);
      multiply(builder, options.dtype, laid_across(gate.slice(0, token, tokens)),
               laid_across(up.slice(0, token, tokens)), laid_across(out.slice(0, token, tokens)));
    }
  } else {
    for (std::uint32_t row = 0; row < options.tokens; row += kLanes) {
      const std::uint32_t rows = std::min(kLanes, options.tokens - row);
      for (std::uint32_t start = 0; start < options.f; start += kColumns) {
        const std::uint32_t columns = std::min(kColumns, options.f - start);
        const auto window = [&](const View& tensor) {
          return tensor.slice(0, row, rows).slice(1, start, columns);
        };
        multiply(builder, options.dtype, window(gate), window(up), window(out));
      }
    }
  }
  trace::Trace trace = builder.take();
  trace.arguments = fmt::format(R"({{"tokens":{},"f":{},"dtype":"{}"}})", options.tokens, options.f,
                                name(options.dtype));
  trace.target = generation_name(core.generation);
  return trace;
}

}  // namespace trnsim::kernels
