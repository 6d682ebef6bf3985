// What attention() decides before it emits: row tiles, sections of K and V, buffers.
#pragma once

#include <cstdint>
#include <vector>

#include "trnsim/kernels/attention.h"

namespace trnsim::kernels {

// A run of query rows that share one K and V: the rows of one q head or, where no mask tells rows
// apart, those of all q heads of a group (few rows per head fill a tile better together).
struct RowStream {
  std::uint32_t first_head = 0;  // batch x q_heads index
  std::uint32_t heads = 1;
  std::uint32_t kv_head = 0;  // batch x kv_heads index
  std::uint32_t rows = 0;
};

// Up to 128 rows of a stream that go through the engines together.
struct RowTile {
  std::uint32_t stream = 0;
  std::uint32_t first_row = 0;
  std::uint32_t rows = 0;
  std::uint32_t visible = 0;      // kv rows that its last row sees
  std::uint32_t first_limit = 0;  // kv rows that its first row sees
};

// Tiles [first, end) of one stream, which pass over K and V together.
struct TileGroup {
  std::uint32_t first = 0;
  std::uint32_t end = 0;
};

// One softmax step: a row tile against a section of K and V.
struct Unit {
  std::uint32_t tile = 0;
  std::uint32_t group = 0;
  std::uint32_t section = 0;
  std::uint32_t width = 0;  // columns that some row sees
  bool first = false;       // of its tile
  bool last = false;
};

struct AttentionPlan {
  double scale = 1;
  std::uint32_t array = 128;         // rows and columns of the tensor engine
  std::uint32_t bank_columns = 512;  // fp32 columns of a PSUM bank
  std::uint32_t section = 1024;
  std::uint32_t score_buffers = 2;
  std::uint32_t value_lag = 0;  // 0: units strictly one after the other
  bool single_buffers = false;
  TransposeSplit transposes;  // of a whole section
  bool gpsimd_updates = false;
  bool keep_kv = true;  // K and V of a head stay in SBUF
  std::vector<RowStream> streams;
  std::vector<RowTile> tiles;
  std::vector<TileGroup> groups;
  std::vector<Unit> units;  // group by group, section by section, tile by tile
};

// Throws Error for options attention() cannot run.
[[nodiscard]] AttentionPlan make_attention_plan(const AttentionOptions& options,
                                                const spec::CoreSpec& core);

// Busy time of the slowest engine per whole section, for a split of its transposes.
[[nodiscard]] double section_ns(const AttentionOptions& options, const AttentionPlan& plan,
                                const TransposeSplit& split, const spec::CoreSpec& core);

// kv rows that query row `row` of this core sees.
[[nodiscard]] std::uint32_t visible_rows(const AttentionOptions& options, std::uint32_t row);

}  // namespace trnsim::kernels
