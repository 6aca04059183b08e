// All queries on a SQLite store that serve requests: their SQL, and how results are read.
#pragma once

#include <boost/system/result.hpp>

#include <sys/types.h>

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "storage/database_url.hpp"
#include "storage/left_out_rows.hpp"
#include "storage/session/sqlite_statement.hpp"
#include "storage/sqlite/wal_index.hpp"
#include "storage/store.hpp"

namespace deployd::storage {

/// Identifies the file at a path. It changes when the file is replaced, for example by restoring a backup.
struct FileIdentity {
  dev_t device = 0;
  ino_t inode = 0;
  bool operator==(FileIdentity const&) const = default;
};

/// Returns nothing if there is no such file.
std::optional<FileIdentity> identify_file(std::string const& path) noexcept;

/// The deployments of a list, after the name of the pattern has been replaced by its id.
struct RowRange {
  Table table = Table::deployments;
  std::optional<std::int64_t> pattern_id;
  std::optional<std::string_view> name;
  std::int64_t least_id = INT64_MIN;
};

/// Returns the range of `filter`; `pattern_id` is the id of `filter.pattern` if that is set. Returns nothing if it
/// cannot contain any row. `filter` must outlive the range.
std::optional<RowRange> range_of(Filter const& filter, std::optional<std::int64_t> pattern_id) noexcept;

/// Returns the SQL for a range, in which ?1 is the least id, ?2 the pattern's id and ?3 the name. Each pair of
/// conditions has an index whose last column is the id, so that every range is read in the order of the id without
/// sorting, and only as far as it is stepped. The types of id and pattern_id decide which rows are deployments,
/// whatever program made the table.
std::string range_sql(RowRange const& range, bool only_ids);

// A row of a statement consists of id, pattern_id and name. For patterns, both ids are the pattern's own.

/// True if the current row is a valid deployment or pattern.
inline bool holds_deployment(SqliteStatement const& row) noexcept {
  return row.whole_number(1) && row.whole_number(2);
}

/// The same for rows that are shown: an invalid row is counted as left out.
bool is_sound(Table table, SqliteStatement const& row, LeftOutRows& left_out);

/// Passes the current row to the sink, and returns the sink's result.
bool give(SqliteStatement const& row, RowSink& sink);

/// Returns the error for the result of a `step` that is neither a row nor the end.
boost::system::error_code failure_of(int step_result) noexcept;

/// One session and its prepared statements. Never waits for locks: a locked database is `errc::busy` at once. For one
/// thread at a time.
///
/// No function leaves a statement positioned at a row unless documented. Statements are prepared when first needed. If
/// that fails they throw soci::soci_error; `failure_of` translates it.
class SqliteQueries {
 public:
  /// Throws `Error`. `cache_kib` limits the session's page cache. `left_out` must outlive this object.
  SqliteQueries(SqliteUrl const& url, int cache_kib, LeftOutRows& left_out);

  FileIdentity file() const noexcept { return file_; }

  /// Returns SQLite's message for its last failure.
  std::string message() const;

  /// Returns SQLite's counter of commits by other sessions, or nothing if it cannot be read. Queries SQLite only if the
  /// WAL index shows a commit.
  std::optional<std::uint32_t> data_version() noexcept;

  boost::system::result<bool> deployment(std::int64_t id, RowSink& sink);
  boost::system::result<Listing> list(Filter const& filter, std::size_t max_rows, RowSink& sink);
  boost::system::result<std::optional<ApiToken>> api_token(Sha256 const& hash);
  boost::system::result<bool> ping();

  /// Begins a transaction and its snapshot. Returns the id of the pattern named by `filter`, if it names an existing
  /// one.
  boost::system::result<std::optional<std::int64_t>> begin_snapshot(Filter const& filter);
  /// Ends the transaction, whatever state its statements are in, and frees memory. Returns false if it could not be
  /// ended.
  bool end_snapshot() noexcept;

  /// Returns the statement of a range, bound and not yet stepped. Must be used in a snapshot.
  SqliteStatement& start_rows(RowRange const& range) { return start(range, false); }
  SqliteStatement& start_ids(RowRange const& range) { return start(range, true); }

 private:
  std::optional<std::uint32_t> ask_data_version() noexcept;
  SqliteStatement& statement(std::size_t which);
  SqliteStatement& start(RowRange const& range, bool only_ids);
  std::optional<int> step_to_row(Table table, SqliteStatement& rows, std::size_t& left_out);
  int step_to_pattern(SqliteStatement& pattern, std::string_view name);

  DatabaseUrl url_;
  LeftOutRows& left_out_;
  FileIdentity file_;
  std::unique_ptr<soci::session> session_;
  // After the session, to be finalized first.
  std::array<std::unique_ptr<SqliteStatement>, 7> statements_;
  std::array<std::unique_ptr<SqliteStatement>, 16> ranges_;
  std::optional<SqliteWalIndex> wal_index_;
  SqliteWalIndex::Header known_header_{};  // from before `known_version_` was read
  std::optional<std::uint32_t> known_version_;
};

}  // namespace deployd::storage
