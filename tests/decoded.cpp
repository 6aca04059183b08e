#include "tests/decoded.hpp"

#include <brotli/decode.h>
#include <zlib.h>
#include <zstd.h>

#include <array>
#include <cstdint>
#include <memory>
#include <stdexcept>

namespace deployd::tests {
namespace {

struct Decoded {
  std::string text;
  bool complete = false;
};

Decoded from_gzip(std::string_view body) {
  z_stream stream{};
  if (inflateInit2(&stream, MAX_WBITS + 16) != Z_OK) throw std::bad_alloc();
  std::unique_ptr<z_stream, decltype(&inflateEnd)> const end(&stream, inflateEnd);
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(body.data()));
  stream.avail_in = static_cast<uInt>(body.size());
  Decoded decoded;
  std::array<char, 65536> buffer;
  int result = Z_OK;
  do {
    stream.next_out = reinterpret_cast<Bytef*>(buffer.data());
    stream.avail_out = buffer.size();
    result = inflate(&stream, Z_SYNC_FLUSH);
    if (result != Z_OK && result != Z_STREAM_END && result != Z_BUF_ERROR) throw std::runtime_error("not gzip");
    decoded.text.append(buffer.data(), buffer.size() - stream.avail_out);
  } while (result == Z_OK && stream.avail_out == 0);
  decoded.complete = result == Z_STREAM_END && stream.avail_in == 0;
  return decoded;
}

Decoded from_brotli(std::string_view body) {
  std::unique_ptr<BrotliDecoderState, decltype(&BrotliDecoderDestroyInstance)> const state(
      BrotliDecoderCreateInstance(nullptr, nullptr, nullptr), BrotliDecoderDestroyInstance);
  auto const* in = reinterpret_cast<std::uint8_t const*>(body.data());
  auto left = body.size();
  Decoded decoded;
  std::array<char, 65536> buffer;
  auto result = BROTLI_DECODER_RESULT_NEEDS_MORE_OUTPUT;
  do {
    auto* out = reinterpret_cast<std::uint8_t*>(buffer.data());
    auto room = buffer.size();
    result = BrotliDecoderDecompressStream(state.get(), &left, &in, &room, &out, nullptr);
    decoded.text.append(buffer.data(), buffer.size() - room);
    // At the end of the input there may be more output, whatever the result says.
  } while (BrotliDecoderHasMoreOutput(state.get()) != BROTLI_FALSE);
  if (result == BROTLI_DECODER_RESULT_ERROR) throw std::runtime_error("not brotli");
  decoded.complete = result == BROTLI_DECODER_RESULT_SUCCESS && left == 0;
  return decoded;
}

Decoded from_zstd(std::string_view body) {
  std::unique_ptr<ZSTD_DStream, decltype(&ZSTD_freeDStream)> const stream(ZSTD_createDStream(), ZSTD_freeDStream);
  ZSTD_inBuffer in{body.data(), body.size(), 0};
  Decoded decoded;
  std::array<char, 65536> buffer;
  std::size_t hint = 1;
  bool more = true;
  while (more) {
    ZSTD_outBuffer out{buffer.data(), buffer.size(), 0};
    hint = ZSTD_decompressStream(stream.get(), &out, &in);
    if (ZSTD_isError(hint) != 0) throw std::runtime_error("not zstd");
    decoded.text.append(buffer.data(), out.pos);
    more = hint != 0 && (in.pos < in.size || out.pos == out.size);
  }
  decoded.complete = hint == 0 && in.pos == in.size;
  return decoded;
}

Decoded take_off(std::string_view body, std::string_view coding) {
  if (coding == "gzip") return from_gzip(body);
  if (coding == "br") return from_brotli(body);
  if (coding == "zstd") return from_zstd(body);
  if (coding != "identity" && coding != "(none)") throw std::runtime_error("unknown coding " + std::string(coding));
  return {std::string(body), true};
}

}  // namespace

std::string decoded(std::string_view body, std::string_view coding) {
  auto got = take_off(body, coding);
  if (!got.complete) throw std::runtime_error("the " + std::string(coding) + " body has not the end it should");
  return std::move(got.text);
}

std::string decoded_so_far(std::string_view beginning, std::string_view coding) {
  return take_off(beginning, coding).text;
}

}  // namespace deployd::tests
