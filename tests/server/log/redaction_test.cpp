#include "server/log/redaction.hpp"

#include <time.h>

#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>

#include <chrono>
#include <random>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

using deployd::server::redacted;
using namespace std::chrono_literals;

namespace {

std::string const random_part = "0123456789abcdefghijABCDEFGHIJ0123456789-_x";
std::string const api_token = "dpd_" + random_part;

std::string escaped(char c) {
  constexpr std::string_view digits = "0123456789ABCDEF";
  auto const byte = static_cast<unsigned char>(c);
  return {'%', digits[byte >> 4], digits[byte & 0xF]};
}

/// `text` with every character percent-encoded.
std::string all_escaped(std::string_view text) {
  std::string result;
  for (char const c : text) result += escaped(c);
  return result;
}

/// `text` once for each of its characters, with that one percent-encoded.
std::vector<std::string> each_escaped(std::string_view text) {
  std::vector<std::string> results;
  for (std::size_t i = 0; i < text.size(); ++i)
    results.push_back(std::string(text.substr(0, i)) + escaped(text[i]) + std::string(text.substr(i + 1)));
  return results;
}

/// The CPU time of this thread.
std::chrono::nanoseconds cpu_time() {
  timespec time{};
  ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
  return std::chrono::seconds(time.tv_sec) + std::chrono::nanoseconds(time.tv_nsec);
}

}  // namespace

TEST_CASE("what looks like a secret does not stay") {
  auto const [text, want] = GENERATE(table<std::string, std::string>({
      {"/api?token=dpd_0123456789abcdefghijABCDEFGHIJ0123456789-_x", "/api?token=dpd_[redacted]"},
      {"dpd_0123456789abcdefghijABCDEFGHIJ0123456789-_x dpd_0123456789abcdefghijABCDEFGHIJ0123456789-_x",
       "dpd_[redacted] dpd_[redacted]"},
      {"dpdpd_0123456789abcdefghijABCDEFGHIJ0123456789-_x", "dpdpd_[redacted]"},
      {"xdpd_dpd_0123456789abcdefghijABCDEFGHIJ0123456789-_x", "xdpd_[redacted]"},
      {"dpd_short dpd_0123456789abcdefghij", "dpd_short dpd_[redacted]"},
      {"/a?access_token=eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJqYW5lIn0.c2lnbmF0dXJl&b=1", "/a?access_token=[redacted]&b=1"},
      {"eyJhbGciOiJub25lIn0.eyJzdWIiOiJqYW5lIn0.", "[redacted]"},
      {"eyJhbGciOiJub25lIn0.eyJzdWIiOiJqYW5lIn0. Then", "[redacted] Then"},
      {"eyJhbGciOiJub25lIn0.eyJzdWIiOiJqYW5lIn0", "[redacted]"},
      {"a-word-eyJhbGciOiJub25lIn0.eyJzdWIiOiJqYW5lIn0.x", "a-word-[redacted]"},
      {"eyJhbGciOiJub25lIn0.eyJzdWIiOiJqYW5lIn0.c2ln. And .eyJhb", "[redacted]. And .eyJhb"},
      {"eyJhbGciOiJkaXIifQ.bbbbbbbb.cccc.dddddddd.eeee", "[redacted]"},
      {"eyJ.eyJhbGciOiJub25lIn0.eyJzdWIiOiJqYW5lIn0.x", "eyJ.[redacted]"},
      {"postgresql://jane:secret@db/x: refused", "postgresql://jane:[redacted]@db/x: refused"},
      {"postgresql://jane:a:b@c@db/x", "postgresql://jane:[redacted]@db/x"},
      {"postgresql://jane:s3cr?t#PASS@127.0.0.1:1/x", "postgresql://jane:[redacted]@127.0.0.1:1/x"},
      {"'postgresql://jane:it's\"so@db/x' is refused", "'postgresql://jane:[redacted]@db/x' is refused"},
      {"postgresql://jane:a%2Fb%40c@db/x", "postgresql://jane:[redacted]@db/x"},
      {"redis://:secret@db ://:b@c", "redis://:[redacted]@db ://:[redacted]@c"},
      {"postgresql://db/x?user=jane&password=secret&sslmode=require",
       "postgresql://db/x?user=jane&password=[redacted]&sslmode=require"},
      {"/x?password=a%26b&c=d", "/x?password=[redacted]&c=d"},
      {"host=db password=secret user=jane", "host=db password=[redacted] user=jane"},
      {"PGPASSWORD=secret\nsslpassword=other", "PGPASSWORD=[redacted]\nsslpassword=[redacted]"},
      {"://u:password=x@h/y", "://u:[redacted]"},
      {"password=password=a b", "password=[redacted] b"},
  }));
  CHECK(redacted(text) == want);
}

TEST_CASE("what is percent-encoded in a secret does not hide it") {
  auto const [text, want] = GENERATE(table<std::string, std::string>({
      {"/?token=dpd%5F0123456789abcdefghijABCDEFGHIJ0123456789-_x&a", "/?token=dpd%5F[redacted]&a"},
      {"/?token%3Ddpd%5f0123456789abcdefghijABCDEFGHIJ0123456789-_x%26a", "/?token%3Ddpd%5f[redacted]%26a"},
      {"/?token=dpd%255F0123456789abcdefghijABCDEFGHIJ0123456789%252D_x", "/?token=dpd%255F[redacted]"},
      {"/?t=eyJhbGciOiJub25lIn0%2EeyJzdWIiOiJqYW5lIn0%2Ex&a", "/?t=[redacted]&a"},
      {"/?u=postgresql%3A%2F%2Fjane%3Asecret%40db%2Fx&a=b@c",
       "/?u=postgresql%3A%2F%2Fjane%3A[redacted]%40db%2Fx&a=b@c"},
      {"/?u=postgresql%3A%2F%2Fjane%3Aa%252Fb%40db%2Fx", "/?u=postgresql%3A%2F%2Fjane%3A[redacted]%40db%2Fx"},
      {"/?u=http%3A%2F%2Fdb%3A80&a=b%40c", "/?u=http%3A%2F%2Fdb%3A80&a=b%40c"},
      {"postgresql://db/x?pass%77ord=hunter2&a", "postgresql://db/x?pass%77ord=[redacted]&a"},
      {"/?pass%77ord=se%26cret&a", "/?pass%77ord=[redacted]&a"},
      {"/?a%3Fpassword%3Dse%2526cret%26b", "/?a%3Fpassword%3D[redacted]%26b"},
  }));
  CHECK(redacted(text) == want);
}

TEST_CASE("no character of a token has an escape that lets it through") {
  for (auto const& token : each_escaped(api_token)) {
    CAPTURE(token);
    CHECK(redacted("/?a=" + token + "&b").find("abcdefghijABCDEFGHIJ") == std::string::npos);
  }
  for (auto const& token : each_escaped("ewoiYWxnIjoibm9uZSJ9.eyJzdWIiOiJqYW5lIn0.c2lnbmF0dXJl")) {
    CAPTURE(token);
    CHECK(redacted("/?a=" + token + "&b") == "/?a=[redacted]&b");
  }
  CHECK(redacted("/?a=" + all_escaped(api_token) + "&b") == "/?a=%64%70%64%5F[redacted]&b");
  CHECK(redacted("/?a=" + all_escaped("eyJhbGciOi.eyJzdWIiOi.c2lnbmF0dX") + "&b") == "/?a=[redacted]&b");
  // A token behind a percent sign is one whether or not the sign begins an escape with it.
  CHECK(redacted("%2" + api_token) == "%2dpd_[redacted]");
  CHECK(redacted("%" + api_token + "%") == "%dpd_[redacted]%");
}

TEST_CASE("a JWT is one however the JSON of its header begins") {
  // base64url of `{`, white space, and what a header goes on with.
  auto const header =
      GENERATE("eyJhbGciOiJub25lIn0", "eyIxIjoiMiIsImEiOjB9", "eyLDpCI6MX0xMjM0", "eyAiYWxnIjoibm9uZSJ9",
               "ewoiYWxnIjoibm9uZSJ9", "ewogICJhbGciOiAibm9uZSJ9", "ew0KImFsZyI6Im5vbmUifQ", "ewkiYWxnIjoibm9uZSJ9",
               "eyAgICAgICAgICAgICAgICAgICAg", "ewoKCgoKCgoKCgoiYSI6MX0");
  auto const before = GENERATE("", "/", "token=", "Bearer ", "%20", "a_", "a-");
  auto const jwt = std::string(header) + ".eyJzdWIiOiJqYW5lIn0.c2lnbmF0dXJl";
  CAPTURE(before, jwt);
  CHECK(redacted(before + jwt + "/x") == std::string(before) + "[redacted]/x");
}

TEST_CASE("what only resembles a secret stays") {
  auto const text = GENERATE(
      "", "dpd_", "a token begins with dpd_ and 43 characters", "/api/v1/deployments?name=dpd_short", "eyJ",
      "eyJhbGciOiJub25lIn0", "eyJhbGci.short", "eyJhbGci.", "eyJhbGci..eyJhbGci.x", "eyJhbGc.eyJhbGc.longenough",
      "https://newoperator.deployments.example/a", "keyAlgorithm.description.example", "postgresql://jane@db:5432/x",
      "http://[::1]:8080/a@b:c", "http://db:80 a@b", "password=", "password=&a=b", "password=[redacted]",
      "a://b:[redacted]@c", "://:@h", "passwort=x", "GET https://example.com/a", "%", "%%", "%4", "%25%", "100%",
      "a%2Fb", "%00%ff", "://", "@:@:@");
  CHECK(redacted(text) == text);
}

TEST_CASE("the time of redaction is in proportion to the text, whatever it is") {
  std::vector<std::string> const pieces{"eyJ",
                                        "eyA",
                                        "ewo",
                                        "e",
                                        "y",
                                        "J",
                                        "dpd_",
                                        "d",
                                        "p",
                                        "dp",
                                        ".",
                                        "..",
                                        "/",
                                        "://",
                                        ":",
                                        "@",
                                        "?",
                                        "&",
                                        "=",
                                        "%",
                                        "%2",
                                        "%25",
                                        "%2525",
                                        "%65",
                                        "%2e",
                                        "%3A%2F%2F",
                                        "%64%70%64%5F",
                                        " ",
                                        "\n",
                                        "\"",
                                        "a",
                                        "aaaaaaaa",
                                        "0123456789abcdefghij",
                                        "password=",
                                        "passwor",
                                        "pass%77ord=",
                                        "eyJaaaaa.bbbbbbbb",
                                        "eyJaaaaa.bbbbbbbb/",
                                        "://u:p@",
                                        "[redacted]",
                                        "\x80",
                                        "dpd_0123456789abcdefghij",
                                        "%"};
  auto const check = [](std::string const& text) {
    auto const begin = cpu_time();
    auto const once = redacted(text);
    auto const spent = cpu_time() - begin;
    CAPTURE(text.substr(0, 200), text.size());
    // Some milliseconds, also with a sanitizer; work in proportion to the square takes seconds.
    CHECK(spent < 250ms);
    CHECK(once.size() <= 4 * text.size() + 10);
  };
  for (auto const& first : pieces) {
    for (auto const& second : pieces) {
      std::string repeated;
      while (repeated.size() < 20'000) repeated += first;
      std::string alternating;
      while (alternating.size() < 20'000) alternating += first + second;
      check(repeated + second);
      check(repeated + "/" + alternating);
    }
  }
  std::mt19937 random(12);
  for (int round = 0; round < 2000; ++round) {
    std::string text;
    for (auto left = random() % 300; left > 0; --left) text += pieces[random() % pieces.size()];
    check(text);
  }
}
