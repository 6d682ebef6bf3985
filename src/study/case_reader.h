// How one case is spelt in YAML: what runs, on what, and what was measured.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "trnsim/study/validation_file.h"
#include "yaml_reader.h"

namespace trnsim::study {

class CaseReader {
 public:
  explicit CaseReader(YamlReader& yaml) : yaml_(yaml) {}

  // Keys of a case, of the defaults of all cases, and those a case must have in the end.
  [[nodiscard]] static std::vector<std::string> whole();
  [[nodiscard]] static std::vector<std::string> defaults();
  [[nodiscard]] static std::vector<std::string> needed();

  // Reads what is there into `one`; false where `node` is no map. Keys not in `keys` are findings.
  bool read(const YAML::Node& node, const std::vector<std::string>& keys, ValidationCase& one);
  // What only the whole case shows: missing keys of `needed`, parameters a kernel does not take.
  void check(const YAML::Node& node, const std::vector<std::string>& needed,
             const ValidationCase& one);
  // Scalars by name; YAML's true, false and null as Python spells them, lists as Python lists.
  std::vector<std::pair<std::string, std::string>> pairs(const YAML::Node& map, const char* what);

 private:
  void read_run(const YAML::Node& node, RunRecipe& run);
  void read_measured(const YAML::Node& node, Measured& measured);
  void read_collective(const YAML::Node& node, RunRecipe& run);
  void check_kernel(const YAML::Node& node, const RunRecipe& run);
  void check_collective(const YAML::Node& node, const ValidationCase& one);

  YamlReader& yaml_;
};

}  // namespace trnsim::study
