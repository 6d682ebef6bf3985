// `.trt` files: gzip stream of length-delimited protobuf blocks (schema: src/trace/trace.proto,
// docs/trace-format.md), and the JSON Lines form for tests, diffs and hand-written traces.
#pragma once

#include <cstdint>
#include <iosfwd>
#include <string>

#include "trnsim/trace/ir.h"

namespace trnsim::trace {

inline constexpr std::uint32_t kFormatVersion = 1;

// Validates and writes atomically; equal traces give equal bytes. Throws Error (invalid trace, path not
// writable).
void write_trt(const Trace& trace, const std::string& path);

// Reads and validates. Throws Error naming the file and what is wrong: not a .trt file, version,
// truncated, checksum, counts that the file cannot hold, bad ids. Memory stays proportional to the
// file's real content whatever counts it claims.
[[nodiscard]] Trace read_trt(const std::string& path);

// JSON Lines: a header object, then one object per string/pattern/attributes/source/tensor/instruction.
// Readable names everywhere; load(dump(t)) == t.
void dump_jsonl(const Trace& trace, std::ostream& out);
// Throws Error with file:line of the offending record.
[[nodiscard]] Trace load_jsonl(std::istream& in, const std::string& file_name);

// By extension: .trt or .jsonl.
[[nodiscard]] Trace read_trace(const std::string& path);

}  // namespace trnsim::trace
