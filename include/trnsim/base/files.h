// Whole-file reading and atomic writing, and a stable content hash.
#pragma once

#include <cstdint>
#include <functional>
#include <iosfwd>
#include <string>
#include <string_view>

namespace trnsim {

// Reads a whole file. Throws Error naming the path when it is missing, a folder or unreadable.
[[nodiscard]] std::string read_file(const std::string& path);

// Calls `write` with a stream to a temporary file beside `path`, then renames it into place, so that
// a failed run leaves nothing half-written. path "-" is standard output. Throws Error naming the path.
void write_file_atomically(const std::string& path,
                           const std::function<void(std::ostream&)>& write);

// Throws Error if `path` could not be written later ("-" is always fine). Call before a long run.
void check_writable(const std::string& path);

// SHA-1 of `content` as 40 hexadecimal digits: an identity, not a safeguard.
[[nodiscard]] std::string content_hash(std::string_view content);

}  // namespace trnsim
