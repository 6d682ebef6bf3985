// Dependencies of transfers from the bytes they touch.
#include "builder.h"

#include <algorithm>
#include <array>
#include <vector>

#include "trnsim/base/error.h"

namespace trnsim::collectives {
namespace {

constexpr std::uint32_t kNil = UINT32_MAX;
constexpr std::size_t kBuffers = 3;
// Waits for more transfers than this go through a join: n senders to n receivers would otherwise
// make n^3 dependencies.
constexpr std::size_t kMostWaits = 8;

// Every place where a transfer begins or ends cuts its buffer, on all ranks alike; between two cuts
// the state of a rank's bytes is one. Places are few and asked for millions of times: an open
// table.
class Cuts {
 public:
  void note(std::uint64_t offset) {
    Entry& entry = find(offset);
    if (entry.index != kNil) {
      return;
    }
    entry = {offset, 0};
    sorted_.push_back(offset);
    if (sorted_.size() * 2 > table_.size()) {
      std::vector<Entry> smaller(table_.size() * 2);
      smaller.swap(table_);
      for (const Entry& old : smaller) {
        if (old.index != kNil) {
          find(old.offset) = old;
        }
      }
    }
  }
  void sort() {
    std::sort(sorted_.begin(), sorted_.end());
    for (std::size_t i = 0; i < sorted_.size(); ++i) {
      find(sorted_[i]).index = static_cast<std::uint32_t>(i);
    }
  }
  [[nodiscard]] std::uint32_t at(std::uint64_t offset) { return find(offset).index; }
  [[nodiscard]] std::size_t pieces() const { return sorted_.size(); }

 private:
  struct Entry {
    std::uint64_t offset = 0;
    std::uint32_t index = kNil;
  };
  // Where the offset is, or the empty entry where it belongs.
  Entry& find(std::uint64_t offset) {
    const std::size_t mask = table_.size() - 1;
    std::size_t at = static_cast<std::size_t>((offset * 0x9e3779b97f4a7c15ULL) >> 32U) & mask;
    while (table_[at].index != kNil && table_[at].offset != offset) {
      at = (at + 1) & mask;
    }
    return table_[at];
  }

  std::vector<std::uint64_t> sorted_;
  std::vector<Entry> table_ = std::vector<Entry>(64);  // a power of two
};

// Who touched a piece last. `base`: what every reduction of the present epoch waits for.
struct Piece {
  std::uint32_t base = kNil;
  std::uint32_t reductions = kNil;
  std::uint32_t readers = kNil;
};

class Linker {
 public:
  // in_steps: what a rank sends in a step also waits for what it received in the step before.
  Linker(Dag& dag, bool in_steps) : dag_(dag), in_steps_(in_steps), received_(dag.ranks) {
    for (const Transfer& transfer : dag.transfers) {
      if (transfer.source != transfer.destination ||
          transfer.source_offset != transfer.destination_offset) {
        cuts(transfer.source).note(transfer.source_offset);
        cuts(transfer.source).note(transfer.source_offset + transfer.bytes);
      }
      cuts(transfer.destination).note(transfer.destination_offset);
      cuts(transfer.destination).note(transfer.destination_offset + transfer.bytes);
    }
    for (std::size_t i = 0; i < kBuffers; ++i) {
      cuts_[i].sort();
      pieces_[i].resize(cuts_[i].pieces() * dag.ranks);
    }
    nodes_.reserve(dag.transfers.size() * 2);
    done_.reserve(dag.transfers.size());
    dag.dependencies.reserve(dag.transfers.size() * 2);
  }

  void run() {
    for (const Transfer& transfer : dag_.transfers) {
      locate(transfer);
      make_joins(transfer);
      if (in_steps_) {
        join_received(transfer);
      }
      waits_.clear();
      current_ = static_cast<std::uint32_t>(done_.size());
      read(transfer.from);
      if (transfer.also_from != kNoRank) {
        read(transfer.also_from);
      }
      write(transfer.to, transfer.reduce);
      if (transfer.also_to != kNoRank) {
        write(transfer.also_to, transfer.reduce);
      }
      if (in_steps_) {
        keep_step(transfer);
      }
      emit(transfer);
    }
    dag_.transfers = std::move(done_);
  }

 private:
  struct Node {
    std::uint32_t transfer;
    std::uint32_t next;
  };

  // What a rank received in its last two steps: transfers, or one join of them.
  struct Received {
    std::uint32_t step = 0;
    std::vector<std::uint32_t> before;  // in step - 1
    std::vector<std::uint32_t> now;
  };

  // Brings `rank` to `step`; a lower step is another slice, with nothing received.
  Received& at_step(std::uint32_t rank, std::uint32_t step) {
    Received& received = received_[rank];
    if (step != received.step) {
      received.before = step == received.step + 1 ? std::move(received.now)
                                                  : std::vector<std::uint32_t>();
      received.now.clear();
      received.step = step;
    }
    return received;
  }
  void join_received(const Transfer& transfer) {
    Received& received = at_step(transfer.from, transfer.step);
    if (received.before.size() > 1) {
      waits_ = received.before;
      received.before = {static_cast<std::uint32_t>(done_.size())};
      emit({.from = transfer.from, .to = transfer.from, .step = transfer.step});
    }
  }
  void keep_step(const Transfer& transfer) {
    const std::vector<std::uint32_t>& before = at_step(transfer.from, transfer.step).before;
    waits_.insert(waits_.end(), before.begin(), before.end());
    at_step(transfer.to, transfer.step).now.push_back(current_);
  }

  Cuts& cuts(Buffer buffer) { return cuts_[static_cast<std::size_t>(buffer)]; }

  struct Span {  // of pieces
    Buffer buffer = Buffer::kData;
    std::uint32_t begin = 0;
    std::uint32_t end = 0;
  };
  Span span(Buffer buffer, std::uint64_t offset, std::uint64_t bytes) {
    return {buffer, cuts(buffer).at(offset), cuts(buffer).at(offset + bytes)};
  }
  // The places in hand.
  void locate(const Transfer& transfer) {
    source_ = span(transfer.source, transfer.source_offset, transfer.bytes);
    const bool same = transfer.source == transfer.destination &&
                      transfer.source_offset == transfer.destination_offset;
    destination_ =
        same ? source_ : span(transfer.destination, transfer.destination_offset, transfer.bytes);
  }

  template <class Visit>
  void each_piece(const Span& where, std::uint32_t rank, Visit visit) {
    Piece* row =
        pieces_[static_cast<std::size_t>(where.buffer)].data() + rank * cuts(where.buffer).pieces();
    for (std::uint32_t i = where.begin; i < where.end; ++i) {
      visit(row[i]);
    }
  }

  // Appends a transfer that waits for waits_.
  void emit(Transfer transfer) {
    std::sort(waits_.begin(), waits_.end());
    waits_.erase(std::unique(waits_.begin(), waits_.end()), waits_.end());
    transfer.first_dependency = static_cast<std::uint32_t>(dag_.dependencies.size());
    transfer.dependency_count = static_cast<std::uint32_t>(waits_.size());
    dag_.dependencies.insert(dag_.dependencies.end(), waits_.begin(), waits_.end());
    done_.push_back(transfer);
  }

  void wait_for(std::uint32_t list) {
    for (; list != kNil; list = nodes_[list].next) {
      if (nodes_[list].transfer != current_) {
        waits_.push_back(nodes_[list].transfer);
      }
    }
  }
  [[nodiscard]] bool is_long(std::uint32_t list) const {
    std::size_t count = 0;
    for (; list != kNil && count <= kMostWaits; list = nodes_[list].next) {
      ++count;
    }
    return count > kMostWaits;
  }
  std::uint32_t with(std::uint32_t transfer, std::uint32_t list) {
    nodes_.push_back({transfer, list});
    return static_cast<std::uint32_t>(nodes_.size() - 1);
  }

  // What a read or write of a piece waits for.
  static std::uint32_t& before_read(Piece& piece) {
    return piece.reductions != kNil ? piece.reductions : piece.base;
  }
  // A reader waits for all writers before it, so waiting for the readers is enough.
  static std::uint32_t& before_write(Piece& piece) {
    return piece.readers != kNil ? piece.readers : before_read(piece);
  }
  static std::uint32_t& before_reduction(Piece& piece) {
    return piece.readers != kNil ? piece.readers : piece.base;
  }

  // Replaces long lists that the transfer waits for by a join each, which later waiters share.
  void make_joins(const Transfer& transfer) {
    const auto shorten = [&](std::uint32_t& list, std::uint32_t rank) {
      if (!is_long(list)) {
        return;
      }
      waits_.clear();
      current_ = kNil;
      wait_for(list);
      list = with(static_cast<std::uint32_t>(done_.size()), kNil);
      emit({.from = rank, .to = rank, .step = transfer.step});
    };
    for (const std::uint32_t rank : {transfer.from, transfer.also_from}) {
      if (rank != kNoRank) {
        each_piece(source_, rank, [&](Piece& piece) { shorten(before_read(piece), rank); });
      }
    }
    for (const std::uint32_t rank : {transfer.to, transfer.also_to}) {
      if (rank != kNoRank) {
        each_piece(destination_, rank, [&](Piece& piece) {
          shorten(transfer.reduce ? before_reduction(piece) : before_write(piece), rank);
        });
      }
    }
  }

  void read(std::uint32_t rank) {
    each_piece(source_, rank, [this](Piece& piece) {
      wait_for(before_read(piece));
      piece.readers = with(current_, piece.readers);
    });
  }

  void write(std::uint32_t rank, bool reduce) {
    each_piece(destination_, rank, [this, reduce](Piece& piece) {
      if (!reduce) {
        wait_for(before_write(piece));
        piece = {.base = with(current_, kNil), .reductions = kNil, .readers = kNil};
        return;
      }
      if (piece.readers != kNil) {
        piece = {.base = piece.readers, .reductions = kNil, .readers = kNil};
      }
      wait_for(piece.base);
      piece.reductions = with(current_, piece.reductions);
    });
  }

  Dag& dag_;
  const bool in_steps_;
  std::vector<Received> received_;                   // by rank
  std::array<Cuts, kBuffers> cuts_;
  std::array<std::vector<Piece>, kBuffers> pieces_;  // rank by rank
  std::vector<Node> nodes_;                          // of all lists
  std::vector<Transfer> done_;
  std::vector<std::uint32_t> waits_;
  std::uint32_t current_ = 0;  // index of the transfer in hand
  Span source_;
  Span destination_;
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
  std::sort(ranges.begin(), ranges.end(),
            [](const Range& a, const Range& b) { return a.offset < b.offset; });
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
  // The exchanges of RDH follow each other even where other bytes are sent.
  Linker(dag_, dag_.algorithm == Algorithm::kRdh).run();
  return std::move(dag_);
}

}  // namespace trnsim::collectives
