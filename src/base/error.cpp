// Error formatting and typo suggestions.
#include "trnsim/base/error.h"

#include <algorithm>
#include <cstddef>
#include <numeric>
#include <tuple>

namespace trnsim {
namespace {

std::string join(const std::vector<Finding>& findings) {
  std::string text;
  for (const Finding& finding : findings) {
    if (!text.empty()) {
      text += '\n';
    }
    text += finding.text();
  }
  return text;
}

std::vector<Finding> sorted(std::vector<Finding> findings) {
  std::stable_sort(findings.begin(), findings.end(), [](const Finding& a, const Finding& b) {
    return std::tie(a.where.file, a.where.line, a.where.column) <
           std::tie(b.where.file, b.where.line, b.where.column);
  });
  return findings;
}

std::size_t edit_distance(const std::string& a, const std::string& b) {
  std::vector<std::size_t> row(b.size() + 1);
  std::iota(row.begin(), row.end(), std::size_t{0});
  for (std::size_t i = 1; i <= a.size(); ++i) {
    std::size_t diagonal = row[0];
    row[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const std::size_t above = row[j];
      row[j] = std::min({above + 1, row[j - 1] + 1, diagonal + (a[i - 1] == b[j - 1] ? 0U : 1U)});
      diagonal = above;
    }
  }
  return row[b.size()];
}

}  // namespace

std::string Finding::text() const {
  std::string text;
  if (!where.file.empty()) {
    text += where.file + ":";
    if (where.line > 0) {
      text += fmt::format("{}:", where.line);
      if (where.column > 0) {
        text += fmt::format("{}:", where.column);
      }
    }
    text += " ";
  }
  text += what;
  if (!hint.empty()) {
    text += "; " + hint;
  }
  return text;
}

Error::Error(std::string what, Location where, std::string hint)
    : Error(std::vector<Finding>{{std::move(where), std::move(what), std::move(hint)}}) {}

Error::Error(std::vector<Finding> findings)
    : std::runtime_error(join(sorted(findings))), findings_(sorted(std::move(findings))) {}

void throw_internal(const char* file, int line, const char* condition, const std::string& message) {
  throw InternalError(fmt::format("{}:{}: {} ({})", file, line, message, condition));
}

std::string nearest_name(const std::string& word, const std::vector<std::string>& names) {
  std::string best;
  // A third of the word may differ, in words of up to three letters one.
  const std::size_t most = word.size() <= 3 ? 1 : std::max<std::size_t>(2, word.size() / 3);
  std::size_t best_distance = most + 1;
  for (const std::string& name : names) {
    const std::size_t distance = edit_distance(word, name);
    if (distance < best_distance) {
      best_distance = distance;
      best = name;
    }
  }
  return best;
}

std::string did_you_mean(const std::string& word, const std::vector<std::string>& names) {
  const std::string near = nearest_name(word, names);
  return near.empty() ? std::string{} : fmt::format("did you mean '{}'?", near);
}

}  // namespace trnsim
