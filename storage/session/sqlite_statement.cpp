#include "storage/session/sqlite_statement.hpp"

#include <new>

namespace deployd::storage {
namespace {

sqlite_api::sqlite3_stmt* handle_of(soci::statement& statement) {
  return static_cast<soci::sqlite3_statement_backend*>(statement.get_backend())->stmt_;
}

}  // namespace

SqliteStatement::SqliteStatement(soci::session& session, std::string const& sql)
    : statement_((session.prepare << sql)), handle_(handle_of(statement_)) {}

void SqliteStatement::bind(int position, std::int64_t value) noexcept {
  sqlite_api::sqlite3_bind_int64(handle_, position, value);
}

void SqliteStatement::bind_null(int position) noexcept {
  sqlite_api::sqlite3_bind_null(handle_, position);
}

void SqliteStatement::bind(int position, std::string_view text) noexcept {
  // A null pointer would bind NULL, which equals nothing, not even the empty name.
  char const* const data = text.data() != nullptr ? text.data() : "";
  sqlite_api::sqlite3_bind_text64(handle_, position, data, text.size(), SQLITE_STATIC, SQLITE_UTF8);
}

void SqliteStatement::bind_blob(int position, void const* bytes, std::size_t size) noexcept {
  sqlite_api::sqlite3_bind_blob64(handle_, position, bytes, size, SQLITE_STATIC);
}

bool SqliteStatement::next() {
  int const stepped = step();
  if (stepped == SQLITE_ROW) return true;
  if (stepped == SQLITE_DONE) {
    reset();
    return false;
  }
  soci::sqlite3_soci_error const failure(sqlite_api::sqlite3_errmsg(sqlite_api::sqlite3_db_handle(handle_)), stepped);
  reset();
  throw failure;
}

std::string_view SqliteStatement::text(int column) const {
  auto const* const data = reinterpret_cast<char const*>(sqlite_api::sqlite3_column_text(handle_, column - 1));
  if (data == nullptr) {
    if (sqlite_api::sqlite3_errcode(sqlite_api::sqlite3_db_handle(handle_)) == SQLITE_NOMEM) throw std::bad_alloc();
    return {};
  }
  return {data, static_cast<std::size_t>(sqlite_api::sqlite3_column_bytes(handle_, column - 1))};
}

sqlite_api::sqlite3* sqlite_handle(soci::session& session) noexcept {
  return static_cast<soci::sqlite3_session_backend*>(session.get_backend())->conn_;
}

}  // namespace deployd::storage
