#include "routing/compressor.hpp"

#include <malloc.h>
#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>

#include <algorithm>
#include <random>
#include <string>
#include <vector>

#include "tests/decoded.hpp"

using namespace deployd::routing;
using deployd::tests::decoded;
using deployd::tests::decoded_so_far;
using Then = Compressor::Then;

namespace {

Coding any_coding() {
  return GENERATE(Coding::gzip, Coding::br, Coding::zstd);
}

Effort any_effort() {
  return GENERATE(Effort::streamed, Effort::kept, Effort::prepared);
}

/// Rows as of a list, or noise that no coding makes shorter.
std::string some_text(std::mt19937& random, std::size_t size, bool noise) {
  std::string text;
  while (text.size() < size) {
    if (noise)
      text += static_cast<char>(random());
    else
      text += R"({"id":)" + std::to_string(random() % 100'000) + R"(,"pattern_id":1,"name":"views to DEV"},)";
  }
  text.resize(size);
  return text;
}

}  // namespace

TEST_CASE("a text compressed in any pieces is the text when it is decompressed") {
  auto const coding = any_coding();
  auto const effort = any_effort();
  std::mt19937 random(3);
  for (int round = 0; round < 30; ++round) {
    bool const noise = round % 3 == 0;
    auto const sizes = effort == Effort::prepared ? 30'000U : 600'000U;
    auto const text = some_text(random, random() % (round % 2 == 0 ? 3'000U : sizes), noise);
    bool const size_known = random() % 2 == 0;
    CAPTURE(to_string(coding), static_cast<int>(effort), round, text.size());
    auto const compressor = make_compressor(coding, effort, size_known ? text.size() : 0);
    std::string out;
    std::string_view rest = text;
    while (random() % 8 != 0 && !rest.empty()) {
      auto const piece = rest.substr(0, random() % (rest.size() + 1));
      rest.remove_prefix(piece.size());
      bool const flush = random() % 2 == 0;
      compressor->compress(piece, flush ? Then::flush : Then::go_on, out);
      if (flush) REQUIRE(decoded_so_far(out, to_string(coding)).size() == text.size() - rest.size());
    }
    compressor->compress(rest, Then::end, out);
    REQUIRE(decoded(out, to_string(coding)) == text);
  }
}

TEST_CASE("an empty text has a compressed form") {
  auto const coding = any_coding();
  CHECK(decoded(compressed({}, coding, any_effort()), to_string(coding)).empty());
}

TEST_CASE("a list of a hundred becomes less than a quarter") {
  auto const coding = any_coding();
  std::mt19937 random(5);
  auto const text = some_text(random, 6'000, false);
  CHECK(compressed(text, coding, any_effort()).size() < text.size() / 4);
}

TEST_CASE("the same text has the same compressed form each time, for its ETag") {
  auto const coding = any_coding();
  std::mt19937 random(5);
  auto const text = some_text(random, 50'000, false);
  CHECK(compressed(text, coding, Effort::kept) == compressed(text, coding, Effort::kept));
}

TEST_CASE("a stream's compressor takes no more memory than it may, however long the stream") {
  auto const coding = any_coding();
  CAPTURE(to_string(coding));
  std::mt19937 random(5);
  auto const piece = some_text(random, 64 * 1024, false);
  std::string out;
  out.reserve(128 * 1024);
  auto const in_use = [] {
    auto const info = mallinfo2();
    return info.uordblks + info.hblkhd;
  };
  auto const before = in_use();
  auto const compressor = make_compressor(coding, Effort::streamed);
  std::size_t most = 0;
  for (int i = 0; i < 50; ++i) {
    out.clear();
    compressor->compress(piece, Then::flush, out);
    most = std::max(most, in_use() - before);
  }
  INFO(most);
  CHECK(most <= most_stream_memory);
}
