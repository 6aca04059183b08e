// A prepared SQLite statement of a SOCI session, stepped on the handle that SOCI keeps for it.
#pragma once

#include <soci/soci.h>
#include <soci/sqlite3/soci-sqlite3.h>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace deployd::storage {

/// SOCI's own data exchange costs a string copy, an indicator and an exception frame for every row, and reports a
/// locked database by throwing. The statement is therefore prepared and owned by SOCI, but its columns are read
/// directly.
///
/// Parameters and columns are counted from 1, as in SOCI.
class SqliteStatement {
 public:
  /// Throws soci::soci_error if the statement cannot be prepared.
  SqliteStatement(soci::session& session, std::string const& sql);

  void bind(int position, std::int64_t value) noexcept;
  void bind_null(int position) noexcept;
  /// `text` must live until the next `reset`.
  void bind(int position, std::string_view text) noexcept;
  /// `bytes` must live until the next `reset`.
  void bind_blob(int position, void const* bytes, std::size_t size) noexcept;

  /// Returns SQLITE_ROW, SQLITE_DONE or an (extended) error. After anything but SQLITE_ROW the statement needs a
  /// `reset`.
  int step() noexcept { return sqlite_api::sqlite3_step(handle_); }
  /// Steps to the next row. Returns false at the end. Resets the statement unless it is at a row. Throws
  /// soci::sqlite3_soci_error.
  bool next();
  /// Runs a statement that returns no rows. Throws soci::sqlite3_soci_error.
  void run() { next(); }

  bool null(int column) const noexcept { return sqlite_api::sqlite3_column_type(handle_, column - 1) == SQLITE_NULL; }
  /// True if the value is a 64-bit integer, and not a number with a fraction, text, a blob or NULL.
  bool whole_number(int column) const noexcept {
    return sqlite_api::sqlite3_column_type(handle_, column - 1) == SQLITE_INTEGER;
  }
  std::int64_t integer(int column) const noexcept { return sqlite_api::sqlite3_column_int64(handle_, column - 1); }
  /// Valid until the next `step` or `reset`. Throws std::bad_alloc.
  std::string_view text(int column) const;
  /// The same, or nothing for NULL.
  std::optional<std::string_view> optional_text(int column) const {
    return null(column) ? std::nullopt : std::optional(text(column));
  }

  /// Releases the snapshot.
  void reset() noexcept { sqlite_api::sqlite3_reset(handle_); }

 private:
  soci::statement statement_;
  sqlite_api::sqlite3_stmt* handle_;
};

/// Resets a statement at the end of a scope: a statement left between two rows pins the snapshot of its whole session,
/// and all later responses from that session would be stale.
class ResetAtEnd {
 public:
  explicit ResetAtEnd(SqliteStatement& statement) noexcept : statement_(statement) {}
  ~ResetAtEnd() { statement_.reset(); }
  ResetAtEnd(ResetAtEnd const&) = delete;
  ResetAtEnd& operator=(ResetAtEnd const&) = delete;

 private:
  SqliteStatement& statement_;
};

/// Returns the handle inside a SOCI session of the SQLite backend.
sqlite_api::sqlite3* sqlite_handle(soci::session& session) noexcept;

}  // namespace deployd::storage
