#include "server/fetch/cache_control.hpp"

#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>

#include <optional>
#include <string>

using namespace deployd::server;
using namespace std::chrono_literals;
using std::chrono::seconds;

TEST_CASE("max-age is found among the directives of Cache-Control") {
  auto const [text, want] = GENERATE(table<std::string, std::optional<seconds>>({
      {"max-age=60", 60s},
      {"public, max-age=15, stale-while-revalidate=30", 15s},
      {"Max-Age=7", 7s},
      {"max-age=\"8\"", 8s},
      {"max-age=0", 0s},
      {"max-age=30, max-age=20", 20s},
      {" no-cache ,\tmax-age=9 ", 9s},
      {"private=\"a, max-age=1\", max-age=5", 5s},
      {"private=\"\\\", max-age=1\", max-age=6", 6s},
      {"max-age=99999999999999999999", 2147483648s},
      {"", std::nullopt},
      {"no-store", std::nullopt},
      {"s-maxage=5", std::nullopt},
      {"max-age", std::nullopt},
      {"max-age=", std::nullopt},
      {"max-age=-1", std::nullopt},
      {"max-age=1.5", std::nullopt},
      {"max-age = 5", std::nullopt},
      {"x-max-age=5", std::nullopt},
      {",,,", std::nullopt},
      {"\"", std::nullopt},
      {"a=\"\\", std::nullopt},
  }));
  CAPTURE(text);
  CHECK(max_age_of(text) == want);
}

TEST_CASE("Retry-After is a number of seconds or a date") {
  auto const now = std::chrono::system_clock::from_time_t(784'111'777);  // Sun, 06 Nov 1994 08:49:37 GMT
  CHECK(retry_after_of("120", now) == 120s);
  CHECK(retry_after_of("Sun, 06 Nov 1994 08:50:37 GMT", now) == 60s);
  CHECK(retry_after_of("Sun, 06 Nov 1994 08:00:00 GMT", now) == 0s);
  for (auto const* const text : {"", "soon", "-1", "1.5", "Sun, 06 Nov 1994 08:50:37 GMT x"}) {
    CAPTURE(text);
    CHECK(retry_after_of(text, now) == std::nullopt);
  }
}
