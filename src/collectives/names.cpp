// Names of operations and algorithms.
#include <array>

#include "trnsim/base/error.h"
#include "trnsim/collectives/dag.h"

namespace trnsim::collectives {
namespace {

constexpr std::array kOps{"all_reduce", "all_gather", "reduce_scatter",
                          "all_to_all", "broadcast",  "permute"};
constexpr std::array kAlgorithms{
    "auto", "ring",         "kangaring", "mesh",        "single_step_mesh",
    "rdh",  "hierarchical", "pod_mesh",  "switch_mesh", "direct"};

template <class Value, class Names>
Value parse(const char* what, const std::string& text, const Names& names) {
  for (std::size_t i = 0; i < names.size(); ++i) {
    if (text == names[i]) {
      return static_cast<Value>(i);
    }
  }
  const std::vector<std::string> known(names.begin(), names.end());
  std::string hint = did_you_mean(text, known);
  if (hint.empty()) {
    hint = fmt::format("use {}", fmt::join(known, ", "));
  }
  throw Error(fmt::format("unknown {} '{}'", what, text), {}, hint);
}

}  // namespace

const char* name(Op op) {
  return kOps[static_cast<std::size_t>(op)];
}
const char* name(Algorithm algorithm) {
  return kAlgorithms[static_cast<std::size_t>(algorithm)];
}
Op parse_op(const std::string& text) {
  return parse<Op>("collective", text, kOps);
}
Algorithm parse_algorithm(const std::string& text) {
  return parse<Algorithm>("collective algorithm", text, kAlgorithms);
}

}  // namespace trnsim::collectives
