#include "routing/compressor.hpp"

#include <brotli/encode.h>
#include <zlib.h>
#include <zstd.h>

#include <algorithm>
#include <array>
#include <climits>
#include <new>
#include <stdexcept>

namespace deployd::routing {
namespace {

// The levels are the ones beyond which lists become hardly smaller for much more time: docs/measuring.md.

// The compressed bytes are written to a buffer of this size and appended from there.
using Buffer = std::array<char, 16 * 1024>;

class Gzip final : public Compressor {
 public:
  explicit Gzip(Effort effort) {
    constexpr int with_gzip_header = 16;
    constexpr int small_window = 13;
    constexpr int small_memory = 6;
    bool const streamed = effort == Effort::streamed;
    int const level = streamed ? 1 : effort == Effort::kept ? 4 : 9;
    int const window = streamed ? small_window : MAX_WBITS;
    int const memory = streamed ? small_memory : 8;
    if (deflateInit2(&stream_, level, Z_DEFLATED, window + with_gzip_header, memory, Z_DEFAULT_STRATEGY) != Z_OK)
      throw std::bad_alloc();
  }
  ~Gzip() override { deflateEnd(&stream_); }
  Gzip(Gzip const&) = delete;
  Gzip& operator=(Gzip const&) = delete;

  void compress(std::string_view piece, Then then, std::string& out) override {
    // zlib counts in unsigned int.
    for (; piece.size() > INT_MAX; piece.remove_prefix(INT_MAX)) step(piece.substr(0, INT_MAX), Z_NO_FLUSH, out);
    step(piece, then == Then::go_on ? Z_NO_FLUSH : then == Then::flush ? Z_SYNC_FLUSH : Z_FINISH, out);
  }

 private:
  void step(std::string_view piece, int flush, std::string& out) {
    // zlib does not change the input; its interface has no const.
    stream_.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(piece.data()));
    stream_.avail_in = static_cast<uInt>(piece.size());
    Buffer buffer;
    do {
      stream_.next_out = reinterpret_cast<Bytef*>(buffer.data());
      stream_.avail_out = static_cast<uInt>(buffer.size());
      if (deflate(&stream_, flush) == Z_STREAM_ERROR) throw std::logic_error("deflate");
      out.append(buffer.data(), buffer.size() - stream_.avail_out);
    } while (stream_.avail_out == 0);
  }

  z_stream stream_{};
};

class Zstd final : public Compressor {
 public:
  Zstd(Effort effort, std::size_t size) : context_(ZSTD_createCCtx()) {
    if (!context_) throw std::bad_alloc();
    set(ZSTD_c_compressionLevel, effort == Effort::prepared ? 19 : 1);
    if (effort == Effort::streamed) set(ZSTD_c_windowLog, 16);
    // The header then says the size, and small bodies take less memory.
    if (size != 0 && ZSTD_isError(ZSTD_CCtx_setPledgedSrcSize(context_.get(), size)) != 0)
      throw std::logic_error("zstd size");
  }

  void compress(std::string_view piece, Then then, std::string& out) override {
    auto const directive = then == Then::go_on ? ZSTD_e_continue : then == Then::flush ? ZSTD_e_flush : ZSTD_e_end;
    ZSTD_inBuffer in{piece.data(), piece.size(), 0};
    Buffer buffer;
    bool complete = false;
    while (!complete) {
      ZSTD_outBuffer to{buffer.data(), buffer.size(), 0};
      auto const left = ZSTD_compressStream2(context_.get(), &to, &in, directive);
      if (ZSTD_isError(left) != 0) throw std::bad_alloc();
      out.append(buffer.data(), to.pos);
      complete = in.pos == in.size && (left == 0 || then == Then::go_on);
    }
  }

 private:
  void set(ZSTD_cParameter parameter, int value) {
    if (ZSTD_isError(ZSTD_CCtx_setParameter(context_.get(), parameter, value)) != 0)
      throw std::logic_error("zstd parameter");
  }

  struct Free {
    void operator()(ZSTD_CCtx* context) const noexcept { ZSTD_freeCCtx(context); }
  };
  std::unique_ptr<ZSTD_CCtx, Free> context_;
};

class Brotli final : public Compressor {
 public:
  Brotli(Effort effort, std::size_t size) : state_(BrotliEncoderCreateInstance(nullptr, nullptr, nullptr)) {
    if (!state_) throw std::bad_alloc();
    set(BROTLI_PARAM_QUALITY, effort == Effort::streamed ? 1 : effort == Effort::kept ? 2 : 9);
    set(BROTLI_PARAM_LGWIN, effort == Effort::streamed ? 16 : 18);
    if (size != 0) set(BROTLI_PARAM_SIZE_HINT, static_cast<std::uint32_t>(std::min<std::size_t>(size, 1U << 30U)));
  }

  void compress(std::string_view piece, Then then, std::string& out) override {
    auto const operation = then == Then::go_on   ? BROTLI_OPERATION_PROCESS
                           : then == Then::flush ? BROTLI_OPERATION_FLUSH
                                                 : BROTLI_OPERATION_FINISH;
    auto const* in = reinterpret_cast<std::uint8_t const*>(piece.data());
    auto left = piece.size();
    std::size_t size = 0;
    // A call takes no more input while there is output of an earlier block, so it ends with a call that has none.
    do {
      std::size_t room = 0;
      if (BrotliEncoderCompressStream(state_.get(), operation, &left, &in, &room, nullptr, nullptr) == BROTLI_FALSE)
        throw std::bad_alloc();
      size = 0;  // no limit
      auto const* const bytes = BrotliEncoderTakeOutput(state_.get(), &size);
      out.append(reinterpret_cast<char const*>(bytes), size);
    } while (left != 0 || size != 0);
  }

 private:
  void set(BrotliEncoderParameter parameter, std::uint32_t value) {
    if (BrotliEncoderSetParameter(state_.get(), parameter, value) == BROTLI_FALSE)
      throw std::logic_error("brotli parameter");
  }

  struct Free {
    void operator()(BrotliEncoderState* state) const noexcept { BrotliEncoderDestroyInstance(state); }
  };
  std::unique_ptr<BrotliEncoderState, Free> state_;
};

}  // namespace

std::unique_ptr<Compressor> make_compressor(Coding coding, Effort effort, std::size_t size) {
  switch (coding) {
    case Coding::identity: break;
    case Coding::zstd: return std::make_unique<Zstd>(effort, size);
    case Coding::br: return std::make_unique<Brotli>(effort, size);
    case Coding::gzip: return std::make_unique<Gzip>(effort);
  }
  throw std::invalid_argument("identity needs no compressor");
}

std::string compressed(std::string_view body, Coding coding, Effort effort) {
  std::string out;
  make_compressor(coding, effort, body.size())->compress(body, Compressor::Then::end, out);
  return out;
}

}  // namespace deployd::routing
