// Strict readers for numbers, flags, choices and text: YAML's own guesses (octal, yes/no) are
// refused.
#include "value.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <regex>

#include "trnsim/base/error.h"

namespace trnsim::spec {
namespace {

using Problem = std::optional<ValueProblem>;

std::string shown_range(const KeyNode& key) {
  return key.range.text() + (key.unit.empty() ? "" : " " + key.unit);
}

Problem number_problem(const KeyNode& key, const std::string& text, bool quoted, double& value) {
  static const std::regex number(R"([-+]?(\d+(\.\d*)?|\.\d+)([eE][-+]?\d+)?)");
  static const std::regex octal_looking(R"([-+]?0\d+)");
  const std::string expected = fmt::format("'{}' takes a {}", key.key,
                                           key.kind == KeyKind::kCount ? "whole number" : "number");
  constexpr std::size_t kLongestNumber = 64;
  if (text.size() > kLongestNumber || !std::regex_match(text, number)) {
    return ValueProblem{fmt::format("{}, not '{}'", expected, text), shown_range(key)};
  }
  if (quoted) {
    return ValueProblem{fmt::format("{}, not text", expected), "remove the quotes"};
  }
  if (std::regex_match(text, octal_looking)) {
    return ValueProblem{fmt::format("'{}' looks like an octal number", text),
                        "write it without the leading zero"};
  }
  const char* const begin = text.data() + (text.front() == '+' ? 1 : 0);
  const auto [end, code] = std::from_chars(begin, text.data() + text.size(), value);
  if (code != std::errc{} || end != text.data() + text.size() || !std::isfinite(value)) {
    return ValueProblem{fmt::format("'{}' is too large or too small for a number", text),
                        shown_range(key)};
  }
  if (key.kind == KeyKind::kCount && text.find_first_of(".eE") != std::string::npos) {
    return ValueProblem{fmt::format("{}, not '{}'", expected, text), shown_range(key)};
  }
  if (!key.range.contains(value)) {
    return ValueProblem{fmt::format("'{}' is out of range: {}", key.key, text), shown_range(key)};
  }
  return std::nullopt;
}

Problem store_choice(const KeyNode& key, const std::string& text, void* address) {
  const auto found = std::find(key.choices.begin(), key.choices.end(), text);
  if (found == key.choices.end()) {
    const std::string hint = did_you_mean(text, key.choices);
    return ValueProblem{
        fmt::format("'{}' cannot be '{}', only {}", key.key, text, fmt::join(key.choices, ", ")),
        hint};
  }
  *static_cast<std::uint8_t*>(address) = static_cast<std::uint8_t>(found - key.choices.begin());
  return std::nullopt;
}

Problem store_flag(const KeyNode& key, const std::string& text, bool quoted, void* address) {
  if (quoted || (text != "true" && text != "false")) {
    return ValueProblem{fmt::format("'{}' takes true or false, not '{}'", key.key, text), ""};
  }
  *static_cast<bool*>(address) = text == "true";
  return std::nullopt;
}

Problem store_text(const KeyNode& key, const std::string& text, void* address) {
  const bool printable = std::none_of(text.begin(), text.end(), [](unsigned char letter) {
    return letter < 0x20 || letter == 0x7f;
  });
  if (text.empty() || text.size() > 200 || !printable) {
    return ValueProblem{fmt::format("'{}' takes one line of 1 to 200 characters", key.key), ""};
  }
  *static_cast<std::string*>(address) = text;
  return std::nullopt;
}

}  // namespace

bool Range::contains(double value) const {
  return value >= min && value <= max;
}

std::string Range::text() const {
  return fmt::format("{} to {}", min, max);
}

std::optional<ValueProblem> store_value(const KeyNode& key, const std::string& text, bool quoted,
                                        void* address) {
  switch (key.kind) {
    case KeyKind::kReal:
    case KeyKind::kCount: {
      double value = 0;
      if (Problem problem = number_problem(key, text, quoted, value)) {
        return problem;
      }
      if (key.kind == KeyKind::kReal) {
        *static_cast<double*>(address) = value == 0 ? 0 : value;  // no negative zero
      } else {
        *static_cast<std::uint32_t*>(address) = static_cast<std::uint32_t>(value);
      }
      return std::nullopt;
    }
    case KeyKind::kFlag:
      return store_flag(key, text, quoted, address);
    case KeyKind::kChoice:
      return store_choice(key, text, address);
    case KeyKind::kText:
      return store_text(key, text, address);
    case KeyKind::kGroup:
    case KeyKind::kTable:
      break;
  }
  throw InternalError("store_value of a group: " + key.key);
}

nlohmann::ordered_json json_value(const KeyNode& key, const void* address) {
  switch (key.kind) {
    case KeyKind::kReal:
      return *static_cast<const double*>(address);
    case KeyKind::kCount:
      return *static_cast<const std::uint32_t*>(address);
    case KeyKind::kFlag:
      return *static_cast<const bool*>(address);
    case KeyKind::kChoice:
      return key.choices.at(*static_cast<const std::uint8_t*>(address));
    case KeyKind::kText:
      return *static_cast<const std::string*>(address);
    case KeyKind::kGroup:
    case KeyKind::kTable:
      break;
  }
  throw InternalError("json_value of a group: " + key.key);
}

std::string text_value(const KeyNode& key, const void* address) {
  if (key.kind == KeyKind::kReal) {
    return fmt::format("{}", *static_cast<const double*>(address));
  }
  const nlohmann::ordered_json value = json_value(key, address);
  return value.is_string() ? value.get<std::string>() : value.dump();
}

}  // namespace trnsim::spec
