// Options that every kind of `trnsim run` has.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "parse.h"
#include "trnsim/lower/options.h"
#include "trnsim/spec/loader.h"
#include "trnsim/workload/placement.h"

namespace trnsim::cli {

struct RunFlags {
  std::string system = "trn2-core";
  std::vector<std::string> overrides;
  std::string json;
  std::string csv;
  std::string timeline;
  std::vector<std::uint32_t> timeline_cores{0};
  std::string order = "auto";
  std::string engines = "auto";
  std::string alloc = "rotate";
  std::uint32_t copies = 1;
  std::uint32_t lnc = 0;
  bool by_line = false;
  bool replay = false;
  bool quiet = false;
  bool verbose = false;

  // trace: also what only a trace file takes.
  void declare(CLI::App& app, bool trace);
  // Throws Error: policy names, outputs that cannot be written.
  void check() const;
  // The system, with its warnings on standard error. Throws Error.
  [[nodiscard]] spec::LoadedSystem load() const;
  // auto: by its author, program order and the documented engine rules; by the compiler of NKI beta 1, its
  // order; unknown, program order and balanced engines.
  [[nodiscard]] lower::Options lowering(
      workload::Scheduling scheduling = workload::Scheduling::kAuthor) const;
  // The same with a look-ahead, for the other end of the bracket; nothing if the order is known.
  [[nodiscard]] std::optional<lower::Options> look_ahead(workload::Scheduling scheduling) const;
};

}  // namespace trnsim::cli
