// Word wrap with a hanging indent.
#include "text_wrap.h"

#include <algorithm>
#include <sstream>

namespace trnsim::spec {

std::string wrapped(const std::string& head, const std::string& text) {
  constexpr std::size_t kColumns = 80;
  constexpr std::size_t kDeepest = 57;
  const std::string indent(std::min(head.size(), kDeepest), ' ');
  std::string out;
  std::string line = head;
  bool line_has_word = false;
  std::istringstream words(text);
  for (std::string word; words >> word;) {
    const bool fits = line.size() + (line_has_word ? 1 : 0) + word.size() <= kColumns;
    if (!fits && (line_has_word || line.size() > indent.size())) {
      line.erase(line.find_last_not_of(' ') + 1);
      out += line + "\n";
      line = indent;
      line_has_word = false;
    }
    line += (line_has_word ? " " : "") + word;
    line_has_word = true;
  }
  line.erase(line.find_last_not_of(' ') + 1);
  return out + line + "\n";
}

}  // namespace trnsim::spec
