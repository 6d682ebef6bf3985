// Dependencies of transfers from the bytes they touch.
#include "builder.h"

#include <algorithm>
#include <array>
#include <unordered_map>

#include "trnsim/base/error.h"

namespace trnsim::collectives {
namespace {

constexpr std::uint32_t kNil = UINT32_MAX;
constexpr std::size_t kBuffers = 3;

// Every place where a transfer begins or ends cuts its buffer, on all ranks alike; between two cuts the
// state of a rank's bytes is one.
class Cuts {
 public:
  void note(std::uint64_t offset) {
    if (index_.try_emplace(offset, 0).second) {
      sorted_.push_back(offset);
    }
  }
  void sort() {
    std::sort(sorted_.begin(), sorted_.end());
    for (std::size_t i = 0; i < sorted_.size(); ++i) {
      index_[sorted_[i]] = static_cast<std::uint32_t>(i);
    }
  }
  [[nodiscard]] std::uint32_t at(std::uint64_t offset) const { return index_.find(offset)->second; }
  [[nodiscard]] std::size_t pieces() const { return sorted_.size(); }

 private:
  std::vector<std::uint64_t> sorted_;
  std::unordered_map<std::uint64_t, std::uint32_t> index_;  // looked up only
};

// Who touched a piece last. `base`: what every reduction of the present epoch waits for.
struct Piece {
  std::uint32_t base = kNil;
  std::uint32_t reductions = kNil;
  std::uint32_t readers = kNil;
};

class Linker {
 public:
  explicit Linker(Dag& dag) : dag_(dag) {
    for (const Transfer& transfer : dag.transfers) {
      cuts(transfer.source).note(transfer.source_offset);
      cuts(transfer.source).note(transfer.source_offset + transfer.bytes);
      cuts(transfer.destination).note(transfer.destination_offset);
      cuts(transfer.destination).note(transfer.destination_offset + transfer.bytes);
    }
    for (std::size_t i = 0; i < kBuffers; ++i) {
      cuts_[i].sort();
      pieces_[i].resize(cuts_[i].pieces() * dag.ranks);
    }
    nodes_.reserve(dag.transfers.size() * 2);
    dag.dependencies.reserve(dag.transfers.size() * 2);
  }

  void run() {
    for (current_ = 0; current_ < dag_.transfers.size(); ++current_) {
      Transfer& transfer = dag_.transfers[current_];
      found_.clear();
      read(transfer, transfer.from);
      if (transfer.also_from != kNoRank) {
        read(transfer, transfer.also_from);
      }
      write(transfer, transfer.to);
      if (transfer.also_to != kNoRank) {
        write(transfer, transfer.also_to);
      }
      std::sort(found_.begin(), found_.end());
      found_.erase(std::unique(found_.begin(), found_.end()), found_.end());
      transfer.first_dependency = static_cast<std::uint32_t>(dag_.dependencies.size());
      transfer.dependency_count = static_cast<std::uint32_t>(found_.size());
      dag_.dependencies.insert(dag_.dependencies.end(), found_.begin(), found_.end());
    }
  }

 private:
  struct Node {
    std::uint32_t transfer;
    std::uint32_t next;
  };

  Cuts& cuts(Buffer buffer) { return cuts_[static_cast<std::size_t>(buffer)]; }

  template <class Visit>
  void each_piece(Buffer buffer, std::uint32_t rank, std::uint64_t offset, std::uint64_t bytes, Visit visit) {
    const Cuts& grid = cuts(buffer);
    Piece* row = pieces_[static_cast<std::size_t>(buffer)].data() + rank * grid.pieces();
    const std::uint32_t end = grid.at(offset + bytes);
    for (std::uint32_t i = grid.at(offset); i < end; ++i) {
      visit(row[i]);
    }
  }

  void wait_for(std::uint32_t list) {
    for (; list != kNil; list = nodes_[list].next) {
      if (nodes_[list].transfer != current_) {
        found_.push_back(nodes_[list].transfer);
      }
    }
  }
  std::uint32_t with_current(std::uint32_t list) {
    nodes_.push_back({current_, list});
    return static_cast<std::uint32_t>(nodes_.size() - 1);
  }

  void read(const Transfer& transfer, std::uint32_t rank) {
    each_piece(transfer.source, rank, transfer.source_offset, transfer.bytes, [this](Piece& piece) {
      wait_for(piece.reductions != kNil ? piece.reductions : piece.base);
      piece.readers = with_current(piece.readers);
    });
  }

  // A reader waits for all writers before it, so waiting for the readers is enough.
  void write(const Transfer& transfer, std::uint32_t rank) {
    each_piece(transfer.destination, rank, transfer.destination_offset, transfer.bytes,
               [this, reduce = transfer.reduce](Piece& piece) {
                 if (reduce) {
                   if (piece.readers != kNil) {
                     piece = {.base = piece.readers, .reductions = kNil, .readers = kNil};
                   }
                   wait_for(piece.base);
                   piece.reductions = with_current(piece.reductions);
                   return;
                 }
                 wait_for(piece.readers != kNil      ? piece.readers
                          : piece.reductions != kNil ? piece.reductions
                                                     : piece.base);
                 piece = {.base = with_current(kNil), .reductions = kNil, .readers = kNil};
               });
  }

  Dag& dag_;
  std::array<Cuts, kBuffers> cuts_;
  std::array<std::vector<Piece>, kBuffers> pieces_;  // rank by rank
  std::vector<Node> nodes_;                          // of all lists
  std::vector<std::uint32_t> found_;
  std::uint32_t current_ = 0;
};

}  // namespace

std::vector<Range> split(Range whole, std::uint32_t count, std::uint32_t element_bytes) {
  const std::uint64_t elements = whole.bytes / element_bytes;
  std::vector<Range> parts(count);
  std::uint64_t at = whole.offset;
  for (std::uint32_t i = 0; i < count; ++i) {
    parts[i] = {at, (elements / count + (i < elements % count ? 1 : 0)) * element_bytes};
    at = parts[i].end();
  }
  return parts;
}

std::vector<Range> merged(std::vector<Range> ranges) {
  std::sort(ranges.begin(), ranges.end(), [](const Range& a, const Range& b) { return a.offset < b.offset; });
  std::vector<Range> result;
  for (const Range& range : ranges) {
    if (range.bytes == 0) {
      continue;
    }
    if (!result.empty() && result.back().end() == range.offset) {
      result.back().bytes += range.bytes;
    } else {
      result.push_back(range);
    }
  }
  return result;
}

Dag Builder::finish() {
  for (const Transfer& transfer : dag_.transfers) {
    dag_.steps = std::max(dag_.steps, transfer.step + 1);
  }
  Linker(dag_).run();
  return std::move(dag_);
}

}  // namespace trnsim::collectives
