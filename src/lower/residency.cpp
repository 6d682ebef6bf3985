// Lifetimes and spilling.
#include "residency.h"

#include <algorithm>

#include "trnsim/base/error.h"

namespace trnsim::lower {
namespace {

constexpr std::uint64_t kPreparedShare = 8;  // part of SBUF for tiles that are there before their turn
constexpr std::uint64_t kSbufAlignment = 32;  // bytes; allocation granularity of the NKI compiler

// A replayed program also uses what is reserved for the compiler.
std::uint64_t sbuf_capacity(const spec::SbufSpec& sbuf, bool replay) {
  return std::uint64_t{sbuf.kib_per_partition} * 1024 -
         (replay ? 0 : sbuf.reserved_bytes_per_partition);
}

std::uint64_t psum_capacity(const spec::PsumSpec& psum) {
  return std::uint64_t{psum.banks} * psum.bank_bytes_per_partition;
}

// Memory and allocation site of a tile.
std::uint64_t site_key(const trace::Tensor& tile) {
  return (static_cast<std::uint64_t>(tile.region) << 32) |
         (tile.site == trace::kNone ? tile.name : tile.site);
}

bool on_chip(const trace::Tensor& tensor) {
  return tensor.region != trace::Region::kHbm;
}

}  // namespace

Residency::Residency(const trace::Trace& trace, const std::vector<std::uint32_t>& order,
                     const spec::CoreSpec& core, const Options& options, AllocReport& report)
    : trace_(trace),
      sbuf_(sbuf_capacity(core.sbuf, options.replay), kSbufAlignment, options.alloc),
      psum_(psum_capacity(core.psum), core.psum.bank_bytes_per_partition, options.alloc),
      report_(report),
      state_(trace.tensors.size()),
      order_(order),
      depth_(options.alloc == AllocPolicy::kDepth ? options.depth : 0) {
  for (std::uint32_t t = 0; t < trace.tensors.size(); ++t) {
    const trace::Tensor& tensor = trace.tensors[t];
    if (!on_chip(tensor)) {
      continue;
    }
    const std::uint64_t capacity = memory(tensor.region).capacity();
    if (options.alloc != AllocPolicy::kUnlimited && bytes(t) > capacity) {
      throw Error(fmt::format("kernel '{}': tile '{}' needs {} bytes per partition, {} has {}",
                              trace.kernel, trace.string(tensor.name), bytes(t),
                              trace::name(tensor.region), capacity));
    }
    if (tensor.pinned_bytes >= 0) {
      const auto begin = static_cast<std::uint64_t>(tensor.pinned_bytes);
      if (begin + bytes(t) > capacity) {
        throw Error(fmt::format(
            "kernel '{}': tile '{}' is pinned to bytes {}..{} of each partition, {} has {}",
            trace.kernel, trace.string(tensor.name), begin, begin + bytes(t),
            trace::name(tensor.region), capacity));
      }
      memory(tensor.region).reserve(begin, begin + bytes(t));
      state_[t].resident = true;
      state_[t].address = begin;
    }
  }
  index_accesses(order);
}

void Residency::index_accesses(const std::vector<std::uint32_t>& order) {
  const auto for_each = [&](auto&& visit) {
    for (std::uint32_t position = 0; position < order.size(); ++position) {
      const trace::Instruction& instruction = trace_.instructions[order[position]];
      const std::uint32_t count = std::uint32_t{instruction.outputs} + instruction.inputs;
      for (std::uint32_t i = 0; i < count; ++i) {
        const std::uint32_t tensor = trace_.operands[instruction.first_operand + i].tensor;
        if (on_chip(trace_.tensors[tensor])) {
          visit(tensor, position);
        }
      }
    }
  };
  std::vector<std::uint32_t> counts(trace_.tensors.size() + 1);
  for_each([&](std::uint32_t tensor, std::uint32_t) { ++counts[tensor + 1]; });
  for (std::size_t t = 1; t < counts.size(); ++t) {
    counts[t] += counts[t - 1];
  }
  accesses_.resize(counts.back());
  for (std::uint32_t t = 0; t < state_.size(); ++t) {
    state_[t].next_access = counts[t];
    state_[t].last_access = counts[t];
  }
  for_each([&](std::uint32_t tensor, std::uint32_t position) {
    accesses_[state_[tensor].last_access++] = position;
  });
}

std::uint64_t Residency::bytes(std::uint32_t tensor) const {
  const trace::Tensor& t = trace_.tensors[tensor];
  return t.free_elements * size_bytes(t.dtype);
}

void Residency::evict_for(std::uint32_t tensor, std::uint32_t position,
                          std::span<const trace::Operand> keep, std::vector<TileMove>& moves) {
  std::uint32_t victim = trace::kNone;
  std::uint32_t furthest = 0;
  for (const std::uint32_t candidate : resident_sbuf_) {
    const bool kept = std::any_of(keep.begin(), keep.end(), [candidate](const trace::Operand& o) {
      return o.tensor == candidate;
    });
    if (kept) {
      continue;
    }
    const State& state = state_[candidate];
    const std::uint32_t next =
        state.next_access < state.last_access ? accesses_[state.next_access] : UINT32_MAX;
    if (victim == trace::kNone || next > furthest) {
      victim = candidate;
      furthest = next;
    }
  }
  if (victim == trace::kNone) {
    throw Error(fmt::format(
        "kernel '{}', instruction at position {}: tile '{}' ({} bytes per partition) does not fit "
        "beside the other operands of the instruction and pinned tiles",
        trace_.kernel, position, trace_.string(trace_.tensors[tensor].name), bytes(tensor)));
  }
  State& state = state_[victim];
  if (state.dirty || !state.spilled) {
    moves.push_back({victim, true, state.address});
    ++report_.spills;
    report_.spill_bytes += bytes(victim) * trace_.tensors[victim].partitions;
  }
  state.spilled = true;
  state.dirty = false;
  state.resident = false;
  if (state.prepared) {
    state.prepared = false;
    prepared_bytes_ -= bytes(victim);
  }
  sbuf_.release(state.address);
  std::erase(resident_sbuf_, victim);
}

void Residency::place_in_slot(std::uint32_t tensor, std::uint32_t position) {
  const trace::Tensor& tile = trace_.tensors[tensor];
  const std::uint64_t key = site_key(tile);
  std::vector<Slot>& slots = slots_[key];
  Slot* chosen = nullptr;
  for (Slot& slot : slots) {
    const bool fits = !slot.in_use && slot.bytes >= bytes(tensor);
    if (fits && slots.size() >= depth_ && (chosen == nullptr || slot.released < chosen->released)) {
      chosen = &slot;
    }
  }
  if (chosen == nullptr) {
    // More tiles of the site alive than its depth get buffers of their own.
    const std::optional<std::uint64_t> address = memory(tile.region).allocate(bytes(tensor));
    if (!address) {
      throw Error(
          fmt::format("kernel '{}', instruction at position {}: {} buffers of every tile do "
                      "not fit {} (tile '{}')",
                      trace_.kernel, position, depth_, trace::name(tile.region),
                      trace_.string(tile.name)),
          {}, "use a smaller alloc=depth:K or alloc=rotate");
    }
    slots.push_back({*address, bytes(tensor), false, 0});
    chosen = &slots.back();
  }
  chosen->in_use = true;
  state_[tensor].resident = true;
  state_[tensor].address = chosen->address;
}

void Residency::release(std::uint32_t tensor) {
  const trace::Tensor& tile = trace_.tensors[tensor];
  State& state = state_[tensor];
  state.resident = false;
  if (depth_ == 0) {
    memory(tile.region).release(state.address);
    std::erase(resident_sbuf_, tensor);
    return;
  }
  const std::uint64_t key = site_key(tile);
  for (Slot& slot : slots_[key]) {
    if (slot.address == state.address) {
      slot.in_use = false;
      slot.released = ++releases_;
    }
  }
}

bool Residency::place(std::uint32_t tensor, std::uint32_t position,
                      std::span<const trace::Operand> keep, bool evict,
                      std::vector<TileMove>& moves) {
  if (depth_ > 0) {
    place_in_slot(tensor, position);
    return true;
  }
  State& state = state_[tensor];
  const trace::Region region = trace_.tensors[tensor].region;
  std::optional<std::uint64_t> address = memory(region).allocate(bytes(tensor));
  while (!address) {
    if (!evict) {
      return false;
    }
    if (region == trace::Region::kPsum) {
      throw Error(fmt::format(
          "kernel '{}', instruction at position {}: live PSUM tiles need more than {} bytes per "
          "partition (tile '{}')",
          trace_.kernel, position, psum_.capacity(), trace_.string(trace_.tensors[tensor].name)));
    }
    evict_for(tensor, position, keep, moves);
    address = sbuf_.allocate(bytes(tensor));
  }
  state.resident = true;
  state.address = *address;
  if (region == trace::Region::kSbuf) {
    resident_sbuf_.push_back(tensor);
  }
  if (state.spilled) {
    moves.push_back({tensor, false, *address});
    ++report_.reloads;
    report_.spill_bytes += bytes(tensor) * trace_.tensors[tensor].partitions;
  }
  return true;
}

std::uint32_t Residency::furthest_use() const {
  std::uint32_t furthest = 0;
  for (const std::uint32_t tensor : resident_sbuf_) {
    const State& state = state_[tensor];
    furthest = std::max(furthest, state.next_access < state.last_access
                                      ? accesses_[state.next_access]
                                      : UINT32_MAX);
  }
  return furthest;
}

void Residency::prepare(std::uint32_t position, std::uint32_t ahead, std::vector<TileMove>& moves) {
  if (depth_ > 0 || report_.spills == 0 || position + ahead >= order_.size()) {
    return;
  }
  const trace::Instruction& instruction = trace_.instructions[order_[position + ahead]];
  const std::uint32_t count = std::uint32_t{instruction.outputs} + instruction.inputs;
  for (std::uint32_t i = 0; i < count; ++i) {
    const std::uint32_t tensor = trace_.operands[instruction.first_operand + i].tensor;
    const State& state = state_[tensor];
    if (trace_.tensors[tensor].region != trace::Region::kSbuf || state.resident ||
        accesses_[state.next_access] < position + ahead ||
        (prepared_bytes_ + bytes(tensor)) * kPreparedShare > sbuf_.capacity()) {
      continue;
    }
    // Only tiles with later uses go for it.
    if (place(tensor, position, {}, furthest_use() > position + ahead, moves)) {
      state_[tensor].prepared = true;
      prepared_bytes_ += bytes(tensor);
    }
  }
}

void Residency::enter(std::uint32_t position, const trace::Instruction& instruction,
                      std::vector<TileMove>& moves) {
  const std::uint32_t count = std::uint32_t{instruction.outputs} + instruction.inputs;
  const std::span<const trace::Operand> operands{trace_.operands.data() + instruction.first_operand,
                                                 count};
  for (std::uint32_t i = 0; i < count; ++i) {
    const std::uint32_t tensor = operands[i].tensor;
    if (!on_chip(trace_.tensors[tensor])) {
      continue;
    }
    State& state = state_[tensor];
    if (!state.resident) {
      place(tensor, position, operands, true, moves);
    }
    if (state.prepared) {
      state.prepared = false;
      prepared_bytes_ -= bytes(tensor);
    }
    ++state.next_access;
    state.dirty = state.dirty || i < instruction.outputs;
  }
  report_.sbuf_peak_bytes_per_partition = sbuf_.peak();
  report_.psum_peak_bytes_per_partition = psum_.peak();
}

void Residency::leave(std::uint32_t position, const trace::Instruction& instruction) {
  const std::uint32_t count = std::uint32_t{instruction.outputs} + instruction.inputs;
  for (std::uint32_t i = 0; i < count; ++i) {
    const std::uint32_t tensor = trace_.operands[instruction.first_operand + i].tensor;
    State& state = state_[tensor];
    if (!state.resident || state.next_access < state.last_access ||
        trace_.tensors[tensor].pinned_bytes >= 0 || !on_chip(trace_.tensors[tensor])) {
      continue;
    }
    TRNSIM_CHECK(accesses_[state.last_access - 1] == position, "tile {} outlives its last access",
                 tensor);
    release(tensor);
  }
}

}  // namespace trnsim::lower
