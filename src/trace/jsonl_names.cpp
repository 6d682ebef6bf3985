// Tensor references of the JSON Lines form.
#include "jsonl_names.h"

#include <fmt/format.h>

#include <charconv>

namespace trnsim::trace {

std::string tensor_reference(const std::string& name, std::uint32_t id, bool shared) {
  const bool plain = !shared && !name.empty() && name.find('#') == std::string::npos;
  return plain ? name : fmt::format("{}#{}", name, id);
}

bool split_tensor_reference(const std::string& text, std::string& name, std::uint32_t& id) {
  const std::size_t mark = text.rfind('#');
  name = text.substr(0, mark);
  id = kNone;
  if (mark == std::string::npos) {
    return true;
  }
  const char* const end = text.data() + text.size();
  const auto [stop, code] = std::from_chars(text.data() + mark + 1, end, id);
  return code == std::errc{} && stop == end && id != kNone;
}

}  // namespace trnsim::trace
