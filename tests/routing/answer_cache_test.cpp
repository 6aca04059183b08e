#include "routing/answer_cache.hpp"

#include <catch2/catch_test_macros.hpp>

#include <memory>
#include <string>

using namespace deployd::routing;

namespace {

std::shared_ptr<RenderedAnswer const> answer(std::size_t size, char fill = 'x') {
  RenderedAnswer rendered;
  rendered.bytes = std::string(size, fill);
  return std::make_shared<RenderedAnswer const>(std::move(rendered));
}

}  // namespace

TEST_CASE("what is kept is found by the very bytes of its target") {
  AnswerCache cache(1 << 20);
  auto const kept = answer(100);
  cache.keep("/a?x=1", {}, 7, kept);
  REQUIRE(cache.find("/a?x=1", {}, 7) != nullptr);
  CHECK(*cache.find("/a?x=1", {}, 7) == kept);
  CHECK(cache.find("/a?x=2", {}, 7) == nullptr);
  CHECK(cache.find("/a?x=1 ", {}, 7) == nullptr);
  CHECK(cache.find("/A?x=1", {}, 7) == nullptr);
  CHECK(cache.find("", {}, 7) == nullptr);
}

TEST_CASE("a response is found in its form only, unless no coding gains") {
  AnswerCache cache(1 << 20);
  WantedForm const plain;
  WantedForm const gzip{{.coding = Coding::gzip}};
  WantedForm const csv{{.format = Format::csv}};
  cache.keep("/a", plain, 7, answer(100));
  CHECK(cache.find("/a", gzip, 7) == nullptr);
  CHECK(cache.find("/a", csv, 7) == nullptr);
  auto const coded = answer(50);
  cache.keep("/a", gzip, 7, coded);
  REQUIRE(cache.find("/a", gzip, 7) != nullptr);
  CHECK(*cache.find("/a", gzip, 7) == coded);
  CHECK(*cache.find("/a", plain, 7) != coded);

  RenderedAnswer short_one;
  short_one.gains_by_coding = false;
  auto const for_all = std::make_shared<RenderedAnswer const>(short_one);
  cache.keep("/b", plain, 7, for_all);
  REQUIRE(cache.find("/b", gzip, 7) != nullptr);
  CHECK(*cache.find("/b", gzip, 7) == for_all);
  CHECK(cache.find("/b", {{.coding = Coding::gzip}, true}, 7) == nullptr);
  CHECK(cache.find("/b", {{.format = Format::csv, .coding = Coding::gzip}}, 7) == nullptr);
  CHECK(cache.find("/b", gzip, 8) == nullptr);
}

TEST_CASE("each form that is kept counts, and an old one gives its place to the new") {
  AnswerCache cache(1 << 20);
  cache.keep("/a", {}, 1, answer(1000));
  auto const one = cache.bytes_used();
  for (auto const coding : all_codings) cache.keep("/a", {.coding = coding}, 1, answer(1000));
  CHECK(cache.bytes_used() == 4 * one);
  for (auto const coding : all_codings) cache.keep("/a", {.coding = coding}, 2, answer(1000));
  CHECK(cache.bytes_used() == 4 * one);
  CHECK(cache.metrics().entries.value() == 4);
}

TEST_CASE("what was kept under another version of the data is never given") {
  AnswerCache cache(1 << 20);
  cache.keep("/a", {}, 7, answer(100));
  CHECK(cache.find("/a", {}, 8) == nullptr);
  CHECK(cache.find("/a", {}, 6) == nullptr);
  auto const newer = answer(100, 'y');
  cache.keep("/a", {}, 8, newer);
  CHECK(cache.find("/a", {}, 7) == nullptr);
  REQUIRE(cache.find("/a", {}, 8) != nullptr);
  CHECK(*cache.find("/a", {}, 8) == newer);
}

TEST_CASE("keeping the same target again takes the place of what was there") {
  AnswerCache cache(1 << 20);
  cache.keep("/a", {}, 1, answer(1000));
  auto const used = cache.bytes_used();
  for (std::uint64_t version = 2; version < 100; ++version) cache.keep("/a", {}, version, answer(1000));
  CHECK(cache.bytes_used() == used);
}

TEST_CASE("a cache of no bytes keeps nothing") {
  AnswerCache cache(0);
  CHECK_FALSE(cache.enabled());
  cache.keep("/a", {}, 1, answer(1));
  CHECK(cache.find("/a", {}, 1) == nullptr);
  CHECK(cache.bytes_used() == 0);
}

TEST_CASE("an answer that is too large a part of the cache is not kept, and drives out nothing") {
  AnswerCache cache(80'000);
  cache.keep("/small", {}, 1, answer(100));
  cache.keep("/large", {}, 1, answer(10'000));
  CHECK(cache.find("/large", {}, 1) == nullptr);
  CHECK(cache.find("/small", {}, 1) != nullptr);
  cache.keep("/fits", {}, 1, answer(9'000));
  CHECK(cache.find("/fits", {}, 1) != nullptr);
}

TEST_CASE("the cache never uses more bytes than it may, whatever is kept") {
  constexpr std::size_t capacity = 100'000;
  AnswerCache cache(capacity);
  for (int i = 0; i < 10'000; ++i) {
    cache.keep("/api/v1/deployments/" + std::to_string(i), {}, 1, answer(static_cast<std::size_t>(i * 7919 % 4000)));
    REQUIRE(cache.bytes_used() <= capacity);
  }
  CHECK(cache.bytes_used() > capacity / 2);
}

TEST_CASE("what is asked for again outlives what is not") {
  AnswerCache cache(100'000);
  cache.keep("/hot", {}, 1, answer(1000));
  for (int i = 0; i < 1000; ++i) {
    CAPTURE(i);
    REQUIRE(cache.find("/hot", {}, 1) != nullptr);
    cache.keep("/cold/" + std::to_string(i), {}, 1, answer(1000));
  }
  CHECK(cache.find("/cold/0", {}, 1) == nullptr);
}

TEST_CASE("answers of an older version make way first, however often they were asked for") {
  AnswerCache cache(100'000);
  for (int i = 0; i < 60; ++i) {
    auto const target = "/old/" + std::to_string(i);
    cache.keep(target, {}, 1, answer(1000));
    REQUIRE(cache.find(target, {}, 1) != nullptr);
  }
  for (int i = 0; i < 60; ++i) cache.keep("/new/" + std::to_string(i), {}, 2, answer(1000));
  int kept = 0;
  for (int i = 0; i < 60; ++i) kept += cache.find("/new/" + std::to_string(i), {}, 2) != nullptr ? 1 : 0;
  CHECK(kept >= 58);
}

TEST_CASE("an answer being sent outlives its place in the cache") {
  AnswerCache cache(20'000);
  cache.keep("/a", {}, 1, answer(1000, 'a'));
  auto const held = *cache.find("/a", {}, 1);
  for (int i = 0; i < 100; ++i) cache.keep("/b/" + std::to_string(i), {}, 1, answer(1000, 'b'));
  CHECK(cache.find("/a", {}, 1) == nullptr);
  CHECK(held->bytes == std::string(1000, 'a'));
}

TEST_CASE("a cache counts what it was asked for and what it holds") {
  AnswerCache cache(16 << 10);
  cache.keep("/a", {}, 1, answer(100));
  cache.find("/a", {}, 1);
  cache.find("/a", {}, 1);
  cache.find("/a", {}, 2);
  cache.find("/b", {}, 1);
  auto const& metrics = cache.metrics();
  CHECK(metrics.hits.value() == 2);
  CHECK(metrics.misses.value() == 2);
  CHECK(metrics.entries.value() == 1);
  CHECK(metrics.bytes.value() == cache.bytes_used());
  CHECK(metrics.evictions.value() == 0);
  for (int i = 0; i < 100; ++i) cache.keep("/" + std::to_string(i), {}, 1, answer(1000));
  CHECK(metrics.evictions.value() > 0);
  CHECK(metrics.entries.value() + metrics.evictions.value() == 101);
  CHECK(metrics.bytes.value() == cache.bytes_used());
}
