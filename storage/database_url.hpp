// Where the data is: the value of --database, parsed once.
#pragma once

#include <boost/system/result.hpp>

#include <optional>
#include <string>
#include <string_view>
#include <variant>

namespace deployd::storage {

/// A SQLite file, as in `sqlite:deployd.db` or `sqlite:/var/lib/deployd/deployd.db`.
struct SqliteUrl {
  std::string path;
};

/// A libpq connection URI, kept as it was given but for the parameters that are deployd's own.
struct PostgresqlUrl {
  /// What libpq is given: `postgresql://user@host1,host2/db?...`.
  std::string uri;
  /// `prepare=on|off` in the URI: whether statements may be prepared and changes listened for. Nothing: unless a pooler
  /// stands before the server.
  std::optional<bool> prepare;
};

using DatabaseUrl = std::variant<SqliteUrl, PostgresqlUrl>;

/// Parses `sqlite:PATH`, `postgresql://...` or `postgres://...`.
/// Fails with `errc::bad_database_url`; nothing is opened.
boost::system::result<DatabaseUrl> parse_database_url(std::string_view text);

/// Why `parse_database_url` refuses `text`: one line that shows no password; empty when it does not refuse.
std::string database_url_complaint(std::string_view text);

/// The URL as it may stand in logs and error lines: passwords are replaced by `***`.
std::string describe(DatabaseUrl const& url);

/// `message` in one line, with every password of `url` replaced by `***`: for what libpq says.
std::string without_passwords(std::string_view message, DatabaseUrl const& url);

}  // namespace deployd::storage
