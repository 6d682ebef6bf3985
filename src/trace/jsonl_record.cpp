// Checked access to JSON objects.
#include "jsonl_record.h"

#include <algorithm>
#include <set>
#include <utility>

namespace trnsim::trace {

using nlohmann::json;

Record::Record(const json& value, std::string what, const Location& where)
    : value_(value), what_(std::move(what)), where_(where) {
  if (!value.is_object()) {
    fail("is no JSON object");
  }
}

json Record::parse(const std::string& line, const Location& where) {
  std::vector<std::set<std::string>> open_objects;
  std::string duplicate;
  const auto watch = [&](int /*depth*/, json::parse_event_t event, json& parsed) {
    if (event == json::parse_event_t::object_start) {
      open_objects.emplace_back();
    } else if (event == json::parse_event_t::object_end) {
      open_objects.pop_back();
    } else if (event == json::parse_event_t::key) {
      const std::string key = parsed.get<std::string>();
      if (!open_objects.back().insert(key).second && duplicate.empty()) {
        duplicate = key;
      }
    }
    return true;
  };
  json value;
  try {
    value = json::parse(line, watch);
  } catch (const json::parse_error& error) {
    const std::string text = error.what();
    const std::size_t detail = text.find(": ");
    throw Error("is not valid JSON: " + text.substr(detail == std::string::npos ? 0 : detail + 2),
                {where.file, where.line, static_cast<int>(error.byte)});
  } catch (const json::exception& error) {  // a number beyond double's range
    throw Error(std::string("is not valid JSON: ") + error.what(), where);
  }
  if (!duplicate.empty()) {
    throw Error(fmt::format("key '{}' is given twice", duplicate), where);
  }
  return value;
}

void Record::check_keys(const std::vector<std::string>& allowed) const {
  for (const auto& [key, ignored] : value_.items()) {
    if (std::find(allowed.begin(), allowed.end(), key) == allowed.end()) {
      fail(fmt::format("unknown key '{}'", key), did_you_mean(key, allowed));
    }
  }
}

const json& Record::at(const std::string& key) const {
  const auto found = value_.find(key);
  if (found == value_.end()) {
    fail(fmt::format("'{}' is missing", key));
  }
  return *found;
}

std::string Record::text(const std::string& key) const {
  const json& value = at(key);
  if (!value.is_string()) {
    fail(fmt::format("'{}' is {}, must be a text", key, value.dump()));
  }
  return value.get<std::string>();
}

std::string Record::text_or(const std::string& key, const std::string& fallback) const {
  return has(key) ? text(key) : fallback;
}

double Record::real(const std::string& key) const {
  const json& value = at(key);
  if (value.is_number()) {
    return value.get<double>();
  }
  if (value == "inf" || value == "-inf") {
    return value == "inf" ? std::numeric_limits<double>::infinity()
                          : -std::numeric_limits<double>::infinity();
  }
  fail(fmt::format("'{}' is {}, must be a number, \"inf\" or \"-inf\"", key, value.dump()));
}

bool Record::boolean(const std::string& key) const {
  const json& value = at(key);
  if (!value.is_boolean()) {
    fail(fmt::format("'{}' is {}, must be true or false", key, value.dump()));
  }
  return value.get<bool>();
}

void Record::fail(const std::string& message, const std::string& hint) const {
  throw Error(what_ + ": " + message, where_, hint);
}

void Record::fail_unknown(const std::string& key, const std::string& word,
                          const std::vector<std::string>& names) const {
  fail(fmt::format("{} '{}' is unknown", key, word), did_you_mean(word, names));
}

}  // namespace trnsim::trace
