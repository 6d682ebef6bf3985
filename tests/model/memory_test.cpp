// Who excludes whom at SBUF and PSUM, per generation (hardware.md 10).
#include "memory/sbuf.h"
#include "support/systemc_test.h"
#include "support/systems.h"

namespace trnsim::models {
namespace {

using trace::Engine;

class MemoryTest : public test::SystemCTest {
 protected:
  static const spec::CoreSpec& core(const char* system) {
    return test::shipped(system).spec.chip.core;
  }
};

TEST_F(MemoryTest, Trn1VectorAndGpSimdExcludeEachOtherAtSbuf) {
  Sbuf sbuf("sbuf", core("trn1.2xlarge").sbuf);
  sbuf.hold(Engine::kGpSimd, 1, Femtos{100});
  EXPECT_EQ(sbuf.earliest(Femtos{99}, Engine::kVector, 1), Femtos{100});
  EXPECT_EQ(sbuf.earliest(Femtos{100}, Engine::kVector, 1), Femtos{100});
  EXPECT_EQ(sbuf.earliest(Femtos{101}, Engine::kVector, 1), Femtos{101});
  EXPECT_EQ(sbuf.earliest(Femtos{10}, Engine::kScalar, 1), Femtos{10});
  EXPECT_EQ(sbuf.earliest(Femtos{10}, Engine::kTensor, 1), Femtos{10});
  EXPECT_EQ(sbuf.earliest(Femtos{10}, Engine::kGpSimd, 1), Femtos{10});  // not itself
  sbuf.hold(Engine::kVector, 1, Femtos{200});
  EXPECT_EQ(sbuf.earliest(Femtos{10}, Engine::kGpSimd, 1), Femtos{200});
}

TEST_F(MemoryTest, LaterGenerationsShareSbuf) {
  for (const char* system : {"trn2-core", "trn3-core"}) {
    Sbuf sbuf("sbuf", core(system).sbuf);
    sbuf.hold(Engine::kGpSimd, 1, Femtos{100});
    sbuf.hold(Engine::kVector, 1, Femtos{100});
    EXPECT_EQ(sbuf.earliest(Femtos{10}, Engine::kVector, 1), Femtos{10}) << system;
    EXPECT_EQ(sbuf.earliest(Femtos{10}, Engine::kGpSimd, 1), Femtos{10}) << system;
    EXPECT_EQ(sbuf.held_until(Engine::kGpSimd), Femtos{100}) << system;
  }
}

TEST_F(MemoryTest, Trn1VectorAndScalarExcludeEachOtherAtPsum) {
  Psum psum("psum", core("trn1.2xlarge").psum);
  psum.hold(Engine::kVector, 0b0001, Femtos{100});
  EXPECT_EQ(psum.earliest(Femtos{10}, Engine::kScalar, 0b1000), Femtos{100});  // any bank
  EXPECT_EQ(psum.earliest(Femtos{10}, Engine::kTensor, 0b0001), Femtos{10});
}

TEST_F(MemoryTest, LaterGenerationsExcludePerBank) {
  for (const char* system : {"trn2-core", "trn3-core"}) {
    Psum psum("psum", core(system).psum);
    psum.hold(Engine::kVector, 0b0011, Femtos{100});
    EXPECT_EQ(psum.earliest(Femtos{10}, Engine::kScalar, 0b0100), Femtos{10}) << system;
    EXPECT_EQ(psum.earliest(Femtos{10}, Engine::kScalar, 0b0110), Femtos{100}) << system;
    EXPECT_EQ(psum.earliest(Femtos{10}, Engine::kVector, 0b0001), Femtos{10}) << system;
    EXPECT_EQ(psum.earliest(Femtos{10}, Engine::kTensor, 0b0001), Femtos{10}) << system;
    psum.hold(Engine::kScalar, 0b1000, Femtos{300});
    EXPECT_EQ(psum.earliest(Femtos{10}, Engine::kVector, 0b1000), Femtos{300}) << system;
    EXPECT_EQ(psum.held_until(Engine::kScalar), Femtos{300}) << system;
  }
}

// Vector holds bank 0 until 100; Scalar asks at 50, is refused and will ask again at its own edge 101.
// Vector's next request, made at 100, comes after Scalar's and gives way until that edge has passed.
TEST(PortBook, LetsTheEngineThatWasRefusedFirstGoFirst) {
  PortBook book;
  book.hold(Engine::kVector, 0b0001, Femtos{100});
  EXPECT_EQ(book.earliest_beside(Femtos{50}, Engine::kScalar, Engine::kVector, 0b0001, false),
            Femtos{100});
  book.queue_up(Engine::kScalar, 0b0001, Femtos{50}, Femtos{101});
  EXPECT_EQ(book.earliest_beside(Femtos{100}, Engine::kVector, Engine::kScalar, 0b0001, false),
            Femtos{102});
  // Another bank does not wait.
  EXPECT_EQ(book.earliest_beside(Femtos{100}, Engine::kVector, Engine::kScalar, 0b0010, false),
            Femtos{100});
  // Scalar itself is not held up by Vector's later request.
  book.queue_up(Engine::kVector, 0b0001, Femtos{100}, Femtos{102});
  EXPECT_EQ(book.earliest_beside(Femtos{101}, Engine::kScalar, Engine::kVector, 0b0001, false),
            Femtos{101});
  book.hold(Engine::kScalar, 0b0001, Femtos{200});
  EXPECT_EQ(book.earliest_beside(Femtos{102}, Engine::kVector, Engine::kScalar, 0b0001, false),
            Femtos{200});
}

}  // namespace
}  // namespace trnsim::models
