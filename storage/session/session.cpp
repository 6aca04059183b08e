#include "storage/session/session.hpp"

#include "storage/session/open_postgresql.hpp"
#include "storage/session/open_sqlite.hpp"

namespace deployd::storage {

std::unique_ptr<soci::session> open_session(DatabaseUrl const& url, Access access, std::chrono::milliseconds busy) {
  return translating(url, [&] {
    if (auto const* sqlite = std::get_if<SqliteUrl>(&url)) return open_sqlite(*sqlite, access, busy);
    return open_postgresql(std::get<PostgresqlUrl>(url), access, busy);
  });
}

Error translate(soci::soci_error const& failure, DatabaseUrl const& url) {
  return std::visit([&](auto const& of_this_kind) { return translate(failure, of_this_kind); }, url);
}

}  // namespace deployd::storage
