// Where the data is: the value of --database, parsed once.
#pragma once

#include <boost/system/result.hpp>

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <variant>

namespace deployd::storage {

/// A SQLite file, as in `sqlite:deployd.db` or `sqlite:/var/lib/deployd/deployd.db`.
struct SqliteUrl {
  std::string path;
};

/// A libpq connection URI, taken apart. Its text is kept nowhere, so that no message can quote it.
struct PostgresqlUrl {
  /// libpq's parameters by keyword (`host`, `user`, `password`, ...), decoded; those that the URI does not set are
  /// missing.
  std::map<std::string, std::string, std::less<>> parameters;
  /// `prepare=on|off` in the URI: whether statements may be prepared and changes listened for. Nothing: unless a pooler
  /// stands before the server.
  std::optional<bool> prepare;

  /// The value of a parameter; empty when it is not set.
  std::string_view operator[](std::string_view keyword) const;
};

using DatabaseUrl = std::variant<SqliteUrl, PostgresqlUrl>;

/// Parses `sqlite:PATH`, `postgresql://...` or `postgres://...`.
/// Fails with `errc::bad_database_url`; nothing is opened.
boost::system::result<DatabaseUrl> parse_database_url(std::string_view text);

/// Why `parse_database_url` refuses `text`: one line that quotes no value of a PostgreSQL URL; empty when it does not
/// refuse.
std::string database_url_complaint(std::string_view text);

/// True if the URL contains a password, of the role or of a client key.
bool holds_password(DatabaseUrl const& url);

/// The URI that makes libpq connect. It holds the password: for libpq only.
std::string connection_uri(PostgresqlUrl const& url);

/// The URL as it may stand in logs and error lines: `sqlite:PATH`, or `postgresql://USER@HOST:PORT,.../DBNAME` made of
/// these parameters alone.
std::string describe(DatabaseUrl const& url);

/// `message` in one line, with every password of `url` replaced by `***`: for what libpq says.
std::string without_passwords(std::string_view message, DatabaseUrl const& url);

/// The same of the first line of `message` alone, where libpq says what happened.
std::string first_line_without_passwords(std::string_view message, DatabaseUrl const& url);

}  // namespace deployd::storage
