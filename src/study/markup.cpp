// What the reports share.
#include "markup.h"

#include <algorithm>

#include "trnsim/base/error.h"

namespace trnsim::study {

std::string cell(std::string text) {
  for (std::size_t at = 0; (at = text.find('|', at)) != std::string::npos; at += 2) {
    text.insert(at, "\\");
  }
  std::replace(text.begin(), text.end(), '\n', ' ');
  return text;
}

std::string escaped(const std::string& text) {
  std::string out;
  for (const char c : text) {
    switch (c) {
      case '<':
        out += "&lt;";
        break;
      case '>':
        out += "&gt;";
        break;
      case '&':
        out += "&amp;";
        break;
      case '"':
        out += "&quot;";
        break;
      default:
        out += c;
    }
  }
  return out;
}

std::string wrapped(const std::string& margin, std::string text) {
  constexpr std::size_t kWidth = 80;
  std::string out;
  while (margin.size() + text.size() > kWidth) {
    const std::size_t space = text.rfind(' ', kWidth - margin.size());
    if (space == std::string::npos || space == 0) {
      break;
    }
    out += margin + text.substr(0, space) + "\n";
    text.erase(0, space + 1);
  }
  return out + margin + text + "\n";
}

std::vector<const CaseResult*> profile_results(const Validation& validation,
                                               const std::string& class_name) {
  std::vector<const CaseResult*> rows;
  for (const CaseResult& result : validation.results) {
    if (result.profile && (class_name.empty() || result.one->class_name == class_name)) {
      rows.push_back(&result);
    }
  }
  return rows;
}

std::string worst_engine_text(const ProfileFit& fit) {
  const EngineBusy* engine = fit.worst_engine();
  return engine == nullptr ? "" : fmt::format("{:.1f} % ({})", 100 * engine->error(), engine->engine);
}

std::string worst_opcode_text(const ProfileFit& fit) {
  const OpcodeError* opcode = fit.worst_opcode();
  return opcode == nullptr ? ""
                           : fmt::format("{:.1f} % ({} {})", 100 * opcode->median_error,
                                         opcode->engine, opcode->opcode);
}

std::vector<Apart> apart_rows(const Validation& validation) {
  std::vector<Apart> rows;
  for (const CaseResult& result : validation.results) {
    if (result.outcome != Outcome::kDone) {
      rows.push_back({result.one->id, result.outcome == Outcome::kFailed ? "failed" : "skipped",
                      result.reason});
    }
  }
  for (const ValidationFile& file : validation.files) {
    for (const NotRebuilt& row : file.not_rebuilt) {
      rows.push_back({row.ids, "not rebuilt", row.reason});
    }
  }
  return rows;
}

}  // namespace trnsim::study
