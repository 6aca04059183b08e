#include "server/fetch/url.hpp"

#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>

#include <string>
#include <utility>

using namespace deployd::server;

namespace {

std::string round_trip(std::string_view text) {
  auto const url = parse_url(text);
  return url ? to_string(*url) : "refused: " + url.error().what;
}

std::string resolved(std::string_view base, std::string_view reference) {
  auto const url = resolve_reference(*parse_url(base), reference);
  return url ? to_string(*url) : "refused: " + url.error().what;
}

}  // namespace

TEST_CASE("a URL is read into scheme, host, port and target") {
  auto const [text, want] = GENERATE(table<std::string, std::string>({
      {"https://id.example.com", "https://id.example.com/"},
      {"HTTPS://ID.Example.COM/Keys", "https://id.example.com/Keys"},
      {"https://id.example.com:443/a", "https://id.example.com/a"},
      {"https://id.example.com:8443", "https://id.example.com:8443/"},
      {"https://id.example.com:/a", "https://id.example.com/a"},
      {"http://127.0.0.1:80/a", "http://127.0.0.1/a"},
      {"https://[::1]:8443/a?b=c/d", "https://[::1]:8443/a?b=c/d"},
      {"https://id.example.com?appid=7", "https://id.example.com/?appid=7"},
      {"https://id.example.com/a/../b/./c", "https://id.example.com/b/c"},
      {"https://id.example.com/..", "https://id.example.com/"},
      {"https://id.example.com/a%20b", "https://id.example.com/a%20b"},
  }));
  CAPTURE(text);
  CHECK(round_trip(text) == want);
}

TEST_CASE("what is no URL of http is refused, with the reason") {
  auto const [text, why] = GENERATE(table<std::string, std::string>({
      {"", "it has no scheme such as https://"},
      {"id.example.com/keys", "it has no scheme such as https://"},
      {"ftp://id.example.com", "its scheme is not https"},
      {"file:///etc/passwd", "its scheme is not https"},
      {"https://", "it has no host"},
      {"https:///keys", "it has no host"},
      {"https://:443/keys", "it has no host"},
      {"https://user:secret@id.example.com", "it holds a user or password"},
      {"https://id.example.com/#top", "it has a fragment"},
      {"https://id.example.com:0/", "its port is not a number from 1 to 65535"},
      {"https://id.example.com:65536/", "its port is not a number from 1 to 65535"},
      {"https://id.example.com:4x/", "its port is not a number from 1 to 65535"},
      {"https://[::1/", "its address has no closing bracket"},
      {"https://[::1]x/", "there is text after its address"},
      {"https://[nonsense]/", "the text between the brackets is not an IPv6 address"},
      {"https://id example.com/", "it has characters that a URL cannot have"},
      {"https://id.example.com/\r\nX: y", "it has characters that a URL cannot have"},
      {"https://id.ex\xc3\xa4mple.com/", "it has characters that a URL cannot have"},
      {"https://id%2eexample.com/", "its host has characters that a host name cannot have"},
  }));
  CAPTURE(text);
  CHECK(round_trip(text) == "refused: " + why);
  CHECK(round_trip("https://id.example.com/" + std::string(5000, 'a')) == "refused: it is too long");
}

TEST_CASE("a reference is resolved against the URL that it was found at") {
  auto const [reference, want] = GENERATE(table<std::string, std::string>({
      {"https://other.example.com/keys", "https://other.example.com/keys"},
      {"//other.example.com/keys", "https://other.example.com/keys"},
      {"/keys", "https://id.example.com:8443/keys"},
      {"keys", "https://id.example.com:8443/a/keys"},
      {"../keys", "https://id.example.com:8443/keys"},
      {"?page=2", "https://id.example.com:8443/a/b?page=2"},
      {"/keys#top", "https://id.example.com:8443/keys"},
      {"", "https://id.example.com:8443/a/b?q"},
      {"http://id.example.com/keys", "http://id.example.com/keys"},
      {"ftp://id.example.com/keys", "refused: its scheme is not https"},
      {"mailto:someone", "refused: it has no scheme such as https://"},
      {"/keys/a:b", "https://id.example.com:8443/keys/a:b"},
  }));
  CAPTURE(reference);
  CHECK(resolved("https://id.example.com:8443/a/b?q", reference) == want);
}

TEST_CASE("a URL is shown without its query") {
  CHECK(shown(*parse_url("https://id.example.com/keys?code=secret")) == "https://id.example.com/keys?...");
  CHECK(shown(*parse_url("https://id.example.com/keys")) == "https://id.example.com/keys");
}

TEST_CASE("only addresses of this machine are loopback") {
  for (auto const* const text : {"http://localhost/", "http://127.0.0.1/", "http://127.8.9.1:80/", "http://[::1]/"})
    CHECK(is_loopback(*parse_url(text)));
  for (auto const* const text : {"http://localhost.example.com/", "http://128.0.0.1/", "http://[::2]/", "http://0/"})
    CHECK_FALSE(is_loopback(*parse_url(text)));
}
