// One simulation: elaborate, load, run, collect.
#include "trnsim/sim/simulate.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <set>

#include "collect.h"
#include "kernel_scope.h"
#include "system/machine.h"
#include "trnsim/base/error.h"

namespace trnsim::sim {
namespace {

// A system of part of a chip leaves a stack to fewer cores.
std::uint64_t hbm_share_bytes(const spec::SystemSpec& system) {
  const double stack = system.chip.hbm.capacity_gib_per_stack * 1024.0 * 1024.0 * 1024.0;
  return static_cast<std::uint64_t>(
      stack / std::min(system.chip.cores_per_hbm_stack, system.cores_per_chip_used));
}

// Neighbouring cores that run the two programs of a logical NeuronCore meet each other.
void join_pairs(models::Machine& machine, const spec::SystemSpec& system) {
  const std::vector<models::NeuronCore*>& cores = machine.cores();
  for (std::uint32_t c = 0; c + 1 < cores.size(); ++c) {
    const std::uint32_t in_chip = c % system.cores_per_chip_used;
    if (in_chip % 2 != 0 || in_chip + 1 >= system.cores_per_chip_used || !cores[c]->loaded() ||
        !cores[c + 1]->loaded() || cores[c]->program()->lnc != 2 ||
        cores[c + 1]->program()->lnc != 2) {
      continue;
    }
    const std::uint32_t mine = cores[c]->program()->meetings;
    const std::uint32_t theirs = cores[c + 1]->program()->meetings;
    if (mine != theirs) {
      throw Error(fmt::format("kernel '{}': program 0 meets the other core {} times, program 1 {} times",
                              cores[c]->program()->kernel, mine, theirs));
    }
    cores[c]->join_pair(0);
    cores[c + 1]->join_pair(1);
  }
}

void load(models::Machine& machine, const spec::SystemSpec& system, const Job& job,
          const Options& options) {
  const std::set<std::uint32_t> recorded(options.timeline_cores.begin(),
                                         options.timeline_cores.end());
  const std::uint64_t share = hbm_share_bytes(system);
  bool wants_accounts = options.by_line;
  for (std::uint32_t c = 0; c < job.programs.size(); ++c) {
    if (job.programs[c] == nullptr) {
      continue;
    }
    const lower::Program& program = *job.programs[c];
    if (program.hbm_footprint_bytes > share) {
      throw Error(fmt::format("kernel '{}' needs {:.2f} GiB of HBM on one core, its share is {:.2f} GiB",
                              program.kernel, static_cast<double>(program.hbm_footprint_bytes) / 0x1p30,
                              static_cast<double>(share) / 0x1p30),
                  {}, "split the problem over more cores");
    }
    const std::uint32_t in_pair = (c % system.cores_per_chip_used) % system.chip.cores_per_hbm_stack;
    machine.cores()[c]->load(program, in_pair * share, recorded.contains(c), wants_accounts);
    wants_accounts = false;
  }
  join_pairs(machine, system);
  for (models::NeuronCore* core : machine.cores()) {
    if (core->loaded()) {
      core->begin(Femtos{0});
    }
  }
}

void check_finished(const models::Machine& machine) {
  constexpr std::size_t kMostLines = 12;
  std::vector<std::string> lines;
  for (const models::NeuronCore* core : machine.cores()) {
    if (core->loaded() && !core->finished()) {
      for (std::string& line : core->unfinished()) {
        lines.push_back(std::move(line));
      }
    }
  }
  if (lines.empty()) {
    return;
  }
  std::string text = "the kernel deadlocks; still waiting:";
  for (std::size_t i = 0; i < std::min(lines.size(), kMostLines); ++i) {
    text += "\n  " + lines[i];
  }
  if (lines.size() > kMostLines) {
    text += fmt::format("\n  and {} more", lines.size() - kMostLines);
  }
  throw Error(text);
}

}  // namespace

RunRecord simulate(const spec::SystemSpec& system, const Job& job, const Options& options) {
  TRNSIM_CHECK(job.programs.size() == system.cores(), "{} programs for {} cores",
               job.programs.size(), system.cores());
  const auto began = std::chrono::steady_clock::now();
  const KernelScope kernel;
  RunRecord record;
  {
    models::Machine machine("system", system);
    machine.agenda().stop_when(options.stop_flag);
    load(machine, system, job, options);
    if (!machine.agenda().empty()) {  // else SystemC warns on standard output
      sc_core::sc_start();
    }
    if (machine.agenda().failure()) {
      std::rethrow_exception(machine.agenda().failure());
    }
    if (machine.agenda().interrupted()) {
      throw Interrupted();
    }
    check_finished(machine);
    record = collect(machine, job);
  }
  record.wall_seconds =
      std::chrono::duration<double>(std::chrono::steady_clock::now() - began).count();
  return record;
}

}  // namespace trnsim::sim
