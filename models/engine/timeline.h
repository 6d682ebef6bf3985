// Binary timeline records of one core, formatted after the run (report/perfetto).
#pragma once

#include <cstdint>
#include <vector>

#include "trnsim/base/units.h"
#include "trnsim/lower/program.h"

namespace trnsim::models {

enum class RecordKind : std::uint8_t { kInstruction, kLoadWeights, kActTableLoad, kDma };

struct TimelineRecord {
  Femtos ready{0};           // last wait satisfied (DMA: trigger ended)
  Femtos start{0};
  Femtos end{0};
  std::uint32_t queue = 0;   // lower::QueueId of the engine or DMA queue
  std::uint32_t index = 0;   // step of the stream, or DMA request
  lower::Wait waited;        // what it waited for last; count 0 = nothing
  RecordKind kind = RecordKind::kInstruction;
};

using Timeline = std::vector<TimelineRecord>;

// Where the time of one step went: busy + idle over all steps of an engine = time to its last step.
struct StepAccount {
  Femtos busy{0};
  Femtos idle{0};       // before it started
  lower::Wait waited;   // what it waited for last; count 0 = no dependency
};
using StepAccounts = std::vector<StepAccount>;

}  // namespace trnsim::models
