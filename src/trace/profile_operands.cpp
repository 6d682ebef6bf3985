// Sync tokens first (their owner is set off by a blank), then words and key=value pairs.
#include "profile_operands.h"

#include <charconv>
#include <regex>

#include "trnsim/base/error.h"

namespace trnsim::trace {
namespace {

[[noreturn]] void fail(std::string_view what, std::string_view text) {
  throw Error(fmt::format("{} '{}' cannot be read", what, text));
}

template <typename T>
std::vector<T> numbers(std::string_view list) {
  std::vector<T> values;
  const char* at = list.data();
  const char* end = list.data() + list.size();
  while (at < end) {
    T value = 0;
    const auto [next, code] = std::from_chars(at, end, value);
    if (code != std::errc{} || (next != end && *next != ',')) {
      fail("the list of numbers", list);
    }
    values.push_back(value);
    at = next + 1;
  }
  return values;
}

// Cuts a sync token off the front of `text`; false if there is none.
bool take_sync(std::string& text, OperandText& parsed) {
  static const std::regex kKernelWait(R"(^S\[(\d+)\] \(([^)]*)\)(>=|==)(\d+)\s*)");
  static const std::regex kKernelRaise(R"(^S\[(\d+)\] \(([^)]*)\)\+\+@complete\s*)");
  static const std::regex kRuntime(R"(^\$[SE]\[\d+\]\S*\s*)");
  std::smatch match;
  if (std::regex_search(text, match, kKernelWait)) {
    parsed.waits.push_back({static_cast<std::uint32_t>(parse_unsigned(match[1].str())),
                            match[2].str(), parse_unsigned(match[4].str())});
  } else if (std::regex_search(text, match, kKernelRaise)) {
    parsed.raises.push_back(static_cast<std::uint32_t>(parse_unsigned(match[1].str())));
  } else if (!std::regex_search(text, match, kRuntime)) {
    return false;
  }
  text = match.suffix().str();
  return true;
}

}  // namespace

const std::string* OperandText::find(const std::string& key) const {
  const auto found = values.find(key);
  return found == values.end() ? nullptr : &found->second;
}

const std::string& OperandText::at(const std::string& key) const {
  const std::string* value = find(key);
  if (value == nullptr) {
    throw Error(fmt::format("has no {}", key));
  }
  return *value;
}

std::uint64_t parse_unsigned(std::string_view text) {
  const bool hex = text.starts_with("0x");
  std::uint64_t value = 0;
  const char* end = text.data() + text.size();
  const auto [at, code] = std::from_chars(text.data() + (hex ? 2 : 0), end, value, hex ? 16 : 10);
  if (code != std::errc{} || at != end) {
    fail("the number", text);
  }
  return value;
}

OperandText parse_operands(std::string_view text) {
  OperandText parsed;
  std::string rest(text);
  while (!rest.empty()) {
    rest.erase(0, rest.find_first_not_of(' '));
    if (rest.empty() || take_sync(rest, parsed)) {
      continue;
    }
    const std::string token = rest.substr(0, rest.find(' '));
    rest.erase(0, token.size());
    const std::size_t equals = token.find('=');
    if (equals == std::string::npos) {
      parsed.words.push_back(token);
    } else {
      parsed.values[token.substr(0, equals)] = token.substr(equals + 1);
    }
  }
  return parsed;
}

void parse_strides_and_counts(std::string_view text, std::vector<std::int64_t>& strides,
                              std::vector<std::uint32_t>& counts) {
  const std::size_t middle = text.find("][");
  if (!text.starts_with('[') || !text.ends_with(']') || middle == std::string_view::npos) {
    fail("the access pattern", text);
  }
  strides = numbers<std::int64_t>(text.substr(1, middle - 1));
  counts = numbers<std::uint32_t>(text.substr(middle + 2, text.size() - middle - 3));
  if (strides.size() != counts.size() || strides.empty()) {
    fail("the access pattern", text);
  }
}

AddressPattern parse_address_pattern(std::string_view text) {
  AddressPattern pattern;
  std::string_view rest = text;
  if (const std::size_t at = rest.find('@'); at != std::string_view::npos) {
    pattern.dtype = parse_dtype(rest.substr(0, at));
    if (!pattern.dtype) {
      fail("the element type", rest.substr(0, at));
    }
    rest = rest.substr(at + 1);
  }
  const std::size_t bracket = std::min(rest.find('['), rest.size());
  pattern.address = parse_unsigned(rest.substr(0, bracket));
  if (bracket < rest.size()) {
    parse_strides_and_counts(rest.substr(bracket), pattern.strides, pattern.counts);
  } else {
    pattern.strides = {1};
    pattern.counts = {1};
  }
  return pattern;
}

}  // namespace trnsim::trace
