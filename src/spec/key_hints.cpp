// Helpful answers to an unknown key: wrong unit, wrong group, typo.
#include <algorithm>
#include <array>
#include <cctype>

#include "resolve.h"

namespace trnsim::spec {
namespace {

bool is_unit(std::string word) {
  static constexpr std::array kUnits = {
      "fs",  "ps",   "ns",   "us",    "ms",    "s",       "hz",     "khz",    "mhz",    "ghz",
      "b",   "kb",   "mb",   "gb",    "tb",    "kib",     "mib",    "gib",    "bytes",  "bits",
      "bps", "mbps", "gbps", "tbps",  "gibps", "cycles",  "tflops", "pflops", "gflops", "w",
      "mw",  "kw",   "cyc",  "cycle", "sec",   "seconds", "byte",   "watts"};
  std::transform(word.begin(), word.end(), word.begin(),
                 [](unsigned char letter) { return static_cast<char>(std::tolower(letter)); });
  return std::find(kUnits.begin(), kUnits.end(), word) != kUnits.end();
}

// "clock_ghz" -> "clock": the key without its units.
std::string stem(const std::string& key) {
  std::string result;
  std::size_t start = 0;
  while (start <= key.size()) {
    const std::size_t end = std::min(key.find('_', start), key.size());
    const std::string word = key.substr(start, end - start);
    if (!is_unit(word)) {
      result += word + "_";
    }
    start = end + 1;
  }
  return result;
}

}  // namespace

std::string unknown_key_hint(const std::string& word, const KeyNode& group) {
  const std::vector<std::string> names = group.child_names();
  for (const KeyNode& key : group.children) {
    if (!key.unit.empty() && stem(word) == stem(key.key) && stem(word) != "_") {
      return fmt::format("the unit is part of the key: '{}' in {}", key.key, key.unit);
    }
  }
  if (const std::string hint = did_you_mean(word, names); !hint.empty()) {
    return hint;
  }
  std::vector<std::string> elsewhere;
  for (const KeyPath& path : key_paths()) {
    if (path.key->key == word) {
      elsewhere.push_back(path.path);
    }
  }
  constexpr std::size_t kMostShown = 4;
  if (!elsewhere.empty() && elsewhere.size() <= kMostShown) {
    return fmt::format("it belongs at {}", fmt::join(elsewhere, " or "));
  }
  return fmt::format("keys here: {}", fmt::join(names, ", "));
}

}  // namespace trnsim::spec
