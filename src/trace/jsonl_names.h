// The vocabulary of the JSON Lines form: keys, role names and typo hints for them.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "trnsim/trace/ir.h"

namespace trnsim::trace {

// The key that tells what a record is, in the order in which a file usually has them.
inline constexpr std::array<std::string_view, 7> kRecordKinds{
    "trnsim_trace", "string", "pattern", "attribute_set", "source_line", "tensor", "opcode"};

inline constexpr std::array<std::string_view, 4> kRoleNames{"temporary", "input", "output",
                                                            "constant"};

// All names of an enum whose values count from 0.
template <typename Enum, int kCount>
std::vector<std::string> names_of() {
  std::vector<std::string> names;
  for (int i = 0; i < kCount; ++i) {
    names.emplace_back(name(static_cast<Enum>(i)));
  }
  return names;
}

// Lowest id of each content. Later equal entries need their id written out.
struct ContentIds {
  std::map<std::string, std::uint32_t, std::less<>> strings;
  std::map<Pattern, std::uint32_t> patterns;
  std::map<Attributes, std::uint32_t> attributes;
  std::map<SourceLine, std::uint32_t> sources;
};

// How an instruction names a tensor: its name, with "#id" appended where `shared` says that the
// name alone is not enough.
[[nodiscard]] std::string tensor_reference(const std::string& name, std::uint32_t id, bool shared);
// Splits "name#id"; id is kNone if there is none. Returns false if what follows '#' is no id.
[[nodiscard]] bool split_tensor_reference(const std::string& text, std::string& name,
                                          std::uint32_t& id);

}  // namespace trnsim::trace
