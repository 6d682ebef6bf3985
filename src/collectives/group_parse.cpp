// Replica groups as text.
#include <algorithm>
#include <charconv>
#include <string_view>

#include "trnsim/base/error.h"
#include "trnsim/collectives/group.h"

namespace trnsim::collectives {
namespace {

constexpr std::string_view kHint =
    "write 'all', '0-15', '0,4,8;1,5,9' (groups separated by ';') or 'chips:0-3'";

std::vector<std::string_view> split(std::string_view text, char separator) {
  std::vector<std::string_view> parts;
  for (std::size_t at = 0;;) {
    const std::size_t end = text.find(separator, at);
    parts.push_back(text.substr(at, end - at));
    if (end == std::string_view::npos) {
      return parts;
    }
    at = end + 1;
  }
}

std::string_view trim(std::string_view text) {
  const std::size_t first = text.find_first_not_of(" \t");
  if (first == std::string_view::npos) {
    return {};
  }
  return text.substr(first, text.find_last_not_of(" \t") - first + 1);
}

std::uint32_t number(std::string_view text, std::string_view whole) {
  text = trim(text);
  std::uint32_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size()) {
    throw Error(fmt::format("'{}' in replica groups '{}' is not a number", text, whole), {},
                std::string(kHint));
  }
  return value;
}

// "0-3,8" as numbers below `count`.
std::vector<std::uint32_t> numbers(std::string_view text, const char* what, std::uint32_t count,
                                   std::string_view whole) {
  std::vector<std::uint32_t> values;
  for (const std::string_view item : split(text, ',')) {
    const std::size_t dash = item.find('-');
    const std::uint32_t first = number(item.substr(0, dash), whole);
    const std::uint32_t last =
        dash == std::string_view::npos ? first : number(item.substr(dash + 1), whole);
    if (last < first) {
      throw Error(fmt::format("range '{}' in replica groups '{}' counts down", trim(item), whole),
                  {}, std::string(kHint));
    }
    if (last >= count) {
      throw Error(fmt::format("{} {} in replica groups '{}' does not exist", what, last, whole), {},
                  fmt::format("{}s are 0 to {}", what, count - 1));
    }
    for (std::uint32_t value = first; value <= last; ++value) {
      values.push_back(value);
    }
  }
  return values;
}

}  // namespace

std::vector<Group> parse_groups(const std::string& text, const fabric::RankMap& ranks) {
  const auto count = static_cast<std::uint32_t>(ranks.ranks.size());
  std::uint32_t chips = 0;
  for (const fabric::RankPlace& place : ranks.ranks) {
    chips = std::max(chips, place.chip + 1);
  }
  std::vector<Group> groups;
  for (std::string_view part : split(text, ';')) {
    part = trim(part);
    Group group;
    if (part == "all") {
      for (std::uint32_t rank = 0; rank < count; ++rank) {
        group.ranks.push_back(rank);
      }
    } else if (part.starts_with("chips:")) {
      for (const std::uint32_t chip : numbers(part.substr(6), "chip", chips, text)) {
        for (std::uint32_t rank = 0; rank < count; ++rank) {
          if (ranks.ranks[rank].chip == chip) {
            group.ranks.push_back(rank);
          }
        }
      }
    } else if (part.empty()) {
      throw Error(fmt::format("empty group in replica groups '{}'", text), {}, std::string(kHint));
    } else {
      group.ranks = numbers(part, "rank", count, text);
    }
    groups.push_back(std::move(group));
  }
  return groups;
}

}  // namespace trnsim::collectives
