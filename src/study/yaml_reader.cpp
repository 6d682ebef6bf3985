// Strict access to a YAML file.
#include "yaml_reader.h"

#include <algorithm>
#include <charconv>
#include <set>

#include "trnsim/base/files.h"

namespace trnsim::study {
namespace {

// The whole text as a number; nothing for anything else, infinities included.
template <typename Number>
std::optional<Number> parse(const YAML::Node& node) {
  const std::string text = node.IsScalar() ? node.Scalar() : "";
  Number value{};
  const auto [end, code] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (text.empty() || code != std::errc{} || end != text.data() + text.size()) {
    return std::nullopt;
  }
  return value;
}

}  // namespace

YAML::Node YamlReader::load() const {
  try {
    return YAML::Load(read_file(path_));
  } catch (const YAML::Exception& error) {
    throw Error(error.msg, {path_, error.mark.line + 1, error.mark.column + 1});
  }
}

void YamlReader::finish() {
  if (!findings_.empty()) {
    throw Error(std::move(findings_));
  }
}

Location YamlReader::where(const YAML::Node& node) const {
  return {path_, node.Mark().line + 1, node.Mark().column + 1};
}

void YamlReader::find(const YAML::Node& at, std::string what, std::string hint) {
  findings_.push_back({where(at), std::move(what), std::move(hint)});
}

bool YamlReader::check_map(const YAML::Node& node, const std::vector<std::string>& keys) {
  if (!node.IsMap()) {
    find(node, fmt::format("must be a map with {}", fmt::join(keys, ", ")));
    return false;
  }
  std::set<std::string> seen;
  for (const auto& entry : node) {
    const std::string key = entry.first.IsScalar() ? entry.first.Scalar() : "";
    if (std::find(keys.begin(), keys.end(), key) == keys.end()) {
      const std::string near = did_you_mean(key, keys);
      find(entry.first, fmt::format("unknown key '{}'", key),
           near.empty() ? fmt::format("one of: {}", fmt::join(keys, ", ")) : near);
    } else if (!seen.insert(key).second) {
      find(entry.first, fmt::format("key '{}' is given twice", key));
    }
  }
  return true;
}

void YamlReader::text(const YAML::Node& map, const char* key, std::string& value) {
  const YAML::Node node = map[key];
  if (!node) {
    return;
  }
  if (!node.IsScalar() || node.Scalar().empty()) {
    find(node, fmt::format("'{}' must be a text", key));
    return;
  }
  value = node.Scalar();
}

void YamlReader::number(const YAML::Node& map, const char* key, double least, double most,
                        double& value) {
  const YAML::Node node = map[key];
  if (!node) {
    return;
  }
  const std::optional<double> parsed = parse<double>(node);
  if (!parsed || !(*parsed >= least && *parsed <= most)) {
    find(node, fmt::format("'{}' must be a number from {} to {}", key, least, most));
    return;
  }
  value = *parsed;
}

void YamlReader::number(const YAML::Node& map, const char* key, double least, double most,
                        std::optional<double>& value) {
  if (map[key]) {
    double read = 0;
    number(map, key, least, most, read);
    value = read;
  }
}

void YamlReader::count(const YAML::Node& map, const char* key, std::uint32_t least,
                       std::uint32_t most, std::uint32_t& value) {
  const YAML::Node node = map[key];
  if (!node) {
    return;
  }
  const std::optional<std::uint32_t> parsed = parse<std::uint32_t>(node);
  if (!parsed || *parsed < least || *parsed > most) {
    find(node, fmt::format("'{}' must be a whole number from {} to {}", key, least, most));
    return;
  }
  value = *parsed;
}

void YamlReader::texts(const YAML::Node& map, const char* key, std::vector<std::string>& values) {
  std::vector<std::string> read;
  for (const YAML::Node& entry : list(map, key)) {
    if (!entry.IsScalar()) {
      find(entry, fmt::format("'{}' must be a list of texts", key));
      return;
    }
    read.push_back(entry.Scalar());
  }
  if (map[key]) {
    values = std::move(read);
  }
}

void YamlReader::counts(const YAML::Node& map, const char* key,
                        std::vector<std::uint32_t>& values) {
  std::vector<std::uint32_t> read;
  for (const YAML::Node& entry : list(map, key)) {
    const std::optional<std::uint32_t> parsed = parse<std::uint32_t>(entry);
    if (!parsed) {
      find(entry, fmt::format("'{}' must be a list of whole numbers", key));
      return;
    }
    read.push_back(*parsed);
  }
  if (map[key]) {
    values = std::move(read);
  }
}

void YamlReader::choice(const YAML::Node& map, const char* key,
                        const std::vector<std::string>& names, std::size_t& index) {
  const YAML::Node node = map[key];
  if (!node) {
    return;
  }
  const std::string text = node.IsScalar() ? node.Scalar() : "";
  const auto found = std::find(names.begin(), names.end(), text);
  if (found == names.end()) {
    constexpr std::size_t kLeast = 3;  // shorter words resemble every name
    const std::string near = text.size() < kLeast ? "" : did_you_mean(text, names);
    find(node, fmt::format("{} '{}' does not exist", key, text),
         near.empty() ? fmt::format("one of: {}", fmt::join(names, ", ")) : near);
    return;
  }
  index = static_cast<std::size_t>(found - names.begin());
}

std::vector<YAML::Node> YamlReader::list(const YAML::Node& map, const char* key) {
  const YAML::Node node = map[key];
  if (!node) {
    return {};
  }
  if (!node.IsSequence()) {
    find(node, fmt::format("'{}' must be a list", key));
    return {};
  }
  return {node.begin(), node.end()};
}

}  // namespace trnsim::study
