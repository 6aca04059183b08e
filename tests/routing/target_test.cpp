#include "routing/target.hpp"

#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>

#include <optional>
#include <string>
#include <string_view>
#include <vector>

using namespace deployd::routing;

TEST_CASE("a target in origin-form or absolute-form is split at its first question mark") {
  struct Row {
    std::string_view target;
    std::string_view path;
    std::optional<std::string_view> query;
  };
  auto const row =
      GENERATE(Row{"/", "/", {}}, Row{"/a/b", "/a/b", {}}, Row{"/a?", "/a", ""}, Row{"/a?x=1", "/a", "x=1"},
               Row{"/a?x?y/z", "/a", "x?y/z"}, Row{"/?x", "/", "x"}, Row{"//a", "//a", {}}, Row{"/a%3Fb", "/a%3Fb", {}},
               Row{"http://host/a?b", "/a", "b"}, Row{"HTTP://host:80/a", "/a", {}}, Row{"https://host/a", "/a", {}},
               Row{"http://[::1]:80/a", "/a", {}}, Row{"http://%61.example:/a", "/a", {}}, Row{"http://host", "/", {}},
               Row{"http://host?x", "/", "x"}, Row{"http://host/?x=http://other/", "/", "x=http://other/"},
               Row{"/http://host/a", "/http://host/a", {}});
  CAPTURE(row.target);
  auto const target = split_target(row.target);
  REQUIRE(target);
  CHECK(target->path == row.path);
  CHECK(target->query == row.query);
}

TEST_CASE("a target of another form, or with a fragment, is none") {
  auto const target = GENERATE("", "*", "a/b", "host:80", "ftp://host/a", "http:///a", "http://", "http:/a",
                               "http://?x", "?x=1", "http://[zz]/a", "http://a%zz.example/", "http://:80/a",
                               "http://jane@host/a", "http://jane:secret@host/a", "http://host:x/a", "http://[::1/a",
                               "[::1]:80", "host:", "127.0.0.1:443", "/a#b", "/a?b#c", "http://host/#");
  CAPTURE(target);
  CHECK_FALSE(split_target(target));
}

TEST_CASE("a path is split first and decoded then") {
  struct Row {
    std::string_view path;
    std::vector<std::string> segments;
    bool trailing_slash = false;
    bool well_formed = true;
  };
  auto const row =
      GENERATE(Row{"/", {}}, Row{"/a", {"a"}}, Row{"/a/", {"a"}, true}, Row{"/a/b", {"a", "b"}},
               Row{"/a//b", {"a", "", "b"}}, Row{"//", {""}, true}, Row{"/a//", {"a", ""}, true}, Row{"//a", {"", "a"}},
               Row{"/a%2Fb/c", {"a/b", "c"}}, Row{"/a/%2F", {"a", "/"}}, Row{"/%31+1", {"1+1"}},
               Row{"/%C3%A4", {"\xC3\xA4"}}, Row{"/..", {".."}}, Row{"/a/%zz/b", {"a", "%zz", "b"}, false, false},
               Row{"/%", {"%"}, false, false}, Row{"/%FF/", {"%FF"}, true, false});
  CAPTURE(row.path);
  auto const path = decode_path(row.path);
  CHECK(path.segments == row.segments);
  CHECK(path.trailing_slash == row.trailing_slash);
  CHECK(path.well_formed == row.well_formed);
}

TEST_CASE("of a path no more segments are decoded than tell it from every route") {
  std::string deep;
  for (int i = 0; i < 3000; ++i) deep += "/a";
  for (std::string const& rest : {std::string(), std::string("/"), std::string("/%zz"), std::string(3000, '/')}) {
    auto const path = decode_path(deep + rest);
    CHECK(path.segments == std::vector<std::string>(Path::most_segments, "a"));
    CHECK(path.well_formed);
  }
  CHECK(decode_path("/1/2/3/4/5/6/7/8/").segments.size() == 8);
}

TEST_CASE("what stands under /api/ is told by whole decoded segments") {
  auto const under = [](std::string_view path) { return decode_path(path).is_api(); };
  for (auto const* const path : {"/api/", "/api/v1/deployments", "/api//", "/%61pi/x", "/api/%zz"}) {
    CAPTURE(path);
    CHECK(under(path));
  }
  for (auto const* const path : {"/", "/api", "/API/v1", "/apix/v1", "/api%2Fv1", "//api/v1", "/healthz", "/v1/api/"}) {
    CAPTURE(path);
    CHECK_FALSE(under(path));
  }
}
