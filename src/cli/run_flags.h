// Options that every kind of `trnsim run` has.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "parse.h"
#include "trnsim/lower/options.h"
#include "trnsim/spec/loader.h"

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
  // auto: as the kernel was compiled. hand_scheduled: program order and the documented engine rules;
  // else (a compiler schedules it) program order and balanced engines.
  [[nodiscard]] lower::Options lowering(bool hand_scheduled = true) const;
  // The same with a look-ahead, for the other end of the bracket; nothing if order was given.
  [[nodiscard]] std::optional<lower::Options> look_ahead(bool hand_scheduled) const;
};

}  // namespace trnsim::cli
