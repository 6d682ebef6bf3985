// Strict reading of a YAML map.
#include "yaml_fields.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <set>

namespace trnsim::workload {
namespace {

template <typename Number>
std::optional<Number> parse_number(std::string_view text) {
  Number value{};
  const auto [end, code] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (code != std::errc{} || end != text.data() + text.size() || text.empty()) {
    return std::nullopt;
  }
  return value;
}

struct Suffix {
  std::string_view text;
  double factor;
};
constexpr std::array kSuffixes{Suffix{"KiB", 1024.0},       Suffix{"MiB", 1048576.0},
                               Suffix{"GiB", 1073741824.0}, Suffix{"KB", 1e3},
                               Suffix{"MB", 1e6},           Suffix{"GB", 1e9}};

std::optional<std::uint64_t> parse_bytes(std::string_view text) {
  double factor = 1;
  for (const Suffix& suffix : kSuffixes) {
    if (text.ends_with(suffix.text)) {
      factor = suffix.factor;
      text.remove_suffix(suffix.text.size());
      while (text.ends_with(' ')) {
        text.remove_suffix(1);
      }
      break;
    }
  }
  if (factor == 1) {
    return parse_number<std::uint64_t>(text);
  }
  const std::optional<double> value = parse_number<double>(text);
  const double whole = value.value_or(-1) * factor;
  if (!(whole >= 0) || whole > 1e18 || whole != std::floor(whole)) {
    return std::nullopt;
  }
  return static_cast<std::uint64_t>(whole);
}

std::string scalar(const YAML::Node& node) {
  return node.IsScalar() ? node.Scalar() : std::string();
}

}  // namespace

std::string joined(const std::vector<std::string>& names) {
  std::string text;
  for (const std::string& name : names) {
    text += (text.empty() ? "" : ", ") + name;
  }
  return text;
}

YAML::Node Fields::parse(const std::string& text, int first_line) {
  first_line_ = first_line;
  try {
    return YAML::Load(text);
  } catch (const YAML::Exception& error) {
    throw Error(error.msg, {path_, error.mark.line + first_line, error.mark.column + 1});
  }
}

Location Fields::where(const YAML::Node& node) const {
  return {path_, node.Mark().line + first_line_, node.Mark().column + 1};
}

void Fields::find(const YAML::Node& at, std::string what, std::string hint) {
  findings_.push_back({where(at), std::move(what), std::move(hint)});
}

void Fields::adopt(const Error& error, const YAML::Node& at) {
  for (Finding finding : error.findings()) {
    if (finding.where.file.empty()) {
      finding.where = where(at);
    }
    findings_.push_back(std::move(finding));
  }
}

void Fields::check_keys(const YAML::Node& map, const std::vector<std::string>& names) {
  std::set<std::string> seen;
  for (const auto& entry : map) {
    const std::string key = scalar(entry.first);
    if (std::find(names.begin(), names.end(), key) == names.end()) {
      const std::string near = did_you_mean(key, names);
      find(entry.first, fmt::format("unknown key '{}'", key),
           near.empty() ? "keys here: " + joined(names) : near);
    } else if (!seen.insert(key).second) {
      find(entry.first, fmt::format("key '{}' is given twice", key));
    }
  }
}

bool Fields::text(const YAML::Node& map, const std::string& key, std::string& target) {
  const YAML::Node node = map[key];
  if (!node) {
    return false;
  }
  if (!node.IsScalar() || node.Scalar().empty()) {
    find(node, fmt::format("'{}' must be a text", key));
    return false;
  }
  target = node.Scalar();
  return true;
}

bool Fields::count(const YAML::Node& map, const std::string& key, std::uint32_t& target,
                   std::uint32_t least, std::uint32_t most) {
  const YAML::Node node = map[key];
  if (!node) {
    return false;
  }
  const std::optional<std::uint32_t> value = parse_number<std::uint32_t>(scalar(node));
  if (!value || *value < least || *value > most) {
    find(node, most == UINT32_MAX
                   ? fmt::format("'{}' must be a whole number of at least {}", key, least)
                   : fmt::format("'{}' must be a whole number from {} to {}", key, least, most));
    return false;
  }
  target = *value;
  return true;
}

bool Fields::bytes(const YAML::Node& map, const std::string& key, std::uint64_t& target) {
  const YAML::Node node = map[key];
  if (!node) {
    return false;
  }
  const std::optional<std::uint64_t> value = parse_bytes(scalar(node));
  if (!value || *value == 0) {
    find(node, fmt::format("'{}' must be a whole number of bytes above 0", key),
         "write 268435456 or 256 MiB");
    return false;
  }
  target = *value;
  return true;
}

bool Fields::number(const YAML::Node& map, const std::string& key, double& target) {
  const YAML::Node node = map[key];
  if (!node) {
    return false;
  }
  const std::optional<double> value = parse_number<double>(scalar(node));
  if (!value || !std::isfinite(*value) || *value < 0) {
    find(node, fmt::format("'{}' must be a number of at least 0", key));
    return false;
  }
  target = *value;
  return true;
}

bool Fields::flag(const YAML::Node& map, const std::string& key, bool& target) {
  const YAML::Node node = map[key];
  if (!node) {
    return false;
  }
  const std::string value = scalar(node);
  if (value != "true" && value != "false") {
    find(node, fmt::format("'{}' is neither true nor false", key));
    return false;
  }
  target = value == "true";
  return true;
}

std::optional<std::size_t> Fields::choice(const YAML::Node& map, const std::string& key,
                                          const std::vector<std::string>& names) {
  const YAML::Node node = map[key];
  if (!node) {
    return std::nullopt;
  }
  const auto found = std::find(names.begin(), names.end(), scalar(node));
  if (found == names.end()) {
    const std::string near = did_you_mean(scalar(node), names);
    find(node, fmt::format("{} '{}' does not exist", key, scalar(node)),
         near.empty() ? "one of: " + joined(names) : near);
    return std::nullopt;
  }
  return static_cast<std::size_t>(found - names.begin());
}

void Fields::finish() {
  if (!findings_.empty()) {
    throw Error(std::move(findings_));
  }
}

}  // namespace trnsim::workload
