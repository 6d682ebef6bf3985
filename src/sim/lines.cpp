// Sums step accounts by line and names the line that was waited for longest.
#include "lines.h"

#include <map>
#include <utility>

namespace trnsim::sim {
namespace {

constexpr std::uint32_t kUnknown = UINT32_MAX;

// Source of the instruction that makes the count-th completion of a queue.
class Producers {
 public:
  explicit Producers(const lower::Program& program) : program_(program) {
    std::vector<std::uint32_t> source_of_dma(program.dmas.size(), kUnknown);
    for (const std::vector<lower::Step>& stream : program.streams) {
      for (const lower::Step& step : stream) {
        if (step.kind == lower::StepKind::kDmaTrigger) {
          source_of_dma[step.dma] = step.source;
        }
      }
    }
    dma_sources_.resize(program.dma_queues.size());
    for (std::size_t dma = 0; dma < program.dmas.size(); ++dma) {
      dma_sources_[program.dmas[dma].queue].push_back(source_of_dma[dma]);
    }
  }

  [[nodiscard]] std::uint32_t source(lower::Wait wait) const {
    if (wait.queue < lower::kFirstDmaQueue) {
      return program_.streams[wait.queue][wait.count - 1].source;
    }
    return dma_sources_[wait.queue - lower::kFirstDmaQueue][wait.count - 1];
  }

 private:
  const lower::Program& program_;
  std::vector<std::vector<std::uint32_t>> dma_sources_;
};

struct LineSum {
  LineRecord record;
  std::map<std::pair<lower::QueueId, std::uint32_t>, std::uint64_t> waited;  // queue, source -> fs
};

void name_source(const lower::Program& program, std::uint32_t source, std::string& file,
                 std::uint32_t& line) {
  if (source != kUnknown) {
    file = program.sources[source].file;
    line = program.sources[source].line;
  }
}

void name_longest_wait(const lower::Program& program, LineSum& sum) {
  LineRecord& record = sum.record;
  for (const auto& [what, time] : sum.waited) {
    if (time <= record.waited_fs) {
      continue;
    }
    record.waited_fs = time;
    record.waited_queue = what.first < lower::kFirstDmaQueue
                              ? std::string(trace::name(static_cast<trace::Engine>(what.first)))
                              : program.dma_queues[what.first - lower::kFirstDmaQueue].name;
    record.waited_file.clear();
    record.waited_line = 0;
    name_source(program, what.second, record.waited_file, record.waited_line);
  }
}

void collect_engine(RunRecord& record, const lower::Program& program, const Producers& producers,
                    trace::Engine engine, const models::StepAccounts& accounts) {
  const std::vector<lower::Step>& stream = program.streams[static_cast<std::size_t>(engine)];
  std::map<std::uint32_t, LineSum> lines;
  for (std::size_t i = 0; i < accounts.size(); ++i) {
    LineSum& sum = lines[stream[i].source];
    ++sum.record.steps;
    sum.record.busy_fs += accounts[i].busy.count;
    sum.record.idle_fs += accounts[i].idle.count;
    if (accounts[i].waited.count > 0 && accounts[i].idle.count > 0) {
      const lower::Wait wait = accounts[i].waited;
      sum.waited[{wait.queue, producers.source(wait)}] += accounts[i].idle.count;
    }
  }
  for (auto& [source, sum] : lines) {
    sum.record.engine = engine;
    name_source(program, source, sum.record.file, sum.record.line);
    name_longest_wait(program, sum);
    record.lines.push_back(std::move(sum.record));
  }
}

bool kept_accounts(const models::NeuronCore& core) {
  for (int e = 0; e < trace::kEngineCount; ++e) {
    if (!core.accounts(static_cast<trace::Engine>(e)).empty()) {
      return true;
    }
  }
  return false;
}

}  // namespace

void collect_lines(RunRecord& record, const models::Machine& machine) {
  for (const models::NeuronCore* core : machine.cores()) {
    if (!kept_accounts(*core)) {
      continue;
    }
    const Producers producers(*core->program());
    for (int e = 0; e < trace::kEngineCount; ++e) {
      const auto engine = static_cast<trace::Engine>(e);
      collect_engine(record, *core->program(), producers, engine, core->accounts(engine));
    }
    return;
  }
}

}  // namespace trnsim::sim
