// The value of --database, parsed once.
#pragma once

#include <boost/system/result.hpp>

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <variant>

namespace deployd::storage {

/// A SQLite file, such as `sqlite:deployd.db` or `sqlite:/var/lib/deployd/deployd.db`.
struct SqliteUrl {
  std::string path;
};

/// The parameters of a libpq connection URI. The text itself is not kept, so that no message can quote it.
struct PostgresqlUrl {
  /// libpq's parameters by keyword (`host`, `user`, `password`, ...), decoded; those not set by the URI are missing.
  std::map<std::string, std::string, std::less<>> parameters;
  /// The value of `prepare=on|off` in the URI: `on` permits prepared statements and listening for changes. Nothing:
  /// permitted unless there is a pooler before the server.
  std::optional<bool> prepare;

  /// Returns the value of a parameter; empty if it is not set.
  std::string_view operator[](std::string_view keyword) const;
};

using DatabaseUrl = std::variant<SqliteUrl, PostgresqlUrl>;

/// Parses `sqlite:PATH`, `postgresql://...` or `postgres://...`. Fails with `errc::bad_database_url`. Opens nothing.
boost::system::result<DatabaseUrl> parse_database_url(std::string_view text);

/// Describes in one line why `parse_database_url` refuses `text`, without quoting values of a PostgreSQL URL; empty if
/// it accepts it.
std::string database_url_complaint(std::string_view text);

/// True if the URL contains a password, of the role or of a client key.
bool holds_password(DatabaseUrl const& url);

/// Returns the URI with which libpq connects. It contains the password, so it must only be passed to libpq.
std::string connection_uri(PostgresqlUrl const& url);

/// Returns the URL in a form for logs and error messages: `sqlite:PATH`, or `postgresql://USER@HOST:PORT,.../DBNAME`
/// built from these parameters only.
std::string describe(DatabaseUrl const& url);

/// Returns a message of libpq in one line, with every password of `url` replaced by `***`.
std::string without_passwords(std::string_view message, DatabaseUrl const& url);

/// The same for the first line of `message` only, which says what happened.
std::string first_line_without_passwords(std::string_view message, DatabaseUrl const& url);

}  // namespace deployd::storage
