// Copies out of PSUM, and products, that a compiler leaves out.
#include "forward.h"

#include <gtest/gtest.h>

#include "helpers.h"

namespace trnsim::lower::test {
namespace {

using Originals = std::vector<std::uint32_t>;

// A product in PSUM: 0 matmul.
struct Scores {
  TraceBuilder b{"k", "test"};
  View w = b.sbuf("w", kBf16, 128, {128});
  View x = b.sbuf("x", kBf16, 128, {512});
  View out = b.sbuf("out", kF32, 128, {512});
  View acc = b.psum("acc", kF32, 128, {512});
  Scores() { b.matmul(acc, w, x, false); }

  void exp(const View& dst, const View& src) {
    Attributes attributes;
    attributes.func = trace::ActFunc::kExp;
    b.emit(Opcode::kActivation, Engine::kScalar, {dst}, {src}, attributes);
  }
  Originals kept() { return forward_copies(b.trace(), trn2()).original; }
};

// Columns 512 to 1023 of a tile are read from PSUM instead, 128 of them 256 columns on.
TEST(ForwardCopies, ReadersTakeTheirOperandsFromPsum) {
  Scores s;
  const View tile = s.b.sbuf("tile", kF32, 128, {1024});
  s.b.copy(tile.slice(0, 512, 512), s.acc);
  s.exp(s.out, tile.slice(0, 512, 512));
  s.exp(s.out.slice(0, 0, 128), tile.slice(0, 768, 128));
  const Forwarded forwarded = forward_copies(s.b.trace(), trn2());
  EXPECT_EQ(forwarded.original, (Originals{0, 2, 3}));
  const trace::Trace& trace = forwarded.trace;
  ASSERT_EQ(trace.instructions.size(), 3U);
  const trace::Operand& all = trace.inputs(trace.instructions[1])[0];
  EXPECT_EQ(all.tensor, s.acc.tensor);
  EXPECT_EQ(all.offset, 0);
  const trace::Operand& part = trace.inputs(trace.instructions[2])[0];
  EXPECT_EQ(part.tensor, s.acc.tensor);
  EXPECT_EQ(part.offset, 256);
  EXPECT_NO_THROW(trace::validate(trace));
}

TEST(ForwardCopies, OfAnotherTypeStay) {
  Scores s;
  const View narrow = s.b.sbuf("narrow", kBf16, 128, {512});
  s.b.copy(narrow, s.acc);
  s.exp(s.out, narrow);
  EXPECT_EQ(s.kept(), (Originals{0, 1, 2}));
}

TEST(ForwardCopies, ForMatmulsAndTransfersStay) {
  const auto copied_for = [](auto&& use) {
    Scores s;
    const View copy = s.b.sbuf("copy", kF32, 128, {512});
    s.b.copy(copy, s.acc);
    s.exp(s.out, copy);
    use(s, copy);
    return s.kept().size();
  };
  EXPECT_EQ(copied_for([](Scores&, const View&) {}), 2U);
  EXPECT_EQ(copied_for([](Scores& s, const View& copy) {
              const View product = s.b.psum("p", kF32, 128, {512});
              s.b.matmul(product, copy.slice(0, 0, 128), copy, false);
              s.exp(s.out, product);
            }),
            5U);
  EXPECT_EQ(copied_for([](Scores& s, const View& copy) {
              s.b.dma(s.b.hbm("o", kF32, {128, 512}, Role::kOutput), copy);
            }),
            4U);
  EXPECT_EQ(copied_for([](Scores& s, const View& copy) {  // not both from PSUM
              s.b.tensor_tensor(s.out, copy, AluOp::kAdd, s.acc);
            }),
            4U);
  EXPECT_EQ(copied_for([](Scores& s, const View& copy) {
              s.b.tensor_tensor(s.out, copy, AluOp::kMultiply, copy);
            }),
            4U);
  EXPECT_EQ(copied_for([](Scores& s, const View& copy) {
              s.b.tensor_tensor(s.out, copy, AluOp::kAdd, s.out);
            }),
            3U);
}

TEST(ForwardCopies, OfWhatIsOverwrittenBeforeTheLastReadStay) {
  Scores s;
  const View copy = s.b.sbuf("copy", kF32, 128, {512});
  s.b.copy(copy, s.acc);
  s.b.matmul(s.acc, s.w, s.x, false);
  s.exp(s.out, copy);
  s.exp(s.out, s.acc);
  EXPECT_EQ(s.kept().size(), 5U);
}

// A reader of two copies at once keeps both; a tile written again ends what has to be looked at.
TEST(ForwardCopies, ReadersOfSeveralCopiesKeepThem) {
  Scores s;
  const View second = s.b.psum("second", kF32, 128, {512});
  const View tile = s.b.sbuf("tile", kF32, 128, {1024});
  s.b.matmul(second, s.w, s.x, false);
  s.b.copy(tile.slice(0, 0, 512), s.acc);
  s.b.copy(tile.slice(0, 512, 512), second);
  s.exp(s.out, tile.slice(0, 256, 512));
  EXPECT_EQ(s.kept().size(), 5U);
  s.b.copy(tile.slice(0, 0, 512), s.acc);
  s.exp(s.out, tile.slice(0, 0, 512));
  EXPECT_EQ(s.kept(), (Originals{0, 1, 2, 3, 4, 6}));
}

// Ten products are copied before any is read: only as many as there are banks stay in PSUM.
TEST(ForwardCopies, FillNoMoreBanksThanThereAre) {
  Scores s;
  std::vector<View> copies;
  for (int i = 0; i < 10; ++i) {
    const View acc = s.b.psum("acc", kF32, 128, {512});
    s.b.matmul(acc, s.w, s.x, false);
    copies.push_back(s.b.sbuf("copy", kF32, 128, {512}));
    s.b.copy(copies.back(), acc);
  }
  for (const View& copy : copies) {
    s.exp(s.out, copy);
  }
  // 31 without the first product, that nobody reads, and without eight copies: while a product is made seven
  // others can stay, at the end one more.
  EXPECT_EQ(s.kept().size(), 31U - 1U - 8U);
}

// The product into `acc` has no reader; an activation may leave a sum in a register and stays.
TEST(ForwardCopies, UnreadProductsGoUnreadActivationsStay) {
  Scores s;
  s.b.transpose(s.b.psum("t", kBf16, 128, {128}), s.w);
  s.exp(s.out, s.x);
  EXPECT_EQ(s.kept(), (Originals{2}));
}

TEST(ForwardCopies, ProgramsNameInstructionsAsTheTraceDoes) {
  Scores s;
  const View copy = s.b.sbuf("copy", kF32, 128, {512});
  s.b.copy(copy, s.acc);
  s.exp(s.out, copy);
  Options options;
  parse_order("compiled", options);
  const auto program = lower(s.b.trace(), trn2(), options);
  EXPECT_TRUE(stream(*program, Engine::kVector).empty());
  EXPECT_EQ(stream(*program, Engine::kScalar).at(0).trace_index, 2U);
}

}  // namespace
}  // namespace trnsim::lower::test
