// RMSNorm: Scalar squares and sums, Vector scales.
#include <cmath>
#include <optional>

#include "token_tiles.h"
#include "trnsim/kernels/elementwise.h"
#include "trnsim/spec/generation_name.h"

namespace trnsim::kernels {
namespace {

using trace::AluOp;
using trace::Attributes;
using trace::Engine;
using trace::Opcode;
using trace::View;

class RmsNorm {
 public:
  RmsNorm(trace::TraceBuilder& builder, const RmsNormOptions& options)
      : builder_(builder), options_(options) {
    const std::vector<std::uint32_t> shape{options.tokens, options.d};
    x_ = builder.hbm("x", options.dtype, shape, trace::Role::kInput);
    weight_ = builder.hbm("weight", options.dtype, {1, options.d}, trace::Role::kInput);
    out_ = builder.hbm("out", options.dtype, shape, trace::Role::kOutput);
    if (options.residual) {
      residual_ = builder.hbm("residual", options.dtype, shape, trace::Role::kInput);
      sum_ = builder.hbm("sum", options.dtype, shape, trace::Role::kOutput);
    }
  }

  void rows_on_partitions() {
    View everywhere = weight_;
    everywhere.dims[0] = {0, std::min(kLanes, options_.tokens)};
    const View weight =
        builder_.sbuf("weight", options_.dtype, everywhere.dims[0].count, {options_.d});
    builder_.dma(weight, everywhere);
    for (std::uint32_t row = 0; row < options_.tokens; row += kLanes) {
      const std::uint32_t rows = std::min(kLanes, options_.tokens - row);
      const View x = load(row, rows, false);
      const std::uint32_t pieces = (options_.d + kColumns - 1) / kColumns;
      const View sums = builder_.sbuf("sums", DType::kFloat32, rows, {pieces});
      for (std::uint32_t piece = 0; piece < pieces; ++piece) {
        const std::uint32_t start = piece * kColumns;
        square_sum(sums.slice(0, piece, 1),
                   x.slice(0, start, std::min(kColumns, options_.d - start)));
      }
      View sum = sums;
      if (pieces > 1) {
        sum = builder_.sbuf("sum", DType::kFloat32, rows, {1});
        reduce(sum, sums);
      }
      const View inverse = inverse_root(sum);
      const View out = builder_.sbuf("out", options_.dtype, rows, {options_.d});
      for (std::uint32_t start = 0; start < options_.d; start += kColumns) {
        const std::uint32_t columns = std::min(kColumns, options_.d - start);
        Attributes attributes;
        attributes.op0 = AluOp::kMultiply;
        attributes.op1 = AluOp::kMultiply;
        attributes.imm0_is_tensor = true;
        builder_.emit(
            Opcode::kScalarTensorTensor, Engine::kVector, {out.slice(0, start, columns)},
            {x.slice(0, start, columns), weight.part(0, rows).slice(0, start, columns), inverse},
            attributes);
      }
      builder_.dma(out_.slice(0, row, rows), out);
    }
  }

  // Sums over partitions are a product with a matrix of ones, which leaves them on every partition.
  void tokens_across_partitions() {
    const std::uint32_t tokens = options_.tokens;
    const std::uint32_t columns = options_.d / kLanes;
    const View weight = builder_.sbuf("weight", options_.dtype, kLanes, {1, columns});
    builder_.dma(weight, laid_across(weight_));
    const View ones = builder_.sbuf("ones", DType::kFloat32, kLanes, {kLanes});
    builder_.memset(ones, 1, Engine::kGpSimd);
    const View x = load(0, tokens, true);
    const View squares = builder_.sbuf("squares", DType::kFloat32, kLanes, {tokens, columns});
    builder_.tensor_tensor(squares, x, AluOp::kMultiply, x, Engine::kVector);
    const View partial = builder_.sbuf("partial", DType::kFloat32, kLanes, {tokens});
    reduce(partial, squares);
    const View total = builder_.psum("total", DType::kFloat32, kLanes, {tokens});
    builder_.matmul(total, ones, partial, false);
    const View inverse = inverse_root(total);
    const View scaled = builder_.sbuf("scaled", options_.dtype, kLanes, {tokens, columns});
    builder_.tensor_tensor(scaled, x, AluOp::kMultiply, inverse.broadcast(columns),
                           Engine::kVector);
    const View out = builder_.sbuf("out", options_.dtype, kLanes, {tokens, columns});
    View weight_of_all = weight;
    weight_of_all.dims[0] = {0, tokens};
    builder_.tensor_tensor(out, scaled, AluOp::kMultiply, weight_of_all, Engine::kVector);
    builder_.dma(laid_across(out_), out);
  }

 private:
  // The tile that is normed: x, or x + residual, which is stored.
  View load(std::uint32_t row, std::uint32_t rows, bool across) {
    const auto window = [&](const View& tensor) {
      return across ? laid_across(tensor) : tensor.slice(0, row, rows);
    };
    const auto tile = [&](const char* name) {
      return across ? builder_.sbuf(name, options_.dtype, kLanes, {rows, options_.d / kLanes})
                    : builder_.sbuf(name, options_.dtype, rows, {options_.d});
    };
    const View x = tile("x");
    builder_.dma(x, window(x_));
    if (!options_.residual) {
      return x;
    }
    const View residual = tile("residual");
    builder_.dma(residual, window(*residual_));
    const View sum = tile("sum");
    for (std::uint32_t start = 0; start < sum.dims.back().count; start += kColumns) {
      const std::uint32_t columns = std::min(kColumns, sum.dims.back().count - start);
      const std::size_t last = sum.dims.size() - 1;
      builder_.tensor_tensor(sum.slice(last, start, columns), x.slice(last, start, columns),
                             AluOp::kAdd, residual.slice(last, start, columns), Engine::kVector);
    }
    builder_.dma(window(*sum_), sum);
    return sum;
  }

  void square_sum(const View& sum, const View& x) {
    const View squares = builder_.sbuf("squares", options_.dtype, x.partitions, {x.dims[0].count});
    Attributes attributes;
    attributes.func = trace::ActFunc::kSquare;
    attributes.has_reduce_result = true;
    attributes.reduce_op = AluOp::kAdd;
    builder_.emit(Opcode::kActivation, Engine::kScalar, {squares, sum}, {x}, attributes);
  }

  void reduce(const View& sum, const View& data) {
    Attributes attributes;
    attributes.op0 = AluOp::kAdd;
    builder_.emit(Opcode::kTensorReduce, Engine::kVector, {sum}, {data}, attributes);
  }

  // (sum / d + epsilon) ^ -0.5.
  View inverse_root(const View& sum) {
    std::vector<std::uint32_t> free;
    for (const trace::Dim& dim : sum.dims) {
      free.push_back(dim.count);
    }
    const View mean = builder_.sbuf("mean", DType::kFloat32, sum.partitions, free);
    Attributes scale;
    scale.op0 = AluOp::kMultiply;
    scale.imm0 = 1.0 / options_.d;
    scale.op1 = AluOp::kAdd;
    scale.imm1 = options_.epsilon;
    builder_.emit(Opcode::kTensorScalar, Engine::kVector, {mean}, {sum}, scale);
    const View inverse = builder_.sbuf("inverse", DType::kFloat32, sum.partitions, free);
    Attributes root;
    root.op0 = AluOp::kPower;
    root.imm0 = -0.5;
    builder_.emit(Opcode::kTensorScalar, Engine::kVector, {inverse}, {mean}, root);
    return inverse;
  }

  trace::TraceBuilder& builder_;
  const RmsNormOptions& options_;
  View x_;
  View weight_;
  View out_;
  std::optional<View> residual_;
  std::optional<View> sum_;
};

}  // namespace

trace::Trace rmsnorm(const RmsNormOptions& options, const spec::CoreSpec& core) {
  check_rows("rmsnorm", options.tokens, options.d, options.dtype);
  trace::TraceBuilder builder("rmsnorm", "trnsim builder rmsnorm");
  RmsNorm norm(builder, options);
  if (across_partitions(options.tokens, options.d)) {
    norm.tokens_across_partitions();
  } else {
    norm.rows_on_partitions();
  }
  trace::Trace trace = builder.take();
  trace.arguments = fmt::format(R"({{"tokens":{},"d":{},"dtype":"{}","residual":{}}})",
                                options.tokens, options.d, name(options.dtype), options.residual);
  trace.target = generation_name(core.generation);
  return trace;
}

}  // namespace trnsim::kernels
