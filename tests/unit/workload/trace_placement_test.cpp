// Who decides the order of a trace's instructions.
#include <gtest/gtest.h>

#include "trnsim/trace/builder.h"
#include "trnsim/workload/placement.h"

namespace trnsim::workload {
namespace {

trace::Trace of(const char* origin, std::int64_t pinned_bytes) {
  trace::TraceBuilder b("k", origin);
  b.memset(b.sbuf("t", DType::kBFloat16, 128, {64}, pinned_bytes), 0);
  return b.take();
}

TEST(SchedulingOf, ATraceIsByItsOrigin) {
  EXPECT_EQ(scheduling_of(of("trnsim builder", -1)), Scheduling::kAuthor);
  EXPECT_EQ(scheduling_of(of("trnsim-nki 0.1", -1)), Scheduling::kUnknown);
  EXPECT_EQ(scheduling_of(of("trnsim-nki 0.1, NKI beta 1", -1)), Scheduling::kCompiler);
}

TEST(SchedulingOf, AKernelThatPlacesItsTilesOrdersItsInstructions) {
  EXPECT_EQ(scheduling_of(of("trnsim-nki 0.1", 0)), Scheduling::kAuthor);
  EXPECT_EQ(scheduling_of(of("trnsim-nki 0.1, NKI beta 1", 0)), Scheduling::kAuthor);
}

}  // namespace
}  // namespace trnsim::workload
