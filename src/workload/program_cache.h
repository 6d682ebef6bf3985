// Shares one Program among all cores with the same block.
#pragma once

#include <functional>
#include <map>
#include <memory>

#include "trnsim/lower/program.h"

namespace trnsim::workload {

template <typename Key>
class ProgramCache {
 public:
  using Program = std::shared_ptr<const lower::Program>;

  Program get(const Key& key, const std::function<Program()>& build) {
    Program& program = programs_[key];
    if (program == nullptr) {
      program = build();
    }
    return program;
  }
  [[nodiscard]] std::size_t size() const { return programs_.size(); }

 private:
  std::map<Key, Program> programs_;
};

}  // namespace trnsim::workload
