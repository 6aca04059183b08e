#include "bench/url.hpp"

#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>

#include <stdexcept>
#include <string>

using deployd::bench::parse_url;
using deployd::bench::UrlTemplate;

namespace {

std::string target(UrlTemplate const& url, std::uint64_t index) {
  std::string out;
  url.append_to(out, index);
  return out;
}

}  // namespace

TEST_CASE("a range takes the next number at each request and begins again after its end") {
  UrlTemplate const url("/api/v1/deployments/{1..3}");
  CHECK(target(url, 0) == "/api/v1/deployments/1");
  CHECK(target(url, 1) == "/api/v1/deployments/2");
  CHECK(target(url, 2) == "/api/v1/deployments/3");
  CHECK(target(url, 3) == "/api/v1/deployments/1");
}

TEST_CASE("several ranges go on together, each in its own length") {
  UrlTemplate const url("/{0..1}/x{10..12}y?{5..5}");
  CHECK(target(url, 0) == "/0/x10y?5");
  CHECK(target(url, 1) == "/1/x11y?5");
  CHECK(target(url, 5) == "/1/x12y?5");
}

TEST_CASE("braces that are no range stand for themselves") {
  for (std::string const text :
       {"/{}", "/{1}", "/{a..b}", "/{1...3}", "/{1..3", "/1..3}", "/}{", "/{-1..3}", "/{{x}"}) {
    UrlTemplate const url(text);
    CHECK(target(url, 7) == text);
  }
}

TEST_CASE("a range inside other braces is found") {
  CHECK(target(UrlTemplate("/{{4..9}}"), 1) == "/{5}");
}

TEST_CASE("a range that runs backwards or does not fit 64 bits is refused") {
  auto const text = GENERATE("/{3..1}", "/{1..99999999999999999999}", "/{0..18446744073709551615}");
  CHECK_THROWS_AS(UrlTemplate(text), std::invalid_argument);
}

TEST_CASE("the largest range works at its ends") {
  UrlTemplate const url("/{18446744073709551613..18446744073709551614}");
  CHECK(target(url, 0) == "/18446744073709551613");
  CHECK(target(url, 1) == "/18446744073709551614");
}

TEST_CASE("a URL is taken apart") {
  auto const url = parse_url("http://localhost:8080/api?name=a%20b#there");
  CHECK(url.host == "localhost");
  CHECK(url.port == "8080");
  CHECK(url.authority == "localhost:8080");
  CHECK(target(url.target, 0) == "/api?name=a%20b");
}

TEST_CASE("what a URL leaves out is filled in") {
  CHECK(parse_url("http://host").port == "80");
  CHECK(target(parse_url("http://host").target, 0) == "/");
  CHECK(target(parse_url("http://host?x=1").target, 0) == "/?x=1");
}

TEST_CASE("an IPv6 address stands in brackets") {
  auto const url = parse_url("http://[::1]:81/");
  CHECK(url.host == "::1");
  CHECK(url.port == "81");
  CHECK(url.authority == "[::1]:81");
}

TEST_CASE("https has a port of its own") {
  auto const url = parse_url("https://example.com/x");
  CHECK(url.secure);
  CHECK(url.host == "example.com");
  CHECK(url.port == "443");
  CHECK(parse_url("https://host:8443/").port == "8443");
  CHECK_FALSE(parse_url("http://host/").secure);
}

TEST_CASE("what is no http URL is refused") {
  auto const text = GENERATE("", "host/x", "ftp://host/", "https:/host/", "http:///x", "http://host:0/",
                             "http://host:x/", "http://host:70000/", "http://[::1/", "http://[::1]8/",
                             "http://me@host/", "http://host/a b", "http://host/\r\nX: y");
  CAPTURE(text);
  CHECK_THROWS_AS(parse_url(text), std::invalid_argument);
}

TEST_CASE("the scheme of a URL is written in any case") {
  CHECK_FALSE(parse_url("HTTP://Host/").secure);
  CHECK(parse_url("HttpS://Host/").secure);
  CHECK(parse_url("HTTPS://Host/A").authority == "Host");
  CHECK_THROWS_AS(parse_url("HTTP:/x"), std::invalid_argument);
  CHECK_THROWS_AS(parse_url("HTTPX://x"), std::invalid_argument);
}
