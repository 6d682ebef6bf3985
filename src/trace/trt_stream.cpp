// zlib behind two small classes.
#include "trt_stream.h"

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <ostream>

#include "trnsim/base/error.h"

namespace trnsim::trace {
namespace {

constexpr std::size_t kBufferBytes = std::size_t{1} << 16;
constexpr int kGzipWindow = MAX_WBITS + 16;  // + 16: gzip framing, and nothing else
constexpr int kOsUnix = 3;

std::uint32_t crc_of(std::uint32_t crc, const char* bytes, std::size_t count) {
  return static_cast<std::uint32_t>(crc32_z(crc, reinterpret_cast<const Bytef*>(bytes), count));
}

}  // namespace

GzipWriter::GzipWriter(std::ostream& out) : out_(out), buffer_(kBufferBytes) {
  const int status =
      deflateInit2(&stream_, Z_DEFAULT_COMPRESSION, Z_DEFLATED, kGzipWindow, 8, Z_DEFAULT_STRATEGY);
  TRNSIM_CHECK(status == Z_OK, "deflateInit2 failed with {}", status);
  header_.os = kOsUnix;  // time stays 0
  deflateSetHeader(&stream_, &header_);
}

GzipWriter::~GzipWriter() {
  deflateEnd(&stream_);
}

void GzipWriter::write(std::string_view bytes) {
  crc_ = crc_of(crc_, bytes.data(), bytes.size());
  while (!bytes.empty()) {
    const std::size_t piece = bytes.size() < kMaxBlockBytes ? bytes.size() : kMaxBlockBytes;
    stream_.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(bytes.data()));
    stream_.avail_in = static_cast<uInt>(piece);
    deflate_input(Z_NO_FLUSH);
    bytes.remove_prefix(piece);
  }
}

void GzipWriter::finish() {
  stream_.next_in = nullptr;
  stream_.avail_in = 0;
  deflate_input(Z_FINISH);
}

void GzipWriter::deflate_input(int flush) {
  do {
    stream_.next_out = reinterpret_cast<Bytef*>(buffer_.data());
    stream_.avail_out = static_cast<uInt>(buffer_.size());
    const int status = deflate(&stream_, flush);
    TRNSIM_CHECK(status != Z_STREAM_ERROR, "deflate failed with {}", status);
    out_.write(buffer_.data(), static_cast<std::streamsize>(buffer_.size() - stream_.avail_out));
  } while (stream_.avail_out == 0);
}

GzipReader::GzipReader(const std::string& path) : path_(path), buffer_(kBufferBytes) {
  std::error_code code;
  if (std::filesystem::is_directory(path, code)) {
    throw Error("is a folder, not a file", {path});
  }
  file_.open(path, std::ios::binary);
  if (!file_) {
    throw Error(fmt::format("cannot be read: {}", std::strerror(errno)), {path});
  }
  refill();
  const bool is_gzip =
      stream_.avail_in >= 2 && stream_.next_in[0] == 0x1f && stream_.next_in[1] == 0x8b;
  if (!is_gzip) {
    fail(stream_.avail_in == 0 ? "is empty" : "not a .trt file (no gzip header)");
  }
  const int status = inflateInit2(&stream_, kGzipWindow);
  TRNSIM_CHECK(status == Z_OK, "inflateInit2 failed with {}", status);
}

GzipReader::~GzipReader() {
  inflateEnd(&stream_);
}

std::size_t GzipReader::read(char* bytes, std::size_t count) {
  stream_.next_out = reinterpret_cast<Bytef*>(bytes);
  stream_.avail_out = static_cast<uInt>(count);
  while (stream_.avail_out > 0 && !ended_) {
    if (stream_.avail_in == 0) {
      refill();
    }
    if (stream_.avail_in == 0) {
      fail("is truncated: the gzip stream has no end");
    }
    const int status = inflate(&stream_, Z_NO_FLUSH);
    if (status == Z_STREAM_END) {
      ended_ = true;
    } else if (status == Z_MEM_ERROR) {
      throw std::bad_alloc();
    } else if (status != Z_OK && status != Z_BUF_ERROR) {
      fail(fmt::format("is corrupted: {}", stream_.msg != nullptr ? stream_.msg : "bad gzip data"));
    }
  }
  const std::size_t got = count - stream_.avail_out;
  crc_ = crc_of(crc_, bytes, got);
  position_ += got;
  return got;
}

void GzipReader::expect_end() {
  char extra = 0;
  if (read(&extra, 1) != 0) {
    fail("is corrupted: data after the footer");
  }
  if (stream_.avail_in == 0) {
    refill();
  }
  if (stream_.avail_in != 0) {
    fail("is corrupted: data after the end of the gzip stream");
  }
}

void GzipReader::fail(const std::string& what) const {
  throw Error(position_ == 0
                  ? what
                  : fmt::format("{} (near byte {} of the uncompressed data)", what, position_),
              {path_});
}

void GzipReader::refill() {
  file_.read(buffer_.data(), static_cast<std::streamsize>(buffer_.size()));
  if (file_.bad()) {
    fail(fmt::format("cannot be read: {}", std::strerror(errno)));
  }
  stream_.next_in = reinterpret_cast<Bytef*>(buffer_.data());
  stream_.avail_in = static_cast<uInt>(file_.gcount());
}

}  // namespace trnsim::trace
