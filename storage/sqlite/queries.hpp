// Every question that is put to a SQLite store while it serves: its SQL and how its answer is read.
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

/// Which file a path names: it changes when the file is replaced, as by restoring a backup.
struct FileIdentity {
  dev_t device = 0;
  ino_t inode = 0;
  bool operator==(FileIdentity const&) const = default;
};

/// Nothing when there is no such file.
std::optional<FileIdentity> identify_file(std::string const& path) noexcept;

/// The deployments wanted, once the name of the pattern has become its id.
struct RowRange {
  std::optional<std::int64_t> pattern_id;
  std::optional<std::string_view> name;
  std::int64_t least_id = INT64_MIN;
};

/// The range of `filter`; `pattern_id` is the id of `filter.pattern` where that is set. Nothing when no row can be in
/// it. `filter` must outlive the range.
std::optional<RowRange> range_of(Filter const& filter, std::optional<std::int64_t> pattern_id) noexcept;

/// True if the row at which a statement of deployments stands can be one.
inline bool holds_deployment(SqliteStatement const& row) noexcept {
  return row.whole_number(1) && row.whole_number(2);
}

/// Gives the row at which a statement of deployments stands; what the sink says.
bool give(SqliteStatement const& row, RowSink& sink);

/// What the result of a `step` that is neither a row nor the end means.
boost::system::error_code failure_of(int step_result) noexcept;

/// One session and its prepared statements. Nothing here waits for locks:
/// a locked database is `errc::busy` at once. For one thread at a time.
///
/// No function leaves a statement between two rows, but for those that say so. A statement that cannot be prepared
/// (it is prepared when it is first needed) throws soci::soci_error; `failure_of` says what that means.
class SqliteQueries {
 public:
  /// Throws `Error`. `cache_kib` bounds the session's page cache. `left_out` must outlive this.
  SqliteQueries(SqliteUrl const& url, int cache_kib, LeftOutRows& left_out);

  FileIdentity file() const noexcept { return file_; }

  /// SQLite's words for its last failure.
  std::string message() const;

  /// SQLite's counter of the commits of others; nothing when it cannot be read. Asks SQLite only when the WAL index
  /// says that there was a commit.
  std::optional<std::uint32_t> data_version() noexcept;

  boost::system::result<bool> deployment(std::int64_t id, RowSink& sink);
  boost::system::result<Listing> list(Filter const& filter, std::size_t max_rows, RowSink& sink);
  boost::system::result<std::optional<ApiToken>> api_token(Sha256 const& hash);
  boost::system::result<bool> ping();

  /// Begins a transaction and with it a snapshot; the id of the pattern named by `filter`, if it names one that exists.
  boost::system::result<std::optional<std::int64_t>> begin_snapshot(Filter const& filter);
  /// Ends the transaction, whatever state its statements are in, and gives memory back. False when it could not be
  /// ended.
  bool end_snapshot() noexcept;

  /// The same, for rows of an answer: one that cannot be a deployment counts as left out.
  bool is_deployment(SqliteStatement const& row);

  /// The statements of a range, bound and not yet stepped. To be used in a snapshot.
  SqliteStatement& start_rows(RowRange const& range);
  SqliteStatement& start_ids(RowRange const& range);

  /// The plan of the statement of `range`, as EXPLAIN QUERY PLAN tells it: for tests.
  std::string explain(RowRange const& range, bool ids_only);

 private:
  std::optional<std::uint32_t> ask_data_version() noexcept;
  SqliteStatement& statement(std::size_t which);
  SqliteStatement& start(std::size_t which, RowRange const& range);
  std::optional<int> step_to_deployment(SqliteStatement& rows, std::size_t& left_out);
  int step_to_pattern(SqliteStatement& pattern, std::string_view name);

  DatabaseUrl url_;
  LeftOutRows& left_out_;
  FileIdentity file_;
  std::unique_ptr<soci::session> session_;
  std::array<std::unique_ptr<SqliteStatement>, 13> statements_;  // after the session: finalized before it is closed
  std::optional<SqliteWalIndex> wal_index_;
  SqliteWalIndex::Header known_header_{};  // from before `known_version_` was asked for
  std::optional<std::uint32_t> known_version_;
};

}  // namespace deployd::storage
