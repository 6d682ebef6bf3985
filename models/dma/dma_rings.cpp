// From trigger to completion.
#include "dma_rings.h"

#include <algorithm>

#include "trnsim/base/error.h"

namespace trnsim::models {

DmaRings::DmaRings(const sc_core::sc_module_name& name, const spec::CoreSpec& spec,
                   AgendaIf& agenda, UnitId first_id)
    : sc_module(name), spec_(spec.dma), agenda_(agenda), first_id_(first_id) {
  for (std::uint32_t q = 0; q < spec_.queues_per_engine; ++q) {
    queues_.push_back(std::make_unique<Queue>(*this, q));
  }
}

void DmaRings::load(const lower::Program& program, std::uint64_t hbm_base, Timeline* timeline) {
  program_ = &program;
  hbm_base_ = hbm_base;
  timeline_ = timeline;
}

void DmaRings::trigger(Femtos /*now*/, Femtos triggered, std::uint32_t dma) {
  const lower::DmaRequest& request = program_->dmas[dma];
  Queue& queue = *queues_[request.queue];
  Femtos prepared = triggered;
  if (request.mode == spec::DgeMode::kHardware) {
    // One DGE instance per trigger engine serves its commands one after the other.
    const auto trigger = static_cast<std::size_t>(program_->dma_queues[request.queue].trigger);
    prepared = max(triggered, dge_free_[trigger]);
    dge_free_[trigger] = prepared + from_ns(spec_.dge_hardware_ns);
  }
  Femtos start = prepared + from_ns(timing::start_ns(spec_, request.plan, request.mode)) +
                 from_ns(spec_.engine_start_skew_ns);
  if (queue.ever_started) {
    start = max(start, queue.last_start + from_ns(spec_.issue_floor_ns));
  }
  queue.ever_started = true;
  queue.last_start = start;
  const Femtos first_byte = start - from_ns(spec_.engine_start_skew_ns);
  queue.pending.push_back({dma, 0, triggered, first_byte, start});
  ++queue.counters.requests;
  queue.counters.bytes += request.plan.bytes;
  agenda_.at(start, Phase::kIssue, first_id_ + request.queue, &queue);
}

void DmaRings::Queue::wake(Femtos now, Phase /*phase*/) { rings_.start(now, index_); }

void DmaRings::start(Femtos now, std::uint32_t index) {
  Queue& queue = *queues_[index];
  InFlight request = queue.pending.front();
  queue.pending.pop_front();
  const lower::DmaRequest& dma = program_->dmas[request.dma];
  const timing::DmaPlan& plan = dma.plan;
  request.shares_left = static_cast<std::uint32_t>(plan.shares.size());
  const auto token = static_cast<std::uint32_t>(queue.first_token + queue.in_flight.size());
  queue.in_flight.push_back(request);
  const std::uint64_t hbm_bytes = plan.hbm_read_bytes + plan.hbm_write_bytes;
  Transfer transfer;
  transfer.engine_GBps = plan.engine_GBps;
  transfer.queue = index;
  transfer.token = token;
  transfer.client = &queue;
  transfer.hbm_bytes_per_byte = static_cast<double>(hbm_bytes) / static_cast<double>(plan.bytes);
  transfer.hbm_write_share =
      hbm_bytes == 0 ? 0 : static_cast<double>(plan.hbm_write_bytes) / static_cast<double>(hbm_bytes);
  transfer.run_bytes = plan.descriptor_bytes;
  transfer.row_stride_bytes = plan.hbm_row_stride_bytes;
  std::uint64_t rows_before = 0;
  for (const timing::DmaShare& share : plan.shares) {
    transfer.bytes = share.bytes;
    transfer.hbm_address = hbm_base_ + dma.hbm_address +
                           rows_before * std::max(plan.hbm_row_stride_bytes, plan.descriptor_bytes);
    rows_before += share.descriptors;
    engines[static_cast<int>(share.engine)]->submit(now, transfer);
  }
}

void DmaRings::Queue::on_transfer_done(Femtos now, std::uint32_t token) {
  InFlight& request = in_flight[token - first_token];
  TRNSIM_CHECK(request.shares_left > 0, "DMA request {} completes twice", request.dma);
  request.last_byte = now;
  if (--request.shares_left == 0) {
    rings_.retire(now, index_);
  }
}

void DmaRings::retire(Femtos now, std::uint32_t index) {
  Queue& queue = *queues_[index];
  const lower::QueueId id = lower::kFirstDmaQueue + index;
  while (!queue.in_flight.empty() && queue.in_flight.front().shares_left == 0) {
    const InFlight request = queue.in_flight.front();
    queue.in_flight.pop_front();
    ++queue.first_token;
    const Femtos visible =
        now + from_ns(spec_.semaphore_write_ns) + from_ns(spec_.completion_ns);
    completion->publish(now, id, visible);
    if (timeline_ != nullptr) {
      timeline_->push_back({request.triggered, request.first_byte, request.last_byte, id,
                            request.dma, {}, RecordKind::kDma});
    }
  }
  if (listener_ != nullptr) {
    listener_->on_drained(now);
  }
}

std::uint32_t DmaRings::outstanding(std::uint32_t queue) const {
  return static_cast<std::uint32_t>(queues_[queue]->pending.size() +
                                    queues_[queue]->in_flight.size());
}

std::uint64_t DmaRings::outstanding() const {
  std::uint64_t count = 0;
  for (const std::unique_ptr<Queue>& queue : queues_) {
    count += queue->pending.size() + queue->in_flight.size();
  }
  return count;
}

}  // namespace trnsim::models
