#include "storage/transfer/decompressor.hpp"

#include <zlib.h>
#include <zstd.h>
#include <zstd_errors.h>

#include <algorithm>
#include <climits>
#include <new>
#include <string>

namespace deployd::storage {
namespace {

std::string ends_too_early(char const* format) {
  return std::string("the ") + format + " data ends too early; the file is not complete";
}

std::string is_corrupt(char const* format, std::string const& reason) {
  return std::string("the ") + format + " data is corrupt (" + reason + ")";
}

std::string has_a_rest(char const* format) {
  return std::string("the ") + format + " data is followed by bytes that are not " + format;
}

class Gunzip final : public Decompressor {
 public:
  static bool begins(std::string_view front) noexcept { return front.starts_with("\x1F\x8B"); }

  Gunzip() {
    constexpr int gzip_only = 16;
    if (inflateInit2(&stream_, MAX_WBITS + gzip_only) != Z_OK) throw std::bad_alloc();
  }
  ~Gunzip() override { inflateEnd(&stream_); }
  Gunzip(Gunzip const&) = delete;
  Gunzip& operator=(Gunzip const&) = delete;

  Step step(std::string_view input, std::span<char> output) override {
    if (between_members_ && input.empty()) return {};
    if (between_members_) begin_member(input.front());
    // zlib does not change the input; its interface has no const.
    stream_.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(input.data()));
    stream_.avail_in = size_of(input.size());
    stream_.next_out = reinterpret_cast<Bytef*>(output.data());
    stream_.avail_out = size_of(output.size());
    int const result = inflate(&stream_, Z_NO_FLUSH);
    if (result == Z_MEM_ERROR) throw std::bad_alloc();
    if (result == Z_STREAM_END)
      between_members_ = true;
    else if (result != Z_OK && result != Z_BUF_ERROR)
      throw CorruptData(is_corrupt("gzip", stream_.msg != nullptr ? stream_.msg : "not a gzip stream"));
    return {input.size() - stream_.avail_in, output.size() - stream_.avail_out};
  }

  void finish() const override {
    if (!between_members_) throw CorruptData(ends_too_early("gzip"));
  }

  std::string_view command() const noexcept override { return "gunzip -c"; }

 private:
  static uInt size_of(std::size_t size) noexcept { return static_cast<uInt>(std::min<std::size_t>(size, UINT_MAX)); }

  void begin_member(char first) {
    if (first != '\x1F') throw CorruptData(has_a_rest("gzip"));
    inflateReset(&stream_);
    between_members_ = false;
  }

  z_stream stream_{};
  bool between_members_ = false;
};

class Unzstd final : public Decompressor {
 public:
  static bool begins(std::string_view front) noexcept {
    if (front.size() < 4) return false;
    if (front.starts_with("\x28\xB5\x2F\xFD")) return true;
    // A skippable frame, with which output of pzstd begins.
    return begins_skippable(front.front()) && front.substr(1).starts_with("\x2A\x4D\x18");
  }

  Unzstd() : stream_(ZSTD_createDStream()) {
    if (!stream_) throw std::bad_alloc();
  }

  Step step(std::string_view input, std::span<char> output) override {
    if (between_frames_ && input.empty()) return {};
    if (between_frames_ && input.front() != '\x28' && !begins_skippable(input.front()))
      throw CorruptData(has_a_rest("zstd"));
    ZSTD_inBuffer in{input.data(), input.size(), 0};
    ZSTD_outBuffer out{output.data(), output.size(), 0};
    auto const result = ZSTD_decompressStream(stream_.get(), &out, &in);
    if (ZSTD_isError(result) != 0) refuse(result);
    between_frames_ = result == 0;
    return {in.pos, out.pos};
  }

  void finish() const override {
    if (!between_frames_) throw CorruptData(ends_too_early("zstd"));
  }

  std::string_view command() const noexcept override { return "zstd -dc"; }

 private:
  static bool begins_skippable(char first) noexcept { return (first & 0xF0) == 0x50; }

  [[noreturn]] static void refuse(std::size_t result) {
    switch (ZSTD_getErrorCode(result)) {
      case ZSTD_error_memory_allocation: throw std::bad_alloc();
      case ZSTD_error_frameParameter_windowTooLarge:
        throw CorruptData("the zstd data needs more than 128 MiB to decompress; compress it without --long");
      default: throw CorruptData(is_corrupt("zstd", ZSTD_getErrorName(result)));
    }
  }

  struct Free {
    void operator()(ZSTD_DStream* stream) const noexcept { ZSTD_freeDStream(stream); }
  };
  std::unique_ptr<ZSTD_DStream, Free> stream_;
  bool between_frames_ = false;
};

}  // namespace

std::unique_ptr<Decompressor> decompressor_for(std::string_view front) {
  if (Gunzip::begins(front)) return std::make_unique<Gunzip>();
  if (Unzstd::begins(front)) return std::make_unique<Unzstd>();
  return nullptr;
}

}  // namespace deployd::storage
