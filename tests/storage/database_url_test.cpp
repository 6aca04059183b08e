#include "storage/database_url.hpp"

#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>

#include "storage/error.hpp"

namespace storage = deployd::storage;
using storage::database_url_complaint;
using storage::parse_database_url;

TEST_CASE("a SQLite URL is its path, whatever characters are in it") {
  auto const path = GENERATE(as<std::string>(), "deployd.db", "/var/lib/a b/ö=\"x\"?.db", "../x.db", "file:x");
  auto const url = parse_database_url("sqlite:" + path);
  REQUIRE(url.has_value());
  CHECK(std::get<storage::SqliteUrl>(*url).path == path);
  CHECK(describe(*url) == "sqlite:" + path);
  CHECK(database_url_complaint("sqlite:" + path).empty());
}

TEST_CASE("what is no database URL is refused with a reason") {
  struct Case {
    std::string text, complaint;
  };
  auto const c = GENERATE(values<Case>({
      {"", "begins with sqlite: or postgresql://"},
      {"deployd.db", "begins with sqlite: or postgresql://"},
      {"mysql://h/db", "begins with sqlite: or postgresql://"},
      {"postgresql:db", "begins with sqlite: or postgresql://"},
      {"sqlite:", "path of the SQLite file is missing"},
      {"sqlite::memory:", "name a file"},
      {std::string("sqlite:a\0b", 10), "NUL"},
      {"postgresql://h/db?prepare=maybe", "prepare"},
      {"postgresql://h/db?prepare=off&prepare=off", "prepare"},
      {"postgresql://h/db?colour=red", "colour"},
      {"postgresql://[::1/db", "::1"},
      {"postgresql://h/%zz", "%zz"},
      {"postgresql://h:65536/db", "port"},
      {"postgresql://h:5432,i:x/db", "port"},
      {"postgresql://h/db?sslmode=on", "sslmode: on"},
      {"postgresql://h,i/db?target_session_attrs=master", "target_session_attrs: master"},
  }));
  CAPTURE(c.text);
  auto const url = parse_database_url(c.text);
  REQUIRE(url.has_error());
  CHECK(url.error() == storage::errc::bad_database_url);
  CAPTURE(database_url_complaint(c.text));
  CHECK(database_url_complaint(c.text).find(c.complaint) != std::string::npos);
}

TEST_CASE("libpq is given a PostgreSQL URL without deployd's own parameter") {
  struct Case {
    std::string text, uri;
    std::optional<bool> prepare;
  };
  auto const c = GENERATE(values<Case>({
      {"postgresql://u@h1,h2:5433/db", "postgresql://u@h1,h2:5433/db", std::nullopt},
      {"postgres://h/db?prepare=off", "postgres://h/db", false},
      {"postgresql://h/db?prepare=on&sslmode=require", "postgresql://h/db?sslmode=require", true},
      {"postgresql://h/db?sslmode=require&prepare=off&target_session_attrs=any",
       "postgresql://h/db?sslmode=require&target_session_attrs=any", false},
      {"postgresql://h1,h2,h3:5433/db?port=,5434,5435", "postgresql://h1,h2,h3:5433/db?port=,5434,5435", std::nullopt},
      {"postgresql://[::1]:5433/d%20b?host=/tmp", "postgresql://[::1]:5433/d%20b?host=/tmp", std::nullopt},
  }));
  CAPTURE(c.text);
  auto const url = parse_database_url(c.text);
  REQUIRE(url.has_value());
  CHECK(std::get<storage::PostgresqlUrl>(*url).uri == c.uri);
  CHECK(std::get<storage::PostgresqlUrl>(*url).prepare == c.prepare);
}

TEST_CASE("no password of a database URL is ever shown") {
  auto const text = GENERATE(as<std::string>(), "postgresql://u:s3cr%65t@h/db", "postgresql://h/db?password=s3cr%65t",
                             "postgresql://u@h/db?user=x&sslpassword=s3cr%65t&sslmode=prefer");
  auto const url = parse_database_url(text);
  REQUIRE(url.has_value());
  CHECK(describe(*url).find("s3cr") == std::string::npos);
  CHECK(describe(*url).find("***") != std::string::npos);
  CHECK(without_passwords("no \"s3cret\" here\n\tIs it?\nnor s3cr%65t\n\tIs it there?\n", *url) ==
        "no \"***\" here; nor ***");
}

TEST_CASE("a complaint about a malformed PostgreSQL URL shows no password either") {
  auto const text = GENERATE(as<std::string>(), "postgresql://u:s3cret@[::1/db", "postgresql://u:s3cret@h/%zz",
                             "postgresql://u:s3%zzcret@h/db", "postgresql://h/db?password=s3cret&colour=red",
                             "postgresql://h:notaport/db?password=s3%zzcret", "postgresql://u:p/s3cret@h/db?password=%",
                             "postgresql://u:s3cret/x@h/db");
  CAPTURE(text);
  REQUIRE(parse_database_url(text).has_error());
  CAPTURE(database_url_complaint(text));
  CHECK(database_url_complaint(text).find("cret") == std::string::npos);
}
