// Trace -> Program in one pass over the issue order.
#include "trnsim/lower/lower.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <map>

#include "access_tracker.h"
#include "emitter.h"
#include "engine_choice.h"
#include "footprint.h"
#include "forward.h"
#include "replay_edges.h"
#include "residency.h"
#include "trnsim/base/error.h"
#include "trnsim/timing/engine_cost.h"
#include "trnsim/timing/matmul_cost.h"
#include "unroll.h"

namespace trnsim::lower {
namespace {

using trace::Engine;
using trace::Instruction;
using trace::Opcode;
using trace::Region;
using trace::Trace;

constexpr std::uint64_t kHbmAlignment = 64 * 1024;
constexpr std::string_view kSpillQueue = "qSyncSpill";
constexpr std::uint32_t kSpillAhead = 16;  // instructions that spills and reloads come before their use
constexpr std::uint64_t kNotSpilled = UINT64_MAX;

class Lowering {
 public:
  // `original`: index in the kernel's own trace of each instruction; empty: the trace is the kernel's own.
  Lowering(const Trace& trace, const spec::CoreSpec& core, const Options& options, IssueOrder order,
           std::vector<std::uint32_t> original, Program& program)
      : trace_(trace),
        core_(core),
        order_(std::move(order.order)),
        engines_(std::move(order.engines)),
        original_(std::move(original)),
        program_(program),
        residency_(trace, order_, core, options, program.alloc),
        chooser_(core, options.engines),
        hbm_base_(trace.tensors.size()),
        spill_base_(trace.tensors.size(), kNotSpilled) {
    plan_queues(options.replay);
    place_hbm();
    find_elidable();
    loads_tables_ = std::any_of(
        trace.instructions.begin(), trace.instructions.end(),
        [](const Instruction& i) { return i.opcode == Opcode::kActTableLoad; });
    // A spill may need a queue that no instruction uses, so it always exists.
    if (options.replay) {
      replay_ = std::make_unique<ReplayEdges>(trace, program_.num_queues());
    }
    tracker_ = std::make_unique<AccessTracker>(trace, residency_, program_.num_queues());
    no_needs_ = std::make_unique<Needs>(program_.num_queues());
    emitter_ = std::make_unique<Emitter>(program_, program_.num_queues());
  }

  void run() {
    std::vector<TileMove> moves;
    for (std::uint32_t position = 0; position < order_.size(); ++position) {
      index_ = order_[position];
      const Instruction& instruction = trace_.instructions[index_];
      if (instruction.opcode == Opcode::kFence) {
        emitter_->fence();
        continue;
      }
      if (trace::is_control(instruction.opcode)) {
        follow_loop(position, instruction);
        continue;
      }
      moves.clear();
      residency_.prepare(position, kSpillAhead, moves);
      residency_.enter(position, instruction, moves);
      for (const TileMove& move : moves) {
        emit_move(move);
      }
      if (elidable_[index_]) {
        ++program_.elided_memsets;
      } else if (trace::is_dma(instruction.opcode)) {
        emit_dma(instruction);
      } else if (trace::is_matmul(instruction.opcode)) {
        emit_matmul(instruction, Engine::kTensor);
      } else {
        emit_compute(instruction);
      }
      residency_.leave(position, instruction);
    }
    choose_main_dtype();
  }

 private:
  [[nodiscard]] std::string where() const {
    const Instruction& instruction = trace_.instructions[index_];
    std::string text = fmt::format("kernel '{}', instruction {} ({})", trace_.kernel, own_index(),
                                   trace::name(instruction.opcode));
    if (instruction.source != trace::kNone) {
      const trace::SourceLine& line = trace_.sources[instruction.source];
      text += fmt::format(" at {}:{}", trace_.string(line.file), line.line);
    }
    return text;
  }

  // Of the instruction in hand, in the kernel's own trace.
  [[nodiscard]] std::uint32_t own_index() const {
    return original_.empty() ? index_ : original_[index_];
  }

  // A rolled loop costs a branch per iteration on every engine that has part of its body.
  void follow_loop(std::uint32_t position, const Instruction& instruction) {
    const auto sizes = [this] {
      std::array<std::size_t, trace::kEngineCount> lengths{};
      for (std::size_t e = 0; e < lengths.size(); ++e) {
        lengths[e] = program_.streams[e].size();
      }
      return lengths;
    };
    if (instruction.opcode == Opcode::kLoopBegin) {
      loops_.push_back({is_rolled(trace_, instruction), sizes()});
    } else if (instruction.opcode == Opcode::kLoopEnd) {
      const OpenLoop loop = loops_.back();
      const bool again = position + 1 < order_.size() && order_[position + 1] < index_;
      if (!again) {
        loops_.pop_back();
      }
      for (std::size_t e = 0; e < loop.lengths.size() && loop.rolled; ++e) {
        if (program_.streams[e].size() > loop.lengths[e]) {
          emit_branch(static_cast<Engine>(e));
        }
      }
    }
  }

  void emit_branch(Engine engine) {
    Step step;
    step.opcode = Opcode::kLoopEnd;
    step.kind = StepKind::kSequencer;
    step.trace_index = own_index();
    step.interval_cycles = static_cast<std::uint32_t>(
        std::ceil(core_.sequencer.branch_ns * core_.sequencer.base_clock_ghz));
    step.latency_cycles = step.interval_cycles;
    emitter_->emit(engine, static_cast<QueueId>(engine), step, *no_needs_);
  }

  // A kernel that triggers DMAs from many engines leaves loads fewer rings.
  void plan_queues(bool replay) {
    for (std::uint32_t rings = core_.dma.load_rings; rings > 0; --rings) {
      queue_names_ = std::make_unique<DmaQueueNames>(trace_, rings, replay);
      program_.dma_queues.clear();
      for (const Instruction& instruction : trace_.instructions) {
        if (trace::is_dma(instruction.opcode)) {
          const Engine trigger = dma_trigger(trace_, instruction, program_.options.compiled);
          queue_index(queue_names_->name(instruction, trigger), trigger);
        }
      }
      queue_index(std::string(kSpillQueue), Engine::kSync);
      if (program_.dma_queues.size() <= core_.dma.queues_per_engine) {
        break;
      }
    }
    if (program_.num_queues() > core_.sequencer.semaphores) {
      throw Error(fmt::format("kernel '{}' needs {} semaphores, the device has {} per core",
                              trace_.kernel, program_.num_queues(), core_.sequencer.semaphores));
    }
    const std::uint32_t available = core_.dma.queues_per_engine;
    if (program_.dma_queues.size() > available) {
      throw Error(fmt::format("kernel '{}' uses {} DMA queues, the device has {} per engine",
                              trace_.kernel, program_.dma_queues.size(), available));
    }
  }

  std::uint32_t queue_index(const std::string& name, Engine trigger) {
    for (std::uint32_t q = 0; q < program_.dma_queues.size(); ++q) {
      if (program_.dma_queues[q].name == name) {
        return q;
      }
    }
    program_.dma_queues.push_back({name, trigger});
    return static_cast<std::uint32_t>(program_.dma_queues.size() - 1);
  }

  void place_hbm() {
    std::uint64_t next = 0;
    for (std::size_t t = 0; t < trace_.tensors.size(); ++t) {
      const trace::Tensor& tensor = trace_.tensors[t];
      if (tensor.region == Region::kHbm) {
        hbm_base_[t] = next;
        const std::uint64_t bytes = tensor.free_elements * size_bytes(tensor.dtype);
        next += (bytes + kHbmAlignment - 1) / kHbmAlignment * kHbmAlignment;
      }
    }
    program_.hbm_footprint_bytes = next;
  }

  // A memset of a PSUM tile whose next access is a matmul serves nothing: the first matmul
  // overwrites.
  void find_elidable() {
    elidable_.resize(trace_.instructions.size());
    std::vector<std::uint32_t> pending(trace_.tensors.size(), trace::kNone);
    for (const std::uint32_t i : order_) {
      const Instruction& instruction = trace_.instructions[i];
      const std::uint32_t count = std::uint32_t{instruction.outputs} + instruction.inputs;
      for (std::uint32_t k = 0; k < count; ++k) {
        const std::uint32_t tensor = trace_.operands[instruction.first_operand + k].tensor;
        if (pending[tensor] != trace::kNone) {
          elidable_[pending[tensor]] = trace::is_matmul(instruction.opcode);
          pending[tensor] = trace::kNone;
        }
      }
      if (instruction.opcode == Opcode::kMemset && trace_.attribute(instruction).imm0 == 0.0) {
        const std::uint32_t tensor = trace_.outputs(instruction)[0].tensor;
        if (trace_.tensors[tensor].region == Region::kPsum) {
          pending[tensor] = i;
        }
      }
    }
  }

  [[nodiscard]] std::uint8_t banks_of(const Instruction& instruction) {
    std::uint32_t mask = 0;
    const std::uint32_t count = std::uint32_t{instruction.outputs} + instruction.inputs;
    for (std::uint32_t k = 0; k < count; ++k) {
      const trace::Operand& operand = trace_.operands[instruction.first_operand + k];
      if (trace_.tensor(operand).region != Region::kPsum) {
        continue;
      }
      footprint(trace_.pattern(operand), operand.offset, intervals_);
      const std::uint64_t base = residency_.address(operand.tensor);
      const std::uint64_t bank = core_.psum.bank_bytes_per_partition;
      for (const Interval& interval : intervals_) {
        for (std::uint64_t b = (base + interval.begin) / bank;
             b <= (base + interval.end - 1) / bank; ++b) {
          mask |= 1U << (b % core_.psum.banks);
        }
      }
    }
    return static_cast<std::uint8_t>(mask);
  }

  void check_matmul(const timing::InstructionShape& shape, std::uint8_t banks) const {
    const spec::TensorSpec& tensor = core_.tensor;
    const std::uint64_t groups = shape.attributes->double_row ? 2 : 1;
    const auto limit = [this](const char* what, std::uint64_t value, std::uint64_t most) {
      if (value > most) {
        throw Error(fmt::format("{}: {} is {}, {} takes at most {}", where(), what, value,
                                core_.name, most));
      }
    };
    limit("contraction (partitions)", shape.inputs[0].partitions, tensor.rows);
    limit("stationary free size", shape.inputs[0].elements / groups, tensor.columns);
    if (shape.num_inputs > 1) {
      // The limit is given for fp32 results; all eight banks hold twice as many bf16 results (5.1).
      const bool wide =
          core_.generation == spec::Generation::kTrn3 && size_bytes(shape.dst().dtype) == 2;
      limit("moving free size", shape.inputs[1].elements / groups,
            std::uint64_t{tensor.moving_free_max} * (wide ? 2 : 1));
    }
    if (core_.generation != spec::Generation::kTrn3 && (banks & (banks - 1)) != 0) {
      throw Error(fmt::format("{}: the result crosses a PSUM bank", where()), {},
                  "a matmul on this generation writes one bank of 2 KiB per partition");
    }
  }

  void emit_matmul(const Instruction& instruction, Engine engine) {
    const timing::InstructionShape shape = timing::shape_of(trace_, instruction);
    (void)chooser_.choose(shape, engine, where());
    const timing::MatmulCost cost = timing::matmul_cost(core_, shape);
    Step step;
    step.opcode = instruction.opcode;
    step.kind = StepKind::kMatmulPair;
    step.trace_index = own_index();
    step.source = instruction.source;
    step.psum_banks = banks_of(instruction);
    step.interval_cycles = static_cast<std::uint32_t>(cost.stream_cycles);
    step.latency_cycles = static_cast<std::uint32_t>(cost.latency_cycles);
    step.load_cycles = static_cast<std::uint32_t>(cost.load_cycles);
    step.load_latency_cycles = static_cast<std::uint32_t>(cost.load_latency_cycles);
    step.flops = cost.flops / cost.pairs;
    check_matmul(shape, step.psum_banks);
    const auto queue = static_cast<QueueId>(Engine::kTensor);
    const Needs& needs =
        access(instruction, queue, emitter_->next_count(queue) + cost.pairs - 1);
    for (std::uint32_t pair = 0; pair < cost.pairs; ++pair) {
      emitter_->emit(Engine::kTensor, queue, step, pair == 0 ? needs : *no_needs_);
    }
    program_.matmul_flops[static_cast<std::size_t>(shape.inputs[0].dtype)] += cost.flops;
    ++program_.trace_instructions;
  }

  // What the instruction in hand waits for; it completes as `count` of `queue`.
  const Needs& access(const Instruction& instruction, QueueId queue, std::uint32_t count) {
    return replay_ ? replay_->access(index_, queue, count)
                   : tracker_->access(instruction, queue, count);
  }

  void emit_compute(const Instruction& instruction) {
    const timing::InstructionShape shape = timing::shape_of(trace_, instruction);
    const Engine wanted = instruction.engine == Engine::kUnassigned && !engines_.empty()
                              ? engines_[index_]
                              : instruction.engine;
    const Engine engine = chooser_.choose(shape, wanted, where());
    if (engine == Engine::kTensor && instruction.opcode == Opcode::kNcTranspose) {
      emit_matmul(instruction, engine);
      return;
    }
    const timing::EngineCost cost = timing::engine_cost(core_, engine, shape);
    Step step;
    step.opcode = instruction.opcode;
    const bool sequencer = instruction.opcode == Opcode::kRegisterMove ||
                           instruction.opcode == Opcode::kRegisterLoad ||
                           instruction.opcode == Opcode::kRegisterStore ||
                           instruction.opcode == Opcode::kEventSemaphore;
    const bool meeting =
        instruction.opcode == Opcode::kCoreBarrier || instruction.opcode == Opcode::kSendRecv;
    step.kind = sequencer ? StepKind::kSequencer
                : meeting ? StepKind::kMeeting
                          : StepKind::kCompute;
    step.dma = meeting ? program_.meetings++ : 0;
    step.trace_index = own_index();
    step.source = instruction.source;
    step.interval_cycles = static_cast<std::uint32_t>(cost.interval_cycles);
    step.latency_cycles = static_cast<std::uint32_t>(cost.latency_cycles);
    step.perf_mode = cost.perf_mode;
    step.psum_banks = banks_of(instruction);
    step.uses_sbuf = uses_sbuf(instruction);
    if (engine == Engine::kScalar && !loads_tables_ &&
        (instruction.opcode == Opcode::kActivation || instruction.opcode == Opcode::kActivate2)) {
      step.act_table = timing::activation_table(shape.attributes->func);
    }
    const auto queue = static_cast<QueueId>(engine);
    emitter_->emit(engine, queue, step,
                   access(instruction, queue, emitter_->next_count(queue)));
    ++program_.trace_instructions;
  }

  [[nodiscard]] bool uses_sbuf(const Instruction& instruction) const {
    const std::uint32_t count = std::uint32_t{instruction.outputs} + instruction.inputs;
    for (std::uint32_t k = 0; k < count; ++k) {
      if (trace_.tensor(trace_.operands[instruction.first_operand + k]).region == Region::kSbuf) {
        return true;
      }
    }
    return false;
  }

  Step dma_step(std::uint32_t queue, DmaRequest request, std::uint32_t trace_index) {
    Step step;
    step.opcode = Opcode::kDmaCopy;
    step.kind = StepKind::kDmaTrigger;
    step.trace_index = trace_index;
    step.dma_queue = static_cast<std::uint8_t>(queue);
    step.dma = static_cast<std::uint32_t>(program_.dmas.size());
    program_.hbm_read_bytes += request.plan.hbm_read_bytes;
    program_.hbm_write_bytes += request.plan.hbm_write_bytes;
    request.trace_index = trace_index;
    program_.dmas.push_back(std::move(request));
    return step;
  }

  void emit_dma(const Instruction& instruction) {
    const Engine trigger = dma_trigger(trace_, instruction, program_.options.compiled);
    const trace::Operand& dst = trace_.outputs(instruction)[0];
    const trace::Operand& src = trace_.inputs(instruction)[0];
    DmaRequest request;
    request.queue = queue_index(queue_names_->name(instruction, trigger), trigger);
    request.mode = dma_mode(trace_, core_, instruction, trigger);
    request.plan = timing::plan_dma(core_, trace_, instruction);
    const trace::Operand& hbm = trace_.tensor(src).region == Region::kHbm ? src : dst;
    request.hbm_address = hbm_base_[hbm.tensor] + request.plan.hbm_first_byte;
    const QueueId access_queue = kFirstDmaQueue + request.queue;
    const std::uint32_t queue = request.queue;
    const Needs& needs =
        access(instruction, access_queue, emitter_->next_count(access_queue));
    Step step = dma_step(queue, std::move(request), own_index());
    step.opcode = instruction.opcode;
    step.source = instruction.source;
    emitter_->emit(trigger, access_queue, step, needs);
    ++program_.trace_instructions;
  }

  void emit_move(const TileMove& move) {
    const trace::Tensor& tensor = trace_.tensors[move.tensor];
    const std::uint64_t bytes = tensor.free_elements * size_bytes(tensor.dtype);
    if (spill_base_[move.tensor] == kNotSpilled) {
      spill_base_[move.tensor] = program_.hbm_footprint_bytes;
      program_.hbm_footprint_bytes +=
          (bytes * tensor.partitions + kHbmAlignment - 1) / kHbmAlignment * kHbmAlignment;
    }
    DmaRequest request;
    request.queue = queue_index(std::string(kSpillQueue), Engine::kSync);
    request.mode =
        timing::dge_mode(core_.dma, trace::DgeRequest::kUnknown, Engine::kSync, false, false);
    request.spill = true;
    request.plan = timing::plan_tile_move(core_, tensor.pinned_partition, tensor.partitions, bytes,
                                          move.to_hbm);
    request.hbm_address = spill_base_[move.tensor];
    const QueueId access_queue = kFirstDmaQueue + request.queue;
    const Needs& needs = tracker_->move(move, access_queue, emitter_->next_count(access_queue));
    const std::uint32_t queue = request.queue;
    emitter_->emit(Engine::kSync, access_queue, dma_step(queue, std::move(request), trace::kNone),
                   needs);
  }

  void choose_main_dtype() {
    const auto most = std::max_element(program_.matmul_flops.begin(), program_.matmul_flops.end());
    if (*most > 0) {
      program_.main_dtype = static_cast<DType>(most - program_.matmul_flops.begin());
    }
  }

  struct OpenLoop {
    bool rolled = false;
    std::array<std::size_t, trace::kEngineCount> lengths{};  // of the streams at its begin
  };

  const Trace& trace_;
  const spec::CoreSpec& core_;
  std::vector<std::uint32_t> order_;
  std::vector<Engine> engines_;          // that the order is made for; kUnassigned: chooser_
  std::vector<std::uint32_t> original_;
  Program& program_;
  Residency residency_;
  EngineChooser chooser_;
  std::unique_ptr<DmaQueueNames> queue_names_;
  std::unique_ptr<AccessTracker> tracker_;
  std::unique_ptr<ReplayEdges> replay_;  // instead, when a profile is replayed
  std::unique_ptr<Needs> no_needs_;
  std::unique_ptr<Emitter> emitter_;
  std::vector<std::uint64_t> hbm_base_;
  std::vector<std::uint64_t> spill_base_;
  std::vector<bool> elidable_;
  bool loads_tables_ = false;  // the trace says itself when an activation table is loaded
  std::vector<Interval> intervals_;
  std::vector<OpenLoop> loops_;
  std::uint32_t index_ = 0;
};

}  // namespace

std::uint64_t Program::hardware_instructions() const {
  std::uint64_t count = 0;
  for (const std::vector<Step>& stream : streams) {
    for (const Step& step : stream) {
      count += step.kind == StepKind::kMatmulPair ? 2 : 1;
    }
  }
  return count;
}

std::shared_ptr<const Program> lower(const Trace& trace, const spec::CoreSpec& core,
                                     const Options& options) {
  auto program = std::make_shared<Program>();
  program->kernel = trace.kernel;
  program->lnc = trace.lnc;
  for (const trace::SourceLine& source : trace.sources) {
    program->sources.push_back({trace.string(source.file), source.line});
  }
  program->options = options;
  if (options.compiled) {
    Forwarded forwarded = forward_copies(trace, core);
    Lowering(forwarded.trace, core, options, issue_order(forwarded.trace, core, options),
             std::move(forwarded.original), *program)
        .run();
  } else {
    Lowering(trace, core, options, issue_order(trace, core, options), {}, *program).run();
  }
  double counted = 0;
  for (const double flops : program->matmul_flops) {
    counted += flops;
  }
  program->model_flops = trace.model_flops > 0 ? trace.model_flops : counted;
  return program;
}

}  // namespace trnsim::lower
