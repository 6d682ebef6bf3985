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

}  // namespace
}  // namespace trnsim::models
