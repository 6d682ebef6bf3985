// import_profile: rows to instructions, semaphores to edges, in an order that respects both.
#include <algorithm>
#include <array>
#include <cctype>
#include <map>
#include <set>

#include "profile_instruction.h"
#include "trnsim/base/error.h"
#include "trnsim/trace/profile.h"

namespace trnsim::trace {
namespace {

// Who raises each semaphore: for an engine's the k-th entry brings it to k, for a DMA's to k x step.
struct Semaphore {
  std::vector<std::size_t> raisers;   // indices of pending instructions
  std::uint64_t step = 1;
};

class Importer {
 public:
  Importer(ImportedProfile& imported, const std::string& path) : imported_(imported), path_(path) {}

  void run() {
    group_rows();
    collect_semaphores();
    for (const PendingInstruction& pending : pending_) {
      for (const ProfileAccess& access : pending.outputs) {
        tensors_.add(access, true);
      }
      for (const ProfileAccess& access : pending.inputs) {
        tensors_.add(access, false);
      }
    }
    tensors_.declare(builder_);
    emit_all();
    finish();
  }

 private:
  [[noreturn]] void fail(const ProfileRow& row, const std::string& what) const {
    throw Error(fmt::format("{} row {} ({}, at {} ns): {}", name(row.engine), row.pc, row.opcode,
                            row.start_ns, what),
                {path_});
  }

  void group_rows() {
    const std::vector<ProfileRow>& rows = imported_.profile.rows;
    for (std::uint32_t r = 0; r < rows.size();) {
      try {
        pending_.push_back(take_instruction(rows, r, warnings_));
      } catch (const Error& error) {
        fail(rows[r], error.findings().front().what);
      }
      r += static_cast<std::uint32_t>(pending_.back().rows.size());
    }
  }

  void collect_semaphores() {
    for (std::size_t p = 0; p < pending_.size(); ++p) {
      for (const auto& [number, step] : pending_[p].raises) {
        Semaphore& semaphore = semaphores_[number];
        semaphore.raisers.push_back(p);
        semaphore.step = step;
      }
    }
  }

  // Instructions that must have completed before `pending` starts.
  std::set<std::size_t> predecessors(const PendingInstruction& pending) const {
    std::set<std::size_t> found;
    for (const SemaphoreWait& wait : pending.waits) {
      const auto semaphore = semaphores_.find(wait.number);
      if (wait.value == 0) {
        continue;
      }
      const std::uint64_t k = semaphore == semaphores_.end()
                                  ? UINT64_MAX
                                  : (wait.value - 1) / semaphore->second.step;
      if (semaphore == semaphores_.end() || k >= semaphore->second.raisers.size()) {
        fail(imported_.profile.rows[pending.rows.front()],
             fmt::format("waits for semaphore {} to reach {}, nothing raises it so far",
                         wait.number, wait.value));
      }
      found.insert(semaphore->second.raisers[k]);
    }
    return found;
  }

  // Merges the engines' streams: of the heads whose waits are met, the one that started first.
  void emit_all() {
    std::array<std::vector<std::size_t>, kEngineCount> streams;
    std::array<std::size_t, kEngineCount> heads{};
    for (std::size_t p = 0; p < pending_.size(); ++p) {
      streams[static_cast<std::size_t>(pending_[p].engine)].push_back(p);
    }
    std::vector<std::uint32_t> index_of(pending_.size(), kNone);
    for (std::size_t done = 0; done < pending_.size(); ++done) {
      std::size_t best = SIZE_MAX;
      for (std::size_t e = 0; e < streams.size(); ++e) {
        if (heads[e] == streams[e].size()) {
          continue;
        }
        const std::size_t p = streams[e][heads[e]];
        const std::set<std::size_t> needs = predecessors(pending_[p]);
        const bool ready = std::all_of(needs.begin(), needs.end(),
                                       [&](std::size_t n) { return index_of[n] != kNone; });
        if (ready && (best == SIZE_MAX || start_of(p) < start_of(best))) {
          best = p;
        }
      }
      if (best == SIZE_MAX) {
        throw Error("its semaphores wait for each other in a circle", {path_});
      }
      ++heads[static_cast<std::size_t>(pending_[best].engine)];
      index_of[best] = emit(pending_[best]);
      for (const std::size_t need : predecessors(pending_[best])) {
        edges_.push_back({index_of[best], index_of[need]});
      }
    }
  }

  [[nodiscard]] std::int64_t start_of(std::size_t p) const {
    return imported_.profile.rows[pending_[p].rows.front()].start_ns;
  }

  std::uint32_t emit(const PendingInstruction& pending) {
    std::vector<View> outputs;
    std::vector<View> inputs;
    for (const ProfileAccess& access : pending.outputs) {
      outputs.push_back(tensors_.view(access));
    }
    for (const ProfileAccess& access : pending.inputs) {
      inputs.push_back(tensors_.view(access));
    }
    imported_.rows_of.push_back(pending.rows);
    return builder_.emit(pending.opcode, pending.engine, outputs, inputs, pending.attributes);
  }

  void finish() {
    imported_.trace = builder_.take();
    imported_.trace.kernel = imported_.profile.kernel;
    imported_.trace.edges = std::move(edges_);
    std::sort(imported_.trace.edges.begin(), imported_.trace.edges.end());
    for (const auto& [what, count] : warnings_) {
      imported_.warnings.push_back(fmt::format("{} ({} row{})", what, count, count == 1 ? "" : "s"));
    }
    try {
      validate(imported_.trace);
    } catch (const Error& error) {
      throw Error(error.findings().front().what, {path_});
    }
  }

  ImportedProfile& imported_;
  const std::string& path_;
  std::vector<PendingInstruction> pending_;
  std::map<std::uint32_t, Semaphore> semaphores_;
  ProfileTensors tensors_;
  TraceBuilder builder_{"", "Neuron profiler export"};
  std::vector<Edge> edges_;
  ImportWarnings warnings_;
};

}  // namespace

ImportedProfile import_profile(const std::string& path) {
  ImportedProfile imported;
  imported.profile = read_profile(path);
  Importer(imported, path).run();
  return imported;
}

}  // namespace trnsim::trace
