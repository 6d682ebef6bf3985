// Traces and helpers that several test files of this folder use.
#pragma once

#include <string>

#include "trnsim/trace/ir.h"

namespace trnsim::trace {

// A small valid trace with every kind of table entry and odd values in them.
[[nodiscard]] Trace small_trace();
// A tiled matmul: per instruction, dst and moving walk along N, stationary changes with K.
[[nodiscard]] Trace matmul_trace(std::size_t instructions);

// A file path that is removed at the end of its life.
class TemporaryFile {
 public:
  explicit TemporaryFile(const std::string& extension);
  ~TemporaryFile();
  TemporaryFile(const TemporaryFile&) = delete;
  TemporaryFile& operator=(const TemporaryFile&) = delete;
  [[nodiscard]] const std::string& path() const { return path_; }
  void fill(const std::string& content) const;
  [[nodiscard]] std::string content() const;

 private:
  std::string path_;
};

[[nodiscard]] std::string gzip(const std::string& bytes);
[[nodiscard]] std::string gunzip(const std::string& bytes);

// The text of the Error that `function` throws, "" if it returns. Other exceptions pass.
template <typename Function>
std::string error_of(Function function);

}  // namespace trnsim::trace

#include "trnsim/base/error.h"

template <typename Function>
std::string trnsim::trace::error_of(Function function) {
  try {
    function();
  } catch (const Error& error) {
    return error.what();
  }
  return "";
}
