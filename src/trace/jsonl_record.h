// One JSON object of a JSON Lines trace, read with checks whose errors name file and line.
#pragma once

#include <cstdint>
#include <limits>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "trnsim/base/error.h"

namespace trnsim::trace {

class Record {
 public:
  // `what` names the record in messages ("tensor", "operand"). Throws unless `value` is an object.
  Record(const nlohmann::json& value, std::string what, const Location& where);

  // Parses one line. Duplicate keys are errors: the parser would silently keep the last.
  [[nodiscard]] static nlohmann::json parse(const std::string& line, const Location& where);

  [[nodiscard]] bool has(const std::string& key) const { return value_.contains(key); }
  // Throws if there is a key not in `allowed`.
  void check_keys(const std::vector<std::string>& allowed) const;
  [[nodiscard]] const nlohmann::json& at(const std::string& key) const;  // throws if missing
  [[nodiscard]] std::string text(const std::string& key) const;
  [[nodiscard]] std::string text_or(const std::string& key, const std::string& fallback) const;
  [[nodiscard]] double real(const std::string& key) const;  // also "inf" and "-inf"
  [[nodiscard]] bool boolean(const std::string& key) const;
  template <typename T>
  [[nodiscard]] T integer(const std::string& key, T largest = std::numeric_limits<T>::max()) const {
    return to_integer<T>(at(key), key, largest);
  }
  template <typename T>
  [[nodiscard]] T integer_or(const std::string& key, T fallback) const {
    return has(key) ? integer<T>(key) : fallback;
  }
  // The value of a named enum: `find` gives nothing for an unknown name, `names` all known ones.
  template <typename Find, typename Names>
  [[nodiscard]] auto named(const std::string& key, Find find, Names names) const {
    const std::string word = text(key);
    const auto value = find(word);
    if (!value) {
      fail_unknown(key, word, names());
    }
    return *value;
  }

  template <typename T>
  [[nodiscard]] T to_integer(const nlohmann::json& value, const std::string& key,
                             T largest = std::numeric_limits<T>::max()) const {
    constexpr T kSmallest = std::numeric_limits<T>::min();
    if (value.is_number_unsigned()) {
      const auto number = value.get<std::uint64_t>();
      if (number <= static_cast<std::uint64_t>(largest)) {
        return static_cast<T>(number);
      }
    } else if (value.is_number_integer()) {
      const auto number = value.get<std::int64_t>();
      if (number < 0 && number >= static_cast<std::int64_t>(kSmallest)) {
        return static_cast<T>(number);
      }
    }
    fail(fmt::format("'{}' is {}, must be a whole number from {} to {}", key, value.dump(),
                     kSmallest, largest));
  }
  [[noreturn]] void fail(const std::string& message, const std::string& hint = {}) const;
  [[noreturn]] void fail_unknown(const std::string& key, const std::string& word,
                                 const std::vector<std::string>& names) const;
  [[nodiscard]] const nlohmann::json& value() const { return value_; }
  [[nodiscard]] const Location& where() const { return where_; }

 private:
  const nlohmann::json& value_;
  std::string what_;
  const Location& where_;
};

}  // namespace trnsim::trace
