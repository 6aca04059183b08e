// Sources of an import as they are read: plain, and compressed with gzip or zstd.
#include "storage/transfer/import_input.hpp"

#include <zlib.h>
#include <zstd.h>
#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>

#include <functional>
#include <random>
#include <sstream>
#include <string>

#include "storage/error.hpp"

namespace deployd::storage {
namespace {

using namespace std::string_literals;

std::string gzip(std::string const& text) {
  z_stream stream{};
  REQUIRE(deflateInit2(&stream, 1, Z_DEFLATED, MAX_WBITS + 16, 8, Z_DEFAULT_STRATEGY) == Z_OK);
  std::string out(deflateBound(&stream, text.size()) + 64, '\0');
  auto input = text;
  stream.next_in = reinterpret_cast<Bytef*>(input.data());
  stream.avail_in = static_cast<uInt>(input.size());
  stream.next_out = reinterpret_cast<Bytef*>(out.data());
  stream.avail_out = static_cast<uInt>(out.size());
  REQUIRE(deflate(&stream, Z_FINISH) == Z_STREAM_END);
  out.resize(stream.total_out);
  deflateEnd(&stream);
  return out;
}

std::string zstd(std::string const& text) {
  auto* const context = ZSTD_createCCtx();
  ZSTD_CCtx_setParameter(context, ZSTD_c_checksumFlag, 1);
  std::string out(ZSTD_compressBound(text.size()), '\0');
  auto const size = ZSTD_compress2(context, out.data(), out.size(), text.data(), text.size());
  ZSTD_freeCCtx(context);
  REQUIRE(ZSTD_isError(size) == 0);
  out.resize(size);
  return out;
}

std::string read_all(std::string const& bytes) {
  std::istringstream stream(bytes);
  ImportSource const source{"file", &stream, bytes.size()};
  ImportInput input(source);
  std::string text;
  for (auto piece = input.next(); !piece.empty(); piece = input.next()) text += piece;
  CHECK(input.bytes_read() == bytes.size());
  return text;
}

std::string refusal_of(std::string const& bytes) {
  try {
    read_all(bytes);
    return "";
  } catch (Error const& error) {
    CHECK(error.code() == errc::bad_input);
    return error.what();
  }
}

/// Text that no compression makes much smaller.
std::string random_text(std::size_t size) {
  std::minstd_rand random(7);
  std::string text(size, '\0');
  for (auto& c : text) c = static_cast<char>(' ' + random() % 90);
  return text;
}

struct Coding {
  char const* name;
  std::function<std::string(std::string const&)> compress;
};

Coding either_coding() {
  return GENERATE(values<Coding>({{"gzip", gzip}, {"zstd", zstd}}));
}

TEST_CASE("a source is read whole, compressed or not") {
  auto const text = GENERATE(""s, "x"s, "id,name\n1,A\n"s, random_text(4096), random_text(64 * 1024),
                             random_text(1'000'000), std::string(20'000'000, 'x'));
  CAPTURE(text.size());
  CHECK(read_all(text) == text);
  CHECK(read_all(gzip(text)) == text);
  CHECK(read_all(zstd(text)) == text);
}

TEST_CASE("compressed files that follow each other in one are one text") {
  auto const coding = either_coding();
  auto const text = random_text(100'000);
  CHECK(read_all(coding.compress("a") + coding.compress("") + coding.compress(text)) == "a" + text);
}

TEST_CASE("a zstd file may have frames to be skipped, and begin with one") {
  auto const skipped = "\x50\x2A\x4D\x18\x03\0\0\0abc"s;
  CHECK(read_all(skipped + zstd("x") + skipped) == "x");
}

TEST_CASE("compressed data that ends too early is refused, wherever it ends") {
  auto const coding = either_coding();
  auto const whole = coding.compress(random_text(100'000));
  auto const size =
      GENERATE_COPY(std::size_t{4}, std::size_t{20}, whole.size() / 2, whole.size() - 4, whole.size() - 1);
  CAPTURE(coding.name, size);
  auto const expected = "file: the "s + coding.name + " data ends too early; the file is not complete";
  CHECK(refusal_of(whole.substr(0, size)) == expected);
  CHECK(refusal_of(coding.compress("x") + whole.substr(0, size)) == expected);
}

TEST_CASE("corrupt data is refused") {
  auto const coding = either_coding();
  auto bytes = coding.compress(random_text(100'000));
  auto const at = GENERATE_COPY(bytes.size() / 2, bytes.size() - 5, bytes.size() - 2);
  CAPTURE(coding.name, at);
  bytes[at] = static_cast<char>(bytes[at] ^ 0x55);
  CHECK(refusal_of(bytes).starts_with("file: the "s + coding.name + " data "));
}

TEST_CASE("bytes behind compressed data that are not compressed are refused") {
  auto const coding = either_coding();
  auto const rest = GENERATE("\n"s, "junk"s, "\0\0\0\0\0\0\0\0"s, random_text(100'000));
  CAPTURE(coding.name, rest.size());
  CHECK(refusal_of(coding.compress("x") + rest) ==
        "file: the "s + coding.name + " data is followed by bytes that are not " + coding.name);
}

TEST_CASE("zstd data that takes much memory to decompress is refused") {
  auto* const context = ZSTD_createCCtx();
  ZSTD_CCtx_setParameter(context, ZSTD_c_windowLog, 28);
  std::string const text(1000, 'x');
  std::string out(10'000, '\0');
  ZSTD_inBuffer in{text.data(), text.size(), 0};
  ZSTD_outBuffer written{out.data(), out.size(), 0};
  ZSTD_compressStream2(context, &written, &in, ZSTD_e_flush);  // the size is not known, so the window is as it is
  ZSTD_freeCCtx(context);
  CHECK(refusal_of(out.substr(0, written.pos)) ==
        "file: the zstd data needs more than 128 MiB to decompress; compress it without --long");
}

}  // namespace
}  // namespace deployd::storage
