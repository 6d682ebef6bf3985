// read_trace: picks the reader by the file's extension.
#include <sstream>

#include "trnsim/base/error.h"
#include "trnsim/base/files.h"
#include "trnsim/trace/file.h"

namespace trnsim::trace {

Trace read_trace(const std::string& path) {
  if (path.ends_with(".trt")) {
    return read_trt(path);
  }
  if (path.ends_with(".jsonl")) {
    std::istringstream stream(read_file(path));
    return load_jsonl(stream, path);
  }
  throw Error("is no trace: the name must end in .trt or .jsonl", {path});
}

}  // namespace trnsim::trace
