// Sequencing: resolve waits, start, account.
#include "engine.h"

#include "trnsim/base/error.h"

namespace trnsim::models {

std::string_view name(IdleCause cause) {
  constexpr std::array<std::string_view, kIdleCauseCount> kNames{
      "tensor", "vector",     "scalar", "gpsimd",   "sync",    "dma",
      "peer",   "own_result", "port",   "dispatch", "finished"};
  return kNames[static_cast<std::size_t>(cause)];
}

Engine::Engine(const sc_core::sc_module_name& name, trace::Engine kind, double clock_ghz,
               const spec::CoreSpec& core, AgendaIf& agenda, UnitId id)
    : sc_module(name),
      kind_(kind),
      core_(core),
      agenda_(agenda),
      id_(id),
      clock_(clock_ghz),
      base_clock_(core.sequencer.base_clock_ghz),
      dispatch_interval_(base_clock_.span(core.sequencer.dispatch_interval_cycles)),
      semaphore_raise_(from_ns(core.sequencer.semaphore_raise_ns)),
      semaphore_wait_(from_ns(kind == trace::Engine::kTensor ? core.tensor.semaphore_wait_ns
                                                              : core.sequencer.semaphore_wait_ns)) {}

void Engine::load(const lower::Program& program, Timeline* timeline, StepAccounts* accounts) {
  program_ = &program;
  stream_ = &program.streams[static_cast<std::size_t>(kind_)];
  timeline_ = timeline;
  accounts_ = accounts;
  pc_ = 0;
}

void Engine::begin(Femtos now) {
  plan(now);
}

void Engine::on_published(Femtos now) {
  plan(now);
}

void Engine::plan(Femtos now) {
  if (finished()) {
    return;
  }
  const lower::Step& step = (*stream_)[pc_];
  const lower::Wait* waits = program_->waits.data() + step.first_wait;
  for (; wait_index_ < step.num_waits; ++wait_index_) {
    const Femtos visible = counter->visible_at(waits[wait_index_]);
    if (visible == kNever) {
      counter->subscribe(waits[wait_index_], this);
      return;
    }
    if (visible + semaphore_wait_ > ready_) {
      ready_ = visible + semaphore_wait_;
      ready_wait_ = waits[wait_index_];
    }
  }
  const Femtos free = uses_data_path(step) ? max(next_dispatch_, next_issue_) : next_dispatch_;
  agenda_.at(clock_.align(max(now, max(ready_, free))), Phase::kIssue, id_, this);
}

void Engine::wake(Femtos now, Phase /*phase*/) {
  const lower::Step& step = (*stream_)[pc_];
  if (step.kind == lower::StepKind::kCompute) {
    const Femtos free = port_free(now, step);
    if (free > now) {
      const Femtos retry = clock_.align(free);
      port_blocked_since_ = min(port_blocked_since_, now);
      if (step.uses_sbuf) {
        sbuf->queue_up(kind_, 1, port_blocked_since_, retry);
      }
      if (step.psum_banks != 0) {
        psum->queue_up(kind_, step.psum_banks, port_blocked_since_, retry);
      }
      agenda_.at(retry, Phase::kIssue, id_, this);
      return;
    }
  }
  if (step.kind == lower::StepKind::kMeeting && side_ && !meet(now, step)) {
    return;
  }
  start(now, step);
}

void Engine::join_pair(std::uint32_t side) {
  side_ = side;
}

bool Engine::meet(Femtos now, const lower::Step& step) {
  if (released_) {
    return true;
  }
  arrived_ = now;
  const Femtos release =
      pair->arrive(now, *side_, step.dma, base_clock_.span(step.interval_cycles), this);
  if (release != kNever) {
    on_released(now, release);
  }
  return false;
}

void Engine::on_released(Femtos /*now*/, Femtos release) {
  released_ = true;
  agenda_.at(clock_.align(release), Phase::kIssue, id_, this);
}

Engine::Slot Engine::execute_meeting(Femtos now, const lower::Step& step) {
  // Alone, the time from arrival to release passes here; in a pair it has passed already.
  const Femtos end = side_ ? now : now + base_clock_.span(step.interval_cycles);
  const Femtos done = end + base_clock_.span(step.latency_cycles - step.interval_cycles);
  record(RecordKind::kInstruction, side_ ? arrived_ : now, done);
  return beside_data_path(now, end, done);
}

Femtos Engine::port_free(Femtos now, const lower::Step& step) const {
  Femtos free = now;
  if (step.uses_sbuf) {
    free = max(free, sbuf->earliest(now, kind_, 1));
  }
  if (step.psum_banks != 0) {
    free = max(free, psum->earliest(now, kind_, step.psum_banks));
  }
  return free;
}

void Engine::start(Femtos now, const lower::Step& step) {
  Slot slot;
  switch (step.kind) {
    case lower::StepKind::kDmaTrigger:
      slot = execute_dma(now, step);
      break;
    case lower::StepKind::kSequencer:
      slot = execute_sequencer(now, step);
      break;
    case lower::StepKind::kMeeting:
      slot = execute_meeting(now, step);
      break;
    case lower::StepKind::kMatmulPair:
    case lower::StepKind::kCompute:
      slot = execute(now, step);
      break;
  }
  book(slot);
  counters_.flops += step.flops;
  if (uses_data_path(step)) {
    next_issue_ = slot.next_issue;
    next_dispatch_ = now + dispatch_interval_;
  } else {
    next_dispatch_ = max(slot.next_issue, now + dispatch_interval_);
  }
  ++pc_;
  wait_index_ = 0;
  ready_ = Femtos{0};
  ready_wait_ = {};
  port_blocked_since_ = kNever;
  arrived_ = kNever;
  released_ = false;
  counter->publish(now, static_cast<lower::QueueId>(kind_), slot.done + semaphore_raise_);
  plan(now);
  if (listener_ != nullptr && finished()) {
    listener_->on_drained(now);
  }
}

Engine::Slot Engine::execute_sequencer(Femtos now, const lower::Step& step) {
  const Femtos end = now + base_clock_.span(step.interval_cycles);
  record(RecordKind::kInstruction, now, end);
  return beside_data_path(now, end, now + base_clock_.span(step.latency_cycles));
}

Engine::Slot Engine::execute_dma(Femtos now, const lower::Step& step) {
  const lower::DmaRequest& request = program_->dmas[step.dma];
  const timing::TriggerTime time = timing::trigger_time(core_.dma, request.plan, request.mode);
  const Femtos kick = now + from_ns(time.before_ns);
  Femtos issued = kick + from_ns(timing::issue_ns(core_.dma, request.mode));
  if (request.mode == spec::DgeMode::kSoftware) {
    issued += from_ns(core_.dma.issue_software_outstanding_ns * dma->outstanding(request.queue));
  }
  record(RecordKind::kInstruction, kick, issued);
  dma->trigger(now, issued, step.dma);
  return beside_data_path(now, now + from_ns(time.interval_ns), issued);
}

// DMA triggers of GpSimd count as the data path's: its cores write the descriptors. Meetings are with all
// that came before.
bool Engine::uses_data_path(const lower::Step& step) const {
  return step.kind == lower::StepKind::kMatmulPair || step.kind == lower::StepKind::kCompute ||
         step.kind == lower::StepKind::kMeeting ||
         (step.kind == lower::StepKind::kDmaTrigger && kind_ == trace::Engine::kGpSimd);
}

// The sequencer's own work may run while the data path is still busy with the instruction before.
Engine::Slot Engine::beside_data_path(Femtos now, Femtos end, Femtos done) const {
  return {max(now, busy_end_), max(end, busy_end_), end, done, 1};
}

void Engine::record(RecordKind kind, Femtos start, Femtos end) {
  if (timeline_ != nullptr) {
    timeline_->push_back({ready_, start, end, static_cast<std::uint32_t>(kind_),
                          static_cast<std::uint32_t>(pc_), ready_wait_, kind});
  }
}

IdleCause Engine::cause_of(lower::QueueId queue) const {
  if (queue >= lower::kFirstDmaQueue) {
    return IdleCause::kDma;
  }
  return queue == static_cast<lower::QueueId>(kind_) ? IdleCause::kOwnResult
                                                     : static_cast<IdleCause>(queue);
}

void Engine::account_idle(Femtos until) {
  Femtos at = busy_end_;
  const auto spend = [&](IdleCause cause, Femtos to) {
    if (to > at) {
      counters_.idle[static_cast<std::size_t>(cause)] += to - at;
      at = to;
    }
  };
  if (ready_wait_.count > 0) {
    spend(cause_of(ready_wait_.queue), min(ready_, until));
  }
  if (arrived_ != kNever) {
    spend(IdleCause::kDispatch, min(arrived_, until));
    spend(IdleCause::kPeer, until);
  }
  if (port_blocked_since_ != kNever) {
    spend(IdleCause::kDispatch, min(port_blocked_since_, until));
    spend(IdleCause::kPort, until);
  }
  spend(IdleCause::kDispatch, until);
}

void Engine::book(const Slot& slot) {
  TRNSIM_CHECK(slot.busy_from >= busy_end_ && slot.busy_until >= slot.busy_from,
               "{}: instruction {} overlaps its predecessor", name(), pc_);
  if (accounts_ != nullptr) {
    accounts_->push_back(
        {slot.busy_until - slot.busy_from, slot.busy_from - busy_end_, ready_wait_});
  }
  account_idle(slot.busy_from);
  counters_.busy += slot.busy_until - slot.busy_from;
  counters_.instructions += slot.instructions;
  busy_end_ = slot.busy_until;
}

void Engine::close(Femtos end) {
  if (busy_end_ > end) {
    // Only what follows a last trigger can go on behind the end: nothing waits for it.
    TRNSIM_CHECK(pc_ > 0 && (*stream_)[pc_ - 1].kind == lower::StepKind::kDmaTrigger,
                 "{} works past the end of the run", name());
    const Femtos late = busy_end_ - end;
    counters_.busy = counters_.busy - late;
    if (accounts_ != nullptr) {
      accounts_->back().busy = accounts_->back().busy - late;
    }
  } else {
    counters_.idle[static_cast<std::size_t>(IdleCause::kFinished)] += end - busy_end_;
  }
  busy_end_ = end;
}

std::string Engine::state() const {
  if (finished()) {
    return "finished";
  }
  const lower::Step& step = (*stream_)[pc_];
  std::string text = fmt::format("step {} of {} ({}, trace instruction {})", pc_, stream_->size(),
                                 trace::name(step.opcode), step.trace_index);
  if (arrived_ != kNever) {
    text += fmt::format(" waits for the other core at meeting {}", step.dma);
  }
  if (wait_index_ < step.num_waits) {
    const lower::Wait wait = program_->waits[step.first_wait + wait_index_];
    const std::string queue = wait.queue < lower::kFirstDmaQueue
                                  ? std::string(trace::name(static_cast<trace::Engine>(wait.queue)))
                                  : program_->dma_queues[wait.queue - lower::kFirstDmaQueue].name;
    text += fmt::format(" waits for {} >= {}", queue, wait.count);
  }
  return text;
}

}  // namespace trnsim::models
