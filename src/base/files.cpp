// Files: clear errors on the way in, rename into place on the way out.
#include "trnsim/base/files.h"

#include <unistd.h>

#include <boost/uuid/detail/sha1.hpp>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <sstream>

#include "trnsim/base/error.h"

namespace trnsim {
namespace fs = std::filesystem;

std::string read_file(const std::string& path) {
  std::error_code code;
  if (fs::is_directory(path, code)) {
    throw Error("is a folder, not a file", {path});
  }
  std::ifstream stream(path, std::ios::binary);
  if (!stream) {
    throw Error(fmt::format("cannot be read: {}", std::strerror(errno)), {path});
  }
  std::ostringstream content;
  content << stream.rdbuf();
  return content.str();
}

void write_file_atomically(const std::string& path,
                           const std::function<void(std::ostream&)>& write) {
  if (path == "-") {
    write(std::cout);
    std::cout.flush();
    return;
  }
  const std::string temporary = fmt::format("{}.{}.tmp", path, ::getpid());
  try {
    std::ofstream stream(temporary, std::ios::binary | std::ios::trunc);
    if (!stream) {
      throw Error(fmt::format("cannot be written: {}", std::strerror(errno)), {path});
    }
    write(stream);
    stream.flush();
    if (!stream) {
      throw Error(fmt::format("writing failed: {}", std::strerror(errno)), {path});
    }
    stream.close();
    std::error_code code;
    fs::rename(temporary, path, code);
    if (code) {
      throw Error(fmt::format("cannot be written: {}", code.message()), {path});
    }
  } catch (...) {
    std::error_code ignored;
    fs::remove(temporary, ignored);
    throw;
  }
}

void check_writable(const std::string& path) {
  if (path == "-") {
    return;
  }
  std::error_code code;
  if (fs::is_directory(path, code)) {
    throw Error("is a folder, not a file", {path});
  }
  fs::path parent = fs::path(path).parent_path();
  if (parent.empty()) {
    parent = ".";
  }
  if (!fs::is_directory(parent, code)) {
    throw Error(fmt::format("cannot be written: folder '{}' does not exist", parent.string()),
                {path});
  }
  // Only creating a file tells: access() says yes to root where the file system says no.
  const std::string probe = fmt::format("{}.{}.tmp", path, ::getpid());
  if (!std::ofstream(probe)) {
    throw Error(fmt::format("cannot be written: folder '{}': {}", parent.string(),
                            std::strerror(errno)),
                {path});
  }
  fs::remove(probe, code);
}

std::string content_hash(std::string_view content) {
  boost::uuids::detail::sha1 hasher;
  hasher.process_bytes(content.data(), content.size());
  unsigned int digest[5];
  hasher.get_digest(digest);
  std::string text;
  for (const unsigned int word : digest) {
    text += fmt::format("{:08x}", word);
  }
  return text;
}

}  // namespace trnsim
