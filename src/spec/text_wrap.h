// Word wrap with a hanging indent.
#pragma once

#include <string>

namespace trnsim::spec {

// `head` and `text` in lines of at most 80 columns (longer only for a word that does not fit),
// every line ended; continuation lines are indented by the length of `head`, at most 57 columns.
[[nodiscard]] std::string wrapped(const std::string& head, const std::string& text);

}  // namespace trnsim::spec
