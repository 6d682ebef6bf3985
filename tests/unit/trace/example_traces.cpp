// Example traces and file helpers.
#include "example_traces.h"

#include <unistd.h>
#include <zlib.h>

#include <filesystem>
#include <fstream>
#include <limits>
#include <sstream>
#include <stdexcept>

#include "trnsim/base/files.h"
#include "trnsim/trace/builder.h"

namespace trnsim::trace {

namespace {

Trace softmax() {
  TraceBuilder b("softmax", "test");
  b.trace().arguments = R"({"rows":128})";
  b.trace().target = "trn2";
  b.trace().lnc = 2;
  b.trace().model_flops = 0.1;
  const View x = b.hbm("x", DType::kBFloat16, {128, 512}, Role::kInput);
  b.hbm("y", DType::kFloat32, {128, 512}, Role::kOutput);
  const View tile = b.sbuf("tile", DType::kBFloat16, 128, {512});
  const View again = b.sbuf("tile", DType::kBFloat16, 128, {512}, 4096);
  const View weights = b.sbuf("weights#1", DType::kBFloat16, 128, {128});
  const View sum = b.psum("sum", DType::kFloat32, 128, {512}, 0);
  const View column = b.sbuf("column", DType::kFloat32, 128, {1});
  const View out = b.sbuf("out", DType::kFloat32, 128, {512});
  b.at("softmax.py", 10);
  b.dma(tile, x);
  b.memset(again, -std::numeric_limits<double>::infinity(), Engine::kVector);
  b.memset(column, 1e-30);
  b.at("softmax.py", 12);
  Attributes loop;
  loop.imm0 = 2;
  b.emit(Opcode::kLoopBegin, Engine::kUnassigned, {}, {}, loop);
  b.emit(Opcode::kLoopIteration, Engine::kUnassigned, {}, {});
  b.matmul(sum.slice(0, 0, 256), weights, tile.slice(0, 256, 256), false);
  b.matmul(sum.slice(0, 0, 256), weights, again.slice(0, 0, 256), true);
  b.emit(Opcode::kLoopEnd, Engine::kUnassigned, {}, {});
  b.at("", 0);
  Attributes exp;
  exp.func = ActFunc::kExp;
  exp.bias_is_tensor = true;
  exp.has_reduce_result = true;
  exp.reduce_op = AluOp::kAdd;
  exp.scale = 0.125;
  b.emit(Opcode::kActivation, Engine::kScalar, {out, column}, {sum, column}, exp);
  b.fence();
  return b.take();
}

std::uint32_t last_id(const auto& table) {
  return static_cast<std::uint32_t>(table.size() - 1);
}

std::uint32_t add_pattern(Trace& trace, DType dtype, Dim outer, Dim inner) {
  Pattern pattern;
  pattern.dtype = dtype;
  pattern.num_dims = 2;
  pattern.dims[0] = outer;
  pattern.dims[1] = inner;
  trace.patterns.push_back(pattern);
  return last_id(trace.patterns);
}

void add_instruction(Trace& trace, Opcode opcode, Engine engine, std::uint32_t source,
                     const Operand& output, const std::vector<Operand>& inputs) {
  trace.instructions.push_back({opcode, engine, 1, static_cast<std::uint8_t>(inputs.size()),
                                static_cast<std::uint32_t>(trace.operands.size()),
                                last_id(trace.attributes), source});
  trace.operands.push_back(output);
  trace.operands.insert(trace.operands.end(), inputs.begin(), inputs.end());
}

}  // namespace

Trace small_trace() {
  Trace trace = softmax();
  constexpr std::uint32_t kY = 1;
  const Operand out = trace.outputs(trace.instructions[8])[0];
  const Operand x = trace.inputs(trace.instructions[0])[0];
  Attributes select;
  select.compare = AluOp::kGreaterEqual;
  select.affine_channel = -1;
  select.affine_base = std::int64_t{1} << 40;
  select.affine_pattern = add_pattern(trace, DType::kInt32, {-16, 32}, {0, 16});
  select.imm0 = -0.0;
  trace.attributes.push_back(select);
  add_instruction(trace, Opcode::kAffineSelect, Engine::kGpSimd, kNone, out, {out});
  // A store of every second bfloat16 of the float32 tile.
  Operand halves = out;
  halves.pattern = add_pattern(trace, DType::kBFloat16, {2, 512}, {1, 1});
  halves.offset = 1;
  trace.attributes.emplace_back();
  add_instruction(trace, Opcode::kDmaCopy, Engine::kSync, kNone, {kY, x.pattern, 0, 1, 0},
                  {halves});
  // Duplicates in every table: content alone does not give the id.
  trace.strings.emplace_back("tile");
  trace.patterns.push_back(trace.patterns[out.pattern]);
  trace.attributes.push_back(trace.attributes[1]);
  trace.sources.push_back(trace.sources[0]);
  trace.sources.push_back({kNone, 7});
  Tensor unnamed = trace.tensors[out.tensor];
  unnamed.name = kNone;
  unnamed.site = last_id(trace.strings);
  unnamed.role = static_cast<std::uint8_t>(Role::kConstant);
  trace.tensors.push_back(unnamed);
  const Operand whole{last_id(trace.tensors), last_id(trace.patterns), 0, 128, 0};
  add_instruction(trace, Opcode::kMemset, Engine::kUnassigned, last_id(trace.sources), whole, {});
  add_instruction(trace, Opcode::kMemset, Engine::kUnassigned, last_id(trace.sources) - 1, whole,
                  {});
  return trace;
}

Trace matmul_trace(std::size_t instructions) {
  TraceBuilder b("matmul", "test");
  constexpr std::uint32_t kTiles = 16;
  std::vector<View> weights;
  std::vector<View> moving;
  std::vector<View> sums;
  for (std::uint32_t k = 0; k < kTiles; ++k) {
    weights.push_back(b.sbuf("weights", DType::kBFloat16, 128, {4096}));
    moving.push_back(b.sbuf("moving", DType::kBFloat16, 128, {8192}));
    sums.push_back(b.psum("sum", DType::kFloat32, 128, {512}));
  }
  b.at("matmul.py", 42);
  for (std::size_t i = 0; i < instructions; ++i) {
    const auto k = static_cast<std::uint32_t>(i % kTiles);
    const auto n = static_cast<std::uint32_t>(i / kTiles % 16);
    const auto m = static_cast<std::uint32_t>(i / kTiles / 16 % 32);
    b.matmul(sums[(i / kTiles) % kTiles], weights[k].slice(0, m * 128, 128),
             moving[k].slice(0, n * 512, 512), k != 0);
  }
  return b.take();
}

TemporaryFile::TemporaryFile(const std::string& extension) {
  std::string pattern =
      (std::filesystem::temp_directory_path() / ("trnsim-XXXXXX" + extension)).string();
  const int file = ::mkstemps(pattern.data(), static_cast<int>(extension.size()));
  if (file < 0) {
    throw std::runtime_error("mkstemps");
  }
  ::close(file);
  path_ = pattern;
}

TemporaryFile::~TemporaryFile() {
  ::unlink(path_.c_str());
}

void TemporaryFile::fill(const std::string& content) const {
  std::ofstream(path_, std::ios::binary | std::ios::trunc) << content;
}

std::string TemporaryFile::content() const {
  return read_file(path_);
}

std::string gzip(const std::string& bytes) {
  z_stream stream{};
  deflateInit2(&stream, 9, Z_DEFLATED, MAX_WBITS + 16, 8, Z_DEFAULT_STRATEGY);
  std::string out(deflateBound(&stream, bytes.size()) + 64, '\0');
  std::string in = bytes;
  stream.next_in = reinterpret_cast<Bytef*>(in.data());
  stream.avail_in = static_cast<uInt>(in.size());
  stream.next_out = reinterpret_cast<Bytef*>(out.data());
  stream.avail_out = static_cast<uInt>(out.size());
  deflate(&stream, Z_FINISH);
  out.resize(stream.total_out);
  deflateEnd(&stream);
  return out;
}

std::string gunzip(const std::string& bytes) {
  z_stream stream{};
  inflateInit2(&stream, MAX_WBITS + 16);
  std::string in = bytes;
  std::string out;
  stream.next_in = reinterpret_cast<Bytef*>(in.data());
  stream.avail_in = static_cast<uInt>(in.size());
  int status = Z_OK;
  while (status == Z_OK) {
    const std::size_t have = out.size();
    out.resize(have + 65536);
    stream.next_out = reinterpret_cast<Bytef*>(out.data() + have);
    stream.avail_out = 65536;
    status = inflate(&stream, Z_NO_FLUSH);
    out.resize(have + 65536 - stream.avail_out);
  }
  inflateEnd(&stream);
  return out;
}

}  // namespace trnsim::trace
