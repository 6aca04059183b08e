#include "base/nearest_name.hpp"

#include <catch2/catch_test_macros.hpp>

#include <array>
#include <string>
#include <string_view>

using deployd::base::nearest_name;

TEST_CASE("the nearest name is at most two changes away, and for short names fewer") {
  constexpr std::array<std::string_view, 4> names{"listen", "limit", "log", "$skip"};
  CHECK(nearest_name("lisen", names) == "listen");
  CHECK(nearest_name("lsiten", names) == "listen");
  CHECK(nearest_name("skip", names) == "$skip");
  CHECK(nearest_name("limit", names) == "limit");
  CHECK(nearest_name("lxxxn", names).empty());
  CHECK(nearest_name("lo", names) == "log");
  CHECK(nearest_name("l", names).empty());
  CHECK(nearest_name("", names).empty());
  CHECK(nearest_name(std::string(1'000'000, 'l'), names).empty());
  CHECK(nearest_name("listen", {}).empty());
}
