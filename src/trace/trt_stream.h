// The byte level of `.trt` files: gzip with a running checksum, and constants both sides share.
#pragma once

#include <zlib.h>

#include <cstddef>
#include <cstdint>
#include <fstream>
#include <iosfwd>
#include <string>
#include <string_view>
#include <vector>

namespace trnsim::trace {

inline constexpr std::uint32_t kTrtMagic = 0x54524e54;  // "TRNT"
// A block's plain size. The writer's cuts below keep it under this even if every varint takes 10
// bytes.
inline constexpr std::size_t kMaxBlockBytes = std::size_t{16} << 20;
inline constexpr std::size_t kMaxBlockInstructions = std::size_t{1} << 16;
inline constexpr std::size_t kMaxBlockOperands = std::size_t{1} << 18;
inline constexpr std::size_t kTableCutBytes = std::size_t{8} << 20;  // estimated; see the writer
inline constexpr std::size_t kMaxTextBytes = std::size_t{4} << 20;  // of one string or header field

// Writes a gzip stream with a fixed header, so equal content gives equal bytes.
class GzipWriter {
 public:
  explicit GzipWriter(std::ostream& out);
  ~GzipWriter();
  GzipWriter(const GzipWriter&) = delete;
  GzipWriter& operator=(const GzipWriter&) = delete;

  void write(std::string_view bytes);
  void finish();
  // CRC-32 of everything written so far.
  [[nodiscard]] std::uint32_t crc() const { return crc_; }

 private:
  void deflate_input(int flush);

  std::ostream& out_;
  z_stream stream_{};
  gz_header header_{};
  std::vector<char> buffer_;
  std::uint32_t crc_ = 0;
};

// Reads a gzip stream piece by piece. Throws Error naming the file.
class GzipReader {
 public:
  explicit GzipReader(const std::string& path);
  ~GzipReader();
  GzipReader(const GzipReader&) = delete;
  GzipReader& operator=(const GzipReader&) = delete;

  // Reads up to `count` bytes; fewer only at the end of the gzip stream.
  std::size_t read(char* bytes, std::size_t count);
  // Throws unless the gzip stream and the file end here.
  void expect_end();
  // Bytes read so far, uncompressed.
  [[nodiscard]] std::uint64_t position() const { return position_; }
  // CRC-32 of the bytes before the current position as of the last mark().
  [[nodiscard]] std::uint32_t marked_crc() const { return marked_crc_; }
  void mark() { marked_crc_ = crc_; }
  [[noreturn]] void fail(const std::string& what) const;

 private:
  void refill();

  std::string path_;
  std::ifstream file_;
  z_stream stream_{};
  std::vector<char> buffer_;
  std::uint64_t position_ = 0;
  std::uint32_t crc_ = 0;
  std::uint32_t marked_crc_ = 0;
  bool ended_ = false;
};

}  // namespace trnsim::trace
