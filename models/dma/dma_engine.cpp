// Service loop of a DMA engine.
#include "dma_engine.h"

#include <algorithm>

#include "trnsim/base/error.h"

namespace trnsim::models {
namespace {

constexpr std::uint64_t kQuantaPerTransfer = 8;

// Moves the HBM position of `transfer` on by `bytes`.
void step_address(Transfer& transfer, std::uint64_t bytes) {
  if (transfer.run_bytes == 0) {
    transfer.hbm_address += bytes;
    return;
  }
  const std::uint64_t in_row = transfer.row_offset + bytes;
  const std::uint64_t rows = in_row / transfer.run_bytes;
  const std::uint64_t gap = transfer.row_stride_bytes > transfer.run_bytes
                                ? transfer.row_stride_bytes - transfer.run_bytes
                                : 0;
  transfer.row_offset = in_row % transfer.run_bytes;
  transfer.hbm_address += bytes + rows * gap;
}

}  // namespace

DmaEngine::DmaEngine(const sc_core::sc_module_name& name, const spec::DmaSpec& spec,
                     AgendaIf& agenda, UnitId id)
    : sc_module(name), spec_(spec), agenda_(agenda), id_(id) {}

bool DmaEngine::other_queue_waits(std::uint32_t queue) const {
  return std::any_of(waiting_.begin(), waiting_.end(),
                     [queue](const Transfer& t) { return t.queue != queue; });
}

void DmaEngine::submit(Femtos now, const Transfer& transfer) {
  counters_.bytes += transfer.bytes;
  ++counters_.transfers;
  waiting_.push_back(transfer);
  if (!active_) {
    start_next(now);
    return;
  }
  if (whole_ && transfer.queue != current_.queue) {
    const std::uint64_t cut = current_.hbm_bytes_per_byte > 0
                                  ? hbm->shorten(now, handle_, spec_.packet_bytes)
                                  : shorten_on_chip(now);
    access_bytes_ -= cut;
    whole_ = cut == 0;
  }
}

// As HbmPortIf::shorten, for an access that runs at the engine's own rate.
std::uint64_t DmaEngine::shorten_on_chip(Femtos now) {
  const double done = (now - access_start_).ns() * current_.engine_GBps;
  const std::uint64_t packets =
      static_cast<std::uint64_t>(done / static_cast<double>(spec_.packet_bytes)) + 1;
  const std::uint64_t keep = packets * spec_.packet_bytes;
  if (keep >= access_bytes_) {
    return 0;
  }
  schedule_on_chip_end(keep);
  return access_bytes_ - keep;
}

void DmaEngine::schedule_on_chip_end(std::uint64_t bytes) {
  access_end_ =
      access_start_ + transfer_time(static_cast<double>(bytes), current_.engine_GBps);
  agenda_.at(access_end_, Phase::kComplete, id_, this);
}

void DmaEngine::start_next(Femtos now) {
  if (waiting_.empty()) {
    active_ = false;
    return;
  }
  // Round robin: the first waiting transfer of the next higher queue number, wrapping around.
  const std::uint32_t last = current_.queue;
  const auto distance = [this, last](const Transfer& t) {
    return (t.queue + spec_.queues_per_engine - last - 1) % spec_.queues_per_engine;
  };
  auto next = waiting_.begin();
  for (auto candidate = waiting_.begin(); candidate != waiting_.end(); ++candidate) {
    if (distance(*candidate) < distance(*next)) {
      next = candidate;
    }
  }
  current_ = *next;
  waiting_.erase(next);
  active_ = true;
  const std::uint64_t packet = spec_.packet_bytes;
  const std::uint64_t eighth = (current_.bytes + kQuantaPerTransfer - 1) / kQuantaPerTransfer;
  quantum_ = std::max(packet, (eighth + packet - 1) / packet * packet);
  transfer_start_ = now;
  begin_access(now);
}

void DmaEngine::begin_access(Femtos now) {
  const bool contended = other_queue_waits(current_.queue);
  std::uint64_t bytes = contended ? std::min(current_.bytes, quantum_) : current_.bytes;
  access_start_ = now;
  if (current_.hbm_bytes_per_byte > 0) {
    bytes = std::min(bytes, hbm->max_access_bytes());
    access_bytes_ = bytes;
    whole_ = bytes == current_.bytes;
    // Requests for what follows are out while earlier data still arrive.
    const Femtos ahead = transfer_time(spec_.outstanding_bytes, current_.engine_GBps);
    const Femtos issued = now - transfer_start_ > ahead ? now - ahead : transfer_start_;
    handle_ = hbm->begin(now,
                         {issued, bytes, current_.engine_GBps, current_.hbm_bytes_per_byte,
                          current_.hbm_write_share, current_.hbm_address, current_.run_bytes,
                          current_.row_stride_bytes, current_.row_offset},
                         this);
  } else {
    access_bytes_ = bytes;
    whole_ = bytes == current_.bytes;
    schedule_on_chip_end(bytes);
  }
}

void DmaEngine::on_hbm_done(Femtos now) { finish_access(now); }

void DmaEngine::wake(Femtos now, Phase /*phase*/) {
  if (now == access_end_) {  // else the end of an access that has been cut since
    access_end_ = kNever;
    finish_access(now);
  }
}

void DmaEngine::finish_access(Femtos now) {
  TRNSIM_CHECK(active_ && access_bytes_ <= current_.bytes, "{}: nothing to finish", name());
  counters_.busy += now - access_start_;
  step_address(current_, access_bytes_);
  current_.bytes -= access_bytes_;
  if (current_.bytes == 0) {
    current_.client->on_transfer_done(now, current_.token);
    start_next(now);
    return;
  }
  if (other_queue_waits(current_.queue)) {
    // The rest stays the oldest work of its queue.
    waiting_.insert(waiting_.begin(), current_);
    start_next(now);
    return;
  }
  begin_access(now);
}

}  // namespace trnsim::models
