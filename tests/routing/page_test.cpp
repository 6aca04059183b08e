#include "routing/page/page.hpp"

#include <openssl/sha.h>
#include <catch2/catch_test_macros.hpp>

#include <algorithm>
#include <array>
#include <string>
#include <string_view>

#include "routing/rendered_answer.hpp"
#include "tests/routing/answers.hpp"

using namespace deployd::routing;

namespace {

std::size_t count_of(std::string_view text, std::string_view part) {
  std::size_t count = 0;
  for (auto at = text.find(part); at != std::string_view::npos; at = text.find(part, at + 1)) ++count;
  return count;
}

/// Base64 of RFC 4648 §4, written here so that the one under test is not compared with itself.
std::string base64(std::string_view bytes) {
  constexpr std::string_view digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string text;
  for (std::size_t at = 0; at < bytes.size(); at += 3) {
    unsigned group = 0;
    for (std::size_t i = 0; i < 3; ++i)
      group = group << 8 | (at + i < bytes.size() ? static_cast<unsigned char>(bytes[at + i]) : 0U);
    for (int shift = 18; shift >= 0; shift -= 6) text += digits[group >> shift & 63U];
  }
  auto const padding = (3 - bytes.size() % 3) % 3;
  return text.replace(text.size() - padding, padding, padding, '=');
}

std::string hash_of(std::string_view content) {
  std::array<unsigned char, SHA256_DIGEST_LENGTH> digest;
  SHA256(reinterpret_cast<unsigned char const*>(content.data()), content.size(), digest.data());
  return "'sha256-" + base64({reinterpret_cast<char const*>(digest.data()), digest.size()}) + "'";
}

/// The content of the only element `name` of the page.
std::string_view element(std::string_view name) {
  auto const html = page_html();
  auto const opening = "<" + std::string(name);
  auto const closing = "</" + std::string(name) + ">";
  REQUIRE(count_of(html, opening) == 1);
  REQUIRE(count_of(html, closing) == 1);
  auto const start = html.find('>', html.find(opening)) + 1;
  return html.substr(start, html.find(closing) - start);
}

Answer ask(std::shared_ptr<RenderedAnswer const> const& answer, Request const& request = get("/")) {
  Output out;
  append_answer(out, answer, request, moment, CorsPolicy({"*"}));
  return take_apart(bytes_of(out));
}

}  // namespace

TEST_CASE("the page is one file of at most 60 KB that loads nothing") {
  auto const html = page_html();
  CHECK(html.starts_with("<!doctype html>\n"));
  CHECK(html.ends_with("</html>\n"));
  CHECK(html.size() <= 60'000);
  for (auto const* const part : {" src=", "@import", "url(", "rel=\"stylesheet\"", " style=", " onclick=", "eval("}) {
    CAPTURE(part);
    CHECK(count_of(html, part) == 0);
  }
}

TEST_CASE("the policy of the page allows its style and its script by their hashes, and nothing else") {
  auto const policy = ask(render_page(CorsPolicy({"*"})).page.in(Coding::identity))["Content-Security-Policy"];
  CHECK(policy == "default-src 'none'; style-src " + hash_of(element("style")) + "; script-src " +
                      hash_of(element("script")) +
                      "; connect-src 'self'; img-src 'self'; base-uri 'none'; form-action 'none'; "
                      "frame-ancestors 'none'");
}

TEST_CASE("the policy follows the content") {
  auto const of = [](std::string const& style, std::string const& script) {
    return content_security_policy("<style>" + style + "</style><script type=\"module\">" + script + "</script>");
  };
  CHECK(of("a", "b") != of("a", "c"));
  CHECK(of("a", "b") != of("c", "b"));
  // The example of the specification (CSP Level 3, section 8.3).
  CHECK(of("", "alert('Hello, world.');").find("'sha256-qznLcsROx4GACP2dm0UCKCzCG+HiZ1guq6ZZDob/Tng='") !=
        std::string::npos);
}

TEST_CASE("the page, its icon and the rules for crawlers have their types and may be revalidated") {
  auto const answers = render_page(CorsPolicy({"*"}));
  auto const page = ask(answers.page.in(Coding::identity));
  CHECK(page.status() == 200);
  CHECK(page.body == page_html());
  CHECK(page["Content-Type"] == "text/html; charset=utf-8");
  CHECK(page["Referrer-Policy"] == "no-referrer");
  CHECK(page["X-Content-Type-Options"] == "nosniff");
  CHECK(page["ETag"].size() == 34);
  CHECK(page["Cache-Control"].find("no-cache") != std::string::npos);

  auto conditional = get("/");
  auto const etag = page["ETag"];
  conditional.if_none_match = field(etag);
  CHECK(ask(answers.page.in(Coding::identity), conditional).status() == 304);
  CHECK(ask(answers.page.in(Coding::identity), head("/")).body.empty());
  CHECK(ask(answers.icon)["Content-Type"] == "image/svg+xml");
  CHECK(ask(answers.robots).body == "User-agent: *\nDisallow: /\n");
  CHECK_FALSE(ask(answers.robots).has("Content-Security-Policy"));
}
