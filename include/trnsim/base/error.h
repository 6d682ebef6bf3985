// Errors: `Error` is the user's input being wrong (exit 2), `InternalError` is our bug (exit 3).
#pragma once

#include <stdexcept>
#include <string>
#include <vector>

#include <fmt/format.h>

namespace trnsim {

// Where in the user's input; line and column count from 1, 0 = unknown.
struct Location {
  std::string file;
  int line = 0;
  int column = 0;
};

// One finding: what is wrong, where, and what to do about it.
struct Finding {
  Location where;
  std::string what;
  std::string hint;  // may be empty

  // "file:line:column: what; hint" with the parts that are known.
  [[nodiscard]] std::string text() const;
};

// The user's input is wrong. Carries one finding or several, sorted by position; what() has one line
// per finding.
class Error : public std::runtime_error {
 public:
  explicit Error(std::string what, Location where = {}, std::string hint = {});
  explicit Error(std::vector<Finding> findings);
  [[nodiscard]] const std::vector<Finding>& findings() const { return findings_; }

 private:
  std::vector<Finding> findings_;
};

// A broken invariant of ours.
class InternalError : public std::logic_error {
 public:
  using std::logic_error::logic_error;
};

[[noreturn]] void throw_internal(const char* file, int line, const char* condition,
                                 const std::string& message);

// The entry of `names` closest to `word`, or "" if none is close enough to be a likely typo.
[[nodiscard]] std::string nearest_name(const std::string& word,
                                       const std::vector<std::string>& names);

// "did you mean 'x'?" or "".
[[nodiscard]] std::string did_you_mean(const std::string& word,
                                       const std::vector<std::string>& names);

}  // namespace trnsim

#define TRNSIM_CHECK(condition, ...)                                                       \
  do {                                                                                     \
    if (!(condition)) {                                                                    \
      ::trnsim::throw_internal(__FILE__, __LINE__, #condition, ::fmt::format(__VA_ARGS__)); \
    }                                                                                      \
  } while (false)
