// Options that every kind of `trnsim run` has.
#pragma once

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
  std::string order = "program";
  std::string engines = "rule";
  std::string alloc = "rotate";
  std::uint32_t copies = 1;
  std::uint32_t lnc = 0;
  bool by_line = false;
  bool quiet = false;
  bool verbose = false;

  // trace: also what only a trace file takes.
  void declare(CLI::App& app, bool trace);
  // Throws Error: policy names, outputs that cannot be written.
  void check() const;
  // The system, with its warnings on standard error. Throws Error.
  [[nodiscard]] spec::LoadedSystem load() const;
  [[nodiscard]] lower::Options lowering() const;
};

}  // namespace trnsim::cli
