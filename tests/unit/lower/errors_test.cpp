// What a device cannot run, and that the message names the instruction.
#include <gtest/gtest.h>

#include <functional>

#include "helpers.h"

namespace trnsim::lower::test {
namespace {

std::string failure(const spec::CoreSpec& core, const std::function<void(TraceBuilder&)>& build,
                    const Options& options = {}) {
  TraceBuilder b("k", "test");
  build(b);
  const trace::Trace trace = b.take();
  return error_of([&] { (void)lower(trace, core, options); });
}

// trn2: 224 x 1024 - 16,648 = 212,728 usable bytes per partition = 53,182 fp32.
TEST(LowerErrors, NameATileLargerThanSbuf) {
  const auto memset = [](std::uint32_t elements) {
    return failure(trn2(), [elements](TraceBuilder& b) {
      b.memset(b.sbuf("big", kF32, 128, {elements}), 0, Engine::kVector);
    });
  };
  EXPECT_EQ(memset(53182), "");
  const std::string text = memset(53183);
  EXPECT_TRUE(contains(text, "kernel 'k': tile 'big' needs 212732 bytes per partition")) << text;
  EXPECT_TRUE(contains(text, "212728")) << text;
}

TEST(LowerErrors, NameATileLargerThanPsum) {
  const auto memset = [](std::uint32_t elements) {
    return failure(trn2(), [elements](TraceBuilder& b) {
      b.memset(b.psum("big", kF32, 128, {elements}), 1, Engine::kVector);
    });
  };
  EXPECT_EQ(memset(4096), "");  // 8 banks of 2 KiB
  EXPECT_TRUE(contains(memset(4097), "tile 'big' needs 16388 bytes"));
}

TEST(LowerErrors, NameAPinnedTileThatSticksOut) {
  const auto memset = [](std::int64_t at) {
    return failure(trn2(), [at](TraceBuilder& b) {
      b.memset(b.sbuf("t", kF32, 128, {32}, at), 0, Engine::kVector);
    });
  };
  EXPECT_EQ(memset(212600), "");  // + 128 = 212,728
  EXPECT_TRUE(contains(memset(212604), "pinned to bytes 212604..212732"));
}

TEST(LowerErrors, NameTooManyLivePsumTiles) {
  const auto live = [](int count) {
    return failure(trn2(), [count](TraceBuilder& b) {
      std::vector<View> tiles;
      for (int i = 0; i < count; ++i) {
        tiles.push_back(b.psum("p", kF32, 128, {8}));
        b.memset(tiles.back(), 1, Engine::kVector);
      }
      for (const View& tile : tiles) {
        b.copy(b.sbuf("s", kF32, 128, {8}), tile, Engine::kVector);
      }
    });
  };
  EXPECT_EQ(live(8), "");
  const std::string text = live(9);
  EXPECT_TRUE(contains(text, "live PSUM tiles need more than 16384 bytes")) << text;
  EXPECT_TRUE(contains(text, "position 8")) << text;
}

TEST(LowerErrors, NameOperandsThatDoNotFitTogether) {
  const std::string text = failure(with_sbuf(1024), [](TraceBuilder& b) {
    b.copy(b.sbuf("y", kF32, 128, {150}), b.sbuf("x", kF32, 128, {150}), Engine::kVector);
  });
  EXPECT_TRUE(contains(text, "does not fit beside the other operands")) << text;
}

// Elements 256..767 of a [128, 1024] fp32 tile cover bytes 1024..3072: banks 0 and 1.
TEST(LowerErrors, NameAMatmulThatCrossesABank) {
  const auto matmul = [](const spec::CoreSpec& core, std::uint32_t first) {
    return failure(core, [first](TraceBuilder& b) {
      b.at("kernel.py", 12);
      b.matmul(b.psum("p", kF32, 128, {1024}).slice(0, first, 512), b.sbuf("w", kBf16, 128, {128}),
               b.sbuf("x", kBf16, 128, {512}), false);
    });
  };
  EXPECT_EQ(matmul(trn2(), 0), "");
  EXPECT_EQ(matmul(trn2(), 512), "");
  const std::string text = matmul(trn2(), 256);
  EXPECT_TRUE(contains(text, "instruction 0 (nc_matmul) at kernel.py:12")) << text;
  EXPECT_TRUE(contains(text, "crosses a PSUM bank")) << text;
  EXPECT_NE(matmul(trn1(), 1), "");
  EXPECT_EQ(matmul(trn3(), 256), "");  // v4 may span banks (13.2)
}

std::string matmul_of(const spec::CoreSpec& core, std::uint32_t m, std::uint32_t n,
                      DType result = kF32) {
  return failure(core, [&](TraceBuilder& b) {
    b.matmul(b.psum("p", result, m, {n}), b.sbuf("w", kBf16, 128, {m}),
             b.sbuf("x", kBf16, 128, {n}), false);
  });
}

// 5.1: stationary free size 128; moving 512, on v4 4,096 for fp32 and 8,192 for 16-bit results.
TEST(LowerErrors, NameMatmulsOverTheLimits) {
  EXPECT_EQ(matmul_of(trn2(), 128, 512), "");
  EXPECT_TRUE(contains(matmul_of(trn2(), 129, 512), "stationary free size is 129"));
  EXPECT_TRUE(contains(matmul_of(trn2(), 128, 513), "moving free size is 513"));
  EXPECT_EQ(matmul_of(trn3(), 128, 4096), "");
  EXPECT_EQ(matmul_of(trn3(), 128, 8192, kBf16), "");
  EXPECT_TRUE(contains(matmul_of(trn2(), 128, 513, kBf16), "takes at most 512"));
}

TEST(LowerErrors, NameTransposesOverTheLimits) {
  const auto transpose = [](std::uint32_t f) {
    return failure(trn2(), [f](TraceBuilder& b) {
      b.transpose(b.psum("p", kBf16, f, {64}), b.sbuf("x", kBf16, 64, {f}));
    });
  };
  EXPECT_EQ(transpose(128), "");
  EXPECT_TRUE(contains(transpose(129), "stationary free size is 129"));
}

TEST(LowerErrors, NameInstructionsOfOtherGenerations) {
  const auto exponential = [](TraceBuilder& b) {
    b.emit(Opcode::kExponential, Engine::kUnassigned, {b.sbuf("y", kF32, 128, {64})},
           {b.sbuf("x", kF32, 128, {64}), b.sbuf("m", kF32, 128, {1})});
  };
  EXPECT_EQ(failure(trn3(), exponential), "");
  const std::string text = failure(trn2(), exponential);
  EXPECT_TRUE(contains(text, "instruction 0 (exponential)")) << text;
  EXPECT_TRUE(contains(text, "no engine of NeuronCore-v3")) << text;
  const auto double_row = [](TraceBuilder& b) {
    const View w = b.sbuf("w", DType::kFloat8E4, 128, {2, 128});
    b.matmul(b.psum("p", kF32, 128, {128}), w, w, false, true);
  };
  EXPECT_EQ(failure(trn2(), double_row), "");
  EXPECT_NE(failure(trn1(), double_row), "");
}

// In program order and with look-ahead, which estimates costs before lowering checks engines.
TEST(LowerErrors, NameAnEngineThatDoesNotRunTheInstruction) {
  for (const std::uint32_t window : {1U, 4U}) {
    Options options;
    options.window = window;
    const std::string text = failure(
        trn2(),
        [](TraceBuilder& b) {
          b.emit(Opcode::kIota, Engine::kVector, {b.sbuf("t", DType::kInt32, 128, {64})}, {});
        },
        options);
    EXPECT_TRUE(contains(text, "Vector does not run it")) << text;
    EXPECT_TRUE(contains(text, "possible: GpSimd")) << text;
  }
}

TEST(LowerErrors, NameTooManyDmaQueues) {
  spec::CoreSpec core = trn2();
  core.dma.queues_per_engine = 2;
  const auto moves = [](bool store) {
    return [store](TraceBuilder& b) {
      const View t = b.sbuf("t", kBf16, 128, {64});
      b.dma(t, b.hbm("x", kBf16, {128, 64}, Role::kInput));
      if (store) {
        b.dma(b.hbm("y", kBf16, {128, 64}, Role::kOutput), t);
      }
    };
  };
  EXPECT_EQ(failure(core, moves(false)), "");  // load and spill
  EXPECT_TRUE(contains(failure(core, moves(true)), "uses 3 DMA queues, the device has 2"));
}

}  // namespace
}  // namespace trnsim::lower::test
