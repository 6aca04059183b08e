#include "storage/database_url.hpp"

#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>

#include <map>
#include <random>
#include <string>
#include <string_view>
#include <vector>

#include "storage/error.hpp"
#include "storage/session/session.hpp"

namespace storage = deployd::storage;
using storage::database_url_complaint;
using storage::parse_database_url;

TEST_CASE("a SQLite URL is its path, whatever characters are in it") {
  auto const path = GENERATE(as<std::string>(), "deployd.db", "/var/lib/a b/ö=\"x\"%3F#@.db", "../x.db", "file:x");
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
      {"sqlite:a.db?mode=ro", "'mode'"},
      {"sqlite:a.db?", "options behind the '?'"},
      {"sqlite:a.db?a\nb=c", "options behind the '?'"},
      {"sqlite:a.db?immutable&mode=ro", "'immutable'"},
      {"postgresql://h/db?colour=red", "know: colour"},
      {"postgresql://h/db?colour", "no '='"},
      {"postgresql://h/db?sslmode=a=b", "two '='"},
      {"postgresql://[::1/db", "[::1]"},
      {"postgresql://[]/db", "[]"},
      {"postgresql://[::1]x/db", "behind a ']'"},
      {"postgresql://h/%zz", "%25"},
      {"postgresql://h/a%00b", "%00"},
      {"postgresql://u:a@b@h/db", "%40"},
      {"postgresql://u:1/a@h/db", "%40"},
      {"postgresql://u:1/a?user=b@h/db", "%40"},
      {"postgresql://u:p@h/db?user=a@b", "%40"},
      {"postgresql://u@a%40b/db", "%40"},
      {"postgresql://h/db?host=a@b", "%40"},
      {"postgresql://h?password=a@b", "%3F"},
      {"postgresql://h:5432?password=a@b", "%40"},
      {"postgresql://h:65536/db", "port"},
      {"postgresql://h:5432,i:x/db", "port"},
      {"postgresql://h/db?sslmode=on", "sslmode is none of disable, allow"},
      {"postgresql://h,i/db?target_session_attrs=master", "target_session_attrs is none of any, read-write"},
  }));
  CAPTURE(c.text);
  auto const url = parse_database_url(c.text);
  REQUIRE(url.has_error());
  CHECK(url.error() == storage::errc::bad_database_url);
  CAPTURE(database_url_complaint(c.text));
  CHECK(database_url_complaint(c.text).find(c.complaint) != std::string::npos);
}

TEST_CASE("libpq is given what a PostgreSQL URL says, without deployd's own parameter") {
  using Parameters = std::map<std::string, std::string, std::less<>>;
  struct Case {
    std::string text;
    Parameters parameters;
    std::optional<bool> prepare;
  };
  auto const c = GENERATE(values<Case>({
      {"postgresql://u@h1,h2:5433/db",
       {{"user", "u"}, {"host", "h1,h2"}, {"port", ",5433"}, {"dbname", "db"}},
       std::nullopt},
      {"postgres://h/db?prepare=off", {{"host", "h"}, {"dbname", "db"}}, false},
      {"postgres://h/db?", {{"host", "h"}, {"dbname", "db"}}, std::nullopt},
      {"postgresql://h/db?pre%70are=on&sslmode=require",
       {{"host", "h"}, {"dbname", "db"}, {"sslmode", "require"}},
       true},
      {"postgresql://h?sslmode=require&prepare=off&sslmode=allow", {{"host", "h"}, {"sslmode", "allow"}}, false},
      {"postgresql://h1,h2,h3/db?port=,5434,5435",
       {{"host", "h1,h2,h3"}, {"port", ",5434,5435"}, {"dbname", "db"}},
       std::nullopt},
      {"postgresql://[::1]:5433/d%20b?host=/tmp",
       {{"host", "/tmp"}, {"port", "5433"}, {"dbname", "d b"}},
       std::nullopt},
      {"postgresql://u:a?b:c%2F%40@h/db",
       {{"user", "u"}, {"password", "a?b:c/@"}, {"host", "h"}, {"dbname", "db"}},
       {}},
      {"postgresql://h/db?password=a@b/c?d&user=e@f",
       {{"user", "e@f"}, {"password", "a@b/c?d"}, {"host", "h"}, {"dbname", "db"}},
       std::nullopt},
  }));
  CAPTURE(c.text, database_url_complaint(c.text));
  auto const url = parse_database_url(c.text);
  REQUIRE(url.has_value());
  auto const& postgresql = std::get<storage::PostgresqlUrl>(*url);
  CHECK(postgresql.parameters == c.parameters);
  CHECK(postgresql.prepare == c.prepare);
  auto const again = parse_database_url(connection_uri(postgresql));
  REQUIRE(again.has_value());
  CHECK(std::get<storage::PostgresqlUrl>(*again).parameters == c.parameters);
}

TEST_CASE("a PostgreSQL URL is shown by its user, hosts, ports and database alone") {
  struct Case {
    std::string text, shown;
  };
  auto const c = GENERATE(values<Case>({
      {"postgres://u:s3cret@h:5433/db?sslmode=require", "postgresql://u@h:5433/db"},
      {"postgresql://u%20v@h1,[::1]:5433,/a%2Fb", "postgresql://u%20v@h1,[::1]:5433,/a%2Fb"},
      {"postgresql:///db?host=/run/x&password=s3cret&application_name=y", "postgresql://%2Frun%2Fx/db"},
      {"postgresql://?hostaddr=127.0.0.1&sslpassword=s3cret&passfile=z", "postgresql://127.0.0.1"},
      {"postgresql://", "postgresql://"},
  }));
  CAPTURE(c.text);
  CHECK(describe(parse_database_url(c.text).value()) == c.shown);
}

TEST_CASE("no password of a database URL is in what libpq says") {
  auto const text = GENERATE(as<std::string>(), "postgresql://u:s3cr%65t@h/db", "postgresql://h/db?pass%77ord=s3cr%65t",
                             "postgresql://u@h/db?user=x&sslpassword=s3cr%65t&sslmode=prefer");
  auto const url = parse_database_url(text);
  REQUIRE(url.has_value());
  CHECK(without_passwords("no \"s3cret\" here\n\tIs it?\nnor s3cret\n\tIs it there?\n", *url) ==
        "no \"***\" here; nor ***");
  CHECK(first_line_without_passwords("no s3cret\nat all", *url) == "no ***");
  // Left out of words that everybody knows, a password would be shown by that.
  CHECK(without_passwords("port refused", *parse_database_url("postgresql://u:p@h/db")) == "port refused");
}

namespace {

constexpr std::string_view marker = "qzmarkerzq";

/// Makes URLs as people and attackers write them, each with a password that holds the marker. URLs in which libpq
/// is certain to read the password as something else are not made: it could not be recognised as one.
class MarkedUrls {
 public:
  explicit MarkedUrls(unsigned seed) : random_(seed) {}

  std::string next() {
    auto url = pick({"postgresql://", "postgres://"});
    bool const in_credentials = chance(2);
    if (in_credentials) url += pick({"u", "", "u%20v", "%75"}) + ":" + password("@") + pick({"@", "@", "@", "@@"});
    url += pick({"", "h", "127.0.0.1:1", "a,b:2,[::1]:3", "[::1", "[]", "h:99999", "h:x", "%zz", "%40x", ","});
    if (!in_credentials || chance(2)) url += pick({"", "/", "/db", "/d%20b", "/%00", "/d@b"});
    url += in_credentials && chance(2) ? "" : "?" + options(in_credentials);
    return url;
  }

 private:
  bool chance(unsigned one_in) { return random_() % one_in == 0; }
  std::string pick(std::vector<std::string> const& choices) { return choices[random_() % choices.size()]; }

  /// The marker among characters that mean something in a URL, some of it percent-encoded.
  std::string password(std::string_view never_last) {
    constexpr std::string_view special = "?@#/&=%:;[],+ '\"\\$!*";
    std::string text;
    for (auto left = random_() % 4; left > 0; --left) text += special[random_() % special.size()];
    for (char const c : marker) text += chance(4) ? encoded(c) : std::string(1, c);
    for (auto left = random_() % 4; left > 0; --left) text += special[random_() % special.size()];
    if (never_last.find(text.back()) != never_last.npos) text += 'x';
    return text;
  }

  std::string encoded(char c) {
    auto const* const digits = chance(2) ? "0123456789ABCDEF" : "0123456789abcdef";
    return {'%', digits[c >> 4], digits[c & 0xF]};
  }

  std::string options(bool password_given) {
    std::string text;
    auto const secret = password_given ? 4U : random_() % 4;
    for (unsigned i = 0; i < 4; ++i) {
      if (i != secret && chance(2)) continue;
      if (!text.empty()) text += '&';
      text += i == secret ? pick({"password", "pass%77ord", "%70assword", "sslpassword", "sslpass%57ord", "passwrod"}) +
                                pick({"=", "=", "=", "%3D"}) + password("")
                          : pick({"sslmode=require", "sslmode=on", "prepare=on", "colour=red", "user=x", "host=y",
                                  "application_name=z", "connect_timeout=1", "connect_timeout=x", "lonely"});
    }
    return text;
  }

  std::mt19937 random_;
};

bool shows_marker(std::string_view message) {
  std::string decoded;
  for (std::size_t i = 0; i < message.size(); ++i) {
    auto const digits = message.substr(i + 1 < message.size() ? i + 1 : i, 2);
    if (message[i] == '%' && digits.find_first_not_of("0123456789abcdefABCDEF") == digits.npos && digits.size() == 2) {
      decoded += static_cast<char>(std::stoi(std::string(digits), nullptr, 16));
      i += 2;
    } else {
      decoded += message[i];
    }
  }
  return message.find(marker) != message.npos || decoded.find(marker) != decoded.npos;
}

}  // namespace

TEST_CASE("no message about any database URL shows its password, be it understood or not") {
  MarkedUrls urls(20261127);
  std::size_t understood = 0;
  for (int i = 0; i < 50'000; ++i) {
    auto const text = urls.next();
    auto const url = parse_database_url(text);
    auto const message = url ? describe(*url) : database_url_complaint(text);
    if (url) ++understood;
    CAPTURE(text, message);
    REQUIRE(!shows_marker(message));
    REQUIRE(message.find('\n') == message.npos);
  }
  // Else the others were all that was looked at.
  CHECK(understood > 4'000);
}

TEST_CASE("no message about a connection that cannot be made shows the URL's password") {
  MarkedUrls urls(19700101);
  int tried = 0;
  for (int i = 0; i < 4'000; ++i) {
    auto const text = urls.next();
    auto const url = parse_database_url(text);
    if (!url) continue;
    // No server listens there, whatever the URL says.
    auto nowhere = std::get<storage::PostgresqlUrl>(*url);
    nowhere.parameters["host"] = nowhere.parameters["hostaddr"] = "127.0.0.1";
    nowhere.parameters["port"] = "1";
    ++tried;
    CAPTURE(text);
    try {
      storage::open_session(nowhere, storage::Access::read);
      FAIL("somebody listens on port 1");
    } catch (storage::Error const& failure) {
      CAPTURE(failure.what());
      REQUIRE(!shows_marker(failure.what()));
    }
  }
  CHECK(tried > 200);
}
